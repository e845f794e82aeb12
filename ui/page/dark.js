// Pages without Gradio: light or dark as the system is.
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const dim = () => document.body.classList.toggle("dark", dark.matches);
dim();
dark.addEventListener("change", dim);
