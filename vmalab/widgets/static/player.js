// The player: plays what Python drew.  Python makes every picture and every word (vmalab/frames.py says in which shape
// they come); this file patches them into the page in place, scrubs and answers keys.  It draws nothing of its own and
// needs no kernel: vmalab/export.py puts it into a page and calls `mount`.
//
// Every widget's module starts with this file; vmalab/widgets/base.py joins the widget's own files to it.

const SVG = "http://www.w3.org/2000/svg";
let serial = 0;

// --- small helpers ---

function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child != null));
  return node;
}

function s(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

const ICONS = {
  first: "M3 3v10M13 3L6 8l7 5z",
  back: "M11 3L4 8l7 5z",
  play: "M5 2l8 6l-8 6z",
  pause: "M5 3v10M11 3v10",
  next: "M5 3l7 5l-7 5z",
  last: "M13 3v10M3 3l7 5l-7 5z",
};

function icon(name) {
  return s("svg", { viewBox: "0 0 16 16", class: "vml-icon", "aria-hidden": "true" }, s("path", { d: ICONS[name] }));
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// JupyterLab must not get the keys that are pressed in a widget: an arrow would leave the cell, an "a" insert one.
function keepKeys(root) {
  root.setAttribute("data-lm-suppress-shortcuts", "true");
  root.addEventListener("keydown", (event) => {
    if (event.key !== "Tab") event.stopPropagation();
  });
}

// --- the picture: parts patched in place, so that focus survives and a VMA glides to its new place ---

function parse(text) {
  const holder = document.createElementNS(SVG, "g");
  holder.innerHTML = text;
  return holder.firstElementChild;
}

function place(node, x, y) {
  node.style.transform = `translate(${x}px, ${y}px)`;
}

function settle(node) {
  const found = /translate\((-?\d+) (-?\d+)\)/.exec(node.getAttribute("transform") ?? "");
  if (found) place(node, found[1], found[2]);
}

const KEPT = new Set(["tabindex", "style"]); // what the player itself sets

function morph(old, fresh) {
  if (old.tagName !== fresh.tagName) {
    old.replaceWith(fresh);
    return fresh;
  }
  for (const { name, value } of [...fresh.attributes]) {
    if (!KEPT.has(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const { name } of [...old.attributes]) {
    if (!KEPT.has(name) && !fresh.hasAttribute(name)) old.removeAttribute(name);
  }
  const now = [...old.children];
  const wanted = [...fresh.children];
  if (!now.length && !wanted.length) {
    setText(old, fresh.textContent);
    return old;
  }
  wanted.forEach((child, i) => (now[i] ? morph(now[i], child) : old.append(child)));
  now.slice(wanted.length).forEach((child) => child.remove());
  return old;
}

export function unsqueeze(frames) {
  const full = [];
  for (const frame of frames) {
    if (Array.isArray(frame[0])) {
      const [from, to, middle] = frame[0];
      const previous = full[full.length - 1];
      full.push(middle.length || to > from ? [...previous.slice(0, from), ...middle, ...previous.slice(to)] : previous);
    } else full.push(frame);
  }
  return full;
}

export class Picture {
  constructor(data) {
    const uid = `vml${++serial}`;
    const own = (text) => text.replaceAll("vml-uid", uid);
    this.parts = data.parts.map(([key, text]) => [key, own(text)]);
    this.frames = unsqueeze(data.frames);
    this.el = h("div", { class: "vml-scroll" });
    this.el.innerHTML = own(`${data.head}<g class="vml-parts"></g>${data.tail}`);
    this.svg = this.el.firstElementChild;
    this.svg.classList.add("vml-live");
    this.layer = this.svg.querySelector(".vml-parts");
    this.nodes = new Map();
    this.shown = new Map();
    this.svg.addEventListener("keydown", (event) => this.walk(event));
    this.svg.addEventListener("focusin", (event) => this.hold(event.target.closest("[data-k]")));
  }

  // Patch the page from whatever it shows to frame `index`.
  show(index, animate = true) {
    const wanted = (this.frames[index] ?? []).map((n) => this.parts[n]);
    const active = this.layer.contains(document.activeElement) ? document.activeElement : null;
    const keys = new Set(wanted.map(([key]) => key));
    for (const [key, node] of this.nodes) {
      if (keys.has(key)) continue;
      node.remove();
      this.nodes.delete(key);
      this.shown.delete(key);
    }
    const born = [];
    let at = this.layer.firstChild;
    for (const [key, text] of wanted) {
      let node = this.nodes.get(key);
      if (!node) {
        node = parse(text);
        this.nodes.set(key, node);
        settle(node);
        if (animate && node.dataset.born !== undefined) born.push(node);
      } else if (this.shown.get(key) !== text) {
        const was = node;
        node = morph(node, parse(text));
        if (was === at) at = node;
        this.nodes.set(key, node);
        settle(node);
      }
      this.shown.set(key, text);
      if (node === at) at = at.nextSibling;
      else this.layer.insertBefore(node, at);
    }
    for (const node of born) this.glide(node);
    this.refocus(active);
  }

  // A VMA that has just appeared comes from where its pages were.
  glide(node) {
    const end = node.style.transform;
    node.style.transition = "none";
    node.style.transform = end.replace(/translate\(-?\d+px/, `translate(${node.dataset.born}px`);
    node.getBoundingClientRect();
    node.style.transition = "";
    node.style.transform = end;
  }

  boxes() {
    return [...this.layer.querySelectorAll('[role="img"]')];
  }

  // One stop for the Tab key; up and down go from VMA to VMA.
  hold(box) {
    for (const other of this.boxes()) other.setAttribute("tabindex", other === box ? "0" : "-1");
  }

  refocus(active) {
    const boxes = this.boxes();
    if (active && !active.isConnected) {
      const name = active.querySelector(".n")?.textContent;
      const heir = boxes.findLast((box) => box.querySelector(".n")?.textContent === name) ?? boxes[0];
      heir?.focus({ preventScroll: true });
    } else if (active && document.activeElement !== active) active.focus({ preventScroll: true });
    if (boxes.length && !boxes.some((box) => box.getAttribute("tabindex") === "0")) this.hold(boxes[0]);
  }

  walk(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const box = event.target.closest?.('[data-k][role="img"]');
    if (!step || !box) return;
    const boxes = this.boxes();
    const to = boxes[boxes.indexOf(box) + step];
    if (to) to.focus();
    event.preventDefault();
  }
}

// --- the player: a picture, a timeline, the words of each step ---

const PAUSES = { slow: 2200, normal: 1100, fast: 400 };
const DEPTHS = [[1, "short"], [2, "plain"], [3, "kernel"]];

// `onView` hears of what a person switches: { depth } (1 to 3), { tables } (the page-table entries, shown or not).
export class Player {
  constructor(data, { index = 0, depth = 2, tables = false, onSettle = () => {}, onView = () => {}, heading = true } = {}) {
    this.data = data;
    this.onSettle = onSettle;
    this.onView = onView;
    this.last = data.steps.length - 1;
    this.told = data.steps.some((step) => step.detail); // a machine that tells no steps has one depth and no tables
    this.picture = new Picture(data);
    this.index = -1;
    this.timer = 0;
    this.build(heading);
    this.view({ depth, tables });
    this.go(Math.min(Math.max(index, 0), this.last), { animate: false, settle: false });
  }

  build(heading) {
    const data = this.data;
    const button = (name, label, word, action) =>
      h("button", { type: "button", class: "vml-button", "aria-label": label, title: label, onclick: action },
        ...(name === "next" ? [word, icon(name)] : [icon(name), word]).filter(Boolean));
    this.playButton = button("play", "Play", "Play", () => (this.timer ? this.pause() : this.play()));
    this.range = h("input", {
      type: "range", min: 0, max: this.last, value: 0, step: 1,
      oninput: () => this.go(Number(this.range.value), { settle: false }),
      onchange: () => this.onSettle(this.index),
    });
    this.output = h("span", { class: "vml-count", "aria-hidden": "true" });
    const speed = `vml${++serial}`;
    this.speed = h("select", { id: speed }, ...Object.keys(PAUSES).map((name) => h("option", { value: name }, name)));
    this.speed.value = "normal";
    const hex = h("input", { type: "checkbox", onchange: () => this.el.classList.toggle("vml-hex", hex.checked) });
    const words = `vml${++serial}`;
    this.words = h("select", { id: words, onchange: () => this.switch({ depth: Number(this.words.value) }) },
      ...DEPTHS.map(([value, name]) => h("option", { value }, name)));
    this.tablesBox = h("input", { type: "checkbox", onchange: () => this.switch({ tables: this.tablesBox.checked }) });
    this.tablesSay = h("p", { class: "vml-hint", id: `vml${++serial}` });
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
    const marks = data.steps.map((step, i) =>
      h("i", { class: kindOf(step, i), style: `left:calc(8px + (100% - 16px) * ${this.last ? i / this.last : 0})` }));
    this.el = h("section", { class: "vml vml-stepper", "aria-label": `Stepper: ${data.call}` },
      heading ? head(data) : null,
      this.picture.el, this.tablesEl,
      h("div", { class: "vml-controls", role: "group", "aria-label": "Steps" },
        button("first", "First step", null, () => this.go(0)),
        button("back", "Back one step", "Back", () => this.go(this.index - 1)),
        this.playButton,
        button("next", "Next step", "Next", () => this.go(this.index + 1)),
        button("last", "Last step", null, () => this.go(this.last)),
        h("label", { class: "vml-time" }, h("span", { class: "vml-only-read" }, "Step"),
          h("span", { class: "vml-marks", "aria-hidden": "true" }, ...marks), this.range),
        this.output,
        h("span", { class: "vml-pick" }, h("label", { for: speed }, "Speed"), this.speed)),
      h("div", { class: "vml-controls", role: "group", "aria-label": "View" },
        this.told ? h("span", { class: "vml-pick" }, h("label", { for: words }, "Words"), this.words) : null,
        this.told ? h("label", {}, this.tablesBox, " page tables") : null,
        h("label", {}, hex, " hex addresses")),
      this.say,
      this.all = h("details", { class: "vml-all", open: data.steps.length <= 40 },
        h("summary", {}, this.last === 1 ? "The one step" : `All ${this.last} steps`), this.list));
    keepKeys(this.el);
    this.el.addEventListener("keydown", (event) => this.key(event));
  }

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const tag = event.target.tagName;
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

  // What a person switched: shown, and told to whoever keeps it.
  switch(changed) {
    this.view(changed);
    this.onView(changed);
  }

  view({ depth = this.depth, tables = this.tables }) {
    if (!this.told) depth = 2;
    if (depth !== this.depth) {
      this.depth = depth;
      this.words.value = depth;
      this.all.hidden = depth === 1;
      this.data.steps.forEach((step, i) => {
        setText(this.itemWords[i], depth === 3 ? step.detail || step.say : step.say);
        if (this.itemFuncs[i]) this.itemFuncs[i].hidden = depth === 3; // it stands in the words
      });
      if (this.index >= 0) this.tell();
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
      this.tablesEl.prepend(this.tablePicture.el);
    }
    this.tablePicture.show(this.index, animate);
    setText(this.tablesSay, this.data.tables.texts[this.data.tables.says[this.index]]);
  }

  go(index, { animate = true, settle = true, playing = false } = {}) {
    if (!playing) this.pause();
    index = Math.min(Math.max(index, 0), this.last);
    if (index === this.index) return;
    const near = Math.abs(index - this.index) === 1;
    this.index = index;
    this.picture.show(index, animate && near);
    this.range.value = index;
    this.range.setAttribute("aria-valuetext", `step ${index} of ${this.last}`);
    setText(this.output, `${index} / ${this.last}`);
    this.showTables(animate && near);
    this.tell();
    this.items.forEach((item, i) => {
      if (i === index) item.setAttribute("aria-current", "step");
      else item.removeAttribute("aria-current");
    });
    this.reveal(this.items[index]);
    if (settle) this.onSettle(index);
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
    const deep = this.depth === 3 && step.detail;
    this.say.replaceChildren(
      h("span", { class: "vml-mark", "aria-hidden": "true" }),
      h("b", {}, this.index ? `Step ${this.index}. ` : ""), h("span", {}, `${deep || step.say} `),
      step.func && !deep ? h("code", { title: "the kernel function that does this" }, `${step.func}()`) : "");
  }

  // Scroll the list, never the page; in the next frame, because asking for places makes the browser lay out at once.
  reveal(item) {
    const list = this.list;
    cancelAnimationFrame(this.revealing);
    this.revealing = requestAnimationFrame(() => {
      const top = item.offsetTop; // the list is its offset parent
      if (top < list.scrollTop) list.scrollTop = top;
      else if (top + item.offsetHeight > list.scrollTop + list.clientHeight) {
        list.scrollTop = top + item.offsetHeight - list.clientHeight;
      }
    });
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

function kindOf(step, index) {
  return step.errno ? "refuse" : step.changes ? "change" : index ? "look" : "start";
}

function result({ ok, result: words }) {
  return h("span", { class: `vml-result ${ok ? "ok" : "fail"}` }, `${ok ? "✓" : "✕"} ${words}`);
}

function head(data) {
  return h("header", { class: "vml-head" },
    h("code", { class: "vml-call" }, data.call),
    result(data),
    data.machine ? h("span", { class: "vml-machine" }, data.machine) : null,
    data.summary ? h("p", { class: "vml-summary" }, data.summary) : null);
}

// --- where it is mounted ---

// A page without a kernel: `data` as vmalab/frames.py makes it.
export function mount(host, data) {
  const player = new Player(data);
  host.replaceChildren(player.el);
  return player;
}
