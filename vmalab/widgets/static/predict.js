// Predict before you see, and the sketch in it: tools to draw the VMAs that somebody expects.  What a tool does, what is
// right and what is not is settled in Python (vmalab/widgets/sketch.py, predict.py); one message out, one back.

const PERMS = [["r", "PROT_READ"], ["w", "PROT_WRITE"], ["x", "PROT_EXEC"]];

// The sketch: a picture to choose a range in, tools for the range, and the same as a line of text.
class Sketch {
  constructor(send) {
    this.send = send;
    this.selection = new Selection((kind, start, end, phase) => this.choose(kind, start, end, phase));
    this.stage = h("div", { class: "vml-stage" });
    this.boxes = PERMS.map(([letter]) => h("input", { type: "checkbox", value: letter, onchange: () =>
      this.send({ do: "perms", value: this.boxes.filter((box) => box.checked).map((box) => box.value).join("") }) }));
    this.tools = h("div", { class: "vml-bar", role: "group", "aria-label": "Draw" });
    const id = newId();
    this.error = h("span", { class: "vml-error", id: `${id}-e`, role: "status" });
    this.line = h("input", { type: "text", id, autocomplete: "off", spellcheck: "false", "aria-describedby": `${id}-e`,
      class: "vml-line", oninput: () => { this.typing = true; }, onchange: () => {
        this.typing = false;
        this.send({ do: "write", value: this.line.value });
      } });
    this.el = h("div", {},
      h("p", { class: "vml-hint" }, "Drag a VMA to where you expect it, or move the one that has the focus with the left and right arrow keys. Drag over free pages, or move the round handles, to choose pages for a tool. Or write the VMAs into the line."),
      h("div", { class: "vml-bar" },
        h("fieldset", { class: "vml-field" }, h("legend", {}, "permissions of what you put down"),
          h("div", {}, ...PERMS.map(([, name], i) => h("label", {}, this.boxes[i], h("code", {}, name)))))),
      this.tools,
      h("div", { class: "vml-field vml-wide" }, h("label", { for: id }, "VMAs"), this.line, this.error));
  }

  aims() {
    return false;
  }

  // A VMA is dragged to where somebody expects it.
  moves() {
    return true;
  }

  targetSize() {
    return 1;
  }

  choose(kind, start, end, phase, edge, vma) {
    this.selection.show("source", [start, end]);
    if (phase !== "done") return;
    this.send(kind === "move" ? { do: "move", first: vma[1], start } : { do: "select", start, end });
  }

  // The same with keys: a VMA that has the focus goes to the left and to the right.
  key(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const key = by && event.target.closest?.('[data-k][role="img"]')?.dataset.k;
    const vma = key && this.scene.vmas.find(([one]) => one === key);
    if (!vma || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.send({ do: "move", first: vma[1], start: Math.max(vma[1] + by * (event.shiftKey ? 8 : 1), 0) });
  }

  show(look, state) {
    if (look !== this.look) this.draw(look);
    this.selection.show("source", state.range);
    this.selection.show("target", null);
    this.boxes.forEach((box) => { box.checked = state.perms.includes(box.value); });
    if (!this.tools.children.length) {
      this.tools.append(...state.tools.map(([name, word, what]) =>
        h("button", { type: "button", class: "vml-do", title: what, onclick: () => this.send({ do: "tool", value: name }) }, word)));
    }
    if (!this.typing && this.line.value !== state.text) this.line.value = state.text;
    if (state.error) this.line.setAttribute("aria-invalid", "true");
    else this.line.removeAttribute("aria-invalid");
    setText(this.error, state.error);
  }

  draw(look) {
    this.look = look;
    this.scene = JSON.parse(look);
    const focused = this.stage.contains(document.activeElement) ? document.activeElement : null;
    const handle = focused?.dataset.edge ? focused : null;
    const picture = new Picture(this.scene.picture);
    picture.show(0, false);
    picture.svg.append(this.selection.el);
    this.selection.use(this.scene.geometry, this.scene.vmas);
    dragToSelect(picture.svg, this);
    picture.el.addEventListener("keydown", (event) => this.key(event));
    this.stage.replaceChildren(picture.el);
    (handle ?? (focused && picture.boxes()[0]))?.focus({ preventScroll: true });
  }
}

// What a verdict says, line by line, and below it what really happened.
function verdictOf(told) {
  const lines = told.lines.map(([right, said]) =>
    h("li", { class: right ? "ok" : "fail" }, h("b", { "aria-hidden": "true" }, right ? "✓ " : "✕ "),
      h("span", { class: "vml-only-read" }, right ? "Right: " : "Wrong: "), said));
  const suspected = told.suspected.map(([belief, truth]) =>
    h("p", { class: "vml-say change" }, h("b", {}, `Did you think: “${belief}” `), truth));
  return h("div", { class: "vml-verdict" }, h("p", { class: `vml-status ${told.right ? "ok" : "fail"}` }, told.headline),
    h("ul", {}, ...lines), told.unsaid ? h("p", { class: "vml-hint" }, told.unsaid) : "", ...suspected);
}

class Predict {
  constructor(model) {
    this.model = model;
    this.sent = 0;
    const send = (message) => this.send(message);
    this.sketch = new Sketch(send);
    const [errno, value] = [newId(), newId()];
    this.errno = h("select", { id: errno, onchange: () => send({ do: "errno", value: this.errno.value }) });
    this.value = h("input", { type: "text", id: value, size: 10, autocomplete: "off", spellcheck: "false",
      onchange: () => send({ do: "value", value: this.value.value }) });
    this.question = h("p", { class: "vml-question" });
    this.before = h("div", { class: "vml-before" });
    this.kernel = h("div", { class: "vml-kernel" });
    this.wrong = h("span", { class: "vml-error", id: `${value}-e` });
    this.value.setAttribute("aria-describedby", this.wrong.id);
    this.problem = h("p", { class: "vml-error", role: "alert" });
    this.reveal = h("button", { type: "button", class: "vml-do run", onclick: () => send({ do: "reveal" }) }, "Reveal");
    this.again = h("button", { type: "button", class: "vml-do", onclick: () => send({ do: "again" }) }, "Hide again");
    this.verdict = h("div", { role: "status", "aria-live": "polite" });
    this.result = h("div", { class: "vml-played" });
    this.el = h("section", { class: "vml vml-builder vml-predict", "aria-label": "Predict" },
      this.question,
      h("div", { class: "vml-bar" },
        h("span", { class: "vml-pick" }, h("label", { for: errno }, "I think that"), this.errno),
        h("span", { class: "vml-pick" }, h("label", { for: value }, "and returns (page or address)"), this.value), this.wrong),
      this.before, this.sketch.stage, this.kernel, this.sketch.el,
      h("div", { class: "vml-bar", role: "group", "aria-label": "Actions" }, this.reveal, this.again),
      this.problem, this.verdict, this.result);
    keepKeys(this.el);
    this.update();
  }

  send(message) {
    this.sent += 1;
    this.model.send({ ...message, n: this.sent });
  }

  update() {
    const state = JSON.parse(this.model.get("state"));
    if (state.n && state.n < this.sent) return; // a newer answer is under way
    this.question.replaceChildren(`On ${state.kernel}, what does `, h("code", { class: "vml-call" }, state.call),
      " do? Above is the address space before it; change the band called you into what you expect afterwards.");
    if (!this.errno.children.length) {
      this.errno.replaceChildren(...state.errnos.map(([name, label]) => h("option", { value: name }, label)));
    }
    this.errno.value = state.errno;
    if (document.activeElement !== this.value) this.value.value = state.value; // never under somebody's fingers
    if (state.wrong) this.value.setAttribute("aria-invalid", "true");
    else this.value.removeAttribute("aria-invalid");
    setText(this.wrong, state.wrong);
    this.value.disabled = !["", "succeeds"].includes(state.errno);
    setText(this.problem, state.problem);
    const look = this.model.get("look");
    if (look !== this.look) {
      this.look = look;
      const before = new Picture(JSON.parse(look).before);
      before.show(0, false);
      this.before.replaceChildren(before.el);
    }
    this.sketch.show(look, state.sketch);
    this.again.disabled = !state.revealed;
    const told = this.model.get("told");
    if (told === this.told) return;
    this.told = told;
    this.player?.pause();
    if (!told) {
      this.verdict.replaceChildren();
      this.result.replaceChildren();
      this.kernel.replaceChildren();
      return;
    }
    const found = JSON.parse(told);
    // what is before the call goes to where the kernel has it
    const kernel = new Picture(found.kernel);
    kernel.show(0, false);
    this.kernel.replaceChildren(kernel.el);
    afterPaint(() => kernel.show(1));
    this.player = new Player(found.play, { index: Infinity });
    this.verdict.replaceChildren(verdictOf(found));
    this.result.replaceChildren(this.player.el);
  }
}

function renderPredict({ model, el }) {
  const predict = new Predict(model);
  const update = () => predict.update();
  model.on("change:state", update);
  model.on("change:told", update);
  el.replaceChildren(predict.el);
  return () => {
    predict.player?.pause();
    model.off("change:state", update);
    model.off("change:told", update);
  };
}
