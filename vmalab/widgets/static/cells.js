// The live cells of a lesson's page: its widgets wake when Python is there, its code can be changed and run.  What a reader has done
// stays in this browser, by lesson.  Joined behind remote.js; cells and their ids come from vmalab/editions/pages.py.

// What is kept, in one entry of the browser's storage: {cells: {id: {code, ran}}, widgets: {id: messages}}.
class Kept {
  constructor(lesson) {
    this.name = `vmalab:${lesson}`;
    try {
      this.all = JSON.parse(localStorage.getItem(this.name)) ?? {};
    } catch {
      this.all = {}; // a browser that keeps nothing, or what is no work of ours
    }
    this.all.cells ??= {};
    this.all.widgets ??= {};
  }

  get empty() {
    return !Object.keys(this.all.cells).length && !Object.keys(this.all.widgets).length;
  }

  save() {
    try {
      if (this.empty) localStorage.removeItem(this.name);
      else localStorage.setItem(this.name, JSON.stringify(this.all));
    } catch {
      // it is full, or switched off: then nothing is kept
    }
    this.onChange?.();
  }

  cell(id, value) {
    if (value) this.all.cells[id] = value;
    else delete this.all.cells[id];
    this.save();
  }

  widget(id, log) {
    if (log.length) this.all.widgets[id] = log;
    else delete this.all.widgets[id];
    this.save();
  }
}

const HERE = document.currentScript.src; // empty in a page that holds everything itself

// Python's parts, which a page from disk can't fetch: each script adds some (vmalab/editions/live.py).
async function bring() {
  if (!HERE) return window.vmalabParts;
  const names = window.vmalabLesson.data === false ? ["python.js", "core.js"] : ["python.js", "core.js", "data.js"];
  for (const name of names) await script(new URL(name, HERE).href);
  const parts = window.vmalabParts;
  window.vmalabParts = {}; // the worker has them; a page that is saved brings them again
  return parts;
}

const python = new Python(bring);

// What the page can do for a widget: the address that opens a program, and a page that holds everything itself.
const PAGE = {
  link: (fragment) => `${HERE ? new URL("../play.html", HERE).href : location.href.replace(/#.*/, "")}#${fragment}`,
  async whole(page) {
    if (!page.includes("<!-- Python -->")) return page;
    const { data: _data, ...parts } = await bring();
    const text = JSON.stringify(parts).replaceAll("</", "<\\/");
    return page.replace("<!-- Python -->", () => `<script>window.vmalabParts = ${text};<\/script>`);
  },
};

// A view of a widget in `host`, as anywidget makes one.
function view(render, model, host) {
  const bond = new Bond(model, { covers: false });
  VIEWS[render]({ model: bond.face, el: bond.veil.content });
  host.replaceChildren(bond.veil.el);
}

function shownOutput(output) {
  if (output.widget) {
    const model = new RemoteModel(python, output.traits, { page: PAGE });
    model.attach(output, []);
    const host = h("div", { class: "vml" });
    view(output.render, model, host);
    return host;
  }
  if (output.html !== undefined) {
    const host = h("div", {});
    host.innerHTML = output.html.replace(/^[^<]*/, ""); // what a notebook says to readers of text alone
    return host;
  }
  if (output.error !== undefined) return h("p", { class: "vml vml-error" }, output.line ? `Line ${output.line}: ${output.error}` : output.error);
  return h("pre", {}, output.text);
}

const STOP_AFTER = 2000; // ms after which what runs can be stopped

class Cell {
  constructor(lesson, { id, code, exercise }) {
    Object.assign(this, { lesson, id, code });
    this.el = document.querySelector(`.tag_vml-cell-${CSS.escape(id)}`);
    if (!this.el) return;
    this.input = this.el.querySelector(".cell_input");
    const kept = lesson.kept.all.cells[id];
    if (exercise || kept) this.edit(kept?.code ?? code);
    else {
      this.open = h("button", { type: "button", class: "vml-button vml-change", onclick: () => {
        this.edit(code);
        this.editor.focus();
      } }, "Change and run");
      this.input.append(h("div", { class: "vml vml-tools" }, this.open));
    }
  }

  edit(code) {
    this.run = h("button", { type: "button", class: "vml-do run", onclick: () => this.go() }, "Run");
    this.stop = h("button", { type: "button", class: "vml-button", hidden: true, onclick: () => this.lesson.restart() }, "Stop");
    this.back = h("button", { type: "button", class: "vml-button", onclick: () => this.reset() }, "As in the lesson");
    this.said = h("span", { class: "vml-hint", role: "status" });
    const host = h("div", { class: "vml-editor" });
    this.tools = h("div", { class: "vml vml-tools", role: "group", "aria-label": "This code" }, this.run, this.stop, this.back, this.said);
    this.closed = [...this.input.childNodes];
    this.input.replaceChildren(host, this.tools);
    this.editor = vmalabEditor.editor(host, { code, label: "Code; Shift+Enter runs it", onRun: () => this.go(),
      onChange: (text) => {
        this.lesson.kept.cell(this.id, text === this.code ? null : { code: text, ran: false });
        this.back.hidden = text === this.code;
      } });
    this.back.hidden = code === this.code;
  }

  reset() {
    this.lesson.kept.cell(this.id, null);
    this.editor.set(this.code);
    this.editor.focus();
  }

  // The place of the outputs: the lesson's own, if it has some.
  get output() {
    this.place ??= this.el.querySelector(".cell_output") ?? this.el.appendChild(h("div", { class: "cell_output" }));
    return this.place;
  }

  async go() {
    if (this.running) return;
    this.running = true;
    this.run.disabled = true;
    setText(this.said, python.status === "ready" ? "Running…" : WAITS);
    const code = this.editor.text();
    const late = setTimeout(() => { this.stop.hidden = python.status !== "ready"; }, STOP_AFTER);
    const answer = await this.lesson.run(this.id, code);
    clearTimeout(late);
    this.running = false;
    this.run.disabled = false;
    this.stop.hidden = true;
    setText(this.said, answer.stopped ? "Stopped." : answer.ok ? "Done." : "It failed.");
    if (answer.stopped) return;
    if (code !== this.code) this.lesson.kept.cell(this.id, { code, ran: true });
    const folded = this.el.querySelector("details.hide");
    if (folded) folded.open = true;
    this.output.replaceChildren(...answer.outputs.map((output) =>
      h("div", { class: "output vml-live-output" }, shownOutput(output))));
  }
}

const WAITS = "Python is starting in this page; that takes some seconds.";

class Lesson {
  constructor({ name, cells, opens, link }) {
    Object.assign(this, { name, cells, opens, link });
    this.kept = new Kept(name);
    this.models = [];
    this.bar();
    python.onStatus((status) => this.status(status));
  }

  // A widget of the page, which is shown at once from what it was when the page was built.
  async widget(host, play) {
    const { widget: traits } = await unpack(play.traits);
    const log = this.opens && /^#p=/.test(location.hash) ? [] : this.kept.all.widgets[play.cell] ?? [];
    const model = new RemoteModel(python, traits, { page: PAGE, log, onLog: (now) => this.kept.widget(play.cell, now) });
    model.again = log;
    model.cell = play.cell;
    view(play.render, model, host);
    this.models.push(model);
    model.wanted = () => this.wake();
    // with the button that a reader has for it; who has asked for less motion is not shown any
    if (play.autoplay && !log.length && !matchMedia("(prefers-reduced-motion: reduce)").matches) {
      host.querySelector('button[aria-label="Play"]')?.click();
    }
    return model;
  }

  begin() {
    const place = document.querySelector("[data-python]");
    if (place) place.replaceChildren(this.el);
    else (document.querySelector("article section h1") ?? document.querySelector("h1")).after(this.el);
    if (this.opens) {
      this.open(location.hash || this.link);
      addEventListener("hashchange", () => this.open(location.hash));
    }
    this.live = this.cells.map((cell) => new Cell(this, cell));
    const soon = window.requestIdleCallback ?? ((run) => setTimeout(run, 200));
    if (!navigator.connection?.saveData) soon(() => this.wake(), { timeout: 1000 });
  }

  // A program that the address holds, or the page itself, is opened in its builder.
  open(link) {
    const builder = this.models.find(({ cell }) => cell === this.opens);
    if (!/^#?p=/.test(link ?? "") || !builder) return;
    builder.again = [];
    builder.send({ do: "open", link });
  }

  told() {
    const { cells } = this.kept.all;
    return this.cells.map(({ id, code }) => [id, cells[id]?.ran ? cells[id].code : code]);
  }

  // Bring the widgets of the page to life, those first for which somebody waits.
  async wake() {
    if (this.waking) return;
    this.waking = true;
    python.ask({ do: "lesson", cells: this.told() });
    const left = new Set(this.models.filter((model) => model.widget === null));
    while (left.size) {
      const model = [...left].find((one) => one.waiting.length) ?? [...left][0];
      left.delete(model);
      const answer = await python.ask({ do: "run", cell: model.cell, code: null });
      if (answer.stopped) return;
      const made = answer.outputs.find((output) => output.widget);
      if (made) await model.attach(made, model.again);
    }
    document.documentElement.dataset.vmalab = "alive";
  }

  async run(id, code) {
    this.wake();
    return python.ask({ do: "run", cell: id, code });
  }

  // What runs is ended, and Python begun anew without it.
  restart() {
    for (const model of this.models) model.again = model.log;
    this.waking = false;
    python.restart();
    this.wake();
  }

  // --- what is kept ---

  bar() {
    const button = (words, act) => h("button", { type: "button", class: "vml-button", onclick: act }, words);
    this.state = h("span", { role: "status" });
    this.file = h("input", { type: "file", accept: ".json,application/json", hidden: true, "aria-label": "Saved answers",
      onchange: () => this.take(this.file.files[0]) });
    this.wipe = button("Wipe my answers", () => {
      if (!confirm("Wipe everything that you answered on this page? It is nowhere else.")) return;
      this.kept.all = { cells: {}, widgets: {} };
      this.kept.save();
      location.reload();
    });
    this.out = button("Save my answers", () => saveText(`${this.name}.answers.json`, JSON.stringify({ vmalab: this.name, ...this.kept.all }, null, 1)));
    this.el = h("aside", { class: "vml vml-python", "aria-label": "Python in this page" }, this.state,
      this.out, button("Load answers", () => this.file.click()), this.wipe, this.file);
    this.kept.onChange = () => { this.out.disabled = this.wipe.disabled = this.kept.empty; };
    this.kept.onChange();
  }

  async take(file) {
    try {
      const { vmalab, cells, widgets } = JSON.parse(await file.text());
      if (vmalab !== this.name) throw new Error(vmalab ? `they belong to ${vmalab}` : "it holds no answers of these pages");
      this.kept.all = { cells: cells ?? {}, widgets: widgets ?? {} };
      this.kept.save();
      location.reload();
    } catch (error) {
      setText(this.state, `${file.name} is not loaded: ${error.message}.`);
    }
  }

  status(status) {
    setText(this.state, {
      absent: "This page can run Python: it starts when you press something.",
      starting: "Python is starting in this page. Everything that plays plays already.",
      ready: "Python runs in this page: change what you like. Your answers stay in this browser only.",
      failed: `Python can't be started here (${python.why}). What plays without it plays.`,
    }[status]);
    this.el.dataset.status = status;
  }
}
