// The quiz: choosers for level, topic and seed, the question with its picture, and an answer that is chosen, drawn or
// written.  Problems, checks and explanations are made in Python (vmalab/widgets/quiz.py); one message out, one back.

class Quiz {
  constructor(model) {
    this.model = model;
    this.sent = 0;
    const send = (message) => this.send(message);
    const named = (words, control) => {
      control.id = newId();
      return h("span", { class: "vml-pick" }, h("label", { for: control.id }, words), control);
    };
    const button = (word, what, run) =>
      h("button", { type: "button", class: run ? "vml-do run" : "vml-do", onclick: () => send({ do: what }) }, word);
    this.level = h("select", { onchange: () => send({ do: "level", value: this.level.value }) });
    this.topic = h("select", { onchange: () => send({ do: "topic", value: this.topic.value }) });
    this.seed = h("input", { type: "text", inputmode: "numeric", size: 7, autocomplete: "off", spellcheck: "false",
      oninput: () => { this.seeding = true; }, onchange: () => {
        this.seeding = false;
        send({ do: "seed", value: this.seed.value });
      } });
    this.sketch = new Sketch(send);
    this.line = h("textarea", { rows: 4, autocomplete: "off", spellcheck: "false",
      oninput: () => { this.typing = true; }, onchange: () => {
        this.typing = false;
        send({ do: "answer", value: this.line.value });
      } });
    this.title = h("p", { class: "vml-question" });
    this.program = h("div", { class: "vml-program", role: "group" });
    this.stage = h("div", {});
    this.asked = h("div", { class: "vml-program" });
    this.question = h("p", { class: "vml-question", "aria-live": "polite" });
    this.answers = h("div", {});
    this.problem = h("p", { class: "vml-error", role: "alert" });
    this.said = h("div", { role: "status", "aria-live": "polite" });
    this.solution = h("div", { class: "vml-played" });
    this.explain = button("Explain", "explain");
    this.written = h("div", { class: "vml-field vml-wide" },
      h("label", {}, "Your program: one call a line, in pages, such as munmap(3, 2) or mremap(0, 5, 5, maymove fixed, 64)"),
      this.line);
    this.line.id = newId();
    this.written.firstChild.setAttribute("for", this.line.id);
    this.el = h("section", { class: "vml vml-builder vml-predict vml-quiz", "aria-label": "Quiz" },
      h("div", { class: "vml-bar" }, named("Level", this.level), named("Topic", this.topic), named("Problem", this.seed)),
      this.title, this.program, this.stage, this.asked, this.question, this.answers,
      h("div", { class: "vml-bar", role: "group", "aria-label": "Actions" },
        button("Check", "check", true), this.explain, button("Next problem", "next")),
      this.problem, this.said, this.solution);
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
    this.choosers(state);
    const same = this.shown === state.title + state.kernels + state.question + state.setup + state.asked;
    if (!same) this.fresh(state);
    this.shown = state.title + state.kernels + state.question + state.setup + state.asked;
    this.picture(state);
    for (const radio of this.answers.querySelectorAll("input[type=radio]")) radio.checked = radio.value === state.answer;
    if (!this.typing && this.line.value !== state.answer) this.line.value = state.answer;
    setText(this.problem, state.problem);
    this.feedback(state);
    this.explain.disabled = state.explained;
    this.explained(this.model.get("told"));
  }

  choosers(state) {
    if (!this.level.children.length) {
      this.level.replaceChildren(...state.levels.map((level) => h("option", { value: level }, level)));
      this.topic.replaceChildren(...state.topics.map(([value, word]) => h("option", { value }, word)));
    }
    this.level.value = state.level;
    this.topic.value = state.topic;
    if (!this.seeding && !(state.problem && document.activeElement === this.seed)) this.seed.value = state.seed;
  }

  // Another problem: everything that does not change while it is answered.
  fresh(state) {
    const list = (calls, start) =>
      h("ol", { start }, ...calls.map((call) => h("li", {}, h("code", { class: "vml-call" }, call))));
    this.typing = false;
    this.title.replaceChildren(state.after, h("span", { class: "vml-count" }, ` (${state.difficulty})`));
    this.stage.replaceChildren();
    this.program.setAttribute("aria-label", state.title);
    this.program.replaceChildren(list(state.setup, 1), h("p", {}, state.there));
    this.asked.replaceChildren(...(state.asked.length ? [h("p", {}, state.now), list(state.asked, state.first)] : []),
      ...state.notes.map((note) => h("p", { class: "vml-hint" }, note)));
    this.question.replaceChildren(h("b", {}, state.question));
    if (state.choices.length) {
      const name = newId();
      this.answers.replaceChildren(h("fieldset", { class: "vml-choices" },
        h("legend", { class: "vml-only-read" }, state.question),
        ...state.choices.map(([value, text]) => h("label", {},
          h("input", { type: "radio", name, value, onchange: () => this.send({ do: "answer", value }) }),
          h("span", {}, h("b", {}, value), " ", text)))));
    } else {
      this.answers.replaceChildren(...(state.program ? [this.written] : []));
    }
  }

  picture(state) {
    const look = this.model.get("look");
    if (!this.stage.firstChild) {
      const picture = new Picture(JSON.parse(look).before);
      picture.show(0, false);
      this.stage.replaceChildren(picture.el);
    }
    if (!state.sketch) return;
    this.sketch.show(look, state.sketch);
    if (this.sketch.stage, this.sketch.el.parentNode !== this.answers) this.answers.replaceChildren(this.sketch.stage, this.sketch.el);
  }

  feedback(state) {
    const told = JSON.stringify([state.said, state.solved]);
    if (told === this.told) return;
    this.told = told;
    const [first, ...rest] = state.said;
    this.said.replaceChildren(...(state.said.length ? [
      h("p", { class: `vml-status ${state.solved ? "ok" : "fail"}` }, `${state.solved ? "✓" : "✕"} ${first}`),
      ...rest.map((line) => h("p", { class: "vml-say change" }, line))] : []));
  }

  explained(told) {
    if (told === this.solved) return;
    this.solved = told;
    this.players?.forEach((player) => player.pause());
    this.players = [];
    if (!told) {
      this.solution.replaceChildren();
      return;
    }
    const found = JSON.parse(told);
    const lines = (words) => words.map((line) => h("li", {}, line));
    this.players = found.plays.map((play) => new Player(play, { index: Infinity }));
    const shown = this.players.length
      ? this.players.map((player, at) => h("details", { open: at === this.players.length - 1 },
        h("summary", {}, found.parts[at][0]), player.el))
      : found.parts.map(([head, words]) => h("div", {}, h("p", { class: "vml-question" }, h("code", {}, head)), h("ul", {}, ...lines(words))));
    const wrong = found.choices.filter(([, words]) => words.length).map(([head, words]) =>
      h("li", {}, h("b", {}, head), " ", words.join(" ")));
    this.solution.replaceChildren(h("p", { class: "vml-status ok" }, found.answer), ...shown,
      wrong.length ? h("ul", {}, ...wrong) : "", ...found.more.map((line) => h("p", {}, line)));
  }
}

function renderQuiz({ model, el }) {
  const quiz = new Quiz(model);
  const update = () => quiz.update();
  for (const name of ["state", "look", "told"]) model.on(`change:${name}`, update);
  el.replaceChildren(quiz.el);
  return () => {
    quiz.players?.forEach((player) => player.pause());
    for (const name of ["state", "look", "told"]) model.off(`change:${name}`, update);
  };
}
