"""What there is to choose from, as rows for tables and JSON."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from typing import Any

from avatalk import engines, models
from avatalk.avatars import gallery
from avatalk.settings import cache_dir, data_dir, offline

Row = dict[str, Any]


def avatar_rows(own: bool = True) -> list[Row]:
    """One row per avatar of the gallery, then, with `own`, of those that the user kept."""
    rows: list[Row] = [
        {
            "name": entry.name,
            "age": entry.age,
            "description": entry.description,
            "engine": "gallery",
            "licence": entry.licence,
        }
        for entry in gallery.entries()
    ]
    from avatalk.avatars import kept  # opens pictures

    for name in kept.names() if own else ():
        made = kept.get(name)
        rows.append(
            {
                "name": name,
                "age": made.character.age if made.character else None,
                "description": made.prompt,
                "engine": made.engine,
                "licence": made.character.licence if made.character else "",
                "seed": made.seed,
                "date": made.date,
            }
        )
    return rows


def voice_rows(language: str | None = None, own: bool = True) -> list[Row]:
    """One row per voice, the user's own first.

    Args:
        language: only voices of this one (``de``, ``en-GB``, or a name in English).
        own: whether those that the user keeps are among them.
    """
    from avatalk.speech import kept
    from avatalk.speech.casting import speaks_as
    from avatalk.speech.espeak_voices import about
    from avatalk.speech.voices import all_voices  # asks the voice library, which takes a moment

    wanted = (language or "").lower().replace("_", "-")
    kept_ones: list[Row] = [
        {
            "name": voice.name,
            "language": voice.language,
            "language_name": about(voice.language)[0],
            "sex": voice.traits.sex,
            "engine": speaks_as(voice),
            "licence": "its speaker's, who agreed",
        }
        for voice in (kept.readable() if own else ())
    ]
    rows: list[Row] = kept_ones + [
        {
            "name": voice.name,
            "language": voice.language,
            "language_name": voice.language_name,
            "sex": voice.sex,
            "engine": voice.engine,
            "licence": voice.licence,
        }
        for voice in all_voices()
    ]
    return [
        row
        for row in rows
        if f"{row['language'].lower()}-".startswith(f"{wanted}-" if wanted else "")
        or row["language_name"].lower().startswith(wanted)
    ]


def engine_rows() -> list[Row]:
    """One row per engine, with whether it can run here now."""
    return [
        {
            "stage": engine.stage,
            "name": engine.name,
            "summary": engine.summary,
            "takes": list(engine.takes),
            "licence": engine.licence,
            "ready": not engine.to_get(),
            "get": engine.to_get(),
        }
        for engine in engines.ENGINES
    ]


def model_rows() -> list[Row]:
    """One row per model of the manifest: where it comes from, and what of it is here."""
    return [
        {
            "name": model.name,
            "title": model.title,
            "stage": model.stage,
            "engine": model.engine,
            "mb": round(model.bytes / 1e6, 1) if model.bytes else None,  # which some sources do not tell
            "installed": models.installed(model.name),
            "licence": model.licence,
            "commercial": model.commercial,
            "accepted": not models.needs_consent(model.name),
            "folder": str(models.folder(model.name)),
            "files": [
                {"name": name, "bytes": form.bytes, "sha256": form.sha256, "form": form.title}
                for name, form in models.kept(model.name).items()
            ],
            "sources": [str(source) for source in model.sources],
        }
        for model in models.list_models()
    ]


def doctor_rows() -> list[Row]:
    """One row per engine: whether it runs here, on what, and what would make it run."""
    rows = [
        {
            "name": f"{engine.stage}/{engine.name}",
            "ready": not engine.to_get(),
            "device": "cpu",
            "with": ", ".join(_version(package) for package in engine.packages),
            "get": engine.to_get(),
        }
        for engine in engines.ENGINES
    ]
    python = f"Python {platform.python_version()}"
    here = f"{python}, {platform.system()} {platform.machine()}, {os.cpu_count()} processors"
    rows.append(
        {"name": "machine", "ready": sys.version_info >= (3, 10), "device": "cpu", "with": here, "get": ""}
    )
    network = "off (AVATALK_OFFLINE)" if offline() else "used only to fetch models"
    rows.append({"name": "network", "ready": True, "device": "", "with": network, "get": ""})
    rows.append({"name": "cache", "ready": True, "device": "", "with": str(cache_dir()), "get": ""})
    rows.append({"name": "data", "ready": True, "device": "", "with": str(data_dir()), "get": ""})
    return rows


_DISTRIBUTIONS = {
    "PIL": "pillow",
    "ai_edge_litert": "ai-edge-litert",
    "cv2": "opencv-python-headless",
    "espeakng_loader": "espeakng-loader",
    "pi_heif": "pi-heif",
    "resvg_py": "resvg-py",
}


def _version(package: str) -> str:
    distribution = _DISTRIBUTIONS.get(package, package)
    try:
        return f"{distribution} {importlib.metadata.version(distribution)}"
    except importlib.metadata.PackageNotFoundError:
        return f"{distribution} missing"
