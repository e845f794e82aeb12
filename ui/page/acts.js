// What can be done with an answer, and what is sent with every question.
const say = (name, detail) => document.dispatchEvent(new CustomEvent(name, { detail }));
const conversation = () => document.querySelector("#current [data-turn]")?.dataset.conversation ?? "";

function chosen() {
  const form = document.querySelector(".filters form");
  const filters = {};
  for (const field of form?.elements ?? []) {
    if (field.type === "checkbox" ? field.checked : field.name && field.value)
      filters[field.name] = field.type === "checkbox" || field.value;
  }
  return filters;
}

window.kabar = {
  conversation,
  context: () => JSON.stringify({ conversation: conversation(), filters: chosen() }),
  open: (id) => say("kabar-open", { conversation: id }),
};

const act = (action, value = "") => say("kabar-act", { action, value, context: window.kabar.context() });

function edit(button) {
  const question = button.closest(".turn").querySelector(".question");
  const form = document.createElement("form");
  form.className = "edit";
  const field = document.createElement("textarea");
  field.value = button.dataset.edit;
  field.dir = "auto";
  field.setAttribute("aria-label", button.textContent);
  const save = Object.assign(document.createElement("button"), { type: "submit", textContent: button.dataset.save });
  const cancel = Object.assign(document.createElement("button"), { type: "button", textContent: button.dataset.cancel });
  form.append(field, save, cancel);
  question.hidden = true;
  question.after(form);
  button.disabled = true;
  field.focus();
  const close = () => {
    form.remove();
    question.hidden = false;
    button.disabled = false;
    button.focus();
  };
  cancel.addEventListener("click", close);
  const send = () => field.value.trim() && act("retry", field.value);
  form.addEventListener("submit", (event) => (event.preventDefault(), send()));
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) (event.preventDefault(), send());
  });
}

async function judge(turn, verdict, remark = "") {
  const body = JSON.stringify({ conversation: turn.dataset.conversation, turn: turn.dataset.id, verdict, remark });
  const headers = { "content-type": "application/json" };
  const response = await fetch("page/feedback", { method: "POST", headers, body }).catch(() => null);
  if (!response?.ok) return;
  turn.querySelectorAll("[data-judge]").forEach((each) => {
    each.setAttribute("aria-pressed", String(each.dataset.judge === verdict));
  });
  turn.querySelector(".remark").hidden = verdict !== "wrong" || Boolean(remark);
  const noted = turn.querySelector(".noted");
  noted.textContent = verdict ? noted.dataset.done : "";
}

document.addEventListener("click", (event) => {
  const find = (selector) => event.target.closest?.(selector);
  const asked = find("[data-act]");
  const copy = find("[data-copy]");
  const verdict = find("[data-judge]");
  if (asked) act(asked.dataset.act, asked.dataset.value);
  else if (find("[data-edit]")) edit(find("[data-edit]"));
  else if (copy) {
    const label = copy.textContent;
    navigator.clipboard?.writeText(copy.dataset.copy).then(() => {
      copy.textContent = copy.dataset.done;
      setTimeout(() => (copy.textContent = label), 1500);
    });
  } else if (verdict) {
    judge(verdict.closest(".turn"), verdict.getAttribute("aria-pressed") === "true" ? null : verdict.dataset.judge);
  }
});
document.addEventListener("submit", (event) => {
  const remark = event.target.closest?.("form.remark");
  if (remark) {
    event.preventDefault();
    judge(remark.closest(".turn"), "wrong", remark.elements.remark.value);
  } else if (event.target.closest?.(".filters form")) event.preventDefault();
});

function countFilters() {
  const active = document.querySelector(".filters .active");
  const count = Object.keys(chosen()).length;
  if (active) active.textContent = count ? ` (${count})` : "";
}
document.addEventListener("change", (event) => {
  if (event.target.closest?.(".filters")) countFilters();
  if (event.target.matches?.("select.languages")) {
    document.cookie = `kabar-language=${event.target.value}; path=/; max-age=31536000; samesite=strict`;
    location.reload();
  }
});
document.addEventListener("reset", () => setTimeout(countFilters));
