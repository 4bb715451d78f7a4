// The stepper widget: a player whose frames and whose place on the timeline come from traits (vmalab/widgets/stepper.py).

function renderStepper({ model, el }) {
  let player;
  const build = () => {
    player?.pause();
    player = new Player(JSON.parse(model.get("data")), {
      index: model.get("index"),
      depth: model.get("depth"),
      tables: model.get("page_tables"),
      onView({ depth, tables }) {
        if (depth !== undefined) model.set("depth", depth);
        if (tables !== undefined) model.set("page_tables", tables);
        model.save_changes();
      },
      onSettle(index) {
        if (index === model.get("index")) return;
        model.set("index", index);
        model.save_changes();
      },
    });
    el.replaceChildren(player.el);
  };
  const moved = () => player.go(model.get("index"), { settle: false });
  const viewed = () => player.view({ depth: model.get("depth"), tables: model.get("page_tables") });
  model.on("change:data", build);
  model.on("change:index", moved);
  model.on("change:depth", viewed);
  model.on("change:page_tables", viewed);
  build();
  return () => {
    player.pause();
    model.off("change:data", build);
    model.off("change:index", moved);
    model.off("change:depth", viewed);
    model.off("change:page_tables", viewed);
  };
}
