// Drag and drop with one progress bar a file. Without this script the form works as any form.
"use strict";
(() => {
  const form = document.querySelector("form[data-upload]");
  if (!form) return;
  const input = form.querySelector("input[type=file]");
  const rows = document.querySelector("#uploads");
  const zone = form.querySelector(".dropzone");
  const AT_ONCE = 2;
  const waiting = [];
  let running = 0;

  const element = (tag, className, text) => {
    const made = document.createElement(tag);
    made.className = className;
    made.textContent = text || "";
    return made;
  };

  // One row while the file travels; the server's row takes its place.
  const row = (file) => {
    const made = element("li", "upload");
    made.append(element("strong", "", file.name));
    const bar = document.createElement("progress");
    bar.max = file.size || 1;
    bar.value = 0;
    made.append(bar);
    rows.prepend(made);
    return { made, bar };
  };

  const refuse = (made, words) => {
    made.replaceChildren(element("strong", "", made.dataset.name), element("span", "badge bad", "Not stored"), element("p", "", words));
  };

  const next = () => {
    if (running >= AT_ONCE || waiting.length === 0) return;
    running += 1;
    const { file, source, made, bar } = waiting.shift();
    const body = new FormData();
    body.append("source", source);
    body.append("file", file);
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("HX-Request", "true");
    request.upload.addEventListener("progress", (event) => { bar.value = event.loaded; });
    request.addEventListener("load", () => {
      if (!request.responseText.includes("<li")) {
        refuse(made, request.responseText || `The server answered ${request.status}.`);
        return;
      }
      const holder = document.createElement("template");
      holder.innerHTML = request.responseText;
      const fresh = holder.content.querySelector("li");
      made.replaceWith(fresh);
      htmx.process(fresh);
    });
    const broke = () => refuse(made, "The connection broke off; the file may not be stored. Upload it again: the same content never gives a second report.");
    request.addEventListener("error", broke);
    request.addEventListener("abort", broke);
    request.addEventListener("loadend", () => { running -= 1; next(); });
    request.send(body);
  };

  const take = (files) => {
    const source = form.elements.source.value;
    for (const file of files) {
      const { made, bar } = row(file);
      made.dataset.name = file.name;
      waiting.push({ file, source, made, bar });
    }
    for (let i = 0; i < AT_ONCE; i += 1) next();
  };

  form.addEventListener("submit", (event) => {
    if (input.files.length === 0) return;
    event.preventDefault();
    take(input.files);
    form.reset();
  });
  const over = (on) => (event) => { event.preventDefault(); zone.classList.toggle("over", on); };
  zone.addEventListener("dragenter", over(true));
  zone.addEventListener("dragover", over(true));
  zone.addEventListener("dragleave", over(false));
  zone.addEventListener("drop", (event) => { over(false)(event); take(event.dataTransfer.files); });
})();
