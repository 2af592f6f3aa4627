"""What the children of `avatalk.service.helpers` do. Each takes first whom it tells of its progress."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any

from avatalk.errors import AvatalkError, BadInput
from avatalk.events import Monitor, Progress
from avatalk.jobs.inputs import Inputs, local_request, with_names
from avatalk.jobs.storage import Storage
from avatalk.pipeline import Plan, plan
from avatalk.workspace import temporary_folder

OnStep = Callable[[dict[str, Any]], None]

_kept: list[
    tuple[Inputs, Plan, ExitStack]
] = []  # the plan of the last preview: the next is often of the same


def preview(
    _tell: OnStep, inputs: Inputs, storage: str, at: float | None, jpeg: bool = False
) -> tuple[bytes, str]:
    """The frame at `at` seconds of the video of a request, as PNG, and its media type.

    Args:
        inputs: the request.
        storage: URL of the storage where its files are.
        at: seconds into the video; None for a moment at which somebody speaks.
        jpeg: JPEG will do, which is written ten times as fast; what is transparent stays PNG.

    Raises:
        BadInput: the video ends before `at`.
        AvatalkError: what is wrong with the request.
    """
    from avatalk.video.picture import write_picture
    from avatalk.video.poster import spoken_frame

    made = _plan(inputs, storage)
    index = spoken_frame(made.visemes, made.motion) if at is None else int(Fraction(at) * made.fps)
    if not 0 <= index < made.n_frames:
        raise BadInput(
            f"There is no frame at {at:g} s.",
            hint=f"The video is {float(made.n_frames / made.fps):.2f} s long.",
            field="at",
        )
    frame = next(made.frames(index, index + 1))
    kind = "jpeg" if jpeg and frame.shape[2] == 3 else "png"
    with temporary_folder() as folder:
        path = Path(folder) / f"frame.{kind}"
        write_picture(path, frame)
        return path.read_bytes(), f"image/{kind}"


def _plan(inputs: Inputs, storage: str) -> Plan:
    if _kept and _kept[0][0] == inputs:
        return _kept[0][1]
    while _kept:
        _kept.pop()[2].close()
    with ExitStack() as undo:
        folder = undo.enter_context(temporary_folder())
        request, names = local_request(inputs, Storage(storage), Path(folder))
        try:
            made = undo.enter_context(plan(request))
        except AvatalkError as error:
            raise named(error, names) from None
        _kept.append((inputs, made, undo.pop_all()))
    return made


def named(error: AvatalkError, names: dict[str, str]) -> AvatalkError:
    """The error with the names of files that the user knows, instead of paths of this machine."""
    error.message, error.hint = (with_names(text, names) for text in (error.message, error.hint))
    return error


def speak(_tell: OnStep, inputs: Inputs, storage: str, output: str) -> dict[str, Any]:
    """Speak the text of a request into a sound file, and tell of it as ``avatalk say --json`` does.

    Args:
        inputs: a request with nothing but what concerns speech.
        storage: URL of the storage where its files are.
        output: path of the file.

    Raises:
        AvatalkError: what is wrong with the text or the voice.
    """
    from avatalk.voiceover import say

    with temporary_folder() as folder:
        request, names = local_request(inputs, Storage(storage), Path(folder))
        how = request.model_dump(include={"voice", "voice_sample", "language", "speed", "pitch"})
        try:
            said = say(request.text or "", output, **how).as_json()
        except AvatalkError as error:
            raise named(error, names) from None
    return said | {"warnings": [with_names(text, names) for text in said["warnings"]]}


def hear(_tell: OnStep, voice: str, output: str) -> None:
    """Let a voice say a sentence into a sound file.

    Raises:
        UnknownName: there is no such voice.
    """
    from avatalk.voicebook import play_voice

    play_voice(voice, output)


def imagine(
    tell: OnStep, description: str, engine: str, seed: int, steps: int, output: str
) -> dict[str, Any]:
    """Make an avatar from a description at `output`, a PNG that carries what it is made of.

    Raises:
        AvatalkError: the description is not understood, or the engine cannot run here.
    """
    from avatalk.avatars.made import make_avatar, write_made

    def show(progress: Progress) -> None:
        if progress.total:
            tell({"done": progress.done / progress.total})

    monitor = Monitor(show)
    made = make_avatar(description, engine=engine, seed=seed, steps=steps, monitor=monitor)
    picture = made.picture
    write_made(Path(output), made)
    return {
        "engine": made.engine,
        "seed": made.seed,
        "warnings": monitor.warnings,
        "width": picture.shape[1],
        "height": picture.shape[0],
    }
