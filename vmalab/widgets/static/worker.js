// Python in a worker of a page (Pyodide, and vmalab's core).  Starts as a classic worker made from a Blob, for a page from disk may
// load no other; everything that it needs comes in its first message, as base64 of deflated bytes, and nothing is fetched.

const files = {};

async function bytesOf(text) {
  let bytes;
  if (Uint8Array.fromBase64) bytes = Uint8Array.fromBase64(text);
  else {
    const chars = atob(text);
    bytes = new Uint8Array(chars.length);
    for (let i = 0; i < chars.length; i += 1) bytes[i] = chars.charCodeAt(i);
  }
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// Pyodide asks for its files by name, under an address that no host has.
const HOME = "https://python.invalid/";
self.fetch = async (address) => {
  const name = String(address.url ?? address).replace(HOME, "");
  if (!(name in files)) throw new TypeError(`${name} is not in this page`);
  const type = name.endsWith(".wasm") ? "application/wasm" : "application/octet-stream";
  return new Response(files[name], { headers: { "content-type": type } });
};
// It takes a worker that has this for one in which it can't import.
self.importScripts = () => { throw new TypeError("there is nothing to import here"); };

const imported = (name) => import(URL.createObjectURL(new Blob([files[name]], { type: "text/javascript" })));

let pyodide;
let page;
let site; // where packages lie

async function start({ python, core }) {
  await Promise.all(Object.entries({ ...python, "core.zip": core }).map(async ([name, text]) => { files[name] = await bytesOf(text); }));
  const [{ loadPyodide }, { default: createPyodideModule }] = await Promise.all([imported("pyodide.mjs"), imported("pyodide.asm.mjs")]);
  pyodide = await loadPyodide({ indexURL: HOME, createPyodideModule, packageBaseUrl: HOME,
    lockFileContents: new TextDecoder().decode(files["pyodide-lock.json"]) });
  site = pyodide.runPython("import site, sysconfig; sysconfig.get_path('purelib')");
  pyodide.unpackArchive(files["core.zip"], "zip", { extractDir: site });
  page = pyodide.pyimport("vmalab.widgets.page").Page((text) => self.postMessage(text));
  for (const name of Object.keys(files)) delete files[name];
}

let turn = Promise.resolve(); // one message after the other
self.onmessage = ({ data }) => {
  turn = turn.then(async () => {
    if (data.start) {
      await start(data.start);
      self.postMessage(JSON.stringify({ ready: true, version: pyodide.runPython("import platform; platform.python_version()") }));
    } else if (data.unpack) {
      pyodide.unpackArchive(await bytesOf(data.unpack), "zip", { extractDir: `${site}/vmalab/_data` });
    } else {
      page.hear(JSON.stringify(data));
    }
  }).catch((error) => self.postMessage(JSON.stringify({ n: data.n, failed: String(error.message ?? error).trim().split("\n").pop() })));
};
