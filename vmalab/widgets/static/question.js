// A question to predict with, and the list of what was predicted.  What a choice means is in the data (vmalab/widgets/question.py);
// choosing and revealing need nobody.  Choices are kept for as long as the page's tab is open.

const PREDICTIONS_KEPT = "vmalab-predictions";
const PREDICTED = "vmalab-predicted"; // an event of the document: something was chosen or revealed

function predictions() {
  try {
    return JSON.parse(sessionStorage.getItem(PREDICTIONS_KEPT)) ?? {};
  } catch {
    return shared.predictions ?? {}; // a page that may store nothing
  }
}

function keepPrediction(name, one) {
  shared.predictions = { ...predictions(), [name]: one };
  try {
    sessionStorage.setItem(PREDICTIONS_KEPT, JSON.stringify(shared.predictions));
  } catch { /* kept in the page alone */ }
  document.dispatchEvent(new Event(PREDICTED));
}

// Words with marks, which Python made from the lesson's own text.
function said(tag, html, attributes = {}) {
  const node = h(tag, attributes);
  node.innerHTML = html;
  return node;
}

class Question {
  constructor(data, { get, put }) {
    Object.assign(this, { data, get, put });
    const group = newId();
    const type = data.several ? "checkbox" : "radio";
    this.marks = new Map();
    this.inputs = data.choices.map(([value]) => h("input", { type, name: group, value, onchange: () => this.chosen() }));
    const choices = data.choices.map(([value, text, means], at) => {
      const mark = h("b", { class: "vml-mark-of" });
      const meaning = said("p", means, { class: "vml-means", hidden: true });
      this.marks.set(value, { mark, meaning });
      return h("li", {}, h("label", {}, this.inputs[at], h("span", {}, h("b", {}, value), " ", said("span", text), " ", mark)), meaning);
    });
    const sure = newId();
    this.sure = data.sure.map(([value]) => h("input", { type: "radio", name: sure, value, onchange: () => this.put({ sure: value }) }));
    this.why = h("textarea", { rows: 2, id: newId(), onchange: () => this.put({ why: this.why.value }) });
    this.button = h("button", { type: "button", class: "vml-do run", onclick: () => this.reveal() }, "Reveal");
    this.status = h("p", { class: "vml-status", role: "status" });
    this.because = said("p", data.because, { hidden: true });
    const few = data.several ? "Predict. (Any number may be so.) " : "Predict. ";
    this.el = h("section", { class: "vml vml-question", "aria-label": "Question" },
      h("fieldset", {}, h("legend", {}, h("b", {}, few), said("span", data.text)), h("ul", {}, ...choices)),
      h("fieldset", { class: "vml-sure" }, h("legend", {}, "How sure are you?"),
        ...data.sure.map(([, words], at) => h("label", {}, this.sure[at], words))),
      this.reason = h("details", {}, h("summary", {}, "Why? (if you like)"),
        h("label", { for: this.why.id, class: "vml-only-read" }, "Why"), this.why),
      this.button, this.status, this.because);
    keepKeys(this.el);
    this.show();
  }

  chosen() {
    this.put({ choice: this.inputs.filter((one) => one.checked).map((one) => one.value).join("") });
  }

  reveal() {
    const { choice, sure } = this.get();
    if (!choice || !sure) {
      setText(this.status, choice ? "Say first how sure you are." : "Choose first what you expect, and say how sure you are.");
      (choice ? this.sure : this.inputs)[0].focus();
      return;
    }
    this.put({ revealed: true });
    this.show();
  }

  // What was said, and once it is revealed what it means.
  show() {
    const { choice, sure, why, revealed } = this.get();
    const { right, because } = this.data;
    for (const one of this.inputs) one.checked = choice.includes(one.value);
    for (const one of this.sure) one.checked = one.value === sure;
    this.why.value = why;
    this.reason.open ||= Boolean(why);
    const open = revealed && choice;
    for (const one of [...this.inputs, ...this.sure]) one.disabled = Boolean(open);
    this.why.readOnly = Boolean(open);
    for (const [value, { mark, meaning }] of this.marks) {
      meaning.hidden = !open;
      setText(mark, !open ? "" : right.includes(value) ? "✓ right" : choice.includes(value) ? "✕ not so" : "");
      mark.className = right.includes(value) ? "ok" : "fail";
    }
    this.because.hidden = !open || !because;
    this.button.hidden = Boolean(open);
    if (!open) return;
    const good = choice === right;
    this.status.className = `vml-status ${good ? "ok" : "fail"}`;
    setText(this.status, good ? `✓ ${choice} is right.${sure === "guess" ? " You called it a guess: read why it is so." : ""}`
      : `✕ ${choice} is not so: it is ${right || "none of them"}.${sure === "certain" ? " You were certain: this is one to remember." : ""}`);
  }
}

function renderQuestion({ model, el }) {
  const data = JSON.parse(model.get("data"));
  const names = ["choice", "sure", "why", "revealed"];
  const here = () => Object.fromEntries(names.map((name) => [name, model.get(name)]));
  const before = predictions()[data.name];
  const put = (changed) => {
    for (const [name, value] of Object.entries(changed)) model.set(name, value);
    model.save_changes();
    keepPrediction(data.name, here());
  };
  if (before && !model.get("choice")) put(before);
  const question = new Question(data, { get: here, put });
  const show = () => question.show();
  for (const name of names) model.on(`change:${name}`, show);
  el.replaceChildren(question.el);
  return () => {
    for (const name of names) model.off(`change:${name}`, show);
  };
}

// A row for each question that was answered: what this page has seen, else what Python has.
function renderMyPredictions({ model, el }) {
  const { asked, sure } = JSON.parse(model.get("data"));
  const heads = ["asked", "I chose", "I was", "it is", "verdict"];
  const root = h("section", { class: "vml", "aria-label": "My predictions" });
  const show = () => {
    const here = predictions();
    const all = asked.map(([name, text, right, [choice, how, revealed]]) => ({ text, right, ...(here[name] ?? { choice, sure: how, revealed }) }));
    const chosen = all.filter((one) => one.choice);
    const open = chosen.filter((one) => one.revealed);
    const right = open.filter((one) => one.choice === one.right);
    const certain = open.filter((one) => one.sure === "certain");
    const wrong = certain.filter((one) => one.choice !== one.right).length;
    const words = !open.length ? `Nothing is revealed yet of ${asked.length} questions.`
      : `${right.length} of ${open.length} revealed predictions were right, of ${asked.length} questions.`
        + (certain.length ? ` Of ${certain.length} that you were certain of, ${wrong} were not so.` : "");
    const row = (one) => h("tr", {}, h("th", { scope: "row" }, one.text),
      ...[one.choice, sure[one.sure] ?? "", one.revealed ? one.right : "not revealed",
        !one.revealed ? "" : one.choice === one.right ? "✓ right" : "✕ not so"].map((text) => h("td", {}, text)));
    const table = chosen.length ? h("div", { class: "vml-scroll", tabindex: 0, role: "region", "aria-label": "My predictions" },
      h("table", { class: "vml-table" }, h("thead", {}, h("tr", {}, ...heads.map((head) => h("th", { scope: "col" }, head)))),
        h("tbody", {}, ...chosen.map(row)))) : "";
    root.replaceChildren(h("p", {}, words), table);
  };
  document.addEventListener(PREDICTED, show);
  el.replaceChildren(root);
  show();
  return () => document.removeEventListener(PREDICTED, show);
}
