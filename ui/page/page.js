// Language and direction, the address of the conversation, scrolling to a new question.
const byId = (id) => document.getElementById(id);
const calm = window.matchMedia("(prefers-reduced-motion: reduce)");

document.addEventListener("input", (event) => {
  if (event.target.matches?.("#question textarea")) event.target.dir = "auto";
});

let shown = "";
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
  const turn = newest ? `${newest.dataset.conversation} ${newest.dataset.id}` : "";
  if (turn === shown) return;
  const first = !shown;
  shown = turn;
  keepAddress(newest?.dataset.conversation ?? "");
  document.dispatchEvent(new CustomEvent("kabar-new-turn"));
  if (newest && newest.dataset.turn !== "1") {
    newest.scrollIntoView({ block: "start", behavior: calm.matches || first ? "auto" : "smooth" });
  }
}

function keepAddress(conversation) {
  const address = new URL(location.href);
  if (conversation) address.searchParams.set("conversation", conversation);
  else address.searchParams.delete("conversation");
  if (address.href !== location.href) history.replaceState(history.state, "", address);
}

new MutationObserver(look).observe(document.body, { childList: true, subtree: true, characterData: true });
look();
