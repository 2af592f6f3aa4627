"""Lips by Wav2Lip: a network that redraws the lower face so that it says the sound."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from fractions import Fraction
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from avatalk import early, models
from avatalk.avatars.cutout import laid
from avatalk.errors import AvatalkError
from avatalk.events import Monitor
from avatalk.lipsync import wav2lip_audio as hearing
from avatalk.lipsync.base import Animation, LipSync, Options, Shot
from avatalk.lipsync.wav2lip_blend import Patch, reached_by
from avatalk.lipsync.wav2lip_crop import face_input, paste_rectangle
from avatalk.lipsync.wav2lip_look import REACH, Look, steadied
from avatalk.lipsync.wav2lip_networks import BATCH, ClipFaces, Networks, convert, converted
from avatalk.lipsync.wav2lip_parts import WHOLE, Window
from avatalk.lipsync.wav2lip_places import Pads, Place, Places, find_places
from avatalk.media import Float32Array, UInt8Array
from avatalk.models import runtime
from avatalk.models.manifest import WAV2LIP, WAV2LIP_GAN
from avatalk.workspace import keep, kept

FILES = {"wav2lip": WAV2LIP, "wav2lip-gan": WAV2LIP_GAN}
_VOICED = 0.02  # of a viseme channel; below it the mouth rests
_LINGER = 2  # frames either side of speech in which the lips come and go


@dataclass(frozen=True, slots=True)
class Wav2Lip(LipSync):
    """Wav2Lip and Wav2Lip-GAN, which differ in their weights alone.

    Args:
        checkpoint: the weights, in any form of `avatalk.models.checkpoints`.
        device: one of `avatalk.models.runtime.DEVICES`.
        precision: ``"f32"``, ``"bf16"`` or ``"f16"``; None is the fastest that the device has.
        original: paste the whole rectangle and move in silence, as the original does.
        smooth: steady the boxes in time.
        pads: pixels added to the face's box at the top, bottom, left and right.
        begun: what `ahead` gives, at some time.

    Raises:
        UnreadableFile: the checkpoint is missing, damaged or another model's.
        EngineUnavailable: a package or the device is missing.
    """

    name: ClassVar[str] = "wav2lip"
    checkpoint: Path
    device: str = "auto"
    precision: str | None = None
    original: bool = False
    smooth: bool = True
    pads: Pads = (0, 10, 0, 0)
    begun: Future[Networks] | None = None

    @classmethod
    def configured(cls, engine: str, options: Options, monitor: Monitor) -> Wav2Lip:
        """See `LipSync.configured`; `engine` is ``"wav2lip"`` or ``"wav2lip-gan"``.

        Raises:
            ModelUnavailable: the weights are not here and cannot be fetched.
            CannotRun: their licence forbids the use, or has yet to be accepted.
            EngineUnavailable: the device cannot be used here.
        """
        checkpoint = models.path(engine, FILES[engine], monitor)
        if runtime.choose_device(options.device) == "cpu":
            runtime.warm_up()
        convert(checkpoint, monitor)
        begun = early.take((engine, options.avatar, options.device))
        return cls(checkpoint, options.device, None, options.original, options.smooth, options.pads, begun)

    @classmethod
    def ahead(cls, engine: str, avatar: Path, device: str) -> Callable[[], Networks] | None:
        """See `LipSync.ahead`: networks for the window of the answer that this picture needed last time."""
        try:
            checkpoint, device = models.folder(engine) / FILES[engine], runtime.choose_device(device)
            known = kept("windows", _identity(avatar))
            if known is None or not models.installed(engine) or not converted(checkpoint).exists():
                return None
            if device == "cpu":
                runtime.require("openvino.opset13")  # here, since threads import no faster
        except (OSError, AvatalkError):
            return None
        top, bottom, left, right = known
        window = Window((top, bottom), (left, right))

        def start() -> Networks:
            return Networks.start(checkpoint, device, runtime.fastest_precision(device), window, 1)

        return start

    @property
    def runs_on(self) -> str:
        """See `LipSync.runs_on`."""
        device = runtime.choose_device(self.device)
        return runtime.describe(device, self.precision or runtime.fastest_precision(device))

    def prepare(self, shot: Shot) -> Animation:
        """See `LipSync.prepare`; the shot has its sound."""
        if shot.audio is None:
            raise TypeError("Wav2Lip needs the sound of the shot.")
        places = find_places(shot, self.pads, self.smooth, self.original)
        pasted = reached_by(places.boxes[places.seen], places.outlines[places.seen])
        window = WHOLE if self.original else pasted
        with ThreadPoolExecutor(1) as beside:
            networks = beside.submit(self._start, window, shot)
            mel = hearing.mel_spectrogram(shot.audio.blocks(hearing.SAMPLE_RATE))
            if not self.original:
                mel = _hushed(mel, shot.visemes.values.max(axis=1), shot.fps)
            starts = hearing.window_starts(mel.shape[1], shot.fps, shot.n_frames)
            started = networks.result()
        return Wav2LipAnimation(shot, started, mel, starts, places, self.original, self.smooth)

    def _start(self, window: Window, shot: Shot) -> Networks:
        """Start the networks, unless they were begun already."""
        faces = 1 if shot.pictures is None else BATCH
        if faces == 1 and not self.original and Path(shot.avatar.name).is_file():
            keep("windows", _identity(Path(shot.avatar.name)), bytes([*window.rows, *window.columns]))
        if self.begun is not None and self.begun.exception() is None:
            begun = self.begun.result()
            if (begun.window, begun.faces) == (window, faces):
                return begun
        device = runtime.choose_device(self.device)
        precision = self.precision or runtime.fastest_precision(device)
        return Networks.start(self.checkpoint, device, precision, window, faces)


@dataclass(frozen=True, slots=True)
class _Still:
    """What is the same in all frames of a still: the face's maps, the answer to silence, place and look."""

    maps: list[runtime.Numbers]
    resting: Float32Array
    patch: Patch
    look: Look


@dataclass(frozen=True, slots=True)
class _Answered:
    """A frame whose new mouth is known, and not yet in it.

    Attributes:
        index: of the frame.
        picture: the frame.
        place: of the face; None where there is none.
        answer: of the network; None where there is no face.
        patch: where the mouth goes; None where there is no face, and if the original's paste is wanted.
        look: that the frame would have alone; None for a still, and where there is no patch.
    """

    index: int
    picture: UInt8Array
    place: Place | None = None
    answer: Float32Array | None = None
    patch: Patch | None = None
    look: Look | None = None


@dataclass(slots=True)
class Wav2LipAnimation(Animation):
    """A prepared shot. Each frame has its seat in a batch of fixed shape, hence the same bits always."""

    one_by_one: ClassVar[bool] = False
    shot: Shot
    networks: Networks
    mel: Float32Array
    starts: npt.NDArray[np.int64]
    places: Places
    original: bool
    smooth: bool
    _still: _Still | None = field(init=False, default=None)
    _faces: ClipFaces = field(init=False)
    _picture: UInt8Array | None = field(init=False)

    def __post_init__(self) -> None:
        self._faces = ClipFaces(self.networks.face, self.shot.source)
        picture = self.shot.avatar.picture
        if picture is not None and self.shot.backdrop is not None:
            picture = laid(picture, self.shot.backdrop)
        self._picture = picture
        if self.shot.pictures is None and picture is not None and self.places[0] is not None:
            picture = _colours(picture)
            maps = self.networks.face(face_input(picture, self.places[0].box)[None])
            # One look for all frames, or the skin would flicker with every sound.
            some = np.linspace(0, self.shot.n_frames - 1, BATCH).round().astype(np.int64)
            with ThreadPoolExecutor(1) as beside:
                silent = beside.submit(self.networks.answers, _silence(), maps)
                spoken = self.networks.answers(hearing.windows(self.mel, self.starts[some]), maps)
                patch = self._patch(picture, self.places[0])
                resting = silent.result()
            looks = [patch.look(answer) for answer in spoken]
            colour = np.mean([look.answer for look in looks], axis=0)
            self._still = _Still(maps, resting, patch, looks[0]._replace(answer=colour))

    @property
    def faceless(self) -> list[tuple[float, float]]:
        """Stretches without a face, which pass unchanged: first second, and the one after the last."""
        seen = np.array([self._place(index) is not None for index in range(self.shot.n_frames)])
        edges = np.flatnonzero(np.diff(np.concatenate([[True], seen, [True]]))) / float(self.shot.fps)
        return [(float(start), float(stop)) for start, stop in edges.reshape(-1, 2)]

    def frames(self, start: int, stop: int) -> Iterator[UInt8Array]:
        """See `Animation.frames`."""
        if start == stop:
            return
        reach = REACH if self._still is None and self.smooth and not self.original else 0
        begin, end = max(0, start - reach), min(self.shot.n_frames, stop + reach)
        coming, waiting = self._answered(begin, end), deque[_Answered]()
        looks: list[Look | None] = []  # of frames begin, begin + 1 …
        for index in range(start, stop):
            while begin + len(looks) < min(end, index + reach + 1):
                one = next(coming)
                looks.append(one.look)
                if start <= one.index < stop:
                    waiting.append(one)
            yield self._drawn(waiting.popleft(), looks[max(0, index - reach - begin) :], min(reach, index))

    def _answered(self, start: int, stop: int) -> Iterator[_Answered]:
        """Yield frames `start` to `stop` - 1 and the answers to them, a few batches ahead."""
        pictures = self._pictures(start, stop)
        pending: deque[Future[list[_Answered]]] = deque()
        pool = ThreadPoolExecutor(self.networks.lips.parallel)
        try:
            for first in range(start - start % BATCH, stop, BATCH):
                seats = slice(max(start - first, 0), min(stop - first, BATCH))
                batch = list(islice(pictures, seats.stop - seats.start))
                pending.append(pool.submit(self._batch, first, seats, batch))
                if len(pending) > self.networks.lips.parallel:
                    yield from pending.popleft().result()
            while pending:
                yield from pending.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)

    def _batch(self, first: int, seats: slice, pictures: list[UInt8Array]) -> list[_Answered]:
        """Answer some frames of the batch that begins at `first`; the seats of the others stay empty."""
        start, stop = first + seats.start, first + seats.stop
        mel = _silence()
        mel[seats] = hearing.windows(self.mel, self.starts[start:stop])
        places = [self._place(index) for index in range(start, stop)]
        if self._still is not None:
            maps = self._still.maps
        elif any(places):
            maps = self._faces.maps(
                {seats.start + k: self._entry(start + k) for k, place in enumerate(places) if place},
                lambda seat: _view(pictures[seat - seats.start], places[seat - seats.start]),
            )
        else:
            return [_Answered(index, picture) for index, picture in enumerate(pictures, start)]
        if self._still is not None and (mel == hearing.SILENCE).all():
            answers = self._still.resting
        else:
            answers = self.networks.answers(mel, maps)
        each = zip(range(start, stop), pictures, places, answers[seats], strict=True)
        return [self._measured(*one) for one in each]

    def _measured(
        self, index: int, picture: UInt8Array, place: Place | None, answer: Float32Array
    ) -> _Answered:
        if place is None:
            return _Answered(index, picture)
        if self.original:
            return _Answered(index, picture, place, answer)
        if self._still is not None:
            return _Answered(index, picture, place, answer, self._still.patch)
        patch = self._patch(_colours(picture), place)
        return _Answered(index, picture, place, answer, patch, patch.look(answer))

    def _drawn(self, one: _Answered, looks: Sequence[Look | None], number: int) -> UInt8Array:
        """Put the mouth into a frame, whose look is the one of that number among those around it."""
        if one.place is None or one.answer is None:
            return one.picture
        shown = _colours(one.picture)
        if one.patch is None:
            shown[:] = paste_rectangle(shown, one.place.box, one.answer)
        else:
            look = self._still.look if self._still is not None else steadied(looks, number)
            one.patch.apply(shown, one.answer, look, self._entry(one.index))
        if shown is not one.picture:  # premultiplied colours are no brighter than their alpha
            np.minimum(shown, one.picture[..., 3:], out=shown)
        return one.picture

    def _patch(self, picture: UInt8Array, place: Place) -> Patch:
        return Patch(picture, place.box, place.outline, self.networks.window)

    def _pictures(self, start: int, stop: int) -> Iterator[UInt8Array]:
        if self.shot.pictures is not None:
            yield from self.shot.pictures(start, stop)
        elif self._picture is not None:
            for _ in range(start, stop):
                yield self._picture.copy()

    def _place(self, index: int) -> Place | None:
        return self.places[self._entry(index)]

    def _entry(self, index: int) -> int:
        return 0 if self.shot.source is None else int(self.shot.source[index])


def _view(picture: UInt8Array, place: Place | None) -> Float32Array:
    assert place is not None  # only faces are looked at
    return face_input(_colours(picture), place.box)


def _colours(picture: UInt8Array) -> UInt8Array:
    """The colours of a picture, RGB or RGBA: itself, or a view of it."""
    return picture if picture.shape[2] == 3 else picture[..., :3]


def _silence() -> Float32Array:
    return np.full((BATCH, 1, hearing.BANDS, hearing.COLUMNS), hearing.SILENCE, np.float32)


# --- once for a shot -------------------------------------------------------------------------------


def _identity(avatar: Path) -> str:
    """What stands for the content of a file."""
    return sha256(avatar.read_bytes()).hexdigest()


def _hushed(mel: Float32Array, activity: Float32Array, fps: Fraction) -> Float32Array:
    """Return the spectrogram silent wherever nobody speaks, so that the mouth rests there.

    Args:
        mel: (80, columns).
        activity: (frames,), the strongest viseme channel of each frame.
        fps: frames per second.
    """
    voiced = (activity > _VOICED).astype(np.float64)
    # A frame's neighbours count as well; the bell's foot makes the lips come and go softly.
    reach = np.pad(voiced, _LINGER, mode="edge")
    spread = np.lib.stride_tricks.sliding_window_view(reach, 2 * _LINGER + 1).max(axis=1)
    column_s = np.arange(mel.shape[1]) / hearing.COLUMNS_PER_S
    frame_s = (np.arange(len(spread)) + 0.5) / float(fps)
    gate = np.interp(column_s, frame_s, spread).astype(np.float32)
    return np.asarray(hearing.SILENCE + gate * (mel - hearing.SILENCE), np.float32)
