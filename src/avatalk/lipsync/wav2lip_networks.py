"""Wav2Lip's network, ready to run: its weights converted once, and started from there without PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from avatalk.events import Monitor
from avatalk.lipsync import wav2lip_parts as parts
from avatalk.lipsync.wav2lip_audio import BANDS, COLUMNS
from avatalk.lipsync.wav2lip_crop import FACE_SIZE
from avatalk.media import Float32Array
from avatalk.models import graphs, runtime

BATCH = 4
"""Frames that are computed together. More at once gain little: 2 % at 8."""
KEPT_BYTES = 200_000_000
"""Most memory for what is kept of a clip that is shown again: some seven seconds of it."""


@dataclass(frozen=True, slots=True)
class Networks:
    """The two parts of the network.

    Attributes:
        face: (n, 6, 96, 96) → the face's maps, in the network's own precision; n is 1 for a still, else
            `BATCH`.
        lips: (`BATCH`, 1, 80, 16), maps → (`BATCH`, 3, rows, columns).
        window: of the answer that is computed.
        faces: 1 for a still, else `BATCH`.
    """

    face: runtime.Network
    lips: runtime.Network
    window: parts.Window
    faces: int

    @classmethod
    def start(
        cls, checkpoint: Path, device: str, precision: str, window: parts.Window, faces: int
    ) -> Networks:
        """Start the network, converting its weights first if that was not done before.

        Args:
            checkpoint: the weights, in any form of `avatalk.models.checkpoints`.
            device: ``"cpu"``, ``"cuda"`` or ``"mps"``.
            precision: ``"f32"`` or ``"bf16"``; of no consequence on graphics cards.
            window: of the answer that is wanted.
            faces: 1 for a still, else `BATCH`.
        """
        kernels = graphs.map_kernels(convert(checkpoint, Monitor()))
        face_maps, lips = (partial(part, window=window) for part in (parts.face_maps, parts.lips))
        if device != "cpu":
            ops = graphs.TorchOps(kernels, device)
            face, mouth = (runtime.torch_network(partial(part, ops), device) for part in (face_maps, lips))
            return cls(face, mouth, window, faces)
        graph = graphs.OpenvinoOps(kernels).graph
        of_face = graph(face_maps, [(faces, 6, FACE_SIZE, FACE_SIZE)], gives=precision)
        maps = [list(output.shape) for output in of_face.outputs]
        types = ["f32", *[precision] * len(maps)]
        of_lips = graph(lips, [(BATCH, 1, BANDS, COLUMNS), *maps], types)
        with ThreadPoolExecutor(2) as both:
            face, mouth = both.map(lambda one: runtime.compiled(one, precision), (of_face, of_lips))
        return cls(face, mouth, window, faces)

    def answers(self, mel: Float32Array, maps: list[runtime.Numbers]) -> Float32Array:
        """Return what faces look like that say something, (`BATCH`, 3, rows, columns) BGR, 0..1."""
        (answers,) = self.lips(mel, *maps)
        return np.asarray(answers, np.float32)


class ClipFaces:
    """The maps of a clip's faces. Of frames that are shown more than once they are kept, within `KEPT_BYTES`.

    Args:
        network: `Networks.face`.
        source: (frames,) int64, which frame of the clip each frame of the video shows; None for a still.
    """

    def __init__(self, network: runtime.Network, source: npt.NDArray[np.int64] | None) -> None:
        self._network = network
        self._repeated = np.bincount([] if source is None else source) > 1
        self._kept: dict[int, list[runtime.Numbers]] = {}

    def maps(self, seats: Mapping[int, int], view: Callable[[int], Float32Array]) -> list[runtime.Numbers]:
        """Return the maps of a batch of faces; what they are in empty seats is of no meaning.

        Args:
            seats: for each seat of the batch that is taken, the frame of the clip.
            view: gives the network's view of the face in a seat, (6, 96, 96).
        """
        if all(number in self._kept for number in seats.values()):
            known = [self._kept[seats.get(seat, next(iter(seats.values())))] for seat in range(BATCH)]
            return [np.stack(level) for level in zip(*known, strict=True)]
        faces = np.zeros((BATCH, 6, FACE_SIZE, FACE_SIZE), np.float32)
        for seat in seats:
            faces[seat] = view(seat)
        maps = self._network(faces)
        room = KEPT_BYTES // sum(level[0].nbytes for level in maps)
        for seat, number in seats.items():
            if self._repeated[number] and len(self._kept) < room:
                self._kept[number] = [level[seat].copy() for level in maps]
        return maps


def converted(checkpoint: Path) -> Path:
    """Return where the fast form of the weights lies, or would."""
    return runtime.converted(checkpoint, "wav2lip.safetensors")


def convert(checkpoint: Path, monitor: Monitor) -> Path:
    """Return where the fast form of the weights lies; it is made if it is not there.

    Args:
        checkpoint: in any form of `avatalk.models.checkpoints`.
        monitor: told when there is something to do.

    Raises:
        UnreadableFile: the checkpoint is missing, damaged or another model's.
        EngineUnavailable: PyTorch, which reads it, is missing.
    """
    path = converted(checkpoint)
    if not path.exists():
        monitor.report("lipsync", message=f"Converting {checkpoint.name}, once")
        # Imported here: once converted, the network starts without PyTorch, whose import takes seconds.
        runtime.require("torch")
        from avatalk.lipsync.wav2lip_net import Wav2LipNet, kernels
        from avatalk.models.checkpoints import load_weights

        net = Wav2LipNet().eval()
        load_weights(net, checkpoint, "wav2lip")
        graphs.save_kernels(kernels(net), path)
    return path
