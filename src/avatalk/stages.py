"""The stages of the pipeline, each from what it is given to what it hands on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt

from avatalk import engines
from avatalk.avatars.edit import Edit
from avatalk.avatars.sources import describe_avatar, open_avatar
from avatalk.errors import FaceError, SpeechError
from avatalk.events import Monitor
from avatalk.lipsync import listen
from avatalk.lipsync.motion import motion_curve, swing
from avatalk.lipsync.splice import spliced_motion, spliced_visemes
from avatalk.lipsync.visemes import from_phonemes
from avatalk.media import Avatar, FaceTrack, MotionCurve, Speech, UInt8Array, VisemeCurve
from avatalk.request import MAX_FPS, MIN_FPS, VideoRequest
from avatalk.speech.audio import open_audio
from avatalk.speech.frames import frame_count
from avatalk.video.ahead import ahead

Boxes = tuple[tuple[int, int, int, int] | None, ...]

_DEFAULT_FPS = Fraction(25)
_LYING = 1.0  # radians by which the line of the eyes is turned
_MANY = 8  # stretches without a face that a message names
_TRANSCRIPT = "Lips close exactly, and captions have times, where the words are known: --transcript words.txt"
_LEAST_SPEECH_S = 0.15  # in a recording; the shortest words take longer


@dataclass(frozen=True, slots=True)
class Faces:
    """What stage 3 makes: the face in every source frame, in pixels of the edited source picture."""

    engine: str
    track: FaceTrack
    boxes: Boxes | None = None


def find_avatar(request: VideoRequest, monitor: Monitor) -> Avatar:
    """Stage 1: the drawn character, or the first picture after the request's edits."""
    if request.avatar_prompt is not None:
        avatar = describe_avatar(request.avatar_prompt, request.avatar_engine, request.seed, monitor)
    else:
        avatar = open_avatar(request.avatar, monitor)
    if avatar.picture is None:
        return avatar
    clip = None if request.static else avatar.clip
    edit = edit_of(request)
    cutout = None if avatar.cutout is None else edit(avatar.cutout)
    return replace(avatar, picture=edit(avatar.picture), cutout=cutout, clip=clip)


def tell_ignored(request: VideoRequest, avatar: Avatar, monitor: Monitor) -> None:
    """Warn of options that have no effect on this avatar or this speech."""
    given = request.model_fields_set
    idle = {
        "an avatar that is not made from words": {"avatar_engine"}
        if request.avatar_prompt is None
        else set(),
        "a recording": {"voice", "voice_sample", "speed", "pitch"} if request.text is None else set(),
        "a recording without --transcript": {"language"}
        if request.text is None and request.transcript is None
        else set(),
        "a drawn avatar": {"face", "faces", "box", "crop", "rotate", "resize_factor", "matting"}
        if avatar.drawn
        else set(),
        "a picture with transparency": {"matting"} if avatar.cutout is not None else set(),
        "a picture": {"loop", "static", "strict_faces"}
        if avatar.clip is None and not request.static
        else set(),
        "--background keep": {"matting", "fit"} if request.background == "keep" else set(),
        "--size": {"aspect"} if request.size is not None else set(),
    }
    for what, names in idle.items():
        if ignored := sorted(names & given):
            options = ", ".join(f"--{name.replace('_', '-')}" for name in ignored)
            monitor.warn(f"{options} {'has' if len(ignored) == 1 else 'have'} no effect with {what}.")


def edit_of(request: VideoRequest) -> Edit:
    """What the request says to do to every source picture."""
    return Edit(request.resize_factor, request.rotate, request.crop)


def find_speech(request: VideoRequest, avatar: Avatar, folder: Path, monitor: Monitor) -> Speech:
    """Stage 2: the recording, or the text spoken into files in `folder`."""
    sex = avatar.character.sex if avatar.character is not None else ""
    if request.text is None:
        assert request.audio is not None  # the request holds exactly one of both
        audio = open_audio(request.audio, monitor)
        if request.transcript is None:
            return Speech(audio, better=(_TRANSCRIPT,))
        from avatalk.speech.align import recorded

        return recorded(audio, request.transcript, request.language, monitor)
    # All that reads and speaks texts takes a while to import.
    from avatalk.speech.perform import perform
    from avatalk.speech.synthesis import Changes

    return perform(
        request.text,
        folder,
        monitor,
        voice=request.voice,
        sample=request.voice_sample,
        language=request.language,
        speed=request.speed,
        pitch=request.pitch,
        sex=sex,
        changes=Changes(
            {correction.sentence: correction.text for correction in request.corrections},
            frame_rate(request, avatar),
        ),
    )


def frame_rate(request: VideoRequest, avatar: Avatar) -> Fraction:
    """Frames per second: the request's, else the clip's own, else 25."""
    own = avatar.clip.fps if avatar.clip is not None else _DEFAULT_FPS
    return request.fps or min(max(own, Fraction(MIN_FPS)), Fraction(MAX_FPS))


def count_frames(speech: Speech, fps: Fraction) -> int:
    """Frames of the video of `speech`: they cover it, and less than one frame more."""
    first = speech.before or speech
    more = sum(splice.frames - (splice.stop - splice.start) for splice in speech.splices)
    return frame_count(first.audio.duration_s, first.audio.sample_rate, fps) + more


def source_frames(
    request: VideoRequest, avatar: Avatar, fps: Fraction, n_frames: int
) -> npt.NDArray[np.int64] | None:
    """Which frame of the clip is shown in each output frame; None for a still."""
    if avatar.clip is None:
        return None
    from avatalk.avatars.clip import schedule

    return schedule(avatar.clip, fps, n_frames, request.loop)


def find_faces(
    request: VideoRequest, avatar: Avatar, source: npt.NDArray[np.int64] | None, monitor: Monitor
) -> Faces | None:
    """Stage 3: the face to animate, in the still or in every frame of the clip that is used."""
    if avatar.picture is None:
        return None
    monitor.report("face")
    height, width = avatar.picture.shape[:2]
    name = "mediapipe" if request.faces == "auto" else engines.get("face", request.faces).name
    finder = engines.get("face", "mediapipe").load()(monitor)

    def pictures() -> Iterator[UInt8Array]:
        if source is None:
            yield avatar.picture  # type: ignore[misc]
        else:
            yield from map(edit_of(request), avatar.clip.frames(range(int(source.max()) + 1)))  # type: ignore[union-attr]

    if source is None:
        from avatalk.faces.choose import choose

        face = choose(finder.find(avatar.picture), request.face, (width, height), monitor)
        if abs(face.roll) > _LYING:
            monitor.warn("The face lies on its side: turn the picture, or give --rotate.")
        track = FaceTrack((face,))
    else:
        from avatalk.faces.track import track_faces

        track = track_faces(ahead(pictures()), finder, request.face, (width, height), monitor)
    boxes: Boxes | None = None
    if request.box is not None:
        left, top, right, bottom = request.box
        boxes = ((left, top, right, bottom),) * len(track.faces)
    elif name == "s3fd":
        from avatalk.faces.boxes import find_boxes

        boxes = find_boxes(
            ahead(pictures()), engines.get("face", "s3fd").load().configured(request.device, monitor), monitor
        )
    return Faces(name, track, boxes)


def find_curves(
    request: VideoRequest, speech: Speech, fps: Fraction, n_frames: int, monitor: Monitor
) -> tuple[VisemeCurve, MotionCurve]:
    """Stage 4, first half: what mouth and head do in each frame."""
    rate = float(fps)
    if speech.phonemes is None:
        heard = listen.analyse(speech.audio, rate, n_frames, monitor)
        if heard.voiced_fraction * speech.audio.duration_s < _LEAST_SPEECH_S:
            raise SpeechError(
                f"Nobody speaks in {request.audio}.",
                hint="Use a recording of a voice, without music, louder than the noise around it.",
                stage="lipsync",
                field="audio",
            )
        visemes, loudness = heard.visemes, heard.loudness
    else:
        if speech.before is not None:
            return _spliced_curves(request, speech, speech.before, fps)
        visemes = from_phonemes(speech.phonemes, rate, n_frames)
        loudness = listen.loudness(speech.audio, rate, n_frames)
    return visemes, motion_curve(loudness, rate, seed=request.seed, still=request.still)


def _spliced_curves(
    request: VideoRequest, speech: Speech, before: Speech, fps: Fraction
) -> tuple[VisemeCurve, MotionCurve]:
    """The curves before the corrections of `speech`, and other rows in their places."""
    rate, n_frames = float(fps), count_frames(before, fps)
    visemes = from_phonemes(before.phonemes or (), rate, n_frames)
    loudness = listen.loudness(before.audio, rate, n_frames)
    motion = swing(loudness, rate, seed=request.seed, still=request.still)
    return (
        spliced_visemes(visemes, before.phonemes or (), speech.splices),
        spliced_motion(motion, loudness, speech.splices, rate, still=request.still),
    )


def check_faces(strict: bool, faceless: Sequence[tuple[float, float]], monitor: Monitor) -> None:
    """Tell of the stretches of a clip without a face, or refuse them.

    Raises:
        FaceError: there are some, and the request is strict.
    """
    if not faceless:
        return
    where = ", ".join(f"{start:.2f} to {stop:.2f} s" for start, stop in faceless[:_MANY])
    if len(faceless) > _MANY:
        where += f" and {len(faceless) - _MANY} more stretches"
    if strict:
        raise FaceError(
            f"The face is not seen from {where}.",
            hint="Use another clip, or leave out --strict-faces: such frames then pass unchanged.",
            stage="face",
            field="avatar",
        )
    monitor.warn(f"The face is not seen from {where}: these frames pass unchanged.")
