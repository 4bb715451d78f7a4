// Pictures that Python drew, patched into the page in place, so that focus survives and a VMA glides to its new place.
// Joined behind dom.js.

// All at once: the parser's own beginning and end cost more than a part.
function parse(texts) {
  const holder = document.createElementNS(SVG, "g");
  holder.innerHTML = texts.join("");
  return [...holder.children];
}

function place(node, x, y) {
  node.style.transform = `translate(${x}px, ${y}px)`;
}

function settle(node) {
  const found = /translate\((-?\d+) (-?\d+)\)/.exec(node.getAttribute("transform") ?? "");
  if (found) place(node, found[1], found[2]);
}

const MOST_GLIDING = 24; // so many VMAs glide each by itself
const GLIDE = 500; // ms that a VMA glides, as in controls.css
const FLIGHT = 600; // ms that page-table entries travel

const KEPT = new Set(["tabindex", "style"]); // what the player itself sets

function morph(old, fresh) {
  if (old.isEqualNode(fresh)) return old;
  if (old.tagName !== fresh.tagName) {
    old.replaceWith(fresh);
    return fresh;
  }
  for (const name of fresh.getAttributeNames()) {
    const value = fresh.getAttribute(name);
    if (!KEPT.has(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const name of old.getAttributeNames()) {
    if (!KEPT.has(name) && !fresh.hasAttribute(name)) old.removeAttribute(name);
  }
  if (!old.firstElementChild && !fresh.firstElementChild) {
    setText(old, fresh.textContent);
    return old;
  }
  const now = [...old.children];
  const wanted = [...fresh.children];
  wanted.forEach((child, i) => (now[i] ? morph(now[i], child) : old.append(child)));
  now.slice(wanted.length).forEach((child) => child.remove());
  return old;
}

// Frames are lists of parts, or what to replace in the frame before: [from, to, parts] in order (vmalab/pictures/frames.py).
export function unsqueeze(frames) {
  const full = [];
  for (const frame of frames) {
    if (!Array.isArray(frame[0])) {
      full.push(frame);
      continue;
    }
    const previous = full[full.length - 1];
    const next = [];
    let at = 0;
    for (const [from, to, parts] of frame) {
      next.push(...previous.slice(at, from), ...parts);
      at = to;
    }
    full.push(at || next.length ? next.concat(previous.slice(at)) : previous);
  }
  return full;
}

const coordinates = (transform) => /translate\((-?[\d.]+)px, (-?[\d.]+)px\)/.exec(transform)?.slice(1).map(Number) ?? [0, 0];
const origin = (node) => node.style.transform.replace(/translate\(-?[\d.]+px/, `translate(${node.dataset.born}px`);

export class Picture {
  constructor(data) {
    this.uid = newId();
    this.el = h("div", { class: "vml-scroll" });
    this.el.innerHTML = this.load(data);
    this.svg = this.el.firstElementChild;
    this.svg.classList.add("vml-live");
    this.layer = this.svg.querySelector(".vml-parts");
    this.around = [...this.svg.children].filter((child) => child !== this.layer);
    this.nodes = new Map();
    this.shown = new Map();
    // on the frame: Chromium makes an SVG element that listens for the focus a stop of the Tab key
    this.el.addEventListener("keydown", (event) => this.walk(event));
    this.el.addEventListener("focusin", (event) => this.hold(event.target.closest('[data-k][role="img"]')));
  }

  // Keep the parts and frames of `data`; the SVG around them as text.
  load(data) {
    this.parts = data.parts;
    this.frames = unsqueeze(data.frames);
    return this.own(`${data.head}<g class="vml-parts"></g>${data.tail}`);
  }

  // Several pictures share a page: what is named in this one gets a name of its own.
  own(text) {
    return text.replaceAll("vml-uid", this.uid);
  }

  // Go on with another picture in the place of this one: what stays, stays in the page (and keeps the focus, or glides).
  take(data) {
    const holder = h("div");
    holder.innerHTML = this.load(data);
    const fresh = holder.firstElementChild;
    for (const { name, value } of fresh.attributes) {
      if (name !== "class" && this.svg.getAttribute(name) !== value) this.svg.setAttribute(name, value);
    }
    const parts = [...fresh.children];
    const layer = parts.findIndex((child) => child.classList.contains("vml-parts"));
    const others = parts.filter((_, i) => i !== layer);
    if (others.length === this.around.length) this.around = others.map((child, i) => morph(this.around[i], child));
    else {
      this.around.forEach((child) => child.remove());
      this.layer.before(...parts.slice(0, layer));
      this.layer.after(...parts.slice(layer + 1));
      this.around = others;
    }
  }

  // Patch the page from whatever it shows to frame `index`.
  show(index, animate = true) {
    this.arrive?.();
    const moved = [];
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
    const ways = [];
    const fresh = parse(wanted.filter(([key, text]) => this.shown.get(key) !== text).map(([, text]) => this.own(text)));
    let next = 0;
    let at = this.layer.firstChild;
    for (const [key, text] of wanted) {
      let node = this.nodes.get(key);
      if (!node) {
        node = fresh[next++];
        this.nodes.set(key, node);
        settle(node);
        if (animate && node.dataset.born !== undefined) born.push(node);
        if (animate && node.dataset.cells) ways.push(node);
      } else if (this.shown.get(key) !== text) {
        const was = node;
        const from = node.style.transform;
        node = morph(node, fresh[next++]);
        if (was === at) at = node;
        this.nodes.set(key, node);
        settle(node);
        if (animate && from && from !== node.style.transform) moved.push([node, from]);
      }
      this.shown.set(key, text);
      if (node === at) at = at.nextSibling;
      else this.layer.insertBefore(node, at);
    }
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (still) this.arrive = null;
    else if (born.length + moved.length > MOST_GLIDING) this.march([...moved, ...born.map((node) => [node, origin(node)])]);
    else if (born.length) this.glide(born);
    if (ways.length && !still) ways.forEach((node) => this.fly(node));
    this.refocus(active);
  }

  // VMAs that have just appeared come from where their pages were: all are put there, and the browser lays out once.
  glide(nodes) {
    const ends = nodes.map((node) => node.style.transform);
    nodes.forEach((node) => {
      node.style.transition = "none";
      node.style.transform = origin(node);
    });
    this.svg.getBoundingClientRect();
    nodes.forEach((node, i) => {
      node.style.transition = "";
      node.style.transform = ends[i];
    });
  }

  // Do something that takes the browser long once nothing glides any more.
  rested(action) {
    if (this.arrive) setTimeout(() => this.rested(action), 100);
    else action();
  }

  // From where to where one sees of the picture (its own units), with a box of room.
  window() {
    const { clientWidth, scrollLeft, scrollWidth } = this.el;
    const by = this.svg.viewBox.baseVal.width / Math.max(scrollWidth, 1);
    return [scrollLeft * by - 100, (scrollLeft + clientWidth) * by];
  }

  // Many at once: a transition of each would be a layer of its own for the browser, so they are moved together, frame by
  // frame.  `movers`: [node, where it comes from].
  march(movers) {
    const ways = movers.map(([node, from]) => [node, coordinates(from), coordinates(node.style.transform), true]);
    const [low, high] = this.window();
    let begun = 0; // with the first frame that shows them where they were
    const at = (part) => {
      for (const way of ways) {
        const [node, [x, y], [to, down], seen] = way;
        const now = Math.round(x + (to - x) * part);
        way[3] = part === 1 || (now > low && now < high); // what nobody sees need not be moved
        if (seen || way[3]) place(node, now, Math.round(y + (down - y) * part));
      }
    };
    this.svg.classList.add("vml-many");
    this.arrive = () => {
      at(1);
      this.arrive = null;
      this.svg.classList.remove("vml-many");
    };
    at(0);
    const frame = (now) => {
      if (!this.arrive) return;
      begun ||= now;
      const part = Math.min((now - begun) / GLIDE, 1);
      if (part === 1) this.arrive();
      else {
        at(part * part * (3 - 2 * part));
        requestAnimationFrame(frame);
      }
    };
    afterPaint(() => requestAnimationFrame(frame));
  }

  // Pages stay where they are in memory; their entries travel along the way that has just appeared.
  fly(way) {
    const [above, below] = way.dataset.way.split(",").map(Number);
    const bend = (above + below) / 2;
    for (const flight of way.dataset.cells.split(";")) {
      const [x, to, width, words] = flight.split(",");
      const cell = s("g", { class: "vml-fly rw", "aria-hidden": "true" }, s("rect", { class: "p", width: Math.max(width - 1, 2), height: 12 }),
        ...(words ? [s("text", { class: "v m", x: width / 2, y: 10 }, words)] : []));
      this.svg.append(cell);
      const frames = Array.from({ length: 13 }, (_, i) => {
        const t = i / 12;
        const [a, b, c, d] = [(1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t ** 2, t ** 3];
        const [left, y] = [(a + b) * x + (c + d) * to, a * (above - 14) + (b + c) * bend + d * (below + 50)];
        return { transform: `translate(${left}px, ${y}px)` };
      });
      cell.animate(frames, { duration: FLIGHT, easing: "ease-in-out" }).finished.finally(() => cell.remove());
    }
  }

  // In a frame that is too narrow for the picture: bring what the step changes, or is about, into view.  In the next
  // frame of the browser, because asking for places makes it lay out at once.
  follow() {
    cancelAnimationFrame(this.following);
    this.following = requestAnimationFrame(() => {
      const { clientWidth, scrollLeft, scrollWidth } = this.el;
      const about = [...this.layer.querySelectorAll(".ch")].at(-1) ?? this.layer.querySelector("[data-k=cue],.gone");
      const [, x] = /translate\((-?\d+)/.exec(about?.getAttribute("transform")) ?? [0, about?.querySelector("rect")?.getAttribute("x")];
      if (x == null || scrollWidth <= clientWidth) return;
      const at = Number(x) * scrollWidth / this.svg.viewBox.baseVal.width;
      const wide = about.querySelector("rect").getAttribute("width") * scrollWidth / this.svg.viewBox.baseVal.width;
      if (at < scrollLeft || at + Math.min(wide, clientWidth / 2) > scrollLeft + clientWidth) this.el.scrollLeft = at - clientWidth / 3;
    });
  }

  boxes() {
    return [...this.layer.querySelectorAll('[role="img"]')];
  }

  // One stop for the Tab key; up and down go from VMA to VMA.
  hold(box) {
    if (box) for (const other of this.boxes()) other.setAttribute("tabindex", other === box ? "0" : "-1");
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
