// Model and machine (vmalab/widgets/modelandmachine.py): the answers of all as a table, the pictures of one call, and a
// button that asks this machine.  Nothing is asked before.

class Answers extends Together {
  // A table instead of a list: a row for each call, a column for each who answered.
  menu() {
    const cells = ["call", ...this.sides, "verdict"].map((name) => h("th", { scope: "col" }, name));
    this.rows = this.items.map((item, i) => h("tr", {},
      h("th", { scope: "row" }, item),
      ...this.data.calls[i].sides.map((side) => h("td", {}, result(side))),
      h("td", {}, this.verdict(this.data.calls[i]))));
    return h("div", { class: "vml-scroll", role: "region", tabindex: 0, "aria-label": "Answers" },
      h("table", { class: "vml-table" }, h("thead", {}, h("tr", {}, ...cells)), h("tbody", {}, ...this.rows)));
  }

  answers() {
    return [];
  }
}

function renderModelAndMachine({ model, el }) {
  const button = h("button", { type: "button", class: "vml-do run" });
  const verdicts = h("ul", { class: "vml-verdicts" });
  const status = h("div", { role: "status", "aria-live": "polite" }, verdicts);
  const host = h("div");
  const root = h("section", { class: "vml vml-stepper", "aria-label": "Model and machine" },
    h("header", { class: "vml-head" }, h("b", {}, "Model and machine"), button), status, host);
  keepKeys(root);
  let answers;
  let text;
  const build = () => {
    text = model.get("data");
    const data = JSON.parse(text);
    answers = new Answers({ ...data, title: "" }, {
      call: model.get("call"), label: "Answers to the program",
      onSettle({ call }) {
        if (call === model.get("call")) return;
        model.set("call", call);
        model.save_changes();
      },
    });
    host.replaceChildren(answers.el);
    button.disabled = false;
    setText(button, data.asked ? "Ask this machine again" : "Ask this machine");
    verdicts.replaceChildren(...data.verdicts.map(([kind, line]) => h("li", { class: kind }, line)));
  };
  button.addEventListener("click", () => {
    button.disabled = true;
    setText(button, "Asking this machine…");
    model.send({ do: "ask" });
  });
  const moved = () => answers.goTo(model.get("call"), 0, { settle: false });
  const heard = () => {
    if (model.get("data") !== text) build();
  };
  model.on("change:data", heard);
  model.on("change:call", moved);
  build();
  el.replaceChildren(root);
  return () => {
    model.off("change:data", heard);
    model.off("change:call", moved);
  };
}
