// The side-by-side widget: call and step come from traits (vmalab/widgets/sidebyside.py).

function renderSideBySide({ model, el }) {
  const data = JSON.parse(model.get("data"));
  const together = new Together(data, {
    call: model.get("call"), step: model.get("step"), label: `Side by side: ${data.sides.join(" and ")}`,
    onSettle({ call, step }) {
      if (call === model.get("call") && step === model.get("step")) return;
      model.set("call", call);
      model.set("step", step);
      model.save_changes();
    },
  });
  const moved = () => together.goTo(model.get("call"), model.get("step"), { settle: false });
  model.on("change:call", moved);
  model.on("change:step", moved);
  el.replaceChildren(together.el);
  return () => {
    together.pause();
    model.off("change:call", moved);
    model.off("change:step", moved);
  };
}
