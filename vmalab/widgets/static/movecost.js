// Move cost: a form, its pictures and their words; all come from Python (vmalab/widgets/movecost.py), one message out
// and one back.  What the sizes of the slider show is here already: it waits for no answer.

class MoveCost {
  constructor(model) {
    this.model = model;
    this.sent = 0;
    const set = (name, value) => {
      if (name !== "pages") this.ready = null; // they were for what is changed now
      this.sent += 1;
      this.model.send({ do: "set", name, value, n: this.sent });
    };
    const state = JSON.parse(model.get("state"));
    this.sizes = state.sizes;
    const labelled = (words, control) => {
      control.id = newId();
      return h("span", { class: "vml-pick" }, h("label", { for: control.id }, words), control);
    };
    const choose = (name, list) => h("select", { onchange: (event) => set(name, event.target.value) },
      ...list.map(([value, word]) => h("option", { value }, word)));
    this.slider = h("input", { type: "range", min: 0, max: this.sizes.length - 1, step: 1,
      oninput: () => {
        const index = Number(this.slider.value);
        const pages = this.sizes[index];
        set("pages", pages);
        if (this.ready) this.show({ ...this.ready[index], pages, problem: "" });
      } });
    const problem = newId();
    this.pages = h("input", { type: "text", inputmode: "numeric", size: 8, autocomplete: "off",
      "aria-describedby": problem, onchange: () => set("pages", this.pages.value) });
    this.source = choose("source", state.places);
    this.target = choose("target", state.places);
    this.present = choose("present", state.kinds);
    this.problem = h("p", { class: "vml-error", id: problem, role: "alert" });
    this.words = h("p", { class: "vml-say", role: "status", "aria-live": "polite" });
    const frame = (name) => h("div", { class: "vml-scroll", role: "region", tabindex: 0, "aria-label": name });
    this.grid = frame("In the grid of 2 MiB");
    this.bars = frame("Parts of the time");
    this.chart = frame("Among measured moves");
    this.origin = h("p", { class: "vml-hint" });
    this.el = h("section", { class: "vml vml-builder vml-cost", "aria-label": "Move cost" },
      h("div", { class: "vml-bar" }, labelled("Size", this.slider), labelled("in pages", this.pages),
        labelled("Present", this.present)),
      h("div", { class: "vml-bar" }, labelled("Source begins", this.source),
        labelled("Destination begins", this.target)),
      this.problem, this.words, this.grid, this.bars, this.chart, this.origin);
    keepKeys(this.el);
    this.update();
  }

  update() {
    const state = JSON.parse(this.model.get("state"));
    if (state.n && state.n < this.sent) return; // a newer answer is under way
    for (const [select, value] of [[this.source, state.source], [this.target, state.target]]) {
      if (![...select.options].some((one) => one.value === String(value))) {
        select.append(h("option", { value }, `${value} pages after one`));
      }
      select.value = value;
    }
    this.present.value = state.present;
    setText(this.origin, state.origin);
    this.show(state);
    this.prepare();
  }

  show(state) {
    this.slider.value = this.sizes.findLastIndex((size) => size <= state.pages);
    this.slider.setAttribute("aria-valuetext", `${state.pages} pages`);
    if (state.problem) this.pages.setAttribute("aria-invalid", "true");
    else {
      this.pages.removeAttribute("aria-invalid");
      this.pages.value = state.pages;
    }
    setText(this.problem, state.problem);
    setText(this.words, state.words);
    this.draw(this.grid, state.grid);
    this.draw(this.bars, state.bars);
    this.draw(this.chart, state.chart);
  }

  async prepare() {
    const text = this.model.get("ready");
    if (this.ready && text === this.readyText) return;
    const ready = await unpack(text);
    if (text !== this.model.get("ready")) return;
    this.readyText = text;
    this.ready = ready;
  }

  draw(host, picture) {
    if (host.shown === picture) return;
    host.shown = picture;
    host.innerHTML = picture;
  }
}

function renderMoveCost({ model, el }) {
  const cost = new MoveCost(model);
  const update = () => cost.update();
  model.on("change:state", update);
  el.replaceChildren(cost.el);
  return () => model.off("change:state", update);
}
