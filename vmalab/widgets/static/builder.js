// The call builder, and the door by which anywidget comes in.  Joined behind player.js to one module: its names are
// known here.  The only thing drawn here is the selection; fields, the call and errors are settled in Python
// (vmalab/widgets/session.py), which hears one message for each thing that a person does and answers with one.

// The bytes that are chosen, drawn over the picture: two brackets with a handle at each edge.  Pages in, pages out; all
// else (fields, the call, errors) is settled in Python.
class Selection {
  constructor(onChange) {
    this.onChange = onChange; // ("source" | "target", start, end, "move" | "done")
    this.parts = {};
    this.el = s("g", { class: "vml-sel" });
    for (const kind of ["source", "target"]) {
      const style = kind === "source" ? "src" : "tgt";
      const part = {
        box: s("rect", { class: `vml-area ${style}`, rx: 3 }),
        label: s("text", { class: `${style}t` }),
        edges: ["start", "end"].map((edge) => this.handle(kind, edge, style)),
      };
      this.parts[kind] = part;
      this.el.append(s("g", {}, part.box, part.label, ...part.edges));
    }
  }

  handle(kind, edge, style) {
    const what = kind === "source" ? "Range" : "Target";
    const knob = s("g", { class: `vml-handle ${style}`, role: "slider", tabindex: 0, "aria-label": `${what} ${edge}`,
      "aria-orientation": "horizontal" },
      s("rect", { x: -9, y: 0, width: 18, height: 24, class: "vml-grip" }), s("path", { d: "M0 0v24" }),
      s("circle", { cy: 12, r: 5.5 }));
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

  use(geometry) {
    this.g = geometry;
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

  page(x) {
    const { stretches } = this.g;
    const found = stretches.find((one) => x < one[2] + one[3]) ?? stretches.at(-1);
    if (!found) return 0;
    return found[0] + Math.min(Math.max((x - found[2]) / found[3], 0), 1) * (found[1] - found[0]);
  }

  show(kind, range) {
    this[kind] = range;
    const { box, label, edges } = this.parts[kind];
    box.parentNode.style.display = range ? "" : "none";
    if (!range) return;
    const { top, band, lane, laneHeight } = this.g;
    const [y, height] = kind === "source" ? [top - 4, band + 8] : [lane + 2, laneHeight - 4];
    const [a, b] = range.map((page) => this.x(page));
    for (const [name, value] of Object.entries({ x: a, y, width: Math.max(b - a, 1), height })) box.setAttribute(name, value);
    const words = `${kind === "source" ? "range" : "target"}: ${pageWords(range)}`;
    const room = words.length * 6.9; // about its width: enough to keep it inside
    const width = this.el.ownerSVGElement?.viewBox.baseVal.width ?? 0;
    const before = kind === "target" && b + 14 + room > width; // left of the target where there is no room behind it
    label.setAttribute("x", kind === "source" ? Math.min(a, width - room) : before ? a - 14 : b + 14);
    label.setAttribute("text-anchor", before ? "end" : "start");
    label.setAttribute("y", kind === "source" ? top - 10 : lane + 19);
    setText(label, words);
    edges.forEach((knob, i) => {
      place(knob, i ? b : a, kind === "source" ? top + band / 2 - 12 : lane + laneHeight / 2 - 12);
      knob.setAttribute("aria-valuemin", this.low);
      knob.setAttribute("aria-valuemax", this.high);
      knob.setAttribute("aria-valuenow", range[i]);
      knob.setAttribute("aria-valuetext", `page ${range[i]}; ${pageWords(range)}`);
    });
  }
}

// One pointer at a time: press in the band to choose the range, in the lane to choose the target, or on a handle.
// `owner` has `selection`, `scene` (geometry and VMAs), `aims()`, `targetSize()` and `choose(kind, start, end, phase, edge)`.
function dragToSelect(svg, owner) {
  let held = null;
  const at = (event) => {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    return { y: point.y, page: owner.selection.page(point.x) };
  };
  const follow = (event) => {
    const { page } = at(event);
    const { kind, edge, from } = held;
    let [start, end] = owner.selection[kind] ?? [0, 1];
    if (edge === "start") start = Math.min(Math.round(page), kind === "target" ? Infinity : end - 1);
    else if (edge === "end") end = Math.max(Math.round(page), start + 1);
    else if (kind === "source") [start, end] = [Math.min(from, Math.floor(page)), Math.max(from, Math.floor(page)) + 1];
    else start = Math.round(page - held.grip);
    if (kind === "target" && edge !== "end") end = start + held.size;
    held.range = [start, end];
    owner.choose(kind, start, end, "move");
  };
  svg.addEventListener("pointerdown", (event) => {
    if (event.button || held) return;
    const { y, page } = at(event);
    const { top, band, lane, laneHeight } = owner.scene.geometry;
    const handle = event.target.closest(".vml-handle");
    const inLane = owner.aims() && y >= lane && y <= lane + laneHeight;
    if (!handle && !inLane && !(y >= top - 4 && y <= top + band + 4)) return;
    const kind = handle?.dataset.kind ?? (inLane ? "target" : "source");
    const size = owner.selection[kind] ? owner.selection[kind][1] - owner.selection[kind][0] : owner.targetSize();
    held = { kind, edge: handle?.dataset.edge, from: Math.floor(page), size, moved: false, range: null,
      grip: 0, x: event.clientX, box: event.target.closest('[data-k][role="img"]') };
    const target = owner.selection.target;
    if (inLane && !handle && target && page >= target[0] && page < target[1]) held.grip = page - target[0];
    svg.setPointerCapture(event.pointerId);
    (handle ?? held.box)?.focus({ preventScroll: true });
    event.preventDefault();
    if (kind === "target" && !handle) follow(event);
  });
  svg.addEventListener("pointermove", (event) => {
    if (!held) return;
    if (Math.abs(event.clientX - held.x) > 3) held.moved = true;
    if (held.moved) follow(event);
  });
  const end = (event) => {
    if (!held) return;
    const { kind, edge, moved, from } = held;
    let range = held.range;
    if (kind === "source" && !moved && !edge) {
      // a click: the whole VMA, or one page of a gap
      const vma = owner.scene.vmas.find(([, first, last]) => from >= first && from < last);
      range = vma ? [vma[1], vma[2]] : [from, from + 1];
    }
    held = null;
    if (event.type === "pointerup" && range) owner.choose(kind, ...range, "done", edge);
  };
  svg.addEventListener("pointerup", end);
  svg.addEventListener("pointercancel", end);
}

function pageWords([start, end]) {
  const size = end - start;
  if (!Number.isInteger(start) || !Number.isInteger(end)) return `${start} to ${end} (${size} pages)`;
  return size === 1 ? `page ${start} (1 page)` : `pages ${start} to ${end - 1} (${size} pages)`;
}

// Patch `host` so that it holds one control for each field, kept by name, so that typing is never interrupted.
class Form {
  constructor(onSet) {
    this.onSet = onSet;
    this.el = h("div", { class: "vml-form" });
    this.rows = new Map();
  }

  show(fields) {
    const wanted = fields.map(({ name, label }) => `${name}/${label}`);
    for (const [key, row] of this.rows) {
      if (wanted.includes(key)) continue;
      row.el.remove();
      this.rows.delete(key);
    }
    fields.forEach((field, i) => {
      const key = wanted[i];
      if (!this.rows.has(key)) this.rows.set(key, this.make(field));
      const row = this.rows.get(key);
      if (this.el.children[i] !== row.el) this.el.insertBefore(row.el, this.el.children[i] ?? null);
      row.show(field);
    });
  }

  make(field) {
    const id = newId();
    const message = h("span", { class: "vml-error", id: `${id}-e` });
    if (field.kind === "checks") {
      const boxes = field.options.map(([word]) => h("input", { type: "checkbox", value: word, onchange: () =>
        this.onSet(field.name, boxes.filter((box) => box.checked).map((box) => box.value)) }));
      const labels = field.options.map(([, label], i) => h("label", {}, boxes[i], h("code", {}, label)));
      return {
        el: h("fieldset", { class: "vml-field" }, h("legend", {}, field.label), h("div", {}, ...labels), message),
        show: ({ value, error }) => {
          boxes.forEach((box) => { box.checked = value.includes(box.value); });
          setText(message, error);
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
      input,
      el: h("div", { class: "vml-field" }, h("label", { for: id }, field.label), input, message, hint),
      show: ({ value, error }) => {
        // what somebody is typing is never replaced under their fingers
        if (input.value !== value && document.activeElement !== input) input.value = value;
        if (error) input.setAttribute("aria-invalid", "true");
        else input.removeAttribute("aria-invalid");
        setText(message, error);
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

function saveText(name, text) {
  const link = h("a", { href: URL.createObjectURL(new Blob([text], { type: "application/json" })), download: name });
  link.click();
  URL.revokeObjectURL(link.href);
}

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
    this.session = h("div", { class: "vml-bar", role: "group", "aria-label": "All calls so far" },
      all("Python"), all("C"), save);
    this.result = h("div", { class: "vml-played" });
    this.el = h("section", { class: "vml vml-builder", "aria-label": "Call builder" },
      h("div", { class: "vml-bar" }, callLabel, releaseLabel),
      this.stage, this.hint, this.form.el,
      h("div", { class: "vml-code" }, h("i", {}, "C"), this.c, this.copies[0], h("i", {}, "Python"), this.python, this.copies[1]),
      h("div", { class: "vml-bar", role: "group", "aria-label": "Actions" }, ...Object.values(this.buttons)),
      this.status, this.past, this.session, this.result);
    keepKeys(this.el);
    this.el.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.target.tagName === "INPUT" && event.target.type === "text") this.act("run");
    });
    this.update();
    this.play(model.get("played"));
    this.keepTexts();
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
      ? "Drag over the VMAs to choose the range, and in the lane under them to choose the target. Or type, or move the round handles with the arrow keys."
      : "Drag over the picture to choose the range. Or type, or move the round handles with the arrow keys.");
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
    const { picture, geometry } = scene;
    if (this.picture?.take(picture)) this.picture.show(0);
    else this.hang(new Picture(picture));
    const { left, lane, laneHeight } = geometry;
    const width = this.svg.viewBox.baseVal.width - left - 14;
    const [box, label] = this.lane.children;
    for (const [name, value] of Object.entries({ x: left, y: lane, width, height: laneHeight })) box.setAttribute(name, value);
    label.setAttribute("y", lane + 19);
    this.selection.use(geometry);
  }

  // Put a picture on the stage in place of the one before; who was in that one, is in this one.
  hang(picture) {
    const focused = this.stage.contains(document.activeElement) ? document.activeElement : null;
    picture.show(0, false);
    this.picture = picture;
    this.svg = picture.svg;
    this.svg.append(this.lane, this.selection.el);
    dragToSelect(this.svg, this);
    this.stage.replaceChildren(picture.el);
    (focused?.dataset.edge ? focused : focused && picture.boxes()[0])?.focus({ preventScroll: true });
  }

  aims() {
    return this.state.aims;
  }

  targetSize() {
    const source = this.state.source;
    return source ? Math.max(source[1] - source[0], 1) : 1;
  }

  // The picture of the process is painted first, and then the player of its last call is made.
  replay() {
    const text = this.model.get("played");
    if (text) afterPaint(() => text === this.model.get("played") && this.play(text));
    else this.play(text);
  }

  async play(text) {
    const data = text ? await unpack(text) : null;
    if (text !== this.model.get("played")) return;
    this.player?.pause();
    this.player = data && new Player(data, { index: Infinity });
    this.result.replaceChildren(...(this.player ? [this.player.el] : []));
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
  return () => {
    builder.player?.pause();
    model.off("change:state", update);
    model.off("change:played", replay);
    model.off("change:texts", keepTexts);
  };
}
