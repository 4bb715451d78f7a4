// Move cost: a form, a picture and its words; all three come from Python (vmalab/widgets/movecost.py).

class MoveCost {
  constructor(model) {
    this.model = model;
    this.sent = 0;
    const set = (name, value) => {
      this.sent += 1;
      this.model.send({ do: "set", name, value, n: this.sent });
    };
    const state = JSON.parse(model.get("state"));
    const labelled = (words, control) => {
      control.id = newId();
      return h("span", { class: "vml-pick" }, h("label", { for: control.id }, words), control);
    };
    const choices = (list) => list.map(([value, word]) => h("option", { value }, word));
    this.size = h("input", { type: "range", min: 0, max: state.sizes.length - 1, step: 1,
      oninput: () => set("pages", state.sizes[Number(this.size.value)]) });
    this.pages = h("input", { type: "text", inputmode: "numeric", size: 8, autocomplete: "off",
      onchange: () => set("pages", this.pages.value) });
    this.source = h("select", { onchange: () => set("source", this.source.value) }, ...choices(state.places));
    this.target = h("select", { onchange: () => set("target", this.target.value) }, ...choices(state.places));
    this.present = h("select", { onchange: () => set("present", this.present.value) }, ...choices(state.kinds));
    this.picture = h("div", { class: "vml-scroll" });
    this.words = h("p", { class: "vml-say", role: "status", "aria-live": "polite" });
    this.problem = h("p", { class: "vml-error", role: "alert" });
    this.el = h("section", { class: "vml vml-builder vml-predict", "aria-label": "Move cost" },
      h("div", { class: "vml-bar" }, labelled("Size", this.size), labelled("pages", this.pages)),
      h("div", { class: "vml-bar" }, labelled("The source begins", this.source), labelled("the destination", this.target),
        labelled("present is", this.present)),
      this.problem, this.picture, this.words);
    keepKeys(this.el);
    this.update();
  }

  update() {
    const state = JSON.parse(this.model.get("state"));
    if (state.n && state.n < this.sent) return; // a newer answer is under way
    const nearest = state.sizes.findLastIndex((size) => size <= state.pages);
    if (document.activeElement !== this.size) this.size.value = nearest;
    this.size.setAttribute("aria-valuetext", `${state.pages} pages`);
    if (document.activeElement !== this.pages || !state.problem) this.pages.value = state.pages;
    for (const [select, value] of [[this.source, state.source], [this.target, state.target]]) {
      if (![...select.options].some((one) => one.value === String(value))) {
        select.append(h("option", { value }, `${value} pages behind it`));
      }
      select.value = value;
    }
    this.present.value = state.present;
    setText(this.problem, state.problem);
    setText(this.words, state.words);
    if (state.picture !== this.shown) {
      this.shown = state.picture;
      this.picture.innerHTML = state.picture;
    }
  }
}

function renderMoveCost({ model, el }) {
  const cost = new MoveCost(model);
  const update = () => cost.update();
  model.on("change:state", update);
  el.replaceChildren(cost.el);
  return () => model.off("change:state", update);
}
