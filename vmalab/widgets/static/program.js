// A program in a page without a kernel: its calls to choose from, each with its player.  The data of all calls stand in
// the page (vmalab/pictures/export.py); a player is made when its call is chosen.  Joined behind player.js.

class Program {
  constructor({ calls }) {
    this.calls = calls;
    this.index = -1;
    this.wanted = {};
    this.items = calls.map((data, i) =>
      h("button", { type: "button", class: "vml-step", onclick: () => this.choose(i) },
        h("code", { class: "vml-call" }, data.call), result(data)));
    this.host = h("div");
    this.el = h("div", { class: "vml vml-program" },
      h("nav", { "aria-label": "Calls" },
        h("ol", { class: "vml-steps" }, ...this.items.map((item) => h("li", {}, item)))),
      this.host);
    if (calls.length) this.choose(calls.length - 1);
  }

  choose(index) {
    if (index === this.index) return;
    this.items.forEach((item, i) => {
      if (i === index) item.setAttribute("aria-current", "true");
      else item.removeAttribute("aria-current");
    });
    requestAnimationFrame(() => scrollWithin(this.items[index].closest("ol"), this.items[index]));
    // what a person has switched on for one call stays on for the next
    this.player?.pause();
    this.index = index;
    this.player = new Player(this.calls[index], { ...this.wanted, onView: (view) => Object.assign(this.wanted, view) });
    this.host.replaceChildren(this.player.el);
  }
}

function mountProgram(host, data) {
  const program = new Program(data);
  host.replaceChildren(program.el);
  return program;
}
