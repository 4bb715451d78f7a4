// A widget and the kernel behind it: where in the page it stands, and what it says when nobody answers.
//
// A notebook's output holds a still picture and output.js, nothing of the kernel's; the widget takes its place while the
// model lives.  So an output is never empty, and never an error, on whatever day it is opened.  Joined behind picture.js.

const LATE = 1500; // ms without an answer after which a widget says so
const QUIET = 1000; // ms after the last answer until the notebook keeps the picture

const ANSWERS = ["change:state", "change:data", "change:stepped"]; // where nobody tells when Python is done

const GONE = "Python was restarted or has ended, and nothing here answers any more. Run the cell above again: click into"
  + " it and press Shift+Enter. If it builds on other cells, run those first.";
const AGAIN = "Run the cell again";
const RUNNING = "Running the cell again…";
const NONE = " No kernel runs: choose or restart one (menu Kernel) first.";
const FAILED = " Run again, the cell above ended with an error; it stands below the cell.";
const LOST = " Your last press did nothing.";
const SILENT = "Python does not answer: what stands here is no answer to your last press. It is sent; if"
  + " nothing comes, restart the kernel (menu Kernel) and run the cell above again.";
const BUSY = "Python is busy. Your last press is sent and waits for its turn; what stands here is no answer to it yet.";

const STARTING = "Python is starting in this page, which takes some seconds. Your last press is sent and waits for it.";
const ABSENT = "Python can't be started in this page: what stands here is no answer to your last press.";
const LATE_WORDS = { busy: BUSY, ready: BUSY, starting: STARTING, failed: ABSENT }; // by the kernel's status; the last three are a page's

// All widgets and outputs of a page meet here: each widget's module has a scope of its own.
const shared = (globalThis.vmalab ??= {});
shared.widgets ??= new Map(); // place → what brings the widget into an output
shared.outputs ??= new Map(); // place → the outputs that wait for it
shared.stands ??= new WeakMap(); // frame of an output → the element in which a widget stands instead

// The element in which a widget stands in the place of `output`: beside the frame that JupyterLab draws anew whenever the
// output's text changes, so that the widget keeps its focus then.
function standFor(output) {
  const frame = output.closest(".jp-OutputArea-output") ?? output;
  let stand = shared.stands.get(frame);
  if (!stand) {
    stand = h("div", { class: frame === output ? "vml-stand" : "vml-stand jp-OutputArea-output" });
    shared.stands.set(frame, stand);
    frame.after(stand);
  }
  frame.style.display = "none";
  return stand;
}

// What covers a widget that is not answered, and its words.
class Veil {
  constructor(covers, again) {
    this.covers = covers;
    this.again = h("button", { type: "button", class: "vml-do", hidden: true, onclick: again }, AGAIN);
    this.content = h("div", { class: "vml-behind" });
    this.words = h("p", { role: "alert" });
    this.over = h("div", { class: "vml-veil", hidden: true }, this.words, this.again);
    this.el = h("div", { class: "vml vml-veiled" }, this.over, this.content);
  }

  // `again`: whether the cell can be run from here.
  say(text, again = false) {
    setText(this.words, text);
    this.over.hidden = !text;
    this.again.hidden = !again;
    this.el.classList.toggle("vml-sleeps", Boolean(text) && this.covers);
    this.content.inert = Boolean(text) && this.covers;
  }
}

// The model as a widget gets it: what is sent is waited for.  `keep`: has the notebook keep the picture, some time after
// the last answer.
class Bond {
  constructor(model, { covers, keep = null }) {
    Object.assign(this, { model, keep });
    this.veil = new Veil(covers, () => this.runAgain());
    this.kernel = model.widget_manager?.kernel ?? null;
    this.status = (_kernel, status) => {
      if (/restarting|dead|terminating/.test(status)) this.end(false);
    };
    this.disposed = () => this.end(false);
    this.answered = () => this.hear();
    this.callbacks = { iopub: { status: ({ content }) => content.execution_state === "idle" && this.hear() } };
    for (const name of ANSWERS) model.on(name, this.answered);
    if (covers) {
      this.kernel?.statusChanged?.connect(this.status);
      this.kernel?.disposed?.connect(this.disposed);
    }
    this.face = {
      page: model.page,
      get: (name) => model.get(name),
      set: (name, value) => model.set(name, value),
      on: (name, hear) => model.on(name, hear),
      off: (name, hear) => model.off(name, hear),
      save_changes: () => this.attempt(() => model.save_changes(), false),
      send: (message) => this.attempt(() => model.send(message, this.callbacks), true),
    };
  }

  // What was to be said or kept later is not.
  hush() {
    clearTimeout(this.late);
    clearTimeout(this.keeping);
  }

  attempt(action, awaited) {
    if (this.ended) return;
    try {
      action();
    } catch (error) {
      if (awaited) this.end(true);
      return;
    }
    if (awaited) this.wait();
  }

  wait() {
    this.hush();
    this.late = setTimeout(() => this.veil.say(LATE_WORDS[this.kernel?.status] ?? SILENT), LATE);
  }

  hear() {
    this.hush();
    if (this.ended) return;
    this.veil.say("");
    if (this.keep) this.keeping = setTimeout(this.keep, QUIET);
  }

  end(pressed) {
    this.hush();
    this.ended = true;
    this.veil.say(pressed ? GONE + LOST : GONE, Boolean(cellsOf(this.model)));
  }

  async runAgain() {
    const { sessionContext } = this.model.widget_manager.context;
    const kernel = sessionContext?.session?.kernel;
    if (!kernel || /dead|terminating/.test(kernel.status)) {
      this.veil.say(GONE + NONE, true);
      return;
    }
    this.veil.say(RUNNING);
    if (!await runAgain(kernel, cellsOf(this.model), this.model.get("place"))) this.veil.say(GONE + FAILED, true);
  }

  leave() {
    this.hush();
    for (const name of ANSWERS) this.model.off(name, this.answered);
    this.kernel?.statusChanged?.disconnect(this.status);
    this.kernel?.disposed?.disconnect(this.disposed);
  }
}

const cellsOf = (model) => model.widget_manager?.context?.model?.cells;

// Run the cell with the output of `place`; where it builds on others, those above it first.  Whether it ended well.
async function runAgain(kernel, cells, place) {
  const all = Array.from({ length: cells.length }, (_, n) => cells.get(n)).filter((cell) => cell.type === "code");
  const own = all.findIndex((cell) => holds(cell.outputs, place));
  if (own < 0) return false;
  if (await runCell(kernel, all[own])) return true;
  for (const cell of all.slice(0, own)) await runCell(kernel, cell);
  return runCell(kernel, all[own]);
}

const KEPT_OUTPUTS = ["stream", "display_data", "execute_result", "error"];

async function runCell(kernel, cell) {
  const code = cell.sharedModel.getSource();
  if (!code.trim()) return true;
  const future = kernel.requestExecute({ code, store_history: true, stop_on_error: false });
  cell.outputs.clear();
  future.onIOPub = ({ header: { msg_type: type }, content: { transient, ...content } }) => {
    if (type === "clear_output") cell.outputs.clear(content.wait);
    if (KEPT_OUTPUTS.includes(type)) cell.outputs.add({ output_type: type, ...content });
  };
  const { content } = await future.done;
  cell.executionCount = content.execution_count;
  return content.status === "ok";
}

const holds = (outputs, place) => Array.from({ length: outputs?.length ?? 0 }, (_, n) => outputs.get(n))
  .find((output) => String(output.data?.["text/html"] ?? "").includes(place));

// Put `text`, the output as it is now, into the notebook; the widget that stands before it stays.
function keepIn(notebook, place, text) {
  for (let c = 0; c < notebook.cells.length; c += 1) {
    const output = holds(notebook.cells.get(c).outputs, place);
    output?.setData({ data: { ...output.data, "text/html": text } });
  }
}

// What anywidget calls: `initialize` once for each model, `render` where a view of it is shown; and `alone`, which output.js
// calls where there is no model.  `draw` puts the widget into the page; `needs`: it can do nothing without Python.
function widget(draw, needs) {
  const render = ({ model, el, keep }) => {
    const bond = new Bond(model, { covers: needs, keep });
    const leave = draw({ model: bond.face, el: bond.veil.content });
    el.replaceChildren(bond.veil.el);
    return () => {
      bond.leave();
      leave?.();
    };
  };
  const initialize = ({ model }) => {
    const place = model.get("place");
    const notebook = model.widget_manager?.context?.model;
    const kept = ({ kept: text } = {}) => text && keepIn(notebook, place, text);
    const keep = needs && notebook?.cells ? () => model.send({ do: "keep" }) : null;
    const entered = new WeakSet();
    const enter = (output) => {
      const stand = standFor(output);
      if (entered.has(stand)) return;
      entered.add(stand);
      render({ model, el: stand, keep });
    };
    if (keep) model.on("msg:custom", kept);
    shared.widgets.set(place, enter);
    for (const output of shared.outputs.get(place) ?? []) enter(output);
    return () => shared.widgets.delete(place);
  };
  const alone = (output, traits) => {
    const model = { get: (name) => traits[name], set(name, value) { traits[name] = value; }, save_changes() {}, on() {}, off() {}, send: null };
    draw({ model, el: standFor(output) });
  };
  return { initialize, render, alone };
}
