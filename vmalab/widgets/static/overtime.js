// A process over time: curves, calls, and the address space at any moment.  All came at once (vmalab/differences/timeline.py);
// scrubbing asks nobody.  A moment is the nearest kept state before it, and the changes since.  Joined behind player.js.

const KEPT_EVERY = 512; // calls between two states that are kept
const WIDE = 900;
const MOST_COLUMNS = 450; // of more VMAs several share a column
const MOST_LISTED = 200;

const kindOf4 = (perms) => (perms[2] === "x" ? "x" : perms[1] === "w" ? "rw" : perms[0] === "r" ? "r" : "no");
const hexAt = (page) => (page * 4096).toString(16);
const bytes = (pages) => {
  const units = [["TiB", 2 ** 28], ["GiB", 2 ** 18], ["MiB", 256]];
  const [unit, size] = units.find(([, size]) => pages >= size) ?? ["KiB", 0.25];
  return `${Number((pages / size).toFixed(2))} ${unit}`;
};

// The states of the process.  VMAs are [first page, page behind the last, permissions, name], the last two as numbers.
class History {
  constructor({ start, changes }) {
    this.changes = changes;
    this.last = changes.length;
    this.counts = new Int32Array(this.last + 1);
    this.pages = new Float64Array(this.last + 1);
    const held = new Map(start.map((vma) => [vma[0], vma]));
    this.kept = [[...held.values()]];
    let pages = start.reduce((sum, vma) => sum + vma[1] - vma[0], 0);
    this.counts[0] = held.size;
    this.pages[0] = pages;
    for (let moment = 1; moment <= this.last; moment += 1) {
      pages += this.change(held, moment - 1);
      this.counts[moment] = held.size;
      this.pages[moment] = pages;
      if (moment % KEPT_EVERY === 0) this.kept.push([...held.values()]);
    }
  }

  change(held, index) {
    const row = this.changes[index];
    let pages = 0;
    let at = 1;
    for (; at <= row[0]; at += 1) {
      const vma = held.get(row[at]);
      pages -= vma[1] - vma[0];
      held.delete(row[at]);
    }
    for (; at < row.length; at += 4) {
      const vma = row.slice(at, at + 4);
      pages += vma[1] - vma[0];
      held.set(vma[0], vma);
    }
    return pages;
  }

  at(moment) {
    const near = Math.floor(moment / KEPT_EVERY);
    const held = new Map(this.kept[near].map((vma) => [vma[0], vma]));
    for (let index = near * KEPT_EVERY; index < moment; index += 1) this.change(held, index);
    return [...held.values()].sort((a, b) => a[0] - b[0]);
  }

  // The first pages of the VMAs that the call before this moment brought.
  fresh(moment) {
    const row = this.changes[moment - 1] ?? [0];
    const found = new Set();
    for (let at = row[0] + 1; at < row.length; at += 4) found.add(row[at]);
    return found;
  }
}

// Players of calls that are in the page, some packed together; a group is unpacked when one of it is asked for.
class PackedSteps {
  constructor({ at, groups, together, whole }) {
    Object.assign(this, { at, groups, together, whole });
    this.moments = Object.keys(at).map(Number).sort((a, b) => a - b);
  }

  async player(moment) {
    const number = this.at[moment];
    if (number === undefined) return null;
    const group = Math.floor(number / this.together);
    if (this.open?.group !== group) this.open = { group, unpacked: unpack(this.groups[group]) };
    const { pool, players } = await this.open.unpacked;
    const whole = (picture) => ({ ...picture, head: pool[picture.head], tail: pool[picture.tail], parts: picture.parts.map((n) => pool[n]) });
    const player = players[number % this.together];
    return { ...whole(player), tables: player.tables && whole(player.tables) };
  }
}

class OverTime {
  constructor(data, { moment = 0, steps = null, onSettle = () => {}, onStep = null } = {}) {
    Object.assign(this, { data, onStep });
    this.packed = new PackedSteps(steps ?? { at: {}, groups: [], together: 1, whole: false });
    this.history = new History(data);
    const { last } = this.history;
    this.zoom = 1;
    this.left = 0;
    this.timeline = new Timeline({
      last, marks: data.failed.map((n) => [n + 1, "refuse"]), onSettle,
      onShow: (at) => this.show(at), say: (at) => this.said(at),
    });
    this.say = h("p", { class: "vml-say", role: "status", "aria-live": "polite" });
    this.curves = this.drawCurves();
    this.map = s("svg", { class: "vml-pic", viewBox: `0 0 ${WIDE} 74`, role: "img", style: `min-width:${WIDE}px` });
    this.stage = h("div", { class: "vml-scroll", role: "group", tabindex: 0, "aria-label": "Address space: plus and minus zoom, comma and full stop move" }, this.map);
    this.stage.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.stage.addEventListener("keydown", (event) => this.zoomKey(event));
    this.map.addEventListener("pointerdown", (event) => this.point(event));
    const labelled = (words, control) => {
      control.id = newId();
      return h("span", { class: "vml-pick" }, h("label", { for: control.id }, words), control);
    };
    this.search = h("input", { type: "text", size: 18, autocomplete: "off", oninput: () => this.draw() });
    this.together = h("input", { type: "checkbox", checked: true, onchange: () => this.draw() });
    this.found = h("p", { class: "vml-hint", role: "status" });
    this.list = h("ol", { class: "vml-steps", "aria-label": "VMAs" });
    this.words = h("details", { ontoggle: () => this.listed() }, h("summary", {}, "VMAs in words"), this.list);
    this.stepHost = h("div", { class: "vml-played" });
    const step = h("button", { type: "button", class: "vml-do", onclick: () => this.step() }, "Step through this call");
    this.next = h("button", { type: "button", class: "vml-button", onclick: () => this.stepNext() }, "Next call with steps");
    this.next.hidden = Boolean(onStep) || !this.packed.moments.length || this.packed.whole;
    this.el = h("section", { class: "vml vml-builder", "aria-label": "A program over time" },
      h("header", { class: "vml-head" }, h("b", {}, data.title),
        h("span", { class: "vml-machine" }, `process ${data.pid}${data.name ? ` (${data.name})` : ""}, ${data.release}`)),
      this.curves, this.timeline.el, this.say,
      h("div", { class: "vml-bar" },
        labelled("Find", this.search),
        h("label", {}, this.together, " neighbours of one file together"),
        h("button", { type: "button", class: "vml-button", onclick: () => this.zoomBy(2), "aria-label": "Zoom in" }, "+"),
        h("button", { type: "button", class: "vml-button", onclick: () => this.zoomBy(0.5), "aria-label": "Zoom out" }, "−"),
        step, this.next),
      this.stage, this.found, this.words, this.stepHost);
    this.timeline.listen(this.el);
    this.timeline.go(moment, { animate: false, settle: false });
    if (this.timeline.index < 0) this.show(0);
  }

  said(moment) {
    const { counts, pages, last } = this.history;
    const call = moment ? `line ${this.data.lines[moment - 1]}: ${this.data.words[moment - 1]}` : "before the first call";
    return `${moment} of ${last}, ${call}. ${counts[moment]} VMAs, ${bytes(pages[moment])} mapped.`;
  }

  show(moment) {
    this.vmas = this.history.at(moment);
    this.fresh = this.history.fresh(moment);
    setText(this.say, this.said(moment));
    this.cursor.setAttribute("x1", (moment / Math.max(this.history.last, 1)) * WIDE);
    this.cursor.setAttribute("x2", (moment / Math.max(this.history.last, 1)) * WIDE);
    this.draw();
  }

  // Two curves, each to its own scale; of many calls each stretch has its largest value.
  drawCurves() {
    const { counts, pages, last } = this.history;
    const line = (values, kind) => {
      const steps = Math.min(last, WIDE);
      const most = values.reduce((a, b) => Math.max(a, b), 1);
      const points = [];
      for (let n = 0; n <= steps; n += 1) {
        const [from, to] = [n, n + 1].map((k) => Math.floor((k * last) / Math.max(steps, 1)));
        let value = values[Math.min(from, last)];
        for (let i = from; i < Math.min(to, last + 1); i += 1) value = Math.max(value, values[i]);
        points.push(`${((n / Math.max(steps, 1)) * WIDE).toFixed(0)},${(100 - (value * 92) / most).toFixed(0)}`);
      }
      return s("polyline", { class: `vml-curve ${kind}`, points: points.join(" ") });
    };
    const most = (values) => values.reduce((a, b) => Math.max(a, b), 0);
    this.cursor = s("line", { class: "vml-cursor", y1: 0, y2: 104 });
    const about = `VMAs, at most ${most(counts)}, and mapped memory, at most ${bytes(most(pages))}, over ${last} calls`;
    const svg = s("svg", { class: "vml-pic", viewBox: `0 0 ${WIDE} 104`, role: "img", "aria-label": about, preserveAspectRatio: "none" },
      line(counts, "rw"), line(pages, "x"), this.cursor);
    svg.addEventListener("pointerdown", (event) => {
      const { left, width } = svg.getBoundingClientRect();
      this.timeline.go(Math.round(((event.clientX - left) / width) * last));
    });
    return h("div", {}, svg, h("p", { class: "vml-hint", "aria-hidden": "true" },
      `━ VMAs (at most ${most(counts)})   ┅ mapped memory (at most ${bytes(most(pages))})   ✕ calls that failed`));
  }

  // VMAs as they are drawn: neighbours that map one file as one, if that is wanted.
  items() {
    const items = [];
    for (const vma of this.vmas) {
      const name = this.data.names[vma[3]];
      const before = items.at(-1);
      if (this.together.checked && name && before?.name === name && before.end === vma[0]) {
        before.end = vma[1];
        before.vmas.push(vma);
      } else items.push({ name, start: vma[0], end: vma[1], vmas: [vma] });
    }
    return items;
  }

  // What is looked for: part of a name, of permissions, or an address that lies inside.
  hits(items) {
    const wanted = this.search.value.trim().toLowerCase();
    if (!wanted) return null;
    const address = /^(0x)?[0-9a-f]{6,16}$/.test(wanted) ? Math.floor(parseInt(wanted, 16) / 4096) : -1;
    return items.map((item, n) => [item, n]).filter(([item]) => item.name.toLowerCase().includes(wanted)
      || (address >= item.start && address < item.end)
      || item.vmas.some((vma) => this.data.perms[vma[2]] === wanted)).map(([, n]) => n);
  }

  draw() {
    const items = this.shown = this.items();
    const hits = this.hits(items);
    const count = Math.max(Math.ceil(items.length / this.zoom), 1);
    if (hits?.length && (hits[0] < this.left || hits[0] >= this.left + count)) this.left = hits[0] - Math.floor(count / 2);
    this.left = Math.min(Math.max(this.left, 0), Math.max(items.length - count, 0));
    const window = items.slice(this.left, this.left + count);
    const columns = Math.min(window.length, MOST_COLUMNS);
    const wide = WIDE / Math.max(columns, 1);
    const boxes = { rw: [], r: [], x: [], no: [] };
    const marks = [];
    const hit = new Set(hits ?? []);
    const labels = [];
    for (let n = 0; n < columns; n += 1) {
      const [from, to] = [n, n + 1].map((k) => Math.floor((k * window.length) / columns));
      const part = window.slice(from, to);
      const kind = kindOf4(this.data.perms[(part[0].vmas.find((vma) => this.data.perms[vma[2]][1] === "w") ?? part[0].vmas[0])[2]]);
      const gap = wide > 4 ? 1.5 : 0;
      const [x, w] = [n * wide, Math.max(wide - gap, 0.5)];
      boxes[kind].push(`M${x.toFixed(1)} 20h${w.toFixed(1)}v34h${(-w).toFixed(1)}z`);
      const fresh = part.some((item) => item.vmas.some((vma) => this.fresh.has(vma[0])));
      const searched = part.some((_, k) => hit.has(this.left + from + k));
      if (fresh || searched) marks.push(s("text", { x: (x + w / 2).toFixed(1), y: searched ? 70 : 14, class: "ft" }, searched ? "▲" : "✦"));
      if (wide > 60 && part.length === 1) labels.push(s("text", { x: (x + w / 2).toFixed(1), y: 40, class: "c" }, this.short(part[0], wide)));
    }
    const groups = Object.entries(boxes).map(([kind, paths]) => s("g", { class: kind }, s("path", { class: "b", d: paths.join("") })));
    this.map.replaceChildren(...groups, ...marks, ...labels);
    const range = `${this.left + 1} to ${this.left + window.length} of ${items.length}`;
    this.map.setAttribute("aria-label", `${this.vmas.length} VMAs in order of address, each as wide as any other; shown are ${range}`);
    const most = hits ? `${hits.length} found. ` : "";
    setText(this.found, items.length
      ? `${most}Shown: ${range}${this.together.checked ? " (neighbours of one file are one)" : ""}, ${hexAt(window[0].start)}–${hexAt(window.at(-1).end)}. ✦ came with this call.`
      : "Nothing is mapped.");
    if (this.words.open) this.listed();
  }

  short(item, wide) {
    const name = item.name.split("/").at(-1) || this.data.perms[item.vmas[0][2]];
    const room = Math.floor(wide / 7);
    return name.length > room ? `${name.slice(0, room - 1)}…` : name;
  }

  listed() {
    if (this.words.open) this.list.setAttribute("tabindex", 0); // it scrolls
    else this.list.removeAttribute("tabindex");
    if (!this.words.open) return;
    const hits = this.hits(this.shown);
    const wanted = hits ? hits.map((n) => this.shown[n]) : this.shown.slice(this.left, this.left + Math.ceil(this.shown.length / this.zoom));
    const vmas = wanted.flatMap((item) => item.vmas);
    const lines = vmas.slice(0, MOST_LISTED).map((vma) => h("li", {},
      `${hexAt(vma[0])}-${hexAt(vma[1])} ${this.data.perms[vma[2]]} ${bytes(vma[1] - vma[0])} ${this.data.names[vma[3]] || "anonymous"}`));
    if (vmas.length > MOST_LISTED) lines.push(h("li", {}, `and ${vmas.length - MOST_LISTED} more: zoom in or search`));
    this.list.replaceChildren(...lines);
  }

  zoomBy(factor, at = 0.5) {
    const before = this.shown.length / this.zoom;
    const middle = this.left + before * at;
    this.zoom = Math.min(Math.max(this.zoom * factor, 1), Math.max(this.shown.length / 4, 1));
    this.left = Math.round(middle - (this.shown.length / this.zoom) * at);
    this.draw();
  }

  wheel(event) {
    if (!event.ctrlKey && !event.shiftKey && this.zoom === 1 && event.deltaY > 0) return; // the page scrolls
    event.preventDefault();
    const { left, width } = this.map.getBoundingClientRect();
    this.zoomBy(event.deltaY < 0 ? 1.5 : 1 / 1.5, (event.clientX - left) / width);
  }

  zoomKey(event) {
    const part = Math.max(Math.round(this.shown.length / this.zoom / 4), 1);
    const actions = {
      "+": () => this.zoomBy(2), "=": () => this.zoomBy(2), "-": () => this.zoomBy(0.5), "0": () => this.zoomBy(1e-9),
      ",": () => { this.left -= part; this.draw(); }, ".": () => { this.left += part; this.draw(); },
    };
    if (event.ctrlKey || event.metaKey || event.altKey || !actions[event.key]) return;
    event.preventDefault();
    actions[event.key]();
  }

  // A press on a VMA looks for it.
  point(event) {
    const { left, width } = this.map.getBoundingClientRect();
    const count = Math.ceil(this.shown.length / this.zoom);
    const item = this.shown[this.left + Math.floor(((event.clientX - left) / width) * Math.min(count, this.shown.length - this.left))];
    if (!item) return;
    this.search.value = `0x${hexAt(item.start)}`;
    this.draw();
    setText(this.found, `${hexAt(item.start)}-${hexAt(item.end)}: ${item.vmas.length} VMA${item.vmas.length > 1 ? "s" : ""}, ${bytes(item.end - item.start)}, ${item.name || "anonymous"}.`);
  }

  // The steps of the call that led to this moment: they are here, or Python is asked for them.
  async step() {
    const moment = this.timeline.index;
    const player = await this.packed.player(moment);
    if (moment !== this.timeline.index) return;
    if (player) this.stepped({ moment, player });
    else if (this.onStep) this.onStep(moment);
    else this.stepped({ moment, why: this.missing(moment) });
  }

  missing(moment) {
    const { last } = this.history;
    const there = this.packed.moments.length;
    if (!moment) return "Before the first call there is nothing to step through.";
    if (this.packed.whole) return "This call changes no VMA, or the model does not know it.";
    return `The steps of this call are not kept here: without Python ${there} of ${last} calls have theirs, among them those that`
      + " failed, the first of each kind, and moves. “Next call with steps” goes to one. In a terminal,"
      + ` vmalab why ${this.data.title}:${this.data.lines[moment - 1]} tells of this one.`;
  }

  stepNext() {
    const { moments } = this.packed;
    const next = moments.find((moment) => moment > this.timeline.index) ?? moments[0];
    this.timeline.go(next, { animate: false });
    return this.step();
  }

  stepped({ moment, player, why }) {
    this.player?.pause();
    this.player = null;
    if (player) {
      this.player = new Player(player);
      this.stepHost.replaceChildren(h("p", { class: "vml-hint" }, `Call ${moment}, line ${this.data.lines[moment - 1]}, step by step:`), this.player.el);
    } else this.stepHost.replaceChildren(h("p", { class: "vml-say" }, why));
  }

  pause() {
    this.timeline.pause();
    this.player?.pause();
  }
}

// A page without a kernel.
async function mountOverTime(host, text) {
  const { data: timeline, steps } = JSON.parse(text);
  const data = await unpack(timeline);
  const shown = new OverTime(data, { moment: data.changes.length, steps });
  host.replaceChildren(shown.el);
  return shown;
}

function renderOverTime({ model, el }) {
  let shown;
  const build = async () => {
    const data = await unpack(model.get("data"));
    shown?.pause();
    shown = new OverTime(data, {
      moment: model.get("moment"),
      steps: model.get("steps") ? JSON.parse(model.get("steps")) : null,
      onStep: model.send && ((moment) => model.send({ do: "step", moment })),
      onSettle(moment) {
        if (moment === model.get("moment")) return;
        model.set("moment", moment);
        model.save_changes();
      },
    });
    el.replaceChildren(shown.el);
    stepped();
  };
  const moved = () => shown?.timeline.go(model.get("moment"), { settle: false });
  const stepped = async () => {
    if (model.get("stepped")) shown?.stepped(await unpack(model.get("stepped")));
  };
  model.on("change:data", build);
  model.on("change:moment", moved);
  model.on("change:stepped", stepped);
  build();
  return () => {
    shown?.pause();
    model.off("change:data", build);
    model.off("change:moment", moved);
    model.off("change:stepped", stepped);
  };
}
