// The stepper widget: a player whose frames and whose place on the timeline come from traits (vmalab/widgets/stepper.py).

function renderStepper({ model, el }) {
  let player;
  const build = () => {
    player?.pause();
    player = new Player(JSON.parse(model.get("data")), {
      index: model.get("index"),
      onSettle(index) {
        if (index === model.get("index")) return;
        model.set("index", index);
        model.save_changes();
      },
    });
    el.replaceChildren(player.el);
  };
  const moved = () => player.go(model.get("index"), { settle: false });
  model.on("change:data", build);
  model.on("change:index", moved);
  build();
  return () => {
    player.pause();
    model.off("change:data", build);
    model.off("change:index", moved);
  };
}
