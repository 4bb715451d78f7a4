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
    document.getElementById("stills").open = false;
  } catch (error) {
    host.textContent = `This browser can't play the page (${error.message}); below it stands as text and still pictures.`;
    throw error;
  }
}
