// Choosing in a picture: the range, what is taken to a target, and the ghost of it that follows.  Pages in, pages out; all
// else (fields, the call, errors) is settled in Python.  Joined behind picture.js.

const KNOB = 7; // pixels from the band to the middle of a handle above it
const BEYOND = 64; // pages that one can drag beyond the edge of the picture at a time

// The bytes that are chosen, drawn around the picture's VMAs and never over them: a bracket with a handle at each edge, and
// in the lane what is taken there.
class Selection {
  constructor(onChange) {
    this.onChange = onChange; // ("source" | "target", start, end, "move" | "done")
    this.parts = {};
    this.vmas = [];
    this.el = s("g", { class: "vml-sel" });
    this.ghost = s("g", { class: "vml-ghost", "aria-hidden": "true" });
    for (const kind of ["source", "target"]) {
      const style = kind === "source" ? "src" : "tgt";
      const part = {
        box: s("path", { class: `vml-area ${style}` }),
        label: s("text", { class: `${style}t vml-halo` }),
        edges: ["start", "end"].map((edge) => this.handle(kind, edge, style)),
      };
      this.parts[kind] = part;
      this.el.append(s("g", {}, ...(kind === "target" ? [this.ghost] : []), part.box, part.label, ...part.edges));
    }
    this.take = s("g", { class: "vml-take", role: "button", tabindex: 0, "aria-label": "Take the range to a target" },
      s("title", {}, "Drag what is chosen to where it should go"),
      s("rect", { class: "b", rx: 4, height: 24 }), s("path", {}), s("text", { class: "c" }, "drag to a target"));
    this.take.addEventListener("keydown", (event) => {
      if (!["Enter", " "].includes(event.key) || !this.source) return;
      event.preventDefault();
      const size = this.source[1] - this.source[0];
      this.onChange("target", this.source[1] + 1, this.source[1] + 1 + size, "done");
      this.parts.target.edges[0].focus();
    });
    this.el.append(this.take);
  }

  handle(kind, edge, style) {
    const what = kind === "source" ? "Range" : "Target";
    const knob = s("g", { class: `vml-handle ${style}`, role: "slider", tabindex: 0, "aria-label": `${what} ${edge}`,
      "aria-orientation": "horizontal" },
      s("rect", { x: -12, y: -17, width: 24, height: 24, class: "vml-grip" }), s("circle", { r: 5.5 }));
    knob.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -8, PageUp: 8 }[event.key];
      if (!by || !this[kind] || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      const range = [...this[kind]];
      if (edge === "start") {
        range[0] += by;
        if (kind === "target") range[1] += by; // the target keeps its size; its end makes it longer
        range[1] = Math.max(range[1], range[0] + 1);
      } else range[1] = Math.max(range[1] + by, range[0] + 1);
      this.onChange(kind, ...range, "done", edge);
    });
    knob.dataset.kind = kind;
    knob.dataset.edge = edge;
    return knob;
  }

  // Of two handles that are close together, the one that was meant.
  nearest(hit, x) {
    if (!hit) return null;
    const away = (knob) => {
      const { left, width } = knob.lastElementChild.getBoundingClientRect();
      return Math.abs(left + width / 2 - x) - (knob === hit ? 0.5 : 0);
    };
    return this.parts[hit.dataset.kind].edges.reduce((best, knob) => (away(knob) < away(best) ? knob : best));
  }

  use(geometry, vmas = []) {
    this.g = geometry;
    this.vmas = vmas;
    this.low = geometry.stretches[0]?.[0] ?? 0;
    this.high = geometry.stretches.at(-1)?.[1] ?? 0;
  }

  x(page) {
    const { stretches, left } = this.g;
    if (!stretches.length) return left;
    const found = stretches.find((one) => page < one[1]) ?? stretches.at(-1);
    const part = Math.min(Math.max((page - found[0]) / (found[1] - found[0]), 0), 1);
    return found[2] + Math.round(found[3] * part);
  }

  // Beyond the right edge it goes on as wide as there: the picture grows when one lets go.
  page(x) {
    const { stretches } = this.g;
    const last = stretches.at(-1);
    if (!last) return 0;
    if (x > last[2] + last[3]) {
      const wide = Math.max(last[3] / (last[1] - last[0]), 4);
      return last[1] + Math.min((x - last[2] - last[3]) / wide, BEYOND);
    }
    const found = stretches.find((one) => x < one[2] + one[3]) ?? last;
    return found[0] + Math.min(Math.max((x - found[2]) / found[3], 0), 1) * (found[1] - found[0]);
  }

  show(kind, range) {
    this[kind] = range;
    const { box, label, edges } = this.parts[kind];
    box.parentNode.style.display = range ? "" : "none";
    for (const knob of edges) knob.setAttribute("tabindex", range ? 0 : -1);
    if (kind === "target" || !this.target) this.haunt();
    this.offer();
    if (!range) return;
    const { top, lane, laneHeight, left } = this.g;
    const [a, b] = range.map((page) => this.x(page));
    const source = kind === "source";
    const y = source ? top - KNOB : lane + laneHeight / 2;
    box.setAttribute("d", source ? `M${a} ${top - 1}V${y}H${b}V${top - 1}`
      : `M${a} ${lane}V${lane + laneHeight}H${Math.max(b, a + 1)}V${lane}z`);
    const beyond = range[1] > this.high ? ", beyond the picture →" : range[0] < this.low ? ", ← before the picture" : "";
    const words = `${source ? "range" : "target"}: ${pageWords(range)}${beyond}`;
    const room = words.length * 6.9; // about its width: enough to keep it inside
    const width = this.el.ownerSVGElement?.viewBox.baseVal.width ?? 0;
    const after = b + 14 + room <= width;
    const at = source ? Math.max(Math.min(a, width - room), left) : after ? b + 14 : Math.max(a - 14 - room, left);
    label.setAttribute("x", at);
    label.setAttribute("y", source ? top - 17 : lane + 19);
    setText(label, words);
    edges.forEach((knob, i) => {
      place(knob, i ? b : a, y);
      knob.setAttribute("aria-valuemin", this.low);
      knob.setAttribute("aria-valuemax", Math.max(this.high, range[1]));
      knob.setAttribute("aria-valuenow", range[i]);
      knob.setAttribute("aria-valuetext", `page ${range[i]}; ${pageWords(range)}`);
    });
  }

  // What of the process lies in the range: [first page, page behind the last, name, kind], gaps with no name.
  pieces([start, end]) {
    const found = [];
    let at = start;
    for (const [, first, last, name, kind] of this.vmas) {
      if (last <= start || first >= end) continue;
      if (first > at) found.push([at, first, "", ""]);
      found.push([Math.max(first, start), Math.min(last, end), name, kind]);
      at = Math.min(last, end);
    }
    if (at < end) found.push([at, end, "", ""]);
    return found;
  }

  // The ghost of what is taken lies in the lane where it should go, gaps included.
  haunt() {
    const { source, target } = this;
    if (!source || !target) {
      this.ghost.replaceChildren();
      return;
    }
    const { lane, laneHeight } = this.g;
    const by = target[0] - source[0];
    this.ghost.replaceChildren(...this.pieces(source).slice(0, 64).flatMap(([first, last, name, kind]) => {
      const [a, b] = [this.x(first + by), this.x(Math.min(last + by, target[1]))];
      if (b <= a) return [];
      const words = name || "gap";
      return [s("g", { class: kind || "void" },
        s("rect", { class: kind ? "b" : "em", x: a, y: lane + 2, width: b - a, height: laneHeight - 4, rx: 3 }),
        ...(b - a >= 7 * words.length + 2 ? [s("text", { class: "c", x: (a + b) / 2, y: lane + 19 }, words)] : []))];
    }));
  }

  // Under the range hangs what it is taken by, until there is a target.
  offer() {
    const shown = this.aims && this.source && !this.target;
    this.take.style.display = shown ? "" : "none";
    this.take.setAttribute("tabindex", shown ? 0 : -1);
    if (!shown) return;
    const { lane, laneHeight, left, top, band } = this.g;
    const [a, b] = this.source.map((page) => this.x(page));
    const middle = Math.max((a + b) / 2, left + 58);
    const [rect, line, text] = [...this.take.children].slice(1);
    for (const [name, value] of Object.entries({ x: middle - 58, y: lane + laneHeight / 2 - 12, width: 116 })) rect.setAttribute(name, value);
    line.setAttribute("d", `M${(a + b) / 2} ${top + band}V${lane + laneHeight / 2 - 12}`);
    text.setAttribute("x", middle);
    text.setAttribute("y", lane + laneHeight / 2 + 4);
  }
}

// One pointer at a time: over the band it chooses the range, and drawn down from the range it takes what is chosen into the
// lane; in the lane it chooses the target; on a handle it moves that edge, across the other one too.
// `owner` has `selection`, `scene` (geometry and VMAs), `aims()`, `targetSize()` and `choose(kind, start, end, phase, edge)`.
function dragToSelect(svg, owner) {
  let held = null;
  let pan = null; // a finger beside the band scrolls a picture that is wider than the page
  const frame = () => svg.closest(".vml-scroll");
  const at = (event) => {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    return { y: point.y, page: owner.selection.page(point.x) };
  };
  const low = () => Math.min(owner.selection.low, 0);
  const span = (kind, page) => {
    if (held.mode === "edge") {
      const [a, b] = [held.fixed, Math.round(page)];
      return a === b ? [a, a + 1] : [Math.min(a, b), Math.max(a, b)];
    }
    if (held.mode === "range") return [Math.min(held.from, Math.floor(page)), Math.max(held.from, Math.floor(page)) + 1];
    const start = Math.max(Math.round(page - held.grip), low());
    return [start, start + held.size];
  };
  const follow = (event) => {
    const { y, page } = at(event);
    const { top, band } = owner.scene.geometry;
    if (held.mode === "range" && held.own && owner.aims() && y > top + band + 6) {
      owner.selection.show("source", held.source);
      Object.assign(held, { mode: "carry", kind: "target", grip: held.page - held.source[0] });
    }
    held.range = span(held.kind, page);
    owner.choose(held.kind, ...held.range, "move");
  };
  svg.addEventListener("pointerdown", (event) => {
    if (event.button || held) return;
    const { y, page } = at(event);
    const { top, band, lane, laneHeight } = owner.scene.geometry;
    const handle = owner.selection.nearest(event.target.closest(".vml-handle"), event.clientX);
    const take = event.target.closest(".vml-take");
    const inLane = owner.aims() && y >= lane && y <= lane + laneHeight;
    if (!handle && !inLane && !take && !(y >= top - 4 && y <= top + band + 4)) {
      if (event.pointerType === "touch") pan = { x: event.clientX, left: frame().scrollLeft };
      return;
    }
    const { source, target } = owner.selection;
    const kind = handle?.dataset.kind ?? (inLane || take ? "target" : "source");
    const vma = !handle && !inLane && owner.moves?.() ? owner.scene.vmas.find(([, first, last]) => page >= first && page < last) : null;
    const mode = vma ? "shift" : handle && !(kind === "target" && handle.dataset.edge === "start") ? "edge" : kind === "target" ? "aim" : "range";
    const own = kind === "source" && source && page >= source[0] && page < source[1];
    held = { kind: vma ? "move" : kind, vma, mode, own, source, page, edge: handle?.dataset.edge, from: Math.floor(page), moved: false, range: null,
      size: target && kind === "target" && !take ? target[1] - target[0] : owner.targetSize(), grip: 0, x: event.clientX, y: event.clientY,
      fixed: handle ? owner.selection[kind][handle.dataset.edge === "start" ? 1 : 0] : 0,
      box: event.target.closest('[data-k][role="img"]') };
    if (take && source) held.grip = page - source[0];
    else if (mode === "aim" && !handle && target && page >= target[0] && page < target[1]) held.grip = page - target[0];
    if (own) held.size = source[1] - source[0];
    if (vma) Object.assign(held, { size: vma[2] - vma[1], grip: page - vma[1] });
    svg.setPointerCapture(event.pointerId);
    (handle ?? held.box)?.focus({ preventScroll: true });
    event.preventDefault();
    if (mode === "aim" && !handle && !take) follow(event);
  });
  svg.addEventListener("pointermove", (event) => {
    if (pan) frame().scrollLeft = pan.left - (event.clientX - pan.x);
    if (!held) return;
    if (Math.hypot(event.clientX - held.x, event.clientY - held.y) > 3) held.moved = true;
    if (held.moved) follow(event);
  });
  const end = (event) => {
    pan = null;
    if (!held) return;
    const { kind, mode, edge, moved, from } = held;
    let range = held.range;
    const { vma: taken } = held;
    if (mode === "shift" && !moved) {
      held = null;
      if (event.type === "pointerup") owner.choose("source", taken[1], taken[2], "done"); // a click chooses it
      return;
    }
    if (mode === "range" && !moved) {
      // a click: the whole VMA, or the whole gap between two
      const vma = owner.scene.vmas.find(([, first, last]) => from >= first && from < last);
      range = vma ? [vma[1], vma[2]] : [from, from + 1];
    }
    held = null;
    if (event.type === "pointerup" && range) owner.choose(kind, ...range, "done", mode === "edge" ? edge : undefined, taken);
  };
  svg.addEventListener("pointerup", end);
  svg.addEventListener("pointercancel", end);
}

function pageWords([start, end]) {
  const size = end - start;
  if (!Number.isInteger(start) || !Number.isInteger(end)) return `${start} to ${end} (${size} pages)`;
  return size === 1 ? `page ${start} (1 page)` : `pages ${start} to ${end - 1} (${size} pages)`;
}
