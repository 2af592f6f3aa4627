"""Where networks run: OpenVINO on processors, PyTorch on graphics cards.

A network is defined in PyTorch and converted once to OpenVINO's form, a file from which it starts without
PyTorch. Batches have a fixed shape, so the same input gives the same bits whatever else is asked for.
"""

from __future__ import annotations

import ctypes
import os
import platform
import sys
import tempfile
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from queue import SimpleQueue
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from avatalk import settings
from avatalk.errors import BadInput, CannotRun, EngineUnavailable, UnreadableFile
from avatalk.media import Float32Array

if TYPE_CHECKING:
    from torch import Tensor, nn

Numbers = Float32Array | npt.NDArray[np.uint16]
Tokens = npt.NDArray[np.int64]
DEVICES = ("auto", "cpu", "cuda", "mps")
_CONVERTER = "openvino.tools.ovc"
_importing = Lock()
_FORM = 3  # counted up when the networks change in a way that makes old conversions wrong


@dataclass(frozen=True, slots=True)
class Network:
    """A network ready to run, from any thread.

    Attributes:
        run: takes arrays of the shapes it was built for and gives arrays, float32 ones. Where it was built
            with arguments or results in bfloat16, these are the bits of the numbers as uint16.
        parallel: how many calls at once keep the device busy.
    """

    run: Callable[..., list[Numbers]]
    parallel: int

    def __call__(self, *inputs: Numbers | Tokens) -> list[Numbers]:
        """Run it once."""
        return self.run(*inputs)


def require(package: str, extra: str = "neural") -> Any:
    """Import and return `package`, which comes with `extra`.

    Raises:
        EngineUnavailable: it is not installed; the hint is the command that installs it.
    """
    try:
        return _imported(package)
    except ImportError as error:
        raise EngineUnavailable(
            f"Neural engines need {package}, which is not installed.", hint=f"pip install 'avatalk[{extra}]'"
        ) from error


def warm_up() -> None:
    """Begin to load OpenVINO, which takes a moment, while something else is done."""
    Thread(target=_load_openvino, name="avatalk-openvino").start()


def _load_openvino() -> None:
    with suppress(ImportError):  # whoever needs it will say so
        _imported("openvino.opset13")


def _imported(package: str) -> Any:
    # OpenVINO tells its makers of every import, from a process that it forks. That touches the network where
    # it must not; and a fork while OpenBLAS computes ends the thread that OpenBLAS then waits for, for ever.
    # Without this package it tells nobody.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    if package.partition(".")[0] == "openvino":
        with _importing:
            _import_openvino()
    return import_module(package)


def _import_openvino() -> None:
    """Import OpenVINO without its converter, which takes as long as the rest and is needed once a model."""
    if "openvino" in sys.modules:
        return
    sys.modules[_CONVERTER] = None  # type: ignore[assignment]
    try:
        ov: Any = import_module("openvino")
    finally:
        del sys.modules[_CONVERTER]
    ov.convert_model = lambda *given, **named: import_module(_CONVERTER).convert_model(*given, **named)


def choose_device(wanted: str = "auto") -> str:
    """Return the device that networks will run on: ``"cpu"``, ``"cuda"`` or ``"mps"``.

    Args:
        wanted: one of `DEVICES`; ``"auto"`` is a graphics card if PyTorch can use one.

    Raises:
        BadInput: there is no device of that name.
        EngineUnavailable: it was asked for by name and cannot be used here.
    """
    if wanted not in DEVICES:
        raise BadInput(
            f"There is no device {wanted!r}.", hint=f"Choose one of {', '.join(DEVICES)}.", field="device"
        )
    if wanted == "cpu":
        return wanted
    for name, has_driver in (("cuda", _has_cuda_driver), ("mps", _has_apple_graphics)):
        # Importing PyTorch takes seconds, asking for a driver none.
        if wanted in ("auto", name) and has_driver() and _torch_can_use(name):
            return name
    if wanted == "auto":
        return "cpu"
    raise EngineUnavailable(
        f"PyTorch cannot use {wanted!r} on this machine.",
        hint="Use `--device auto`, or install a build of PyTorch for this graphics card.",
    )


def describe(device: str, precision: str) -> str:
    """Say what a network runs on, for the result of a render."""
    library = "OpenVINO" if device == "cpu" else "PyTorch"
    return f"{device}, {precision}, {library}"


def fastest_precision(device: str) -> str:
    """``"f16"`` on graphics cards, ``"bf16"`` on processors that have it, else ``"f32"``."""
    if device != "cpu":
        return "f16"
    able = require("openvino").Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return "bf16" if "BF16" in able else "f32"


def convert(module: nn.Module, examples: Sequence[Tensor], path: Path) -> None:
    """Write `module` as OpenVINO's ``path`` (.xml) and its weights (.bin) beside it, whole or not at all.

    Args:
        module: in evaluation mode.
        examples: one tensor per argument.
        path: where to; the folder is made.
    """
    ov, torch = require("openvino"), require("torch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # torch.export warns of its own code
        model = ov.convert_model(torch.export.export(module, tuple(examples)))
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        whole = Path(folder) / path.name
        ov.save_model(model, whole, compress_to_fp16=False)
        # The weights first: who sees the .xml sees everything.
        for part in (whole.with_suffix(".bin"), whole):
            part.replace(path.parent / part.name)


def converted(checkpoint: Path, name: str) -> Path:
    """Return where a conversion of `checkpoint` lies, or is to be put, in the cache folder.

    Another file under the same name has another place.

    Args:
        checkpoint: the weights.
        name: of the converted file.

    Raises:
        UnreadableFile: there is no such file.
    """
    try:
        facts = checkpoint.stat()
    except OSError as error:
        raise UnreadableFile(
            f"{checkpoint} does not exist.", hint="Check the path of the weights."
        ) from error
    identity = f"{checkpoint.resolve()} {facts.st_size} {facts.st_mtime_ns} {_FORM}"
    folder = f"{checkpoint.stem}-{sha256(identity.encode()).hexdigest()[:16]}"
    return settings.cache_dir() / "converted" / folder / name


def openvino_network(
    path: Path, shapes: Sequence[Sequence[int]] | None, precision: str, alone: bool = False
) -> Network:
    """Return a network that `convert` wrote, ready to run on the processor.

    Args:
        path: its .xml.
        shapes: of its arguments; batch and picture may be of other sizes than when it was converted. None
            are the sizes that it was converted with.
        precision: ``"f32"`` or ``"bf16"``.
        alone: one call at a time is made, so all cores share it. Else each core gets calls of its own, which
            takes less of them together, since cores that share a call wait for each other.
    """
    model = require("openvino").Core().read_model(path)
    if shapes is not None:
        model.reshape({index: list(shape) for index, shape in enumerate(shapes)})
    return compiled(model, precision, alone)


def compiled(model: Any, precision: str, alone: bool = False) -> Network:
    """Return an ``openvino.Model`` ready to run on the processor; see `openvino_network`."""
    ov = require("openvino")
    hint = "LATENCY" if alone else "THROUGHPUT"
    options = {"INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": hint}
    ready = ov.Core().compile_model(model, "CPU", options)
    parallel = int(ready.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
    idle: SimpleQueue[Any] = SimpleQueue()
    for _ in range(parallel):
        idle.put(ready.create_infer_request())

    def run(*inputs: Numbers | Tokens) -> list[Numbers]:
        tensors = [
            ov.Tensor(one, one.shape, ov.Type.bf16) if one.dtype == np.uint16 else one for one in inputs
        ]
        request = idle.get()
        try:
            request.infer(tensors, share_inputs=True)
            # What bfloat16 holds is called float16 by NumPy, which has no name for it.
            return [
                np.array(one.data.view(np.uint16) if one.element_type == ov.Type.bf16 else one.data)
                for one in request.output_tensors
            ]
        finally:
            idle.put(request)

    return Network(run, parallel)


def torch_network(function: Callable[..., Any], device: str) -> Network:
    """Return what runs `function` on a graphics card in half precision.

    It takes tensors and gives one or several; what else it uses is on the device already. A batch for which
    the card's memory does not suffice is run in halves. An argument with a batch of one belongs to all.
    """
    torch = require("torch")

    def run(*inputs: Numbers) -> list[Numbers]:
        try:
            with torch.inference_mode():
                tensors = [torch.from_numpy(array).to(device=device, dtype=torch.float16) for array in inputs]
                results = function(*tensors)
            results = results if isinstance(results, (tuple, list)) else (results,)
            return [result.float().cpu().numpy() for result in results]
        except torch.OutOfMemoryError as error:
            batch = max(len(array) for array in inputs)
            if batch == 1:
                raise CannotRun(
                    f"The memory of the device {device!r} does not suffice.",
                    hint="Close other programs that use it, or choose `--device cpu`.",
                ) from error
        halves = [
            run(*(array if len(array) == 1 else array[part] for array in inputs))
            for part in (slice(batch // 2), slice(batch // 2, None))
        ]
        return [np.concatenate(results) for results in zip(*halves, strict=True)]

    return Network(run, parallel=2)  # one computes while the other's data travels


def _torch_can_use(device: str) -> bool:
    if find_spec("torch") is None:
        return False
    torch = require("torch")
    backend = torch.cuda if device == "cuda" else torch.backends.mps
    return bool(backend.is_available())


def _has_cuda_driver() -> bool:
    library = "nvcuda.dll" if os.name == "nt" else "libcuda.so.1"
    try:
        return bool(ctypes.CDLL(library).cuInit(0) == 0)
    except OSError:
        return False


def _has_apple_graphics() -> bool:
    return sys.platform == "darwin" and platform.machine() == "arm64"
