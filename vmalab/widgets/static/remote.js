// A page's Python, and the models of its widgets, whose other ends are there (vmalab/widgets/page.py).  Joined behind the widgets'
// own scripts, which are those of JupyterLab and don't notice.

const script = (address) => new Promise((done, failed) => {
  document.head.append(h("script", { src: address, onload: done, onerror: () => failed(new Error(`${address} is not there`)) }));
});

// The Python of a page.  `load`: brings its parts, {worker, python, core, data}.  States: absent, starting, ready, failed.
class Python {
  constructor(load) {
    this.load = load;
    this.status = "absent";
    this.asked = new Map(); // number of a message → who waits for its answer
    this.models = new Map(); // id of a widget → its model
    this.waiting = [];
    this.hearers = new Set();
    this.count = 0;
  }

  onStatus(hear) {
    this.hearers.add(hear);
    hear(this.status);
  }

  now(status) {
    this.status = status;
    for (const hear of this.hearers) hear(status);
  }

  // Begin to load it, if that was not done yet.
  wake() {
    this.starting ??= this.start();
    return this.starting;
  }

  async start() {
    this.now("starting");
    try {
      const parts = await this.load();
      this.worker = new Worker(URL.createObjectURL(new Blob([parts.worker], { type: "text/javascript" })));
      this.worker.onmessage = ({ data }) => this.hear(JSON.parse(data));
      this.worker.onerror = (event) => this.fail(event.message || "its worker can't be started");
      this.worker.postMessage({ start: { python: parts.python, core: parts.core } });
      if (parts.data) this.worker.postMessage({ unpack: parts.data });
    } catch (error) {
      this.fail(error.message);
    }
  }

  fail(why) {
    this.why = why;
    this.now("failed");
  }

  // End it, whatever it does, and begin anew: what waits is not answered.
  restart() {
    this.worker?.terminate();
    for (const { give } of this.asked.values()) give({ outputs: [], ok: false, stopped: true });
    for (const model of this.models.values()) model.detach();
    this.asked.clear();
    this.models.clear();
    this.waiting = [];
    this.starting = null;
    return this.wake();
  }

  hear(message) {
    if (message.ready) {
      for (const one of this.waiting.splice(0)) this.worker.postMessage(one);
      this.now("ready");
      return;
    }
    if (message.failed !== undefined && message.n === undefined) {
      this.fail(message.failed);
      return;
    }
    if (message.n !== undefined) {
      const waits = this.asked.get(message.n);
      this.asked.delete(message.n);
      waits?.give(message.failed === undefined ? message : { outputs: [{ error: message.failed, line: null }], ok: false });
      return;
    }
    const model = this.models.get(message.widget);
    if (message.changes) model?.take(message.changes);
    else if (message.custom) model?.fire("msg:custom", message.custom);
  }

  // The answer to a message, once it is there.
  ask(message) {
    this.wake();
    this.count += 1;
    const numbered = { ...message, n: this.count };
    return new Promise((give) => {
      this.asked.set(this.count, { give });
      if (this.status === "ready") this.worker.postMessage(numbered);
      else this.waiting.push(numbered);
    });
  }
}

// Of what somebody did in a widget, what is needed to come to the same again: of a field its last value.
function shortened(log, content) {
  const { n: _number, ...kept } = content;
  const last = log.at(-1);
  const same = last && last.do === kept.do && last.name === kept.name
    && ["set", "select", "aim", "value", "errno", "answer", "level", "topic", "seed", "write", "move"].includes(kept.do)
    && !(kept.do === "move" && last.first !== kept.first);
  if (kept.do === "reset") return [];
  return same && kept.do !== "move" ? [...log.slice(0, -1), kept] : [...log, kept];
}

const LONGEST_LOG = 400; // messages of one widget that are kept; what came after them is not

// A widget's model as its view gets it from anywidget.  `page`: what the page itself can do for a widget.
class RemoteModel {
  constructor(python, traits, { page = null, log = [], onLog = null } = {}) {
    Object.assign(this, { python, page, log, onLog });
    this.traits = { ...traits };
    this.changed = {};
    this.hearers = new Map();
    this.waiting = [];
    this.widget = null;
    this.widget_manager = { kernel: { get status() { return python.status; } } };
  }

  get(name) {
    return this.traits[name];
  }

  set(name, value) {
    this.traits[name] = value;
    this.changed[name] = value;
  }

  save_changes() {
    this.post({ do: "set", traits: this.changed });
    this.changed = {};
  }

  send(content, callbacks) {
    if (content.do === "keep") return;
    if (this.log.length < LONGEST_LOG) {
      this.log = shortened(this.log, content);
      this.onLog?.(this.log);
    }
    this.post({ do: "say", content }, () => callbacks?.iopub?.status({ content: { execution_state: "idle" } }));
  }

  on(name, hear) {
    if (!this.hearers.has(name)) this.hearers.set(name, new Set());
    this.hearers.get(name).add(hear);
  }

  off(name, hear) {
    this.hearers.get(name)?.delete(hear);
  }

  fire(name, ...told) {
    for (const hear of [...this.hearers.get(name) ?? []]) hear(...told);
  }

  take(changes) {
    const names = Object.keys(changes).filter((name) => this.traits[name] !== changes[name]);
    for (const name of names) this.traits[name] = changes[name];
    for (const name of names) this.fire(`change:${name}`);
  }

  async post(message, after) {
    if (this.widget === null) {
      this.waiting.push([message, after]);
      this.python.wake();
      this.wanted?.();
      return;
    }
    await this.python.ask({ ...message, widget: this.widget });
    after?.();
  }

  // Its other end is there: what was done at an earlier visit is done again, then what waits is sent.
  async attach({ widget, traits }, again) {
    this.widget = widget;
    this.python.models.set(widget, this);
    const waiting = this.waiting.splice(0);
    if (again.length) await this.python.ask({ do: "replay", widget, contents: again });
    else this.take({ ...traits, place: this.traits.place });
    for (const [message, after] of waiting) await this.post(message, after);
  }

  detach() {
    this.widget = null;
  }
}
