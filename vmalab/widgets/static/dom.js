// The small helpers that all scripts here use: elements, icons, keys.
//
// Every widget's module starts with this file; vmalab/widgets/base.py joins the widget's own files to it.

const SVG = "http://www.w3.org/2000/svg";
let serial = 0;
// Each kind of widget is a module of its own, with a counter of its own; their elements share one page.
const module = crypto.getRandomValues(new Uint32Array(1))[0].toString(36);
const newId = () => `vml-${module}-${++serial}`;

function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child != null));
  return node;
}

function s(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

const ICONS = {
  first: "M3 3v10M13 3L6 8l7 5z",
  back: "M11 3L4 8l7 5z",
  play: "M5 2l8 6l-8 6z",
  pause: "M5 3v10M11 3v10",
  next: "M5 3l7 5l-7 5z",
  last: "M13 3v10M3 3l7 5l-7 5z",
};

function icon(name) {
  return s("svg", { viewBox: "0 0 16 16", class: "vml-icon", "aria-hidden": "true" }, s("path", { d: ICONS[name] }));
}

// Do something once the page shows what was changed so far.
function afterPaint(action) {
  requestAnimationFrame(() => setTimeout(action));
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// JupyterLab must not get the keys that are pressed in a widget: an arrow would leave the cell, an "a" insert one.
function keepKeys(root) {
  const suppress = (node) => node.setAttribute("data-lm-suppress-shortcuts", "true");
  suppress(root);
  root.addEventListener("focusin", (event) => suppress(event.target)); // Notebook 7 has shortcuts for any element
  root.addEventListener("keydown", (event) => {
    if (event.key !== "Tab") event.stopPropagation();
  });
}
