"""The page that Gradio shows: three steps, the library and the models, from the files in ``web/``."""

from __future__ import annotations

import html
import json
import os
import re
from functools import cache
from importlib.resources import files
from typing import Any

PARTS = ("head", "avatar", "speech", "video", "library", "batch", "models")
"""What the page consists of: each has ``web/<name>.html`` and ``web/<name>.js``."""
LANGUAGES = ("en", "de")
"""The first is what the page is written in."""

_TEXT = re.compile(r'data-t="([\w.]+)"(?P<rest>[^>]*)></')
_ATTRIBUTE = re.compile(r'data-t-(label|placeholder|title)="([\w.]+)"')
_SHOWN = {"label": "aria-label", "placeholder": "placeholder", "title": "title"}


@cache
def strings(language: str) -> dict[str, str]:
    """All strings of the page in a language of `LANGUAGES`, by key."""
    text = files("avatalk.studio").joinpath("strings", f"{language}.json").read_text("utf-8")
    return dict(json.loads(text))


def part(name: str) -> str:
    """The HTML of a part, its strings filled in in English; the browser puts in another language."""
    words = strings(LANGUAGES[0])
    page = files("avatalk.studio").joinpath("web", f"{name}.html").read_text("utf-8")
    page = _TEXT.sub(
        lambda found: f'data-t="{found[1]}"{found["rest"]}>{html.escape(words[found[1]])}</', page
    )
    return _ATTRIBUTE.sub(
        lambda found: f'{found[0]} {_SHOWN[found[1]]}="{html.escape(words[found[2]])}"', page
    )


def build() -> Any:
    """The page as a `gradio.Blocks`.

    Its parts hold no Gradio inputs: they are clients of the service, so that whoever closes the tab loses
    nothing, and Gradio's own ways in (uploads, its queue, files) can stay shut.
    """
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    import gradio as gr

    with gr.Blocks(title="avatalk studio", analytics_enabled=False, fill_width=True) as blocks:
        gr.HTML(part("head"), elem_id="part-head", apply_default_css=False, js_on_load=None)
        with gr.Row(elem_id="steps"):
            for name in ("avatar", "speech", "video"):
                with gr.Column(elem_classes="step", min_width=0):
                    gr.HTML(part(name), elem_id=f"part-{name}", apply_default_css=False, js_on_load=None)
        for name in ("library", "batch", "models"):
            gr.HTML(part(name), elem_id=f"part-{name}", apply_default_css=False, js_on_load=None)
    return blocks


def theme() -> Any:
    """Gradio's theme with the fonts of the system: nothing is fetched from anywhere."""
    import gradio as gr

    return gr.themes.Base(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"])


HEAD = (
    '<link rel="stylesheet" href="studio/web/style.css">'
    '<link rel="icon" href="studio/web/icon.svg" type="image/svg+xml">'
    '<meta name="color-scheme" content="light dark">'
    '<script type="module" src="studio/web/main.js"></script>'
)
