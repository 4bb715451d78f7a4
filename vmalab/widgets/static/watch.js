// A process while it runs (vmalab/widgets/watch.py): what to look at, its picture, and what changed since the last look.  All comes
// from Python, one message out and one back; *Every second* asks again once the answer is there and the page is seen.

const EVERY = 1000; // ms between two looks

class Watch {
  constructor(model) {
    this.model = model;
    this.sent = 0;
    this.answered = 0;
    const button = (words, message, kind = "vml-do") => h("button", { type: "button", class: kind, onclick: () => this.send(message) }, words);
    this.start = button("Start a process", { do: "start" }, "vml-do run");
    this.end = button("End it", { do: "end" });
    this.look = button("Look", { do: "look" });
    this.calls = h("div", { class: "vml-bar", role: "group", "aria-label": "What the process does" });
    const labelled = (words, control) => {
      control.id = newId();
      return h("span", { class: "vml-pick" }, h("label", { for: control.id }, words), control);
    };
    this.pid = h("input", { type: "text", inputmode: "numeric", size: 8, autocomplete: "off",
      onkeydown: (event) => event.key === "Enter" && this.follow() });
    this.every = h("input", { type: "checkbox", onchange: () => this.tick() });
    this.whole = h("input", { type: "checkbox", onchange: () => this.send({ do: "whole", value: this.whole.checked }) });
    this.title = h("b");
    this.problem = h("p", { class: "vml-error", role: "alert" });
    this.said = h("p", { class: "vml-say", role: "status", "aria-live": "polite" });
    this.stage = h("div", { class: "vml-stage" });
    this.changes = h("ul", { class: "vml-steps", "aria-label": "What changed" });
    this.list = h("ol", { class: "vml-steps", "aria-label": "VMAs" });
    this.words = h("details", { ontoggle: () => this.listed() }, h("summary", {}, "All VMAs in words"), this.list);
    this.el = h("section", { class: "vml vml-builder", "aria-label": "A process while it runs" },
      h("header", { class: "vml-head" }, this.title),
      h("div", { class: "vml-bar" }, this.start, this.end, labelled("or a process of yours, its id", this.pid),
        h("button", { type: "button", class: "vml-do", onclick: () => this.follow() }, "Follow")),
      this.calls,
      h("div", { class: "vml-bar" }, this.look, h("label", {}, this.every, " every second"),
        h("label", {}, this.whole, " all VMAs, not only what changed")),
      this.problem, this.stage, this.said, this.changes, this.words);
    keepKeys(this.el);
    this.update();
  }

  send(message) {
    this.sent += 1;
    this.model.send({ ...message, n: this.sent });
  }

  follow() {
    this.send({ do: "follow", value: this.pid.value });
  }

  // Look again as long as that is wanted: never before the last answer, and not while nobody sees the page.
  tick() {
    clearTimeout(this.timer);
    if (!this.every.checked || !this.state.live || this.problem.textContent) return;
    this.timer = setTimeout(() => {
      if (!this.el.isConnected) return;
      if (document.hidden || this.answered < this.sent || this.el.closest("[inert]")) this.tick();
      else this.send({ do: "look" });
    }, EVERY);
  }

  async update() {
    const state = this.state = JSON.parse(this.model.get("state"));
    if (state.n < this.sent) return; // a newer answer is under way
    this.answered = Math.max(this.answered, state.n);
    if (!this.calls.children.length) {
      this.calls.append(...state.calls.map(([name, words]) =>
        h("button", { type: "button", class: "vml-do", onclick: () => this.send({ do: "call", value: name }) }, words)));
    }
    setText(this.title, state.title);
    setText(this.problem, state.problem);
    setText(this.said, state.said);
    if (state.problem) this.every.checked = false;
    setText(this.start, state.runs ? "Start another" : "Start a process");
    this.calls.hidden = !state.runs;
    this.end.hidden = !state.runs;
    this.look.disabled = this.every.disabled = !state.live;
    this.whole.checked = state.whole;
    if (document.activeElement !== this.pid && state.pid) this.pid.value = state.pid;
    const changes = state.changes.map((words) => h("li", {}, words));
    if (state.more) changes.push(h("li", {}, `and ${state.more} more`));
    this.changes.replaceChildren(...changes);
    this.changes.hidden = !changes.length;
    this.listed();
    this.tick();
    const text = this.model.get("look_data");
    if (text === this.text) return;
    const data = await unpack(text);
    if (text !== this.model.get("look_data")) return; // a newer one is under way
    this.text = text;
    if (this.picture) this.picture.take(data);
    else this.stage.replaceChildren((this.picture = new Picture(data)).el);
    this.picture.show(0, false);
  }

  listed() {
    if (!this.words.open) return;
    this.list.setAttribute("tabindex", 0); // it scrolls
    this.list.replaceChildren(...this.state.words.map((words) => h("li", {}, words)));
  }
}

function renderWatch({ model, el }) {
  const watch = new Watch(model);
  const update = () => watch.update();
  model.on("change:state", update);
  el.replaceChildren(watch.el);
  return () => {
    clearTimeout(watch.timer);
    model.off("change:state", update);
  };
}
