"""What child processes do for the page, see `avatalk.service.helpers`: looking at pictures, and models."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import asdict, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from avatalk import models
from avatalk.errors import AvatalkError, FaceError
from avatalk.events import Monitor, Progress
from avatalk.jobs.inputs import Inputs, local_request, with_names
from avatalk.jobs.storage import Storage
from avatalk.media import UInt8Array
from avatalk.service.tasks import named, preview
from avatalk.workspace import temporary_folder

OnStep = Callable[[dict[str, Any]], None]

MOUTH_FPS = 25
"""Values a second of the curve of the mouth that `speak` tells."""

UPLOADED = "uploaded-weights"
"""What a file is called that is brought to `bring`; messages say otherwise."""

_EXPECTED = ("faces", "open")
"""Rules of `avatalk.avatars.usable` that are no fault of an avatar: several faces, of which one is chosen."""


def wake(_tell: OnStep, storage: str) -> None:
    """Draw a frame that nobody sees, so that the first one that somebody wants comes at once."""
    preview(_tell, Inputs({"text": "1"}, {}), storage, 0.0)


def look(_tell: OnStep, key: str, storage: str, name: str) -> dict[str, Any]:
    """The faces in a picture, or in the first frame of a clip, as ``GET /studio/faces`` tells them.

    Args:
        key: of the file in the storage.
        storage: its URL.
        name: of the file, for messages.

    Raises:
        UnreadableFile: it is neither.
    """
    from avatalk import engines
    from avatalk.avatars.usable import examine
    from avatalk.faces.choose import SMALLEST, choose, size

    with temporary_folder() as folder:
        picture, moves = _open(Storage(storage).fetch(key, Path(folder)))
    height, width = picture.shape[:2]
    found = engines.get("face", "mediapipe").load()(Monitor()).find(picture)
    faces = sorted(
        (face for face in found if size(face) >= SMALLEST), key=lambda face: face.box[0] + face.box[2]
    )
    told: dict[str, Any] = {"name": name, "width": width, "height": height, "clip": moves, "problem": ""}
    told |= {
        "faces": [[round(float(side), 1) for side in face.box] for face in faces],
        "chosen": 0,
        "findings": [],
    }
    try:
        chosen = choose(found, None, (width, height), Monitor())
    except FaceError as error:
        return told | {"problem": f"{error.message} {error.hint}"}
    told["chosen"] = next(number for number, face in enumerate(faces, 1) if face is chosen)
    rules = [finding.rule for finding in examine(picture, [chosen]) if not finding.passed]
    return told | {"findings": [rule for rule in rules if rule not in _EXPECTED]}


def show(_tell: OnStep, key: str, storage: str, height: int) -> bytes:
    """A picture, or the first frame of a clip, as JPEG of at most that height.

    Raises:
        UnreadableFile: it is neither.
    """
    from PIL import Image

    with temporary_folder() as folder:
        picture, _ = _open(Storage(storage).fetch(key, Path(folder)))
    image = Image.fromarray(picture)
    image.thumbnail((4 * height, height))
    out = io.BytesIO()
    image.save(out, format="JPEG", quality=88)
    return out.getvalue()


def _open(path: Path) -> tuple[UInt8Array, bool]:
    """(height, width, 3) uint8 RGB, and whether the file is a clip."""
    from avatalk.avatars.clip import is_clip, open_clip
    from avatalk.avatars.photo import load_photo

    if is_clip(path):
        return next(open_clip(path).frames([0])), True
    return load_photo(path), False


def speak(_tell: OnStep, inputs: Inputs, storage: str, output: str) -> dict[str, Any]:
    """Speak what a video says into a sound file, in the very voice of the video.

    Args:
        inputs: the request of the video.
        storage: URL of the storage where its files are.
        output: path of the file; empty for none.

    Returns:
        ``duration_s``, ``voice``, ``words`` (`avatalk.media.Word`; none where their times are not known),
        ``sentences`` (as they are said, by their numbers; none of SSML), ``mouth`` (how far the lips are
        open, 0..1, `MOUTH_FPS` times a second), ``warnings``.

    Raises:
        AvatalkError: what is wrong with the text, the voice or the recording.
    """
    from avatalk import stages
    from avatalk.speech.correct import said_sentences
    from avatalk.speech.soundfile import write_sound

    monitor, fps = Monitor(), Fraction(MOUTH_FPS)
    with temporary_folder() as folder:
        request, names = local_request(inputs, Storage(storage), Path(folder))
        try:
            avatar = stages.find_avatar(request, monitor)
            speech = stages.find_speech(request, avatar, Path(folder), monitor)
            speech = replace(speech, before=None, splices=())  # whose frames are those of the video
            n_frames = stages.count_frames(speech, fps)
            visemes, _ = stages.find_curves(request, speech, fps, n_frames, monitor)
            if output:
                write_sound(Path(output), speech.audio, monitor)
        except AvatalkError as error:
            raise named(error, names) from None
    return {
        "duration_s": round(speech.audio.duration_s, 3),
        "voice": speech.voice,
        "words": [asdict(word) for word in speech.words or ()],
        "sentences": said_sentences(
            request.text or "", [(one.sentence, one.text) for one in request.corrections]
        ),
        "mouth": [round(float(opening), 2) for opening in visemes.opening],
        "warnings": [with_names(text, names) for text in monitor.warnings],
    }


def keep(_tell: OnStep, key: str, storage: str, name: str) -> None:
    """Keep an avatar that was made from words under a name.

    Raises:
        BadInput: the name will not do, or is taken.
    """
    from avatalk.avatars import kept
    from avatalk.avatars.made import Made, read_made

    with temporary_folder() as folder:
        path = Storage(storage).fetch(key, Path(folder))
        made = read_made(path) or Made(_open(path)[0], "", 0, "photo")
    kept.keep(name, made)


def install(tell: OnStep, name: str, accept_licence: bool) -> list[str]:
    """Install a model; return what the user should know.

    Raises:
        ModelUnavailable: it could not be fetched.
        EngineUnavailable: its licence was not accepted.
    """
    monitor = Monitor(_teller(tell))
    models.install(name, monitor, accept_licence)
    return monitor.warnings


def bring(tell: OnStep, path: str, accept_licence: bool) -> dict[str, Any]:
    """Find out which model a file is, and put it into its place.

    Raises:
        BadInput: it is none.
        EngineUnavailable: its licence was not accepted.
    """
    try:
        found = models.import_file(Path(path), Monitor(_teller(tell)), accept_licence=accept_licence)
    except AvatalkError as error:
        raise named(error, {path: "The file"}) from None
    return {"model": found.model, "what": found.what, "missing": list(found.missing)}


def _teller(tell: OnStep) -> Callable[[Progress], None]:
    def told(progress: Progress) -> None:
        tell({"share": progress.done / progress.total if progress.total else None})

    return told
