// What a page carries is packed: base64 of JSON, compressed (vmalab/pictures/export.py).  Joined before what uses it.

async function unpack(text) {
  const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
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
