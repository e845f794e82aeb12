// Makes the Articles page live: the work is followed, an article opens beside the table, what has changed is shown.
// Without this script every link and form does the same by loading a page.

const WORKING = 600;
const RESTING = 5000;
const byId = (id) => document.getElementById(id);
let opener = null;

async function fetched(address) {
  const answer = await fetch(address, { headers: { Accept: "text/html" } });
  if (!answer.ok) throw new Error(String(answer.status));
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

// The work

function update(old, now) {
  const known = new Map([...old.children].map((job) => [job.dataset.job, job]));
  for (const job of now.children) {
    const shown = known.get(job.dataset.job);
    known.delete(job.dataset.job);
    const [bar, newBar] = [shown?.querySelector("progress"), job.querySelector("progress")];
    if (!shown || Boolean(bar) !== Boolean(newBar)) {
      if (shown) shown.replaceWith(job.cloneNode(true));
      else old.append(job.cloneNode(true));
      continue;
    }
    // The button to stop it stays where it is, and keeps the focus.
    shown.querySelector("p").textContent = job.querySelector("p").textContent;
    if (!bar) continue;
    if (newBar.hasAttribute("value")) bar.value = newBar.value;
    else bar.removeAttribute("value");
  }
  known.forEach((job) => job.remove());
}

async function follow() {
  let pause = RESTING;
  try {
    const work = byId("work");
    if (work && !document.hidden) {
      const now = (await fetched("/articles/work")).getElementById("work");
      update(work.querySelector(".going"), now.querySelector(".going"));
      const [done, newDone] = [work.querySelector(".done"), now.querySelector(".done")];
      if (done.innerHTML !== newDone.innerHTML) done.innerHTML = newDone.innerHTML;
      if ("busy" in now.dataset) pause = WORKING;
      await refresh(now.dataset.generation);
    }
  } catch {
    // The server is away; it is asked again.
  }
  setTimeout(follow, pause);
}

async function refresh(generation) {
  const collection = byId("collection");
  if (!collection || collection.dataset.generation === generation) return;
  // Nothing is taken away from somebody who is choosing.
  if (collection.contains(document.activeElement) || collection.querySelector("input:checked")) return;
  collection.replaceWith((await fetched(location.href)).getElementById("collection"));
  prepare();
}

// The table

function prepare() {
  const all = document.querySelector("[data-all]");
  if (all) all.hidden = false;
}

document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-all]")) return;
  for (const box of document.querySelectorAll('.listing [name="id"]')) box.checked = event.target.checked;
});

async function open(link) {
  const panel = byId("panel");
  try {
    const found = (await fetched(`${link.href}&part=1`)).querySelector(".evidence");
    close(false);
    panel.querySelector(".panel-body").replaceChildren(found);
  } catch {
    location.assign(link.href);
    return;
  }
  panel.hidden = false;
  document.body.classList.add("with-panel");
  opener = link;
  link.classList.add("current");
  panel.querySelector(".panel-close").focus({ preventScroll: true });
  panel.querySelector(".panel-body").scrollTop = 0;
}

function close(giveFocusBack = true) {
  const panel = byId("panel");
  if (panel.hidden) return;
  panel.hidden = true;
  document.body.classList.remove("with-panel");
  opener?.classList.remove("current");
  if (giveFocusBack && opener?.isConnected) opener.focus({ preventScroll: true });
  opener = null;
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-article]");
  if (event.target.closest?.(".panel-close")) close();
  else if (link && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey)) {
    event.preventDefault();
    open(link);
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") close();
});

// Uploads that would be refused are not begun.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.dataset.limit) return;
  const size = [...form.elements.file.files].reduce((sum, file) => sum + file.size, 0);
  form.elements.file.setCustomValidity(size > Number(form.dataset.limit) ? form.dataset.tooLarge : "");
  if (!form.reportValidity()) event.preventDefault();
});
document.addEventListener("change", (event) => {
  if (event.target.matches('[type="file"]')) event.target.setCustomValidity("");
});

prepare();
follow();
