"""What YourTTS and XTTS have in common: how their folders are read, and what a network of theirs does."""

from __future__ import annotations

import json
import pickle
import re
import zipfile
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from avatalk.errors import UnreadableFile
from avatalk.media import Float32Array

Learnt = Mapping[str, npt.NDArray[Any]]
"""What tells a voice from others: arrays by name, which are the network's own affair."""

Span = tuple[int, float, float]
"""A word, by its index, and the seconds from which to which it is spoken."""


class Network(Protocol):
    """A network in memory, usable from any thread.

    Attributes:
        sample_rate: hertz, of what it speaks.
    """

    sample_rate: int

    def speaker(self, name: str) -> Learnt:
        """Return the voice of a speaker of the model."""

    def embed(self, sound: Float32Array, sample_rate: int) -> dict[str, npt.NDArray[Any]]:
        """Return the voice in `sound`, (samples,) float32."""

    def speak(
        self, words: Sequence[str], code: str, voice: Learnt, speed: float, seed: int
    ) -> tuple[Float32Array, list[Span] | None]:
        """Return (samples,) float32, empty if nothing can be spoken; and the words' times if it knows them.

        Args:
            words: as written, with the punctuation that touches them.
            code: what the model calls the language.
            voice: what `speaker` or `embed` returned.
            speed: factor on the words per time.
            seed: of all that is random.
        """


_FILES = {
    "d_vector_file": "speakers.json",
    "language_ids_file": "language_ids.json",
    "speakers_file": "",
    "speaker_file": "",
    "speaker_encoder_model_path": "",
    "speaker_encoder_config_path": "",
    "tokenizer_file": "vocab.json",
    "gpt_checkpoint": "",
    "decoder_checkpoint": "",
    "mel_norm_file": "",
}
"""Fields of config.json that hold paths of the author's machine, and the file that is meant."""


def read_config(path: Path) -> dict[str, Any]:
    """Return config.json with its paths turned into those of the files beside it, or emptied.

    Raises:
        UnreadableFile: it is missing or no description of a model.
    """
    try:
        text = path.read_text(encoding="utf-8")
        try:
            config = json.loads(text)
        except ValueError:  # old ones have comments
            config = json.loads(re.sub(r'("(?:[^"\\]|\\.)*")|//[^\n]*', lambda found: found[1] or "", text))
    except (OSError, ValueError) as error:
        raise damaged(path) from error
    if not isinstance(config, dict) or not isinstance(config.get("audio"), dict):
        raise damaged(path)
    for part in (config, config.get("model_args") or {}):
        for field, name in _FILES.items():
            if field in part:
                meant = str(path.parent / name) if name and (path.parent / name).exists() else None
                part[field] = [meant] if meant and isinstance(part[field], list) else meant
    return config


def damaged(path: Path) -> UnreadableFile:
    """The error for a file of a model that is not what it should be."""
    return UnreadableFile(
        f"{path} is missing, damaged, or of another model.",
        hint="See `avatalk models verify`, and install or import the model again.",
        stage="speech",
    )


def speaker_names(path: Path) -> list[str]:
    """Return the speakers in a speakers.json, or in a speakers_xtts.pth without reading what it says of them.

    Raises:
        UnreadableFile: it is neither.
    """
    try:
        if path.suffix == ".json":
            return list(dict.fromkeys(str(clip["name"]) for clip in json.loads(path.read_bytes()).values()))
        with zipfile.ZipFile(path) as archive:
            (name,) = (name for name in archive.namelist() if name.endswith("/data.pkl"))
            with archive.open(name) as file:
                return [str(name) for name in _Names(file).load()]
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        EOFError,
        pickle.UnpicklingError,
    ) as error:
        raise damaged(path) from error
    except zipfile.BadZipFile as error:
        raise damaged(path) from error


class _Names(pickle.Unpickler):
    """Reads the names in a file of tensors; tensors become None, and nothing can be called."""

    def find_class(self, module: str, name: str) -> Any:
        """Return what may stand for a name in the file."""
        if module == "torch" and name.endswith("Storage"):
            return None
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module == "torch._utils":
            return lambda *_unused: None
        raise pickle.UnpicklingError(f"Unsupported name {module}.{name}")

    def persistent_load(self, pid: Any) -> None:
        """Skip the numbers."""


@contextmanager
def seeded(device: str, seed: int) -> Iterator[None]:
    """Draw the random numbers inside from `seed`; what others draw afterwards is as if nothing had been."""
    import torch

    devices = range(torch.cuda.device_count()) if device == "cuda" else ()
    with torch.random.fork_rng(devices, device_type="cuda"), torch.inference_mode():
        torch.manual_seed(seed)
        yield


def without_weight_norm(module: Any) -> None:
    """Multiply out the weight normalisation of training in all of `module`, once instead of at every call."""
    from torch.nn.utils import parametrize

    for part in module.modules():
        if parametrize.is_parametrized(part, "weight"):
            parametrize.remove_parametrizations(part, "weight")


def array(tensor: Any) -> Float32Array:
    """Return a tensor of any device as float32."""
    return np.array(tensor.detach().float().cpu().numpy(), np.float32)
