"""A request becomes a video: the six stages, in order. Every surface calls this and nothing else.

`plan` does all that is done once and is small; after it, any frame is a pure function of the plan and
the frame's index, which previews, parallel segments and resuming rest on.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from threading import Event, Lock
from types import TracebackType

from avatalk import early, engines, stages
from avatalk.compose.wish import read_ground
from avatalk.errors import BadInput
from avatalk.events import Monitor, OnProgress
from avatalk.lipsync.base import Animation, Options
from avatalk.media import Cue, Face, MotionCurve, Result, Speech, UInt8Array, VisemeCurve
from avatalk.request import VideoRequest
from avatalk.scene import Scene, check_scene, set_scene
from avatalk.spec import check_local, keep_sources, portable
from avatalk.speech.frames import frame_at
from avatalk.video.ahead import ahead, side_by_side
from avatalk.video.encode import Captions, encode
from avatalk.video.formats import check_output
from avatalk.video.sidecar import write_captions
from avatalk.workspace import TemporaryFolder, temporary_folder

_DRAWERS = 2  # threads; Python's own lock leaves a third little to do
_SMALL_FACE = 60.0  # pixels between the eyes below which a mouth has too few pixels to look good


@dataclass(slots=True)
class Clock:
    """Wall seconds by stage; drawing and encoding overlap, so they may add up to more than the total."""

    seconds: dict[str, float] = field(default_factory=dict)
    _began: float = field(default_factory=time.perf_counter)
    _lock: Lock = field(default_factory=Lock)

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Count the time spent inside towards `stage`."""
        began = time.perf_counter()
        try:
            yield
        finally:
            with self._lock:
                self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - began

    def each(self, stage: str, frames: Iterator[UInt8Array]) -> Iterator[UInt8Array]:
        """Pass `frames` on and count the time each took to make."""
        while True:
            with self(stage):
                frame = next(frames, None)
            if frame is None:
                return
            yield frame

    def told(self) -> dict[str, float]:
        """Seconds by stage, and the ``total`` since the clock was made."""
        spent = {**self.seconds, "total": time.perf_counter() - self._began}
        return {stage: round(seconds, 3) for stage, seconds in spent.items()}


@dataclass(slots=True)
class Plan:
    """A video that is decided in full and not yet drawn. Close it, or use it in a ``with`` block.

    Attributes:
        request: what was asked for.
        width: of the frames, pixels.
        height: of the frames, pixels.
        fps: frames per second, exact.
        n_frames: number of frames; they cover the whole speech and at most one frame more.
        speech: sound, and phonemes and words where known.
        visemes: what the mouth does in each frame.
        motion: what head, lids and eyes do in each frame.
        captions: what they say and when, if any are wanted and the words are known.
        face: the chosen face in pixels of the frame, where it is first seen; None for a drawn avatar.
        engines: stage → engine that runs it.
        warnings: what the user should know.
        clock: wall seconds by stage so far.
    """

    request: VideoRequest
    width: int
    height: int
    fps: Fraction
    n_frames: int
    speech: Speech
    visemes: VisemeCurve
    motion: MotionCurve
    captions: tuple[Cue, ...]
    face: Face | None
    engines: dict[str, str]
    warnings: list[str]
    clock: Clock
    _animation: Animation
    _scene: Scene
    _folder: TemporaryFolder

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[UInt8Array]:
        """Yield frames `start` to `stop` - 1; the same bits whoever asks.

        Each is (height, width, 3) uint8 RGB; with a transparent background, (height, width, 4) premultiplied
        RGBA.

        Raises:
            BadInput: the range is not within 0 and `n_frames`.
        """
        stop = self.n_frames if stop is None else stop
        if not 0 <= start <= stop <= self.n_frames:
            raise BadInput(
                f"Frames {start} to {stop} are not in this video.",
                hint=f"It has frames 0 to {self.n_frames}.",
            )
        return self._scene.frames(self._animation, start, stop)

    def drawn(self, start: int = 0, stop: int | None = None) -> Iterator[UInt8Array]:
        """Yield what `frames` does, made ahead of its use by other threads."""
        stop = self.n_frames if stop is None else stop
        if not self._scene.one_by_one(self._animation):
            return ahead(self.clock.each("lipsync", self.frames(start, stop)))

        def draw(index: int) -> UInt8Array:
            with self.clock("lipsync"):
                return next(self.frames(start + index, start + index + 1))

        return side_by_side(draw, stop - start, _DRAWERS)

    def source_pictures(self, start: int, stop: int) -> Iterator[UInt8Array]:
        """Yield what frames `start` to `stop` - 1 of a clip were before the lips were redrawn, on the canvas.

        Raises:
            BadInput: the avatar is not a clip.
        """
        if self._scene.shot.pictures is None:
            raise BadInput("Only a clip has source pictures.", hint="The frames of a still differ from one.")
        return self._scene.shot.pictures(start, stop)

    def cuts(self) -> list[int]:
        """Frames that lie between two sentences of a text, as it was before its corrections."""
        return [frame_at(joint, self.fps) for joint in (self.speech.before or self.speech).joints]

    def trace(self, start: int, stop: int) -> str | None:
        """A hash of what frames `start` to `stop` - 1 depend on besides the request without its words.

        Stretches of videos that differ in their words alone have the same frames if it is the same; None
        where nobody knows.
        """
        traces = self._scene.traces(self._animation, start, stop)
        if traces is None:
            return None
        digest = hashlib.sha256()
        for trace in traces:
            digest.update(f"{len(trace)} ".encode() + trace)
        return digest.hexdigest()

    def close(self) -> None:
        """Remove the temporary files."""
        self._folder.cleanup()

    def __enter__(self) -> Plan:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def plan(
    request: VideoRequest, *, on_progress: OnProgress | None = None, cancel: Event | None = None
) -> Plan:
    """Decide everything about a video that is decided once.

    Args:
        request: what to make.
        on_progress: called with every step; may raise to stop.
        cancel: set it from any thread to stop.

    Raises:
        AvatalkError: what is wrong, where, and what to do.
    """
    monitor = Monitor(on_progress, cancel or Event())
    return _plan(request, monitor)


def render(
    request: VideoRequest,
    output: str | Path,
    *,
    on_progress: OnProgress | None = None,
    cancel: Event | None = None,
) -> Result:
    """Make the video of `request` at `output` (an ``.mp4``), or nothing.

    Args:
        request: what to make.
        output: path of the file; an existing one is replaced once the new one is complete.
        on_progress: called with every step; may raise to stop.
        cancel: set it from any thread to stop.

    Returns:
        What was made, by which engines, in which time, and what would make it better.

    Raises:
        AvatalkError: what is wrong, where, and what to do; no partial file is left.
    """
    output = Path(output)
    monitor = Monitor(on_progress, cancel or Event())
    transparent = read_ground(request.background).kind == "transparent"
    check_output(output, transparent=transparent, ways=request.captions)
    keep_sources(request, output)
    with _plan(request, monitor) as made:
        # 6 encode, which draws the frames of stage 4 as it goes
        with made.clock("encode"):
            encode(
                output,
                made.drawn(),
                made.n_frames,
                made.fps,
                (made.width, made.height),
                made.speech.audio,
                quality=request.quality,
                comment=portable(request, output.parent),
                monitor=monitor,
                transparent=transparent,
                captions=Captions(made.captions, made.speech.language)
                if "soft" in request.captions and made.captions
                else None,
            )
        captions = write_captions(request.captions, made.captions, output) if made.captions else []
        return Result(
            path=str(output),
            duration_s=float(made.n_frames / made.fps),
            frames=made.n_frames,
            fps=str(made.fps),
            width=made.width,
            height=made.height,
            engines=made.engines,
            seconds=made.clock.told(),
            warnings=monitor.warnings,
            better=better(made),
            captions=[str(path) for path in captions],
            captions_in=[way for way in ("burn", "soft") if way in request.captions and made.captions],
        )


def preview(request: VideoRequest, at: float, *, on_progress: OnProgress | None = None) -> UInt8Array:
    """Return the frame shown at `at` seconds, (height, width, 3) uint8 RGB: the same bits as in the video.

    Raises:
        BadInput: the video ends before `at`.
        AvatalkError: what is wrong, where, and what to do.
    """
    with _plan(request, Monitor(on_progress)) as made:
        index = int(Fraction(at) * made.fps) if math.isfinite(at) else -1
        if not 0 <= index < made.n_frames:
            raise BadInput(
                f"There is no frame at {at:g} s.",
                hint=f"The video is {float(made.n_frames / made.fps):.2f} s long.",
                field="at",
            )
        return next(made.frames(index, index + 1))


def _plan(request: VideoRequest, monitor: Monitor) -> Plan:
    clock = Clock()
    check_local(request)
    engines.get("lipsync", request.engine)  # an unknown name is told before any work
    check_scene(request, monitor)
    folder = temporary_folder()
    with ExitStack() as undo:
        undo.callback(folder.cleanup)
        undo.callback(early.forget)
        engines.begin_lips(request.engine, request.avatar, request.device)

        # 1 avatar
        with clock("avatar"):
            monitor.report("avatar")
            avatar = stages.find_avatar(request, monitor)
            stages.tell_ignored(request, avatar, monitor)
            engine = engines.get("lipsync", request.engine, takes=avatar.kind)
            # What it lacks is told now, not after the speech and the faces.
            options = Options(
                request.device, request.paste == "original", request.smooth, request.pads, request.avatar
            )
            lipsync = engine.load().configured(engine.name, options, monitor)

        # 2 speech
        with clock("speech"):
            monitor.report("speech")
            speech = stages.find_speech(request, avatar, Path(folder.name), monitor)
            fps = stages.frame_rate(request, avatar)
            n_frames = stages.count_frames(speech, fps)

        # 3 face
        with clock("face"):
            source = stages.source_frames(request, avatar, fps, n_frames)
            faces = stages.find_faces(request, avatar, source, monitor)

        # 4 lip-sync: curves now, frames when they are asked for
        with clock("lipsync"):
            monitor.report("lipsync")
            curves = stages.find_curves(request, speech, fps, n_frames, monitor)

        # 5 compose
        with clock("compose"):
            monitor.report("compose")
            scene = set_scene(request, avatar, faces, source, speech, fps, curves, monitor)
            shot = scene.shot

        with clock("lipsync"):
            monitor.report("lipsync", message=f"Preparing {engine.name}")
            animation = lipsync.prepare(shot)
            stages.check_faces(request.strict_faces, animation.faceless, monitor)
        undo.pop_all()
    used = {
        "avatar": avatar.engine or {"drawn": "gallery", "still": "photo"}.get(avatar.kind, avatar.kind),
        "speech": f"{speech.engine} {speech.voice}" if speech.voice else "recording",
        **({} if faces is None else {"face": faces.engine}),
        "lipsync": " ".join(filter(None, (engine.name, lipsync.runs_on))),
        **({"compose": scene.matting} if scene.matting else {}),
        "encode": "pyav",
    }
    return Plan(
        request=request,
        width=shot.width,
        height=shot.height,
        fps=fps,
        n_frames=n_frames,
        speech=speech,
        visemes=shot.visemes,
        motion=shot.motion,
        captions=scene.captions,
        face=None if shot.track is None else next(filter(None, shot.track.faces), None),
        engines=used,
        warnings=monitor.warnings,
        clock=clock,
        _animation=animation,
        _scene=scene,
        _folder=folder,
    )


def better(made: Plan) -> list[str]:
    """What would improve this very video, each with how to get it."""
    from avatalk.avatars.made import better as better_avatar

    ideas = list(made.speech.better)
    if made.speech.engine == "espeak":
        ideas.append("A recording sounds more natural than the embedded voice: --audio speech.mp3")
        if command := engines.get("speech", "piper").to_get():
            ideas.append(f"So does a neural voice, see docs/speech.md: {command}")
    ideas += better_avatar(made.engines["avatar"])
    if made.request.quality != "high":
        ideas.append("Finer picture and sound, at the price of time: --quality high")
    if made.face is not None and made.face.eye_distance < _SMALL_FACE:
        ideas.append("The face is small in the picture: crop it closer, or use a larger picture.")
    return ideas
