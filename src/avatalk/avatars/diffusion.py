"""Stage 1: the engine that paints a person from words with a text-to-image pipeline of diffusers.

Weights are those that the model manager installed, or a folder that ``AVATALK_DIFFUSION`` names; nothing is
fetched here. A picture that will not do as an avatar is painted again from another seed.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np

from avatalk import engines, models
from avatalk.avatars import diffusion_convert, usable
from avatalk.avatars.diffusion_fast import FastPainter
from avatalk.avatars.diffusion_torch import TorchPainter
from avatalk.avatars.diffusion_words import wrapped
from avatalk.avatars.made import AvatarMaker, Made
from avatalk.errors import CannotRun, EngineUnavailable, FaceError, UnreadableFile
from avatalk.events import Monitor
from avatalk.media import UInt8Array
from avatalk.models import pipelines, runtime
from avatalk.models.loaded import loaded
from avatalk.workspace import kept_or_made

_GUIDED = 0.6
"""Share of the steps, from the first, that are guided; the last ones, which only add detail, gain nothing by
it (Kynkäänniemi et al. 2024, guidance in a limited interval) and cost half as much without."""
TRIES = 5

_APART = 1_000_003  # between the seeds of tries, so that they do not meet those of `--count`
_FORM = 2  # counted up when the same arguments give another picture


class Diffusion(AvatarMaker):
    """Paints a photograph of one person, head and shoulders, facing the camera."""

    name = "diffusion"

    def make(self, prompt: str, seed: int, steps: int, monitor: Monitor) -> Made:
        """Paint until the face will do, at most `TRIES` times."""
        folder = find_folder()
        if diffusion_convert.is_fast(folder):
            steps = min(steps, diffusion_convert.FAST_STEPS)
        identity = identify(folder)
        finder = engines.get("face", "mediapipe").load()(monitor)
        notes: list[str] = []
        best: tuple[str, ...] = ()
        for attempt in range(TRIES):
            own_seed = (seed + attempt * _APART) % 2**63
            told = {"prompt": prompt, "seed": own_seed, "steps": steps, "of": identity, "form": _FORM}
            which = "" if attempt == 0 else f", try {attempt + 1} of {TRIES}"

            def painted(_: str, own_seed: int = own_seed, which: str = which) -> bytes:
                return _packed(*self.paint(folder, identity, prompt, own_seed, steps, which, monitor))

            picture, cut = _unpacked(kept_or_made("painted", json.dumps(told, sort_keys=True), painted))
            against = usable.reasons(usable.examine(picture, finder.find(picture)))
            if not against:
                return Made(picture, prompt, seed, self.name, notes=(*filter(None, [cut]), *notes))
            notes.append(f"Try {attempt + 1} (seed {own_seed}) was painted again: {' '.join(against)}")
            if not best or _nearness(against) < _nearness(best):
                best = against
        raise FaceError(
            f"None of {TRIES} pictures of “{prompt}” will do as an avatar; the closest: {' '.join(best)}",
            hint="Describe one person by face, hair and clothes, without a pose or a scene; or try another"
            " --seed, more --steps, or --engine drawn (--avatar-engine drawn).",
            stage="avatar",
            field="avatar_prompt",
        )

    def paint(
        self, folder: Path, identity: str, prompt: str, seed: int, steps: int, which: str, monitor: Monitor
    ) -> tuple[UInt8Array, str]:
        """Return one picture, whatever face it has, and a warning if the description was too long.

        Args:
            folder: of the pipeline, see `find_folder`.
            identity: of the pipeline, see `identify`.
            prompt: the description.
            seed: of the noise that it begins with, 0 to 2**63 - 1.
            steps: of the scheduler.
            which: try this is, for the progress.
            monitor: told of every step; cancels after one.
        """
        monitor.report("avatar", 0, steps, "steps", "Loading the painter")
        device = runtime.choose_device()
        painter: Painter = loaded((folder, identity, device), lambda: load_painter(folder, device, monitor))
        words, cut = wrapped(prompt, painter.fits)
        guided = 0 if diffusion_convert.is_fast(folder) else max(1, round(_GUIDED * steps))

        def stepped(done: int) -> None:
            monitor.report("avatar", done, steps, "steps", f"Painting the avatar{which}")

        stepped(0)
        try:
            return painter.paint(words, seed, steps, guided, stepped), cut
        except (MemoryError, RuntimeError) as error:
            if not isinstance(error, MemoryError) and "memory" not in str(error):
                raise
            raise CannotRun(
                "The memory does not suffice to paint a picture.",
                hint="Close other programs, or use --engine drawn (--avatar-engine drawn).",
                stage="avatar",
            ) from error


class Painter(Protocol):
    """A pipeline in memory."""

    def fits(self, text: str) -> bool:
        """Whether the pipeline reads all of `text`."""

    def paint(
        self, words: str, seed: int, steps: int, guided: int, stepped: Callable[[int], None]
    ) -> UInt8Array:
        """Return a picture (height, width, 3) uint8 RGB, the same for the same arguments.

        Args:
            words: what to paint.
            seed: of the noise that it begins with, 0 to 2**63 - 1.
            steps: of the scheduler, 1 or more.
            guided: so many steps, from the first, keep away from what is unwanted; 0 where none may.
            stepped: told how many steps are done, after each; what it raises is passed on.
        """


def load_painter(folder: Path, device: str, monitor: Monitor) -> Painter:
    """Return what paints with the pipeline in `folder`: OpenVINO on processors where it can, else PyTorch.

    Raises:
        UnreadableFile: it cannot be loaded, or makes no pictures from words.
    """
    if device == "cpu" and diffusion_convert.can_convert(folder):
        return FastPainter(folder, monitor)
    return TorchPainter(folder, device)


def find_folder() -> Path:
    """Return where the pipeline lies that paints here.

    Raises:
        EngineUnavailable: none is installed; the hint is the command that does it.
        UnreadableFile: a folder was named that holds none.
    """
    if (folder := pipelines.chosen_folder()) is not None:
        pipelines.check(folder)
        return folder
    name = models.one_of(pipelines.PREFIX)
    bare = name.removeprefix(pipelines.PREFIX)
    if not pipelines.is_pipeline(name):
        raise UnreadableFile(
            f"AVATALK_DIFFUSION is {bare}: no folder, and no name of a pipeline.",
            hint=f"Name a folder with a {pipelines.INDEX}, or a pipeline such as {pipelines.USUAL}.",
            stage="avatar",
        )
    if lacking := models.lacking(pipelines.PREFIX):
        raise EngineUnavailable(
            f"The engine diffusion needs the weights of {bare}.",
            hint=f"Run `avatalk models install {lacking}` (Stable Diffusion 2.1: 2.6 GB), or bring a folder:"
            " `avatalk models import FOLDER`.",
            stage="avatar",
            field="avatar_engine",
        )
    return models.path(name, pipelines.INDEX).parent


def identify(folder: Path) -> str:
    """Return what tells this pipeline, as it is now, from any other: names, sizes and times of its files."""
    names = pipelines.wanted(p.relative_to(folder).as_posix() for p in folder.glob("*/*"))
    facts = [(name, (folder / name).stat()) for name in names]
    told = [f"{name} {fact.st_size} {fact.st_mtime_ns}" for name, fact in facts]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]


def _nearness(against: tuple[str, ...]) -> tuple[bool, int]:
    """A picture with a face is nearer than one without, then one with fewer faults."""
    return len(against) == 1 and against[0].startswith("No face"), len(against)


def _packed(picture: UInt8Array, cut: str) -> bytes:
    from PIL import Image

    data = io.BytesIO()
    Image.fromarray(picture).save(data, "PNG")
    return json.dumps(cut).encode() + b"\n" + data.getvalue()


def _unpacked(data: bytes) -> tuple[UInt8Array, str]:
    from PIL import Image

    head, _, png = data.partition(b"\n")
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), np.uint8), str(json.loads(head))
