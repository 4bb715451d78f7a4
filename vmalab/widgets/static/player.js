// The player: plays what Python drew.  Python makes every picture and every word (vmalab/pictures/frames.py says in which shape
// they come); the pictures are patched by picture.js, and here is the timeline that scrubs them, and its keys.  Nothing
// needs a kernel: vmalab/pictures/export.py puts both files into a page and calls `mount`.

// --- the timeline: buttons, a slider with marks, play at a speed, and its keys ---

const PAUSES = { slow: 2200, normal: 1100, fast: 400 };

function tool(name, label, word, action) {
  return h("button", { type: "button", class: "vml-button", "aria-label": label, title: label, onclick: action },
    ...(name === "next" ? [word, icon(name)] : [icon(name), word]).filter(Boolean));
}

const MOST_MARKS = 60;
const STRENGTH = { look: 0, start: 1, change: 2, differ: 3, refuse: 3 };

// So many marks can be told apart; where there are more, each stretch of the line shows its strongest.
function thinned(marks, last) {
  if (marks.length <= MOST_MARKS) return marks;
  const kept = new Map();
  for (const mark of marks) {
    const stretch = Math.floor((mark[0] / last) * MOST_MARKS);
    const other = kept.get(stretch);
    if (!other || STRENGTH[mark[1]] > STRENGTH[other[1]]) kept.set(stretch, mark);
  }
  return [...kept.values()];
}

// `marks`: [place, class] of what stands above the slider.  `onShow(index, near)` shows a place; `onSettle(index)` hears
// where a person has stopped; `say(index)` is what the slider is at, in words.
class Timeline {
  constructor({ last, marks, onShow, onSettle = () => {}, say, sayShort = (index) => `${index} / ${last}` }) {
    Object.assign(this, { last, onShow, onSettle, sayAt: say, sayShort });
    this.index = -1;
    this.timer = 0;
    this.playButton = tool("play", "Play", "Play", () => (this.timer ? this.pause() : this.play()));
    this.range = h("input", {
      type: "range", min: 0, max: last, value: 0, step: 1,
      oninput: () => this.go(Number(this.range.value), { settle: false }),
      onchange: () => this.onSettle(this.index),
    });
    this.output = h("span", { class: "vml-count", "aria-hidden": "true" });
    const speed = newId();
    this.speed = h("select", { id: speed }, ...Object.keys(PAUSES).map((name) => h("option", { value: name }, name)));
    this.speed.value = "normal";
    const shown = thinned(marks, last).map(([i, kind]) =>
      h("i", { class: kind, style: `left:calc(8px + (100% - 16px) * ${last ? i / last : 0})` }));
    this.el = h("div", { class: "vml-controls", role: "group", "aria-label": "Steps" },
      tool("first", "First step", null, () => this.go(0)),
      tool("back", "Back one step", "Back", () => this.go(this.index - 1)),
      this.playButton,
      tool("next", "Next step", "Next", () => this.go(this.index + 1)),
      tool("last", "Last step", null, () => this.go(last)),
      h("label", { class: "vml-time" }, h("span", { class: "vml-only-read" }, "Step"),
        h("span", { class: "vml-marks", "aria-hidden": "true" }, ...shown), this.range),
      this.output,
      h("span", { class: "vml-pick" }, h("label", { for: speed }, "Speed"), this.speed));
  }

  // Left and right, Home and End, space: wherever the focus is in `root`, but where a control wants the key itself.
  listen(root) {
    keepKeys(root);
    root.addEventListener("keydown", (event) => this.key(event));
  }

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const { tagName: tag, classList, scrollWidth, clientWidth } = event.target;
    if (classList.contains("vml-scroll") && scrollWidth > clientWidth) return; // the keys scroll it
    const native = tag === "SELECT" || (tag === "INPUT" && event.key !== " " && event.target.type !== "checkbox");
    if (native || (event.key === " " && ["BUTTON", "SUMMARY", "INPUT"].includes(tag) && event.target !== this.range)) return;
    const actions = {
      ArrowLeft: () => this.go(this.index - 1),
      ArrowRight: () => this.go(this.index + 1),
      Home: () => this.go(0),
      End: () => this.go(this.last),
      " ": () => (this.timer ? this.pause() : this.play()),
    };
    if (!actions[event.key]) return;
    event.preventDefault();
    actions[event.key]();
  }

  go(index, { animate = true, settle = true, playing = false } = {}) {
    if (!playing) this.pause();
    index = Math.min(Math.max(index, 0), this.last);
    if (index === this.index) return;
    const near = animate && Math.abs(index - this.index) === 1;
    this.index = index;
    this.range.value = index;
    this.range.setAttribute("aria-valuetext", this.sayAt(index));
    setText(this.output, this.sayShort(index));
    this.onShow(index, near);
    if (settle) this.onSettle(index);
  }

  play() {
    if (this.index >= this.last) this.go(0, { animate: false, settle: false });
    const tick = () => {
      this.go(this.index + 1, { settle: false, playing: true });
      if (this.index >= this.last) this.pause(true);
      else this.timer = setTimeout(tick, PAUSES[this.speed.value]);
    };
    this.timer = setTimeout(tick, 0);
    this.playFace("pause", "Pause");
  }

  pause(ended = false) {
    if (!this.timer) return;
    clearTimeout(this.timer);
    this.timer = 0;
    this.playFace("play", "Play");
    if (ended) this.onSettle(this.index);
  }

  playFace(name, label) {
    this.playButton.replaceChildren(icon(name), label);
    this.playButton.setAttribute("aria-label", label);
    this.playButton.setAttribute("title", label);
  }
}

// A box that switches all addresses inside `root()` between pages and hex.
function hexBox(root) {
  const box = h("input", { type: "checkbox", onchange: () => root().classList.toggle("vml-hex", box.checked) });
  return h("label", {}, box, " hex", h("span", { class: "vml-more" }, " addresses"));
}

// A box that writes at each seam of the pictures inside `root()` what keeps the two VMAs apart.
function seamsBox(root) {
  const box = h("input", { type: "checkbox", onchange: () => root().classList.toggle("vml-seams", box.checked) });
  return h("label", {}, box, " why not one?");
}

// --- the player: a picture, a timeline, the words of each step ---

const DEPTHS = [[1, "short"], [2, "plain"], [3, "kernel"]];
const TRACE = 4; // the kernel's own trace, where there is one

// `onView` hears of what a person switches: { depth } (1 to 4), { tables } (the page-table entries, shown or not).
export class Player {
  // `picture`: one that stands elsewhere in the page and shows the steps; `onStep(index, last)` hears of each.
  constructor(data, { index = 0, depth = 2, tables = false, onSettle = () => {}, onView = () => {}, onStep = () => {},
    heading = true, picture = null } = {}) {
    this.data = data;
    this.onView = onView;
    this.last = data.steps.length - 1;
    this.told = data.steps.some((step) => step.detail); // a machine that tells no steps has one depth and no tables
    this.picture = picture ?? new Picture(data);
    this.apart = picture !== null;
    this.onStep = onStep;
    this.timeline = new Timeline({
      last: this.last, marks: data.steps.map((step, i) => [i, kindOf(step, i)]), onSettle,
      onShow: (at, near) => this.show(at, near), say: (at) => `step ${at} of ${this.last}`,
    });
    this.build(heading);
    this.view({ depth, tables });
    this.go(index, { animate: false, settle: false });
  }

  get index() {
    return this.timeline.index;
  }

  go(index, options) {
    this.timeline.go(index, options);
  }

  pause() {
    this.timeline.pause();
  }

  build(heading) {
    const data = this.data;
    const words = newId();
    this.words = h("select", { id: words, onchange: () => this.switch({ depth: Number(this.words.value) }) },
      ...[...DEPTHS, ...(data.trace ? [[TRACE, "kernel's own trace"]] : [])].map(([value, name]) => h("option", { value }, name)));
    this.tablesBox = h("input", { type: "checkbox", onchange: () => this.switch({ tables: this.tablesBox.checked }) });
    this.tablesSay = h("p", { class: "vml-hint", id: newId() });
    this.tablesEl = h("div", { class: "vml-tables", hidden: true }, this.tablesSay);
    this.say = h("p", { class: "vml-say", role: "status", "aria-live": "polite" });
    this.itemFuncs = data.steps.map((step) => (step.func ? h("code", {}, step.func) : null));
    this.itemWords = data.steps.map((step) => h("span", {}, step.say));
    this.items = data.steps.map((step, i) =>
      h("button", { type: "button", class: `vml-step ${kindOf(step, i)}`, onclick: () => this.go(i) },
        h("span", { class: "vml-mark", "aria-hidden": "true" }),
        this.itemFuncs[i], this.itemWords[i],
        h("span", { class: "vml-only-read" }, { refuse: " It refuses the call.", change: " The address space changes." }[kindOf(step, i)] ?? "")));
    this.list = h("ol", { class: "vml-steps", start: 0 }, ...this.items.map((item) => h("li", {}, item)));
    this.all = h("details", { class: "vml-all", open: data.steps.length <= 40 },
      h("summary", {}, this.last === 1 ? "The one step" : `All ${this.last} steps`), this.list);
    this.traceEl = data.trace ? this.buildTrace(data.trace) : null;
    this.el = h("section", { class: `vml vml-stepper ${this.apart ? "vml-apart" : ""}`, "aria-label": `Stepper: ${data.call}` },
      heading ? head(data) : null,
      h("div", { class: "vml-above" }, this.timeline.el,
        h("div", { class: "vml-controls", role: "group", "aria-label": "View" },
          this.told ? h("span", { class: "vml-pick" }, h("label", { for: words }, "Words"), this.words) : null,
          this.told ? h("label", {}, this.tablesBox, " page tables") : null,
          hexBox(() => this.around()), this.apart ? null : seamsBox(() => this.el))),
      h("div", { class: "vml-body" },
        h("div", { class: "vml-drawn" }, this.apart ? null : this.picture.el, this.tablesEl),
        h("div", { class: "vml-told" }, this.say, h("div", { class: "vml-beside" }, this.all, this.traceEl))));
    this.timeline.listen(this.el);
  }

  // What holds the picture: a switch for pictures reaches it there.
  around() {
    return this.apart ? this.el.closest(".vml-builder") : this.el;
  }

  // The calls of the trace, indented; which one a step is in is marked as the list goes along.
  buildTrace({ name, calls }) {
    this.traceItems = calls.map(([depth, text]) => h("li", { style: `padding-left:${Math.min(depth, 12)}em` }, h("code", {}, text)));
    this.traceList = h("ol", { class: "vml-trace", tabindex: 0, role: "list", "aria-label": name }, ...this.traceItems);
    return h("div", { hidden: true }, h("p", { class: "vml-hint" }, `${name[0].toUpperCase()}${name.slice(1)}`), this.traceList);
  }

  showTrace() {
    if (!this.traceEl) return;
    this.traceEl.hidden = this.depth !== TRACE;
    if (this.traceEl.hidden) return;
    this.traceItems[this.traced]?.removeAttribute("aria-current");
    this.traced = this.data.trace.at[this.index];
    const item = this.traceItems[this.traced];
    item?.setAttribute("aria-current", "step");
    cancelAnimationFrame(this.tracing);
    this.tracing = requestAnimationFrame(() => item && scrollWithin(this.traceList, item));
  }

  // What a person switched: shown, and told to whoever keeps it.
  switch(changed) {
    this.view(changed);
    this.onView(changed);
  }

  view({ depth = this.depth, tables = this.tables }) {
    if (!this.told) depth = 2;
    if (depth === TRACE && !this.traceEl) depth = 3;
    if (depth !== this.depth) {
      this.depth = depth;
      this.words.value = depth;
      this.all.hidden = depth === 1;
      this.data.steps.forEach((step, i) => {
        setText(this.itemWords[i], depth >= 3 ? step.detail || step.say : step.say);
        if (this.itemFuncs[i]) this.itemFuncs[i].hidden = depth >= 3; // it stands in the words
      });
      if (this.index >= 0) this.tell();
      if (this.index >= 0) this.showTrace();
    }
    this.tables = Boolean(tables && this.data.tables);
    this.tablesBox.checked = this.tables;
    this.tablesEl.hidden = !this.tables;
    if (this.index >= 0) this.showTables(false);
  }

  showTables(animate) {
    if (!this.tables) return;
    if (!this.tablePicture) {
      this.tablePicture = new Picture(this.data.tables);
      this.tablePicture.svg.setAttribute("aria-describedby", this.tablesSay.id);
      // nothing in this picture takes the focus, so its frame does: a narrow one is scrolled with the arrow keys
      for (const [name, value] of [["tabindex", "0"], ["role", "region"], ["aria-label", "Page tables"]]) {
        this.tablePicture.el.setAttribute(name, value);
      }
      this.tablesEl.prepend(this.tablePicture.el);
    }
    this.tablePicture.show(this.index, animate);
    setText(this.tablesSay, this.data.tables.texts[this.data.tables.says[this.index]]);
  }

  show(index, animate) {
    this.picture.show(index, animate);
    this.picture.follow();
    this.onStep(index, this.last);
    this.showTables(animate);
    this.tell();
    this.showTrace();
    this.items.forEach((item, i) => {
      if (i === index) item.setAttribute("aria-current", "step");
      else item.removeAttribute("aria-current");
    });
    this.reveal(this.items[index]);
  }

  // The words of the step that is shown, as deep as was asked for; what does not change is not said again.
  tell() {
    const step = this.data.steps[this.index];
    const kind = kindOf(step, this.index);
    this.say.className = `vml-say ${kind}`;
    if (this.depth === 1) {
      if (this.say.textContent !== this.data.line) this.say.replaceChildren(this.data.line);
      return;
    }
    const deep = this.depth >= 3 && step.detail;
    const traced = this.depth === TRACE ? this.data.trace.says[this.index] : "";
    this.say.replaceChildren(
      h("span", { class: "vml-mark", "aria-hidden": "true" }),
      h("b", {}, this.index ? `Step ${this.index}. ` : ""), h("span", {}, `${deep || step.say} `),
      step.func && !deep ? h("code", { title: "the kernel function that does this" }, `${step.func}()`) : "", traced);
  }

  // Scroll the list, never the page; in the next frame, because asking for places makes the browser lay out at once.
  reveal(item) {
    cancelAnimationFrame(this.revealing);
    this.revealing = requestAnimationFrame(() => scrollWithin(this.list, item));
  }
}

// `list` is the offset parent of `item`; null where the calls stand in a table.
function scrollWithin(list, item) {
  const top = item.offsetTop;
  if (!list) return;
  if (top < list.scrollTop) list.scrollTop = top;
  else if (top + item.offsetHeight > list.scrollTop + list.clientHeight) {
    list.scrollTop = top + item.offsetHeight - list.clientHeight;
  }
}

function kindOf(step, index) {
  return step.errno ? "refuse" : step.changes ? "change" : index ? "look" : "start";
}

function result({ ok, result: words }) {
  const [style, sign] = ok === null ? ["none", "–"] : ok ? ["ok", "✓"] : ["fail", "✕"]; // null: no answer
  return h("span", { class: `vml-result ${style}` }, `${sign} ${words}`);
}

function head(data) {
  return h("header", { class: "vml-head" },
    h("code", { class: "vml-call" }, data.call),
    result(data),
    data.machine ? h("span", { class: "vml-machine" }, data.machine) : null,
    data.summary ? h("p", { class: "vml-summary" }, data.summary) : null);
}

// --- where it is mounted ---

// A page without a kernel: `data` as vmalab/pictures/frames.py makes it.
export function mount(host, data) {
  const player = new Player(data);
  host.replaceChildren(player.el);
  return player;
}
