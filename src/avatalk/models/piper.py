"""Piper voices as models: any voice of the hub by its name, and any voice that the user brings.

A voice is two files, ``NAME.onnx`` and ``NAME.onnx.json``, and a MODEL_CARD with its licence, which is that
of the recordings it was trained on. Names and layout: https://huggingface.co/rhasspy/piper-voices.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from avatalk.errors import UnreadableFile
from avatalk.models.manifest import Model, ModelFile, Web

PREFIX = "piper:"
CARD = "MODEL_CARD"

_HUB = "https://huggingface.co/rhasspy/piper-voices/resolve/main/"
_HUB_NAME = re.compile(r"([a-z]{2,3})_([A-Z]{2}|[0-9]{3})-([A-Za-z0-9_]+)-(x_low|low|medium|high)")
_ANY_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")

_KNOWN = {
    "en_US-lessac-medium.onnx": (
        63201294,
        "5efe09e69902187827af646e1a6e9d269dee769f9877d17b16b1b46eeaaf019f",
    ),
    "en_US-lessac-medium.onnx.json": (0, "efe19c417bed055f2d69908248c6ba650fa135bc868b0e6abb3da181dab690a0"),
}
"""Bytes and SHA-256 of files whose checksum is known; of the others it is recorded at the first install."""

_FREE = re.compile(r"\b(cc-?0|public domain|publicdomain|cc[ -]by|licenses/by|mit|apache|bsd)\b", re.I)
_UNFREE = re.compile(r"\bnc\b|non-?commercial|research|blizzard|personal use", re.I)

_READS = ("espeak", "text")
"""Kinds of symbols that can be made here; ``pinyin`` and others want programs of their own."""

EXAMPLE = f"{PREFIX}en_US-lessac-medium"
"""A voice that `avatalk models list` shows although it is not installed."""


def is_voice(name: str) -> bool:
    """Whether a model of that name could be a Piper voice."""
    return name.startswith(PREFIX) and bool(_ANY_NAME.fullmatch(name.removeprefix(PREFIX)))


_USUAL = {
    "lessac": "en_US-lessac-medium",
    "ryan": "en_US-ryan-medium",
    "hfc_female": "en_US-hfc_female-medium",
    "alan": "en_GB-alan-medium",
    "alba": "en_GB-alba-medium",
    "thorsten": "de_DE-thorsten-medium",
    "siwis": "fr_FR-siwis-medium",
    "davefx": "es_ES-davefx-medium",
    "paola": "it_IT-paola-medium",
    "faber": "pt_BR-faber-medium",
    "huayan": "zh_CN-huayan-medium",
}
"""Speakers that people call by their name alone."""


def usual(name: str) -> str | None:
    """Return the voice of the hub that is meant by the name of its speaker: ``lessac``."""
    return _USUAL.get(name.strip().lower().replace("-", "_"))


def is_of_hub(name: str) -> bool:
    """Whether ``en_US-lessac-medium`` could be the name of a voice of the hub."""
    return bool(_HUB_NAME.fullmatch(name))


def voice_model(name: str, folder: Path) -> Model:
    """Return the model ``piper:NAME``.

    Args:
        name: for which `is_voice`.
        folder: where its files lie, or would; what lies there tells the licence.
    """
    stem = name.removeprefix(PREFIX)
    hub = _HUB_NAME.fullmatch(stem)
    names = [f"{stem}.onnx.json", f"{stem}.onnx"]
    if (folder / CARD).exists() or not (folder / names[1]).exists():
        names.insert(0, CARD)  # a voice that was brought may have none
    licence = licence_of(folder / CARD)
    sources: tuple[Web, ...] = ()
    if hub:
        language, region, speaker, quality = hub.groups()
        sources = (Web(f"{_HUB}{language}/{language}_{region}/{speaker}/{quality}/"),)
    return Model(
        name=name,
        title=f"the Piper voice {stem}",
        stage="speech",
        engine="piper",
        licence=licence or f"of the voice {stem}, not told",
        commercial=bool(_FREE.search(licence)) and not _UNFREE.search(licence),
        files=tuple(ModelFile(file, *_KNOWN.get(file, (0, ""))) for file in names),
        sources=sources,
        terms=f"The licence of the Piper voice {stem} is: {licence or 'not told'}. Nothing in it is known to"
        " allow commercial use.",
    )


def licence_of(card: Path) -> str:
    """Return the licence that a MODEL_CARD tells; empty if there is no card, or nothing in it."""
    try:
        text = card.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    told = re.search(r"^\W*licen[cs]e\W*?:\s*(\S.*?)\s*$", text, re.I | re.M)
    return told[1][:200] if told else ""


def installed_voices(models: Path) -> list[str]:
    """Return the names of the voices in the folder of all models, in alphabetical order."""
    return [f"{PREFIX}{file.parent.name}" for file in sorted(models.glob("piper/*/*.onnx"))]


def check_graph(path: Path) -> None:
    """Make sure that ``NAME.onnx`` is a Piper voice.

    Raises:
        UnreadableFile: it is not, or is damaged.
        EngineUnavailable: OpenVINO, which reads it, is not installed.
    """
    from avatalk.models.runtime import require  # which imports numpy

    core = require("openvino", "piper").Core()
    try:
        model = core.read_model(path)
    except RuntimeError:
        raise UnreadableFile(
            f"{path.name} is damaged, or not a network.", hint="Copy or download it again."
        ) from None
    inputs = {name for port in model.inputs for name in port.get_names()}
    if not {"input", "input_lengths", "scales"} <= inputs:
        raise UnreadableFile(
            f"{path.name} is a network, but not a Piper voice: it takes {', '.join(sorted(inputs))}.",
            hint="Piper voices: https://huggingface.co/rhasspy/piper-voices",
        )


def read_config(path: Path) -> dict[str, object]:
    """Return the description of a voice, its ``.onnx.json``.

    Raises:
        UnreadableFile: it is missing, or none, or of a voice that cannot be spoken here.
    """
    hint = "Bring both files of the voice, NAME.onnx and NAME.onnx.json, from the same place."
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise UnreadableFile(f"{path.name} is missing.", hint=hint) from None
    except ValueError:
        raise UnreadableFile(f"{path.name} is not JSON, or cut short.", hint=hint) from None
    if not isinstance(config, dict) or not isinstance(config.get("phoneme_id_map"), dict):
        raise UnreadableFile(f"{path.name} does not describe a Piper voice.", hint=hint)
    kind = config.get("phoneme_type") or "espeak"
    if kind not in _READS:
        raise UnreadableFile(
            f"{path.name} wants symbols of the kind {kind}, which avatalk does not make.",
            hint="Choose another voice of the language.",
        )
    return config
