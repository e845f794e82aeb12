"""The look of the page: a style sheet, a script and a small theme, all from this folder, none from the network."""

from pathlib import Path
from typing import Any

PAGE = Path(__file__).parent / "page"

SANS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "Ubuntu", "Arial", "sans-serif")
_SCRIPTS = ("panel", "drawer", "acts", "page")
MONO = ("ui-monospace", "Cascadia Mono", "Menlo", "Noto Sans Mono", "Consolas", "monospace")


def look() -> dict[str, Any]:
    """The arguments of ``gradio.mount_gradio_app`` that make the look."""
    import gradio

    # Plain names: Gradio's own default theme asks Google for its fonts. The colours are for the moment before the style
    # sheet is there, the same as in it.
    theme = gradio.themes.Base(font=list(SANS), font_mono=list(MONO)).set(
        body_background_fill="#faf7f1",
        body_background_fill_dark="#141416",
        body_text_color="#1c1a17",
        body_text_color_dark="#ece8e0",
    )
    # The style sheet goes into the head: as ``css`` Gradio would confine it to its own container.
    head = _read("head.html") + f"<style>{style()}</style>"
    return {"theme": theme, "head": head, "js": f"() => {{{script(*_SCRIPTS)}}}"}


def style() -> str:
    """The style sheet of all pages."""
    return _read("page.css")


def script(*names: str) -> str:
    """Some of the page's scripts, each with variables of its own."""
    return "".join(f"{{\n{_read(f'{name}.js')}}}\n" for name in names)


def _read(name: str) -> str:
    return (PAGE / name).read_text(encoding="utf-8")
