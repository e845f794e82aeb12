// The drawer with the conversations. What it shows is made on the server; here it is asked for and put in its place.
const byId = (id) => document.getElementById(id);
const current = () => window.kabar.conversation();
let opener = null;
let typing = 0;

async function ask(path, options = {}) {
  const headers = options.body ? { "content-type": "application/json" } : {};
  const response = await fetch("page/history" + path, { ...options, headers }).catch(() => null);
  if (!response?.ok) return false;
  byId("drawer").querySelector(".drawer-body").innerHTML = await response.text();
  byId("drawer").querySelectorAll("[data-link]").forEach((link) => {
    link.value = new URL(link.dataset.link, document.baseURI.replace(/\?.*$/, "")).href;
  });
  return true;
}

const list = () => {
  const search = byId("drawer").querySelector(".search").value;
  return ask("?" + new URLSearchParams({ search, current: current() }));
};

async function openDrawer(button) {
  const drawer = byId("drawer");
  drawer.hidden = false;
  opener = button;
  drawer.querySelector(".search").value = "";
  drawer.querySelector(".search").focus();
  await list();
}

function closeDrawer() {
  const drawer = byId("drawer");
  if (!drawer || drawer.hidden) return;
  drawer.hidden = true;
  if (opener?.isConnected) opener.focus();
}

async function change(button) {
  const id = button.closest("[data-conversation]")?.dataset.conversation ?? "";
  const what = button.dataset.history;
  const done = what.startsWith("delete")
    ? await ask(what === "delete" ? "/" + id : "", { method: "DELETE" })
    : await ask(`/${id}/${what}`, { method: "POST" });
  if (done && what.startsWith("delete") && (what === "delete-all" || id === current())) window.kabar.open("");
  if (done && what === "share") {
    const item = byId("drawer").querySelector(`[data-conversation="${CSS.escape(id)}"]`);
    item.querySelector(".menu").open = true;
    item.querySelector(".link").select();
  }
}

document.addEventListener("click", (event) => {
  const find = (selector) => event.target.closest?.(selector);
  if (find(".open-drawer")) openDrawer(find(".open-drawer"));
  else if (find(".drawer-close")) closeDrawer();
  else if (find("[data-history]")) change(find("[data-history]"));
  else if (find("[data-open]") && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    window.kabar.open(find("[data-open]").dataset.open);
    closeDrawer();
  } else if (find("#drawer .link")) find("#drawer .link").select();
  else if (!find("#drawer") && event.target.isConnected) closeDrawer();
});
document.addEventListener("submit", (event) => {
  const form = event.target.closest?.("form.rename");
  if (!form) return;
  event.preventDefault();
  const id = form.closest("[data-conversation]").dataset.conversation;
  ask(`/${id}/title`, { method: "POST", body: JSON.stringify({ title: form.elements.title.value }) });
});
document.addEventListener("input", (event) => {
  if (!event.target.matches?.("#drawer .search")) return;
  clearTimeout(typing);
  typing = setTimeout(list, 200);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") closeDrawer();
});
