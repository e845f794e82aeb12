// The page's own behaviour: the side panel with the evidence, scrolling to a new question, language and direction.
// Everything listens on the document, because Gradio draws and redraws the parts.
() => {
  const byId = (id) => document.getElementById(id);
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
  let opener = null;

  function openPanel(button) {
    const evidence = byId(button.dataset.evidence);
    const panel = byId("panel");
    if (!evidence || !panel) return;
    closePanel(false);
    const copy = evidence.cloneNode(true);
    copy.removeAttribute("id");
    copy.hidden = false;
    copy.querySelector(".title").id = "panel-title";
    panel.querySelector(".panel-body").replaceChildren(copy);
    panel.hidden = false;
    document.body.classList.add("with-panel");
    opener = button;
    document.querySelectorAll("[data-evidence]").forEach((each) => {
      each.classList.toggle("current", each.dataset.evidence === button.dataset.evidence);
    });
    panel.querySelector(".panel-close").focus({ preventScroll: true });
    panel.querySelector(".panel-body").scrollTop = 0;
    panel.querySelector("mark")?.scrollIntoView({ block: "nearest" });
  }

  function closePanel(giveFocusBack = true) {
    const panel = byId("panel");
    if (!panel || panel.hidden) return;
    panel.hidden = true;
    document.body.classList.remove("with-panel");
    document.querySelectorAll("[data-evidence].current").forEach((each) => each.classList.remove("current"));
    if (giveFocusBack && opener?.isConnected) opener.focus({ preventScroll: true });
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

  document.addEventListener("input", (event) => {
    if (event.target.matches?.("#question textarea")) event.target.dir = "auto";
  });

  let lastTurn = 0;
  function look() {
    const chrome = document.querySelector("[data-interface]");
    if (chrome) {
      document.documentElement.lang = chrome.dataset.interface;
      document.documentElement.dir = chrome.dataset.direction;
    }
    const field = document.querySelector("#question textarea");
    document.querySelector("#question .submit-button")?.setAttribute("aria-label", field?.placeholder ?? "");
    byId("current")?.setAttribute("aria-live", "polite");
    const newest = document.querySelector("#current [data-turn]");
    document.body.classList.toggle("with-turns", Boolean(newest));
    const number = newest ? Number(newest.dataset.turn) : 0;
    if (number === lastTurn) return;
    lastTurn = number;
    closePanel(false);
    if (number > 1) newest.scrollIntoView({ block: "start", behavior: calm.matches ? "auto" : "smooth" });
  }
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true, characterData: true });
  look();
}
