"""The types that travel between stages: what they hold, in which units, shapes and channel orders.

Pictures are RGB, uint8, (height, width, 3). Coordinates are pixels, x to the right, y downwards, the
centre of the top left pixel at (0.5, 0.5). Times are seconds, angles radians. Sound is float32 in -1..1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from avatalk.avatars.clip import Clip
    from avatalk.speech.audio import AudioClip

UInt8Array = npt.NDArray[np.uint8]
Float32Array = npt.NDArray[np.float32]

CONTAINERS = (
    *(
        "mov",
        "matroska",
        "avi",
        "mpegts",
        "mpeg",
        "flv",
        "asf",
        "ogg",
        "gif",
        "apng",
        "mxf",
        "nut",
        "rm",
        "dv",
    ),
    *("ivf", "h264", "hevc", "obu", "m4v", "mpegvideo", "mjpeg", "yuv4mpegpipe", "vc1", "nsv", "wtv", "3g2"),
    *("wav", "w64", "aiff", "au", "caf", "flac", "mp3", "aac", "ac3", "eac3", "dts", "amr", "amrnb", "amrwb"),
    *("wv", "tta", "ape", "loas", "voc", "sox", "ircam", "mpc", "mpc8", "dsf", "tak", "truehd", "gsm"),
)
"""FFmpeg's names of what is read: files complete in themselves. Playlists, session descriptions and lists of
files are not among them, nor numbered pictures, text drawn as pictures, or devices."""


def reading() -> dict[str, Any]:
    """How `av.open` opens a file that somebody gave: it reads that one, and neither another nor the network.

    Tags in other encodings than UTF-8 are no reason to refuse it, which PyAV needs to be told before 19.
    """
    import av

    options = {"protocol_whitelist": "none", "format_whitelist": ",".join(CONTAINERS)}
    tags = {"metadata_errors": "replace"} if int(av.__version__.split(".")[0]) < 19 else {}
    return {"mode": "r", "options": options, **tags}


# --- sound -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Phoneme:
    """One phoneme as spoken. `symbol` is IPA without stress marks; a pause has the symbol ``""``."""

    symbol: str
    start_s: float
    end_s: float
    stressed: bool = False


@dataclass(frozen=True, slots=True)
class Word:
    """One word as written in the text, with the time at which it is spoken.

    Attributes:
        text: with the punctuation that touches it.
        start_s: when it is spoken.
        end_s: until when.
        sentence: number of its sentence, from 0.
        apart: whether a space is written before it where its script, or that of the word before, has none.
    """

    text: str
    start_s: float
    end_s: float
    sentence: int = 0
    apart: bool = False


@dataclass(frozen=True, slots=True)
class Cue:
    """A caption shown from `start_s` to `end_s`: one or two lines of text."""

    start_s: float
    end_s: float
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Splice:
    """A stretch of a video that another sentence takes the place of. Frames are those before the correction.

    Attributes:
        start: first frame that is replaced.
        stop: the frame after the last one; what follows moves by ``frames - (stop - start)``.
        frames: number of frames that take their place.
        speech: what is said there, alone: its times count from its own beginning.
        begin_s: when that begins, before the correction.
    """

    start: int
    stop: int
    frames: int
    speech: Speech
    begin_s: float


@dataclass(frozen=True, slots=True)
class Speech:
    """What stage 2 makes.

    Attributes:
        audio: the sound, in a file, read block by block.
        phonemes: in time order, or None when only the sound is known (a recording).
        words: in time order, or None likewise.
        voice: name of the voice that speaks; empty for a recording.
        engine: name of the engine that spoke, likewise.
        language: of the words, BCP-47; empty where it is not known.
        better: what would make it sound better, each with how to get it.
        joints: the middle of each pause between sentences, seconds.
        before: what it was before its corrections; None if it has none.
        splices: its corrections, in order and apart.
    """

    audio: AudioClip
    phonemes: Sequence[Phoneme] | None = None
    words: Sequence[Word] | None = None
    voice: str = ""
    engine: str = ""
    language: str = ""
    better: tuple[str, ...] = ()
    joints: tuple[float, ...] = ()
    before: Speech | None = None
    splices: tuple[Splice, ...] = ()


# --- pictures and faces ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Face:
    """One face in one picture.

    Attributes:
        box: x0, y0, x1, y1 of the face (brows to chin, ear to ear), pixels.
        landmarks: (478, 3) float32: x, y in pixels, z in pixels with the same scale, smaller is nearer.
            The 468 points of the MediaPipe face mesh, lips and eyes refined, then 5 points per iris.
        score: detector's confidence, 0..1.
    """

    box: tuple[float, float, float, float]
    landmarks: Float32Array
    score: float

    @property
    def eye_distance(self) -> float:
        """Pixels between the outer corners of the eyes (points 33 and 263): the yardstick of all sizes."""
        return float(np.linalg.norm(self.landmarks[33, :2] - self.landmarks[263, :2]))

    @property
    def roll(self) -> float:
        """Radians by which the line of the eyes is turned, positive clockwise on the picture."""
        dx, dy = self.landmarks[263, :2] - self.landmarks[33, :2]
        return float(np.arctan2(dy, dx))


@dataclass(frozen=True, slots=True)
class FaceTrack:
    """The chosen face in every source frame (one entry for a still); None where it is not seen."""

    faces: Sequence[Face | None]


@dataclass(frozen=True, slots=True)
class Avatar:
    """What stage 1 makes: a photograph or clip (`picture`) or a drawn character (`character`), never both.

    Attributes:
        name: as the user gave it.
        picture: (height, width, 3) uint8 RGB, upright, alpha already laid on a plain ground; None if drawn.
        character: the drawn character with its rig (`avatalk.avatars.artist`); None for a photograph.
        clip: the clip whose first frame `picture` is; None for a still.
        engine: that made it from words; empty for any other.
        cutout: (height, width, 4) uint8 premultiplied RGBA, the picture without its background, of a file
            that has none; None for any other.
    """

    name: str
    picture: UInt8Array | None = None
    character: Any = None
    clip: Clip | None = None
    engine: str = ""
    cutout: UInt8Array | None = None

    @property
    def drawn(self) -> bool:
        """Whether this is a drawn character."""
        return self.character is not None

    @property
    def kind(self) -> str:
        """``drawn``, ``still`` or ``clip``: what a lip-sync engine must be able to move."""
        return "drawn" if self.drawn else "still" if self.clip is None else "clip"


# --- movement --------------------------------------------------------------------------------------

VISEME_CHANNELS = ("open", "closed", "wide", "round", "teeth", "tongue")
MOTION_CHANNELS = ("yaw", "pitch", "roll", "blink", "brow", "gaze_x", "gaze_y", "breath")


@dataclass(frozen=True, slots=True)
class VisemeCurve:
    """What the mouth does, one row per output frame: the common language of stage 4.

    Attributes:
        values: (frames, 6) float32 in 0..1, columns as in `VISEME_CHANNELS`:

            - ``open``: gap between the lips; 0 resting shut, 1 the widest that speech uses (stressed /a/).
            - ``closed``: lips pressed together (p, b, m); where it is 1, ``open`` is 0.
            - ``wide``: corners drawn apart (i, e, s).
            - ``round``: corners drawn in and lips pushed out (o, u, w, sh).
            - ``teeth``: lower lip raised to the upper teeth (f, v); ``open`` is small there.
            - ``tongue``: tip of the tongue raised to the teeth and seen (th, l, d, n, t).

            A row of zeros is the mouth at rest, shut.
        fps: frames per second.
    """

    values: Float32Array
    fps: float

    @property
    def opening(self) -> Float32Array:
        """(frames,) float32: what a tape measure between the lips should follow, 0..1."""
        return self.values[:, 0]


@dataclass(frozen=True, slots=True)
class MotionCurve:
    """What head, lids and eyes do, one row per output frame.

    Attributes:
        values: (frames, 8) float32, columns as in `MOTION_CHANNELS`: ``yaw``, ``pitch``, ``roll`` in
            radians (positive: turned to the right of the picture, nodding down, tilted clockwise);
            ``blink`` 0 open to 1 shut; ``brow`` -1 lowered to 1 raised; ``gaze_x``, ``gaze_y`` -1..1
            (right, down); ``breath`` -1..1, one slow wave per breath.
        fps: frames per second.
    """

    values: Float32Array
    fps: float


@dataclass(frozen=True, slots=True)
class Result:
    """What `render` returns; its fields are the JSON of ``avatalk make --json``.

    Attributes:
        path: the finished file.
        duration_s: its length.
        frames: number of video frames.
        fps: as a fraction, ``"25"`` or ``"30000/1001"``.
        width: pixels.
        height: pixels.
        engines: stage → engine that ran, and the voice or the device where there is one to tell.
        seconds: stage → wall seconds spent in it, and their ``total``; drawing (``lipsync``) and
            encoding overlap.
        warnings: what the user should know.
        better: what would improve the result, each with the command that does it.
        captions: caption files written beside the video.
        captions_in: what of the captions is in the video itself: ``burn``, ``soft``.
    """

    path: str
    duration_s: float
    frames: int
    fps: str
    width: int
    height: int
    engines: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    better: list[str] = field(default_factory=list)
    captions: list[str] = field(default_factory=list)
    captions_in: list[str] = field(default_factory=list)
