// The side panel with the evidence. Everything listens on the document, because Gradio draws and redraws the parts.
const byId = (id) => document.getElementById(id);
let opener = null;

function openPanel(button) {
  const evidence = byId(button.dataset.evidence);
  const panel = byId("panel");
  if (!evidence || !panel) return;
  closePanel(false);
  const copy = evidence.cloneNode(true);
  copy.removeAttribute("id");
  copy.hidden = false;
  show(copy);
  panel.hidden = false;
  document.body.classList.add("with-panel");
  opener = button;
  document.querySelectorAll("[data-evidence]").forEach((each) => {
    each.classList.toggle("current", each.dataset.evidence === button.dataset.evidence);
  });
  panel.querySelector(".panel-close").focus({ preventScroll: true });
  showArticle(copy);
}

function show(evidence) {
  const body = byId("panel").querySelector(".panel-body");
  evidence.querySelector(".title").id = "panel-title";
  body.replaceChildren(evidence);
  const mark = body.querySelector("mark");
  const top = mark.offsetTop - body.offsetTop;
  body.scrollTop = top + mark.offsetHeight > 0.7 * body.clientHeight ? top - body.clientHeight / 3 : 0;
}

// The whole article in the place of its passage, if it still has the sentence there.
async function showArticle(shown) {
  const { article, start, end } = shown.dataset;
  const root = document.baseURI.replace(/shared\/[^/]*$/, "");
  const address = new URL("page/article?" + new URLSearchParams({ id: article, start, end }), root);
  const response = await fetch(address).catch(() => null);
  if (response?.status !== 200) return;
  const fetched = new DOMParser().parseFromString(await response.text(), "text/html").querySelector(".evidence");
  const mark = fetched?.querySelector("mark");
  if (!mark || mark.textContent !== shown.querySelector("mark").textContent || !shown.isConnected) return;
  mark.replaceWith(shown.querySelector("mark"));
  fetched.hidden = false;
  fetched.removeAttribute("id");
  show(fetched);
  fetched.dataset.whole = "";
}

function closePanel(giveFocusBack = true) {
  const panel = byId("panel");
  if (!panel || panel.hidden) return;
  panel.hidden = true;
  document.body.classList.remove("with-panel");
  document.querySelectorAll("[data-evidence].current").forEach((each) => each.classList.remove("current"));
  if (giveFocusBack && opener?.isConnected) opener.focus?.({ preventScroll: true });
  opener = null;
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-evidence]");
  if (button) openPanel(button);
  else if (event.target.closest?.(".panel-close")) closePanel();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") closePanel();
});
document.addEventListener("kabar-new-turn", () => closePanel(false));
