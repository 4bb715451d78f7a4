// Base64 of JSON, compressed: what pages and widgets carry (`packed` in vmalab/pictures/frames.py).  Joined before what uses it.

async function unpack(text) {
  const chars = atob(text);
  const bytes = new Uint8Array(chars.length);
  for (let i = 0; i < bytes.length; i += 1) bytes[i] = chars.charCodeAt(i);
  const { readable, writable } = new DecompressionStream("deflate");
  const writer = writable.getWriter();
  writer.write(bytes);
  writer.close();
  return JSON.parse(await new Response(readable).text());
}

// Where the scripts run, what stands in their place folds up; where they can't, it stays open and says what there is.
async function unfold(mount) {
  const host = document.getElementById("player");
  try {
    await mount(host, document.getElementById("data").textContent);
    const stills = document.getElementById("stills");
    stills.open = false;
    addEventListener("beforeprint", () => { stills.open = true; }); // paper has the pictures in place of the player
    document.addEventListener("keydown", (event) => toPlayer(host, event));
  } catch (error) {
    host.textContent = `This browser can't play the page (${error.message}); below it stands as text and still pictures.`;
    throw error;
  }
}

// A key pressed before anything was clicked is the player's.
function toPlayer(host, event) {
  const player = event.target === document.body && host.querySelector(".vml-stepper");
  const { key, altKey, ctrlKey, metaKey } = event;
  if (!player || !/^(Arrow(Left|Right)|Home|End| )$/.test(key)) return;
  const copy = new KeyboardEvent("keydown", { key, altKey, ctrlKey, metaKey, cancelable: true });
  if (!player.dispatchEvent(copy)) event.preventDefault();
}
