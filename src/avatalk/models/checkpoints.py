"""Reads weights from the forms in which people have them, without running anything that a file may hold.

Accepted: PyTorch's pickles, old and new, of a state dict or of a training checkpoint that has one;
safetensors; TorchScript archives, of which only the tensors are read. Prefixes that training leaves
before the names (``module.``) are dropped.
"""

from __future__ import annotations

import pickle
import re
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from avatalk.errors import UnreadableFile
from avatalk.models.runtime import require

if TYPE_CHECKING:
    from torch import Tensor, nn

KINDS = {
    "wav2lip": ("Wav2Lip", "face_decoder_blocks.0.0.conv_block.0.weight"),
    "s3fd": ("S3FD, a face detector", "conv3_3_norm_mbox_conf.weight"),
    "syncnet": ("Wav2Lip's lip-sync expert, of use only in training", "face_encoder.16.conv_block.0.weight"),
    "discriminator": ("Wav2Lip's discriminator, of use only in training", "binary_pred.0.weight"),
}
"""What weights can be recognised as: a title for people, and a tensor that no other kind has."""

_DOWNLOAD = "Download it again, from another source if it stays so; `avatalk models list --json` names them."


def load_weights(module: nn.Module, path: Path, kind: str) -> None:
    """Fill `module` with the weights in `path`: every tensor of it, and no other, each of its shape.

    Args:
        module: the network.
        path: a file in any accepted form.
        kind: what it must hold, one of `KINDS`.

    Raises:
        UnreadableFile: the file is missing, damaged, or holds something else; says what it holds.
        EngineUnavailable: PyTorch is not installed.
    """
    state = read_state_dict(path)
    found = recognise(state)
    title = KINDS[kind][0]
    if found is None:
        raise _unreadable(path, f"holds another model, not {title}", "Give the right file.")
    if found != kind:
        raise _unreadable(path, f"holds {KINDS[found][0]}, not {title}", "Give the right file.")
    state = _without_prefix(state, KINDS[kind][1])
    expected = module.state_dict()
    wrong = sorted(
        name
        for name in expected.keys() | state.keys()
        if name not in state or name not in expected or state[name].shape != expected[name].shape
    )
    if wrong:
        what = f"holds a variant of {title} that does not fit: {len(wrong)} tensors differ, {wrong[0]} first"
        raise _unreadable(path, what, "Give the published weights.")
    if not all(bool(tensor.isfinite().all()) for tensor in state.values()):
        raise _unreadable(path, "is damaged: some weights are not numbers", _DOWNLOAD)
    module.load_state_dict(state)


def recognise(state: Mapping[str, Tensor]) -> str | None:
    """Return which of `KINDS` the tensors belong to; None for another model."""
    return next(
        (kind for kind, (_, tensor) in KINDS.items() if any(name.endswith(tensor) for name in state)), None
    )


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """Return every tensor in `path` by name.

    Raises:
        UnreadableFile: missing, not weights in an accepted form, or damaged; says which.
        EngineUnavailable: PyTorch or safetensors is not installed.
    """
    read = _reader(path)
    torch = require("torch")
    try:
        held = read(path)
    except pickle.UnpicklingError as error:
        if re.search("unsupported (global|class|name)", str(error), re.IGNORECASE):
            what = "holds program code besides weights, which is not run"
            raise _unreadable(path, what, "Give a file that holds only weights, best safetensors.") from error
        raise _damaged(path) from error
    except _damage() as error:
        raise _damaged(path) from error
    for inner in ("state_dict", "model"):
        if isinstance(held, Mapping) and isinstance(held.get(inner), Mapping):
            held = held[inner]
    if not isinstance(held, Mapping):
        raise _unreadable(path, "holds no weights by name", "Give a state dict or a checkpoint with one.")
    return {name: tensor for name, tensor in held.items() if isinstance(tensor, torch.Tensor)}


# --- forms -----------------------------------------------------------------------------------------


def _reader(path: Path) -> Callable[[Path], Any]:
    """Return what reads the form that `path` has, by its content."""
    try:
        with path.open("rb") as file:
            head = file.read(1024)
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise _unreadable(path, f"cannot be opened: {reason}", "Check the path.") from error
    if not head:
        raise _unreadable(path, "is empty (0 bytes)", _DOWNLOAD)
    start = head.lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")) or b"<html" in start:
        raise _unreadable(path, "is a web page (HTML), not a model: the link led to a page", _DOWNLOAD)
    if start.startswith(b"version https://git-lfs"):
        raise _unreadable(path, "is a Git LFS pointer, not the model itself", "Fetch it with `git lfs pull`.")
    if head.startswith(b"PK"):
        return _read_scripted if _is_scripted(path) else _read_pickle
    if head.startswith(b"\x80"):
        return _read_pickle
    if head[8:9] == b"{":
        return _read_safetensors
    raise _unreadable(path, "is not a model: it has none of the known forms", _DOWNLOAD)


def _read_pickle(path: Path) -> Any:
    return require("torch").load(path, map_location="cpu", weights_only=True)


def _read_safetensors(path: Path) -> Any:
    return require("safetensors.torch").load_file(path)


def _is_scripted(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("/constants.pkl") for name in archive.namelist())
    except zipfile.BadZipFile as error:
        raise _damaged(path) from error


def _read_scripted(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a TorchScript archive by the path of attributes that leads to them."""
    with zipfile.ZipFile(path) as archive:
        (name,) = (name for name in archive.namelist() if name.count("/") == 1 and name.endswith("/data.pkl"))
        with archive.open(name) as file:
            root = _TensorUnpickler(file, archive, name.partition("/")[0]).load()
    return dict(_tensors(root, ""))


def _tensors(module: _Module, prefix: str) -> Any:
    torch = require("torch")
    for name, value in vars(module).items():
        if isinstance(value, _Module):
            yield from _tensors(value, f"{prefix}{name}.")
        elif isinstance(value, torch.Tensor):
            yield prefix + name, value


_STORAGES = {
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "DoubleStorage": "float64",
    "LongStorage": "int64",
    "IntStorage": "int32",
}


class _Module:
    """Stands for any object of a TorchScript archive: attributes and nothing else."""


class _TensorUnpickler(pickle.Unpickler):
    """Builds tensors, lists and `_Module`; knows no other name, so a file can call nothing."""

    def __init__(self, file: Any, archive: zipfile.ZipFile, root: str) -> None:
        super().__init__(file)
        self._archive, self._root = archive, root

    def find_class(self, module: str, name: str) -> Any:
        """Return what may stand for a name in the file."""
        if module.startswith("__torch__"):
            return _Module
        if module == "torch" and name in _STORAGES:
            return getattr(require("torch"), _STORAGES[name])
        allowed: dict[tuple[str, str], Any] = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): _strided,
            ("torch.jit._pickle", "restore_type_tag"): _first,
            **{
                ("torch.jit._pickle", f"build_{kind}list"): _first
                for kind in ("int", "double", "bool", "tensor")
            },
        }
        if (module, name) not in allowed:
            raise pickle.UnpicklingError(f"Unsupported name {module}.{name}")
        return allowed[module, name]

    def persistent_load(self, pid: Any) -> Tensor:
        """Return the numbers of a storage."""
        _, dtype, key, *_ = pid
        data = bytearray(self._archive.read(f"{self._root}/data/{key}"))
        numbers: Tensor = require("torch").frombuffer(data, dtype=dtype)
        return numbers


def _strided(
    numbers: Tensor, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_unused: Any
) -> Tensor:
    return numbers.as_strided(size, stride, offset).clone()


def _first(value: Any, *_unused: Any) -> Any:
    return value


# --- names and errors ------------------------------------------------------------------------------


def _without_prefix(state: dict[str, Tensor], known: str) -> dict[str, Tensor]:
    """Drop what stands before the names, as far as it stands before all; `known` is the end of one."""
    prefix = next(name for name in state if name.endswith(known)).removesuffix(known)
    if not all(name.startswith(prefix) for name in state):
        return state
    return {name.removeprefix(prefix): tensor for name, tensor in state.items()}


def _damage() -> tuple[type[Exception], ...]:
    """What the readers raise on a file that is cut short or garbled."""
    errors = (EOFError, RuntimeError, ValueError, KeyError, TypeError, AttributeError, IndexError, OSError)
    return (*errors, struct.error, zipfile.BadZipFile, require("safetensors").SafetensorError)


def _damaged(path: Path) -> UnreadableFile:
    return _unreadable(path, "is cut short or damaged", _DOWNLOAD)


def _unreadable(path: Path, what: str, hint: str) -> UnreadableFile:
    return UnreadableFile(f"{path.name} {what}.", hint=hint)
