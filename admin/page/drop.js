// Takes files that are dropped onto the page of a hotfolder, or chosen, and sends each by itself, so that its progress shows and one
// that is refused stops no other. Names become text, never markup.
"use strict";

const form = document.querySelector("form[data-drops]");
const together = 3; // files on their way at a time
const shown = 200; // lines that stay

// filesIn are the files of a drop with their paths, those in folders too.
async function filesIn(transfer) {
  const entries = [...transfer.items].filter(i => i.kind === "file").map(i => i.webkitGetAsEntry?.() ?? i.getAsFile());
  const found = [];
  for (const e of entries) if (e) await collect(e, found);
  return found;
}

async function collect(entry, found) {
  if (entry instanceof File) { found.push({ file: entry, path: entry.name }); return; }
  if (entry.isFile) {
    found.push({ file: await new Promise((ok, no) => entry.file(ok, no)), path: entry.fullPath.replace(/^\//, "") });
    return;
  }
  const reader = entry.createReader();
  for (;;) { // it gives some at a time
    const some = await new Promise((ok, no) => reader.readEntries(ok, no));
    if (!some.length) return;
    for (const e of some) await collect(e, found);
  }
}

function line(path) {
  const li = document.createElement("li"), name = document.createElement("bdi"), bar = document.createElement("progress"), words = document.createElement("span");
  name.textContent = path;
  bar.max = 1;
  bar.setAttribute("aria-label", path);
  words.className = "dim small";
  words.textContent = "waits for its turn";
  li.append(name, bar, words);
  const list = document.getElementById("sending");
  list.hidden = false;
  list.append(li);
  while (list.children.length > shown && list.firstChild.dataset.done) list.firstChild.remove();
  return { li, bar, words };
}

function send({ file, path }, row) {
  return new Promise(done => {
    const request = new XMLHttpRequest();
    const end = (text, bad) => {
      row.words.textContent = text;
      row.words.className = bad ? "small bad" : "dim small";
      row.bar.hidden = true;
      row.li.dataset.done = "1";
      if (bad) row.li.append(retryButton({ file, path }, row));
      done(!bad);
    };
    request.open("PUT", form.dataset.drops + path.split("/").map(encodeURIComponent).join("/"));
    request.setRequestHeader("Accept", "application/json");
    request.upload.onprogress = e => {
      if (!e.lengthComputable || !e.total) return;
      row.bar.value = e.loaded / e.total;
      row.words.textContent = e.loaded === e.total ? "is being stored" : Math.floor(100 * e.loaded / e.total) + " %";
    };
    request.onload = () => {
      let said = {};
      try { said = JSON.parse(request.responseText); } catch { /* the status says enough */ }
      if (request.status === 202) end("stored; it waits for an earlier file of this name");
      else if (request.status < 300) end("dropped");
      else end(said.detail || said.title || "refused: " + request.status, true);
    };
    request.onerror = () => end("the node does not answer, or broke it off", true);
    row.words.textContent = "is sent";
    request.send(file);
  });
}

function retryButton(what, row) {
  const b = document.createElement("button");
  b.type = "button";
  b.textContent = "Try again";
  b.setAttribute("aria-label", "Try " + what.path + " again");
  b.addEventListener("click", () => { b.remove(); row.bar.hidden = false; row.bar.value = 0; sendAll([what], [row]); });
  return b;
}

async function sendAll(all, rows = all.map(f => line(f.path))) {
  let next = 0, good = 0;
  await Promise.all(Array.from({ length: Math.min(together, all.length) }, async () => {
    while (next < all.length) {
      const n = next++;
      if (await send(all[n], rows[n])) good++;
    }
  }));
  if (all.length) say(good === all.length ? `${good} dropped` : `${good} of ${all.length} dropped; the others were refused`);
}

if (form) {
  const main = document.querySelector("main");
  const carriesFiles = e => e.dataTransfer?.types.includes("Files");
  form.classList.add("live");
  main.addEventListener("dragover", e => {
    if (!carriesFiles(e)) return;
    e.preventDefault();
    e.dataTransfer.dropEffect = "copy";
    form.classList.add("over");
  });
  main.addEventListener("dragleave", e => { if (!main.contains(e.relatedTarget)) form.classList.remove("over"); });
  main.addEventListener("drop", async e => {
    if (!carriesFiles(e)) return;
    e.preventDefault();
    form.classList.remove("over");
    sendAll(await filesIn(e.dataTransfer));
  });
  form.addEventListener("submit", e => {
    e.preventDefault();
    const input = form.querySelector("input[type=file]");
    sendAll([...input.files].map(file => ({ file, path: file.name })));
    input.value = "";
  });
}
