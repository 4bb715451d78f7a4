// In every output that a widget leaves in a notebook: gives way to the widget where its model lives; else plays, if it can do so
// without Python; else shows the still picture that stands before this script.  What a page needs is in the output.
(async (script) => {
  const output = script.previousElementSibling;
  const { place, code, traits } = script.dataset;
  const shared = (globalThis.vmalab ??= {});
  shared.widgets ??= new Map();
  shared.outputs ??= new Map();
  shared.modules ??= new Map();
  const enter = shared.widgets.get(place);
  if (enter) return enter(output);
  if (!shared.outputs.has(place)) shared.outputs.set(place, new Set());
  shared.outputs.get(place).add(output);
  output.style.visibility = "hidden";
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));
  const open = async (text) => {
    const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
    return JSON.parse(await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).text());
  };
  const load = async () => {
    const { module, css } = await open(code);
    const style = document.createElement("style");
    style.textContent = css;
    document.head.append(style);
    return import(URL.createObjectURL(new Blob([module], { type: "text/javascript" })));
  };
  try {
    if (!traits) return await wait(3000);
    if (!shared.modules.has(code)) shared.modules.set(code, load());
    const { default: widget } = await shared.modules.get(code);
    const state = await open(traits);
    if (!shared.widgets.has(place)) widget.alone(output, state);
  } finally {
    output.style.visibility = "";
  }
})(document.currentScript);
