"""Convolutional networks that are written once and run by OpenVINO and by PyTorch.

Such a network is a function that is given an `Ops` and arguments of its kind. Called with `OpenvinoOps` it
describes a graph, which `runtime.openvino_network` compiles; called with `TorchOps` it computes. Its kernels
lie in a safetensors file, which is mapped rather than read: it costs memory only where it is used.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np

from avatalk.errors import ModelUnavailable
from avatalk.media import Float32Array
from avatalk.models.runtime import require

T = TypeVar("T")
Kernels = Mapping[str, Float32Array]


class Edges(NamedTuple):
    """Rows and columns at the edges of a map: before the first, after the last."""

    top: int = 0
    bottom: int = 0
    left: int = 0
    right: int = 0


class Ops(Protocol[T]):
    """What a runtime does. Maps are (batch, channels, rows, columns); a batch of one belongs to all."""

    def convolution(self, x: T, name: str, stride: tuple[int, int], zeros: Edges) -> T:
        """Put `zeros` around `x` and convolve it with the kernel ``name.weight``, (out, in, rows, columns).

        ``name.bias``, (out,), is added if there is one.
        """

    def widening(self, x: T, name: str, stride: int, cut: Edges) -> T:
        """Convolve transposed with ``name.weight``, (in, out, 3, 3), and cut edges off the answer.

        With a stride of 2 the answer is twice as large as `x`, its first row on that of `x`; with 1 it is two
        rows and columns larger.
        """

    def cut(self, x: T, cut: Edges) -> T:
        """Take edges off `x`."""

    def add(self, x: T, y: T) -> T:
        """Add two maps."""

    def relu(self, x: T) -> T:
        """Replace what is negative by 0."""

    def sigmoid(self, x: T) -> T:
        """Map to 0..1."""


class TorchOps:
    """Computes with PyTorch.

    Args:
        kernels: by name.
        device: where to. On ``"cpu"`` the numbers are float32, elsewhere float16.
    """

    def __init__(self, kernels: Kernels, device: str = "cpu") -> None:
        self._torch = require("torch")
        dtype = self._torch.float32 if device == "cpu" else self._torch.float16
        self._kernels = {
            name: self._torch.tensor(kernel, device=device, dtype=dtype) for name, kernel in kernels.items()
        }

    def convolution(self, x: Any, name: str, stride: tuple[int, int], zeros: Edges) -> Any:
        """See `Ops.convolution`."""
        functional = self._torch.nn.functional
        padded = functional.pad(x, (zeros.left, zeros.right, zeros.top, zeros.bottom))
        return functional.conv2d(padded, *self._kernel(name), stride)

    def widening(self, x: Any, name: str, stride: int, cut: Edges) -> Any:
        """See `Ops.widening`."""
        more = int(stride == 2)
        convolve = self._torch.nn.functional.conv_transpose2d
        return self.cut(convolve(x, *self._kernel(name), stride, more, more), cut)

    def cut(self, x: Any, cut: Edges) -> Any:
        """See `Ops.cut`."""
        return x[:, :, cut.top : x.shape[2] - cut.bottom, cut.left : x.shape[3] - cut.right]

    def add(self, x: Any, y: Any) -> Any:
        """See `Ops.add`."""
        return x + y

    def relu(self, x: Any) -> Any:
        """See `Ops.relu`."""
        return self._torch.relu(x)

    def sigmoid(self, x: Any) -> Any:
        """See `Ops.sigmoid`."""
        return self._torch.sigmoid(x)

    def _kernel(self, name: str) -> tuple[Any, Any]:
        return self._kernels[f"{name}.weight"], self._kernels.get(f"{name}.bias")


class OpenvinoOps:
    """Describes a graph for OpenVINO.

    Args:
        kernels: by name; they must outlive the graph, which does not copy them.
    """

    def __init__(self, kernels: Kernels) -> None:
        self._kernels = kernels
        self._ov = require("openvino")
        self._ops = require("openvino.opset13")

    def graph(
        self,
        function: Callable[..., Any],
        shapes: Sequence[Sequence[int]],
        types: Sequence[str] = (),
        gives: str = "f32",
    ) -> Any:
        """Return the ``openvino.Model`` of ``function(ops, *arguments)``.

        Args:
            function: describes the network.
            shapes: of its arguments.
            types: of its arguments, ``"f32"`` or ``"bf16"``; those that are not named are ``"f32"``.
            gives: type of its results.
        """
        kinds = [getattr(self._ov.Type, kind) for kind in (*types, *["f32"] * (len(shapes) - len(types)))]
        arguments = [self._ops.parameter(shape, kind) for shape, kind in zip(shapes, kinds, strict=True)]
        results = function(self, *(self._ops.convert(one, np.float32) for one in arguments))
        results = results if isinstance(results, list) else [results]
        kind = getattr(self._ov.Type, gives)
        return self._ov.Model([self._ops.convert(one, kind) for one in results], arguments)

    def convolution(self, x: Any, name: str, stride: tuple[int, int], zeros: Edges) -> Any:
        """See `Ops.convolution`."""
        begin, end = (zeros.top, zeros.left), (zeros.bottom, zeros.right)
        return self._biased(
            self._ops.convolution(x, self._constant(f"{name}.weight"), stride, begin, end, (1, 1)), name
        )

    def widening(self, x: Any, name: str, stride: int, cut: Edges) -> Any:
        """See `Ops.widening`."""
        more = int(stride == 2)
        y = self._ops.convolution_backprop_data(
            x,
            self._constant(f"{name}.weight"),
            (stride, stride),
            pads_begin=(more + cut.top, more + cut.left),
            pads_end=(more + cut.bottom, more + cut.right),
            output_padding=(more, more),
        )
        return self._biased(y, name)

    def cut(self, x: Any, cut: Edges) -> Any:
        """See `Ops.cut`."""
        if not any(cut):
            return x
        rows, columns = x.shape[2:]
        stop = [rows - cut.bottom, columns - cut.right]
        return self._ops.slice(x, [cut.top, cut.left], stop, [1, 1], [2, 3])

    def add(self, x: Any, y: Any) -> Any:
        """See `Ops.add`."""
        return self._ops.add(x, y)

    def relu(self, x: Any) -> Any:
        """See `Ops.relu`."""
        return self._ops.relu(x)

    def sigmoid(self, x: Any) -> Any:
        """See `Ops.sigmoid`."""
        return self._ops.sigmoid(x)

    def _biased(self, x: Any, name: str) -> Any:
        if f"{name}.bias" not in self._kernels:
            return x
        bias = self._kernels[f"{name}.bias"].reshape(1, -1, 1, 1)
        return self._ops.add(x, self._ov.op.Constant(bias, shared_memory=True))

    def _constant(self, name: str) -> Any:
        return self._ov.op.Constant(self._kernels[name], shared_memory=True)


# --- files -----------------------------------------------------------------------------------------


def save_kernels(kernels: Kernels, path: Path) -> None:
    """Write `kernels` as a safetensors file, whole or not at all; its folder is made.

    Raises:
        ModelUnavailable: it cannot be stored.
    """
    save = require("safetensors.numpy").save_file
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            whole = Path(folder) / path.name
            save(dict(kernels), whole)
            with suppress(PermissionError):  # Windows replaces no file that another process has mapped
                whole.replace(path)
    except (OSError, require("safetensors").SafetensorError) as error:
        raise ModelUnavailable(
            f"The converted weights cannot be stored in {path.parent}: {error}.",
            hint="Make room, or set AVATALK_CACHE to a folder that can be written.",
        ) from error


def map_kernels(path: Path) -> dict[str, Float32Array]:
    """Return what `save_kernels` wrote, read from the disk as it is used.

    The form (safetensors): eight bytes of length, a JSON table of places, the numbers.
    """
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        table = json.loads(file.read(length))
    numbers = np.memmap(path, np.uint8, "c", 8 + length)  # OpenVINO wants what could be written to
    return {
        name: numbers[slice(*entry["data_offsets"])].view(np.float32).reshape(entry["shape"])
        for name, entry in table.items()
        if name != "__metadata__"
    }
