// The call builder: fields, one picture to choose in and to see the call happen in, and the step bar under it.  Joined behind
// player.js and drag.js; fields, the call and errors are settled in Python (vmalab/widgets/session.py), which hears one
// message for each thing that a person does and answers with one.

// Patch `host` so that it holds one control for each field, kept by name, so that typing is never interrupted.
class Form {
  constructor(onSet) {
    this.onSet = onSet;
    this.fields = h("div", { class: "vml-form" });
    this.errors = h("div", { class: "vml-errors" }); // below all fields, so that none of them changes its place
    this.el = h("div", {}, this.fields, this.errors);
    this.rows = new Map();
  }

  show(fields) {
    const wanted = fields.map(({ name, label }) => `${name}/${label}`);
    for (const [key, row] of this.rows) {
      if (wanted.includes(key)) continue;
      row.el.remove();
      row.message.remove();
      this.rows.delete(key);
    }
    fields.forEach((field, i) => {
      const key = wanted[i];
      if (!this.rows.has(key)) this.rows.set(key, this.make(field));
      const row = this.rows.get(key);
      if (this.fields.children[i] !== row.el) this.fields.insertBefore(row.el, this.fields.children[i] ?? null);
      row.show(field);
    });
  }

  make(field) {
    const id = newId();
    const message = h("p", { class: "vml-error", id: `${id}-e` });
    this.errors.append(message);
    const wrong = (error) => setText(message, error && `${field.label}: ${error}`);
    if (field.kind === "checks") {
      const boxes = field.options.map(([word]) => h("input", { type: "checkbox", value: word, onchange: () =>
        this.onSet(field.name, boxes.filter((box) => box.checked).map((box) => box.value)) }));
      const labels = field.options.map(([, label], i) => h("label", {}, boxes[i], h("code", {}, label)));
      return {
        message,
        el: h("fieldset", { class: "vml-field", "aria-describedby": message.id }, h("legend", {}, field.label), h("div", {}, ...labels)),
        show: ({ value, error }) => {
          boxes.forEach((box) => { box.checked = value.includes(box.value); });
          wrong(error);
        },
      };
    }
    const input = field.kind === "select"
      ? h("select", { id }, ...field.options.map(([value, label]) => h("option", { value }, label)))
      : h("input", { type: "text", id, size: 12, autocomplete: "off", spellcheck: "false", placeholder: field.label });
    input.setAttribute("aria-describedby", `${id}-e ${id}-h`);
    input.addEventListener("input", () => this.onSet(field.name, input.value));
    const hint = h("span", { class: "vml-only-read", id: `${id}-h` }, field.hint);
    if (field.hint) input.title = field.hint;
    return {
      input, message,
      el: h("div", { class: "vml-field" }, h("label", { for: id }, field.label), input, hint),
      show: ({ value, error }) => {
        // what somebody is typing is never replaced under their fingers
        if (input.value !== value && document.activeElement !== input) input.value = value;
        if (error) input.setAttribute("aria-invalid", "true");
        else input.removeAttribute("aria-invalid");
        wrong(error);
      },
    };
  }
}

// To the clipboard; where the page is not served securely there is none to be had, but an older way.
async function copyText(text, near) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = h("textarea", { class: "vml-only-read", "aria-hidden": "true" }, text);
    near.after(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    near.focus();
    return done;
  }
}

function saveText(name, text, type = "application/json") {
  const link = h("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
  link.click();
  URL.revokeObjectURL(link.href);
}

const WIDER = 16; // pixels: a little more room is no reason to draw anew
const RESIZED = 200; // ms without a change after which a new size holds

class Builder {
  constructor(model) {
    this.model = model;
    this.sent = 0;
    this.turn = 0;
    this.texts = {};
    this.form = new Form((name, value) => this.send({ do: "set", name, value }));
    this.selection = new Selection((kind, start, end, phase, edge) => this.choose(kind, start, end, phase, edge));
    const pick = (label, name) => {
      const id = newId();
      const select = h("select", { id, onchange: () => this.send({ do: "set", name, value: select.value }) });
      return [select, h("span", { class: "vml-pick" }, h("label", { for: id }, label), select)];
    };
    const action = (word, what, style = "") =>
      h("button", { type: "button", class: `vml-do ${style}`, onclick: () => this.act(what) }, word);
    const [call, callLabel] = pick("Call", "call");
    const [release, releaseLabel] = pick("Kernel", "release");
    Object.assign(this, { call, release });
    this.buttons = {
      run: action("Run", "run", "run"), undo: action("Undo", "undo"), redo: action("Redo", "redo"),
      reset: action("Reset", "reset"),
    };
    this.stage = h("div", { class: "vml-stage" });
    this.lane = s("g", { class: "vml-lane" }, s("rect", { rx: 4 }), s("text", { x: 4, class: "h" }, "target"));
    this.hint = h("p", { class: "vml-hint" });
    this.c = h("code");
    this.python = h("code");
    this.status = h("p", { class: "vml-status", role: "status", "aria-live": "polite" });
    this.program = h("ol");
    this.past = h("details", { class: "vml-all" }, h("summary", {}, ""), this.program);
    const copy = (what, text, word = "Copy") => h("button", { type: "button", class: "vml-button", "aria-label": word === "Copy" ? `Copy ${what}` : null,
      onclick: async (event) => this.tell(await copyText(text(), event.currentTarget)
        ? `Copied: ${what}.` : "The browser lets nothing be copied: select the text instead.") }, word);
    this.copies = [copy("the call in C", () => this.c.textContent), copy("the call in Python", () => this.python.textContent)];
    const all = (language) => copy(`the whole program in ${language}`, () => this.texts[language], `Copy as ${language}`);
    const save = h("button", { type: "button", class: "vml-button", onclick: () => {
      const { scenario, unsaved } = this.texts;
      if (scenario) saveText("built.json", scenario);
      this.tell(unsaved ?? "Saved as built.json: vmalab run takes it, and any machine.");
    } }, "Save as scenario");
    const link = model.page && copy("a link that opens this program", () => this.texts.link ? model.page.link(this.texts.link) : "", "Copy link");
    const keep = h("button", { type: "button", class: "vml-button", onclick: () => this.send({ do: "page" }) }, "Save as a page");
    this.saved = ({ page } = {}) => page && (model.page?.whole(page) ?? Promise.resolve(page)).then((text) => {
      saveText("built.html", text, "text/html");
      this.tell("Saved as built.html: a page that opens anywhere, without network.");
    });
    model.on("msg:custom", this.saved);
    this.session = h("div", { class: "vml-bar", role: "group", "aria-label": "All calls so far" },
      all("Python"), all("C"), save, keep, link);
    this.result = h("div", { class: "vml-played" });
    this.why = h("input", { type: "checkbox", onchange: () => this.stage.classList.toggle("vml-seams", this.why.checked) });
    this.el = h("section", { class: "vml vml-builder vml-full", "aria-label": "Call builder" },
      h("div", { class: "vml-bar" }, callLabel, releaseLabel, h("label", {}, this.why, " why not one?")),
      this.form.el,
      h("div", { class: "vml-bar", role: "group", "aria-label": "Actions" }, ...Object.values(this.buttons)),
      this.status, this.hint, this.stage, this.result,
      h("div", { class: "vml-code" }, h("i", {}, "C"), this.c, this.copies[0], h("i", {}, "Python"), this.python, this.copies[1]),
      this.past, this.session);
    keepKeys(this.el);
    this.el.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.target.tagName === "INPUT" && event.target.type === "text") this.act("run");
    });
    this.update();
    this.play(model.get("played"));
    this.keepTexts();
  }

  // The picture is drawn as wide as there is room for it.
  fit() {
    const room = Math.floor(this.stage.clientWidth / WIDER) * WIDER;
    if (!room || room === this.model.get("width")) return;
    this.model.set("width", room);
    this.model.save_changes();
  }

  send(message) {
    this.sent += 1;
    this.model.send({ ...message, n: this.sent });
    this.el.setAttribute("aria-busy", "true");
  }

  act(what) {
    if (what === "run") {
      const wrong = [...this.form.rows.values()].find((row) => row.input?.getAttribute("aria-invalid"));
      wrong?.input.focus();
    }
    this.send({ do: what });
  }

  // What happened here without asking Python.
  tell(words) {
    this.status.className = "vml-status";
    setText(this.status, words);
  }

  choose(kind, start, end, phase, edge) {
    this.player?.go(Infinity, { animate: false }); // what is chosen from is what is now
    this.selection.show(kind, [start, end]);
    if (phase !== "done") return;
    if (kind === "source") this.send({ do: "select", start: String(start), end: String(end) });
    else this.send({ do: "aim", start: String(start), ...(edge === "end" ? { end: String(end) } : {}) });
  }

  async update() {
    const state = JSON.parse(this.model.get("state"));
    if (state.n && state.n < this.sent) return; // a newer answer is under way
    this.turn += 1;
    const turn = this.turn;
    const look = this.model.get("look");
    if (look !== this.look) {
      const scene = await unpack(look);
      if (turn !== this.turn) return; // a newer answer has come meanwhile
      this.look = look;
      this.draw(scene);
    }
    this.el.removeAttribute("aria-busy");
    this.state = state;
    this.selection.aims = state.aims;
    const options = (select, list, value) => {
      if (select.children.length !== list.length) {
        select.replaceChildren(...list.map(([name, label]) => h("option", { value: name }, label)));
      }
      select.value = value;
    };
    options(this.call, state.calls, state.call);
    options(this.release, state.releases, state.release);
    this.selection.show("source", state.source);
    this.selection.show("target", state.target);
    setText(this.hint, state.aims
      ? "Drag over VMAs and gaps to choose the range, then drag what you chose down into the lane, to where it should go. Or type, or move the round handles with the arrow keys."
      : state.ranged ? "Drag over the picture to choose the range. Or type, or move the round handles with the arrow keys."
        : state.form.length ? "This call names no range: its fields say all of it." : "This call takes no arguments.");
    this.svg?.classList.toggle("vml-aimless", !state.ranged);
    this.lane.style.display = state.aims ? "" : "none";
    this.form.show(state.form);
    for (const button of this.copies) button.disabled = !state.c;
    setText(this.c, state.c || "a field needs another value");
    setText(this.python, state.python || "a field needs another value");
    for (const name of ["undo", "redo", "reset"]) this.buttons[name].disabled = !state.can[name];
    setText(this.status, state.status);
    this.status.className = `vml-status ${state.status ? (state.ok ? "ok" : "fail") : ""}`;
    this.past.hidden = !state.program.length;
    this.session.hidden = !state.program.length;
    setText(this.past.firstChild, `${state.program.length} call${state.program.length === 1 ? "" : "s"} made here`);
    this.program.replaceChildren(...state.program.map(([text, result, ok]) =>
      h("li", {}, h("code", {}, text), h("span", { class: `vml-result ${ok ? "ok" : "fail"}` }, `${ok ? "✓" : "✕"} ${result}`))));
  }

  draw(scene) {
    this.scene = scene;
    const { play, geometry, vmas } = scene;
    const data = play ?? scene.picture;
    if (this.picture) this.picture.take(data);
    else this.hang(new Picture(data));
    this.picture.show(this.picture.frames.length - 1, this.begun);
    this.begun = true;
    const { left, lane, laneHeight } = geometry;
    const width = this.svg.viewBox.baseVal.width - left - 14;
    const [box, label] = this.lane.children;
    for (const [name, value] of Object.entries({ x: left, y: lane, width, height: laneHeight })) box.setAttribute(name, value);
    label.setAttribute("y", lane + 19);
    this.selection.use(geometry, vmas);
    if (play || !this.model.get("played")) this.mount(play && new Player(play, { index: Infinity, picture: this.picture,
      onStep: (index, last) => this.now(index === last) }));
  }

  // Put the picture on the stage, with what is chosen in it.
  hang(picture) {
    this.picture = picture;
    this.svg = picture.svg;
    this.svg.append(this.lane, this.selection.el);
    dragToSelect(this.svg, this);
    this.stage.replaceChildren(picture.el);
  }

  // Whether the picture shows what is now: in the middle of a call there is nothing to choose.
  now(whole) {
    this.selection.el.style.display = whole ? "" : "none";
  }

  mount(player) {
    this.player?.pause();
    this.player = player;
    this.now(true);
    this.result.replaceChildren(...(player ? [player.el] : []));
  }

  aims() {
    return this.state.aims;
  }

  targetSize() {
    const source = this.state.source;
    return source ? Math.max(source[1] - source[0], 1) : 1;
  }

  // The picture of the process is painted first, and then, of many VMAs, the player of its last call is made.
  replay() {
    const text = this.model.get("played");
    if (text) afterPaint(() => this.picture.rested(() => text === this.model.get("played") && this.play(text)));
  }

  async play(text) {
    const data = text ? await unpack(text) : null;
    if (data && text === this.model.get("played")) this.mount(new Player(data, { index: Infinity }));
  }

  // Unpacked as soon as they are here: a browser lets a click copy only what is at hand.
  async keepTexts() {
    const text = this.model.get("texts");
    const texts = await unpack(text);
    if (text === this.model.get("texts")) this.texts = texts;
  }
}

function renderBuilder({ model, el }) {
  const builder = new Builder(model);
  const update = () => builder.update();
  const replay = () => builder.replay();
  const keepTexts = () => builder.keepTexts();
  model.on("change:state", update);
  model.on("change:played", replay);
  model.on("change:texts", keepTexts);
  el.replaceChildren(builder.el);
  let waiting = null;
  const sized = new ResizeObserver(() => {
    if (waiting === null) builder.fit(); // the first time at once
    clearTimeout(waiting);
    waiting = setTimeout(() => builder.fit(), RESIZED);
  });
  sized.observe(builder.stage);
  return () => {
    sized.disconnect();
    clearTimeout(waiting);
    builder.player?.pause();
    model.off("change:state", update);
    model.off("change:played", replay);
    model.off("change:texts", keepTexts);
    model.off("msg:custom", builder.saved);
  };
}
