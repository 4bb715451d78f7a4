// One program on several machines, brought side by side: its calls to choose from, one picture for each machine on one
// scale, what differs in words.  The data are those of vmalab/differences/lockstep.py.  Joined behind player.js.

class Together {
  // `onSettle({ call, step })` hears where a person stopped; calls count from 1.
  constructor(data, { call = 1, step = 0, onSettle = () => {}, label }) {
    this.data = data;
    this.sides = data.sides;
    this.call = 0;
    const all = data.calls;
    this.starts = all.reduce((starts, one) => [...starts, starts.at(-1) + one.places.length], [0]);
    this.timeline = new Timeline({
      last: this.starts.at(-1) - 1, marks: this.marks(),
      onShow: (index, near) => this.show(index, near),
      onSettle: (index) => onSettle(this.at(index)),
      say: (index) => this.words(index), sayShort: (index) => this.short(index),
    });
    this.items = all.map((one, i) =>
      h("button", { type: "button", class: "vml-step", onclick: () => this.goTo(i + 1, Infinity) },
        h("code", { class: "vml-call" }, one.call), ...this.answers(one)));
    this.differs = h("div", { class: "vml-why" });
    this.panes = data.sides.map((name) => this.pane(name));
    this.el = h("section", { class: "vml vml-stepper vml-together", "aria-label": label },
      data.title ? h("header", { class: "vml-head" }, h("b", {}, data.title), h("p", { class: "vml-summary" }, data.about)) : null,
      this.menu(),
      this.differs,
      this.timeline.last > all.length - 1 ? this.timeline.el : null,
      h("div", { class: "vml-sides" }, ...this.panes.map((pane) => pane.el)),
      h("div", { class: "vml-controls", role: "group", "aria-label": "View" }, hexBox(() => this.el), seamsBox(() => this.el)));
    this.timeline.listen(this.el);
    this.goTo(call, step, { animate: false, settle: false });
  }

  // Where a call begins, and where the sides do different things.
  marks() {
    return this.data.calls.flatMap((one, c) => one.places.map(([, , parted], step) => [this.starts[c] + step,
      parted || (!one.agrees && step === one.places.length - 1) ? "differ" : step ? "look" : "start"]))
      .filter(([, kind]) => kind !== "look");
  }

  // The calls to choose from.
  menu() {
    return h("nav", { "aria-label": "Calls" },
      h("ol", { class: "vml-steps" }, ...this.items.map((item) => h("li", {}, item))));
  }

  // What both answered, once, or what each did; and whether it is the same.
  answers(one) {
    const { sides } = one;
    const same = sides.every((side) => side.result === sides[0].result);
    const told = same ? [result(sides[0])]
      : sides.map((side, i) => h("span", { class: "vml-pick" }, h("span", {}, this.sides[i]), result(side)));
    return [...told, this.verdict(one)];
  }

  verdict({ agrees }) {
    return h("span", { class: agrees ? "vml-same" : "vml-differs" }, agrees ? "✓ same" : "≠ differs");
  }

  pane(name) {
    const pane = { say: h("p", { class: "vml-say" }), head: h("header", { class: "vml-head" }), host: h("div") };
    pane.el = h("section", { class: "vml-side", "aria-label": name }, pane.head, pane.host, pane.say);
    return pane;
  }

  at(index) {
    const call = this.starts.findLastIndex((start) => start <= index) + 1;
    return { call, step: index - this.starts[call - 1] };
  }

  words(index) {
    const { call, step } = this.at(index);
    return `call ${call} of ${this.items.length}, step ${step} of ${this.data.calls[call - 1].places.length - 1}`;
  }

  short(index) {
    const { call, step } = this.at(index);
    return `${call}: ${step} / ${this.data.calls[call - 1].places.length - 1}`;
  }

  goTo(call, step, options) {
    call = Math.min(Math.max(call, 1), this.items.length);
    const last = this.data.calls[call - 1].places.length - 1;
    this.timeline.go(this.starts[call - 1] + Math.min(Math.max(step, 0), last), options);
  }

  show(index, animate) {
    const { call, step } = this.at(index);
    const one = this.data.calls[call - 1];
    if (call !== this.call) this.choose(call, one);
    const place = one.places[step];
    one.sides.forEach((side, i) => {
      const pane = this.panes[i];
      pane.picture?.show(step, animate);
      pane.picture?.follow();
      const told = side.steps[place[i]];
      pane.say.hidden = !told;
      if (!told) return;
      const waits = step > 0 && one.places[step - 1][i] === place[i];
      const kind = waits ? "look" : kindOf(told, place[i]);
      pane.say.className = `vml-say ${kind}`;
      pane.say.replaceChildren(
        h("span", { class: "vml-mark", "aria-hidden": "true" }),
        h("b", {}, `${this.sides[i]}${place[i] ? `, step ${place[i]}` : ""}. `),
        waits ? h("span", { class: "vml-waits" }, "Nothing more happens here meanwhile.") : h("span", {}, `${told.say} `),
        told.func && !waits ? h("code", {}, `${told.func}()`) : "");
    });
  }

  choose(call, one) {
    this.call = call;
    this.items.forEach((item, i) => {
      if (i === call - 1) item.setAttribute("aria-current", "true");
      else item.removeAttribute("aria-current");
    });
    this.reveal(this.items[call - 1]);
    this.differs.replaceChildren(...one.words.map((text) => h("p", {}, text)));
    this.differs.className = `vml-why ${one.agrees ? "" : "differs"}`;
    one.sides.forEach((side, i) => {
      const pane = this.panes[i];
      pane.picture = side.parts ? new Picture(side) : null;
      pane.head.replaceChildren(h("b", {}, this.sides[i]), result(side),
        ...(side.summary ? [h("p", { class: "vml-summary" }, side.summary)] : []));
      pane.host.replaceChildren(...(pane.picture ? [pane.picture.el] : []));
    });
  }

  // Scroll the list, never the page.
  reveal(item) {
    requestAnimationFrame(() => scrollWithin(item.closest(".vml-steps"), item));
  }

  pause() {
    this.timeline.pause();
  }
}
