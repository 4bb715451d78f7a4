// The players of a built page (vmalab/editions/pages.py).  Joined behind question.js.

// A widget without Python behind it: what is chosen stays in the page.
function alone(render, data) {
  const el = h("div");
  const state = { data, choice: "", sure: "", why: "", revealed: false };
  const model = { get: (name) => state[name], set(name, value) { state[name] = value; }, save_changes() {}, on() {}, off() {} };
  render({ model, el });
  return { el };
}

const players = {
  renderQuestion: ({ data }) => alone(renderQuestion, data),
  renderMyPredictions: ({ data }) => alone(renderMyPredictions, data),
  call: ({ data }) => new Player(data),
  sides: ({ data, call }) => new Together(data, { call, step: Infinity, label: `Side by side: ${data.sides.join(" and ")}` }),
};

// A still picture gives way to its player: at once, or when its button is pressed, and comes back likewise.
function playable(host, play, lesson) {
  if (play.kind === "widget") return lesson.widget(host, play);
  const still = [...host.children];
  let player;
  const start = () => {
    player ??= players[play.kind](play);
    host.replaceChildren(...(play.at_once ? [] : [button]), player.el);
  };
  if (play.at_once) return start();
  const count = play.kind === "call" ? play.data.steps.length - 1 : play.data.calls.length;
  const unit = play.kind === "call" ? "step" : "call";
  const words = `Step through (${count} ${unit}${count === 1 ? "" : "s"})`;
  const button = h("button", { type: "button", class: "vml-button", "aria-pressed": "false", onclick: () => {
    const on = button.getAttribute("aria-pressed") === "false";
    button.setAttribute("aria-pressed", String(on));
    if (on) return start();
    (player.timeline ?? player).pause?.();
    host.replaceChildren(button, ...still);
  } }, words);
  host.prepend(button);
}

document.addEventListener("DOMContentLoaded", async () => {
  const lesson = window.vmalabLesson ? new Lesson(window.vmalabLesson) : null;
  const plays = [...document.querySelectorAll("[data-play]")].map((host) => {
    host.classList.add("vml");
    return playable(host, window.vmalabPlays[Number(host.dataset.play)], lesson);
  });
  await Promise.all(plays);
  lesson?.begin();
});
