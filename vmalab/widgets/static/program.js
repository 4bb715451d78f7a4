// A program in a page without a kernel: its calls to choose from, each with its player.  The calls stand in the page packed,
// some together; a group is unpacked when one of it is chosen, and a player is made then.  Joined behind player.js.

const GROUPS_KEPT = 4; // groups that stay unpacked

class Program {
  constructor({ calls, groups, together }) {
    Object.assign(this, { groups, together });
    this.count = calls.length;
    this.index = -1;
    this.wanted = {};
    this.unpacked = new Map();
    this.items = calls.map(([call, ok, words], i) =>
      h("button", { type: "button", class: "vml-step", onclick: () => this.choose(i) },
        h("code", { class: "vml-call" }, call), result({ ok, result: words })));
    this.host = h("div");
    this.el = h("div", { class: "vml vml-program" },
      h("nav", { "aria-label": "Calls" },
        h("ol", { class: "vml-steps", style: `padding-left:calc(${String(this.count).length}ch + 1.6em)` }, ...this.items.map((item) => h("li", {}, item)))),
      this.host);
  }

  async data(index) {
    const group = Math.floor(index / this.together);
    if (!this.unpacked.has(group)) {
      this.unpacked.set(group, unpack(this.groups[group]));
      if (this.unpacked.size > GROUPS_KEPT) this.unpacked.delete(this.unpacked.keys().next().value);
    }
    return (await this.unpacked.get(group))[index % this.together];
  }

  async choose(index) {
    if (index === this.index) return;
    this.player?.pause();
    this.wish = index;
    const data = await this.data(index);
    if (index !== this.wish) return; // another one was chosen meanwhile
    this.items[this.index]?.removeAttribute("aria-current");
    this.items[index].setAttribute("aria-current", "true");
    requestAnimationFrame(() => scrollWithin(this.items[index].closest("ol"), this.items[index]));
    this.index = index;
    // what a person has switched on for one call stays on for the next
    this.player = new Player(data, { ...this.wanted, onView: (view) => Object.assign(this.wanted, view) });
    this.host.replaceChildren(this.player.el);
  }
}

async function mountProgram(host, text) {
  const program = new Program(JSON.parse(text));
  host.replaceChildren(program.el);
  if (program.count) await program.choose(program.count - 1);
  return program;
}
