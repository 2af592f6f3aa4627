"""``python -m avatalk.service.examine FILE LIMITS``: what a file is that anybody may have sent.

This process bounds its own memory and processor time, and may write no file, before it decodes anything. It
uses the readers of the pipeline, so what passes here can be used there. It prints JSON, and ends.
"""

from __future__ import annotations

import json
import mmap
import re
import sys
import zipfile
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from avatalk.errors import BadInput, ModelUnavailable, TooLarge, UnreadableFile
from avatalk.events import Monitor, Progress
from avatalk.service.checks import Found, Limits
from avatalk.service.extents import is_cut_off, said_seconds

if TYPE_CHECKING:
    from avatalk.faces.base import FaceFinder

_PLACES = 24  # frames of a clip that are decoded, spread over it
_LACKING_S, _LACKING_PART = 0.25, 0.02
_RATES = range(1000, 768_001)  # hertz
_CHANNELS = 64
_WANTED = "Send a picture (JPEG, PNG, WebP, HEIC, GIF, BMP, TIFF), a clip (MP4, MOV, WebM …) or a sound."

_PICTURES = {
    "a PNG image": ("image/png", ".png"),
    "a JPEG image": ("image/jpeg", ".jpg"),
    "a GIF image": ("image/gif", ".gif"),
    "a BMP image": ("image/bmp", ".bmp"),
    "a TIFF image": ("image/tiff", ".tif"),
    "a WebP image": ("image/webp", ".webp"),
}
_OTHER_THINGS = (
    *("a text file", "a web page", "an SVG image", "a PDF document", "a program", "a gzip archive"),
    "a ZIP archive or office document",
)
_HEIC = ("image/heic", ".heic")
# By FFmpeg's name of the container: as a clip, as a sound.
_CONTAINERS = {
    "mov": ("video/mp4", ".mp4", "audio/mp4", ".m4a"),
    "matroska": ("video/webm", ".webm", "audio/webm", ".webm"),
    "avi": ("video/x-msvideo", ".avi", "audio/x-msvideo", ".avi"),
    "mpegts": ("video/mp2t", ".ts", "audio/mp2t", ".ts"),
    "mpeg": ("video/mpeg", ".mpg", "audio/mpeg", ".mpg"),
    "asf": ("video/x-ms-wmv", ".wmv", "audio/x-ms-wma", ".wma"),
    "flv": ("video/x-flv", ".flv", "audio/x-flv", ".flv"),
    "ogg": ("video/ogg", ".ogv", "audio/ogg", ".ogg"),
    "gif": ("image/gif", ".gif", "image/gif", ".gif"),
    "apng": ("image/png", ".png", "image/png", ".png"),
    "wav": ("video/x-wav", ".wav", "audio/wav", ".wav"),
    "mp3": ("audio/mpeg", ".mp3", "audio/mpeg", ".mp3"),
    "flac": ("audio/flac", ".flac", "audio/flac", ".flac"),
    "aac": ("audio/aac", ".aac", "audio/aac", ".aac"),
    "aiff": ("audio/aiff", ".aiff", "audio/aiff", ".aiff"),
}
_OTHER = ("application/octet-stream", ".bin", "application/octet-stream", ".bin")

TYPES = sorted(
    {kind for kind, _ in _PICTURES.values()}
    | {kind for row in _CONTAINERS.values() for kind in row[::2]}
    | {_HEIC[0], _OTHER[0], "video/quicktime", "video/x-matroska", "audio/x-matroska"}
)
"""All media types that a file is found to be of."""


def examine(path: Path, limits: Limits, finder: FaceFinder | None = None) -> Found:
    """Decode a file and say what it is.

    Args:
        path: of the file.
        limits: that it must keep.
        finder: looks for faces in a picture, if it is there.

    Raises:
        BadInput: it cannot be used, or is beyond a limit.
    """
    from avatalk.avatars.clip import is_clip, open_clip
    from avatalk.speech.audio import open_audio
    from avatalk.speech.sniff import kind_of

    if not path.stat().st_size:
        raise UnreadableFile(f"{path.name} is empty (0 bytes).", hint="Send it again.")
    kind = kind_of(path)
    if kind in _OTHER_THINGS:
        raise _nothing(path, kind)
    picture = _as_picture(path)
    _keep_single(path, is_picture=picture is not None)
    if is_cut_off(path):
        raise _incomplete(path, "it ends before it says that it does")
    if (said_s := said_seconds(path)) > limits.seconds:
        raise _too_long(path, limits, f" by its own account: {said_s / 3600:.1f} hours")
    container, moves, sounds = _streams(path)
    if moves and is_clip(path):
        return _clip(path, container, limits)
    if picture is not None:
        return _picture(path, *picture, limits, finder)
    if sounds:
        return _sound(path, container, limits)
    if "video" in kind:
        open_clip(path)  # says what is wrong with it
    if "sound" in kind:
        open_audio(path)
    raise _nothing(path, kind)


# --- what it is -------------------------------------------------------------------------------------


def _picture(path: Path, kind: str, ending: str, limits: Limits, finder: FaceFinder | None) -> Found:
    from avatalk.avatars.made import read_made
    from avatalk.avatars.photo import load_photo
    from avatalk.faces.choose import SMALLEST, size

    picture = load_photo(path)
    height, width = picture.shape[:2]
    _keep_small(path, width, height, limits)
    if ending == ".png":
        read_made(path)
    facts: dict[str, Any] = {"width": width, "height": height}
    if finder is not None:
        faces = [face for face in finder.find(picture) if size(face) >= SMALLEST]
        faces.sort(key=lambda face: float(face.box[0] + face.box[2]))  # as `choose` numbers them
        facts["faces"] = [[round(float(edge), 1) for edge in face.box] for face in faces]
    return Found("picture", kind, ending, facts)


def _clip(path: Path, container: str, limits: Limits) -> Found:
    from avatalk.avatars.clip import open_clip

    _keep_whole(path)
    clip = open_clip(path, _watching(path, limits))
    _keep_small(path, clip.width, clip.height, limits)
    if clip.duration_s > limits.seconds or len(clip) > limits.frames:
        raise _too_long(path, limits)
    step = max(1, len(clip) // _PLACES)
    for _ in clip.frames(range(0, len(clip), step)):
        pass
    facts = {
        "width": clip.width,
        "height": clip.height,
        "fps": round(float(clip.fps), 3),
        "duration_s": round(clip.duration_s, 3),
        "sound": _has_sound(path, limits),
    }
    kind, ending, *_ = _CONTAINERS.get(container, _OTHER)
    return Found("clip", *_own(path, container, kind, ending), facts)


def _sound(path: Path, container: str, limits: Limits) -> Found:
    from avatalk.speech.audio import open_audio

    audio = open_audio(path, _watching(path, limits))
    if audio.lacking_s:
        raise _incomplete(path, f"it lacks {audio.lacking_s:.1f} s")
    if audio.duration_s > limits.seconds:
        raise _too_long(path, limits)
    if audio.sample_rate not in _RATES or audio.channels > _CHANNELS:
        raise UnreadableFile(
            f"{path.name} has {audio.channels} channels at {audio.sample_rate} hertz.",
            hint="Save it anew as WAV with one or two channels at 48000 hertz.",
        )
    facts = {
        "duration_s": round(audio.duration_s, 3),
        "sample_rate": audio.sample_rate,
        "channels": audio.channels,
    }
    *_, kind, ending = _CONTAINERS.get(container, _OTHER)
    return Found("sound", *_own(path, container, kind, ending), facts)


def _own(path: Path, container: str, kind: str, ending: str) -> tuple[str, str]:
    """Matroska that is no WebM, and QuickTime, go by names of their own."""
    with path.open("rb") as file:
        head = file.read(128)
    if container == "matroska" and b"webm" not in head:
        return (kind.replace("webm", "x-matroska"), ".mkv")
    if container == "mov" and head[8:12] == b"qt  ":
        return ("video/quicktime", ".mov")
    return kind, ending


def _has_sound(path: Path, limits: Limits) -> bool:
    """Whether a clip can be used as a recording, too."""
    from avatalk.speech.audio import open_audio

    try:
        open_audio(path, _watching(path, limits))
    except TooLarge:
        raise
    except BadInput:
        return False
    return True


def _as_picture(path: Path) -> tuple[str, str] | None:
    """Media type and ending by the first bytes, if they are those of a picture."""
    import pi_heif

    from avatalk.speech.sniff import kind_of

    with path.open("rb") as file:
        head = file.read(64)
    heif = head[4:8] == b"ftyp" and bool(pi_heif.is_supported(head))
    return _HEIC if heif else _PICTURES.get(kind_of(path))


def _streams(path: Path) -> tuple[str, bool, bool]:
    """FFmpeg's name of the container, and whether it has pictures and sound; empty if it is none."""
    import av

    from avatalk.media import reading

    try:
        with path.open("rb") as file, av.open(file, **reading()) as container:
            name = container.format.name.split(",")[0]
            return name, bool(container.streams.video), bool(container.streams.audio)
    except (av.FFmpegError, ValueError, OSError):
        return "", False, False


# --- what it must not be -----------------------------------------------------------------------------

_MARKUP = re.compile(rb"<(?:script|html|iframe|!doctype\s+html)[\s>/]|<\?php\s", re.IGNORECASE)
_DRAWING = re.compile(rb"<svg[\s>/]", re.IGNORECASE)
_ARCHIVES = re.compile(rb"Rar!\x1a\x07|7z\xbc\xaf\x27\x1c")
_SNIFFED = 1024  # bytes by which browsers and readers of PDF decide what a file is


def _keep_single(path: Path, *, is_picture: bool) -> None:
    """Refuse a file that is something else as well, for whoever opens it otherwise."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        head = data[:_SNIFFED]
        also = ""
        if b"%PDF-" in head:
            also = "a PDF document"
        elif head[257:262] == b"ustar" or (zipfile.is_zipfile(path) and _is_archive(path)):
            also = "an archive"
        elif _MARKUP.search(data if is_picture else head) or _DRAWING.search(head):
            also = "a web page"
        elif is_picture and _ARCHIVES.search(data):
            also = "an archive"
    if also:
        raise UnreadableFile(
            f"{path.name} is {also}, whatever else it is.",
            hint="Save it anew from an editor: as a picture, clip or sound and nothing else.",
        )


def _is_archive(path: Path) -> bool:
    """Whether it is more than four bytes that happen to be those of a ZIP archive."""
    try:
        with zipfile.ZipFile(path):
            return True
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        return False


def _keep_small(path: Path, width: int, height: int, limits: Limits) -> None:
    if width * height > limits.pixels:
        raise TooLarge(
            f"{path.name} is too large: it has {width}×{height} pixels.",
            hint=f"Make it smaller; up to {limits.pixels / 1e6:g} megapixels are taken here.",
        )


def _keep_whole(path: Path) -> None:
    """Refuse a clip that holds less than it says; its packets tell, without decoding."""
    import av

    from avatalk.avatars.clip_index import packets
    from avatalk.media import reading

    with path.open("rb") as file, av.open(file, **reading()) as container:
        stated = (container.duration or 0) / av.time_base
        begin = (container.start_time or 0) / av.time_base
        ends = 0.0
        for packet in packets(container):
            if packet.pts is not None and packet.time_base is not None:
                ends = max(ends, float((packet.pts + (packet.duration or 0)) * packet.time_base))
    lacking = stated - (ends - begin)
    if lacking > max(_LACKING_S, _LACKING_PART * stated):
        raise _incomplete(path, f"it says {stated:.1f} s and holds {max(0.0, stated - lacking):.1f} s")


def _watching(path: Path, limits: Limits) -> Monitor:
    """A monitor that ends the work at the limits, long before the end of a file that is far too long."""

    def look(progress: Progress) -> None:
        most = {"seconds": limits.seconds, "frames": limits.frames}.get(progress.unit)
        if most is not None and progress.done > most:
            raise _too_long(path, limits)

    return Monitor(look)


def _nothing(path: Path, kind: str) -> UnreadableFile:
    return UnreadableFile(
        f"{path.name} is {kind or 'of an unknown kind'}, and no picture, clip or sound.", hint=_WANTED
    )


def _incomplete(path: Path, how: str) -> UnreadableFile:
    return UnreadableFile(f"{path.name} is incomplete: {how}.", hint="Export or copy it again.")


def _too_long(path: Path, limits: Limits, how: str = "") -> TooLarge:
    return TooLarge(
        f"{path.name} is too long{how}.",
        hint=f"Cut it; up to {limits.seconds / 60:g} minutes are taken here.",
    )


# --- the process -------------------------------------------------------------------------------------


def _confine(limits: Limits) -> None:
    """Bound what this process can take and do; where the system cannot, its parent still bounds its time."""
    if sys.platform == "win32":
        return
    import os
    import resource

    for what, most in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_CPU, limits.cpu_s),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        with suppress(ValueError, OSError):  # of a system that has the name and not the limit
            resource.setrlimit(what, (most, most))
    os.nice(10)  # what others wait for comes first


def _finder(path: Path) -> FaceFinder | None:
    """Load the networks that find faces, for a picture; from then on no file can be written."""
    finder = None
    if path.stat().st_size and _as_picture(path) is not None:
        from avatalk.faces.mediapipe import MediaPipeFaces

        with suppress(ModelUnavailable):
            finder = MediaPipeFaces()
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    return finder


def _main() -> None:
    path, limits = Path(sys.argv[1]), Limits(**json.loads(sys.argv[2]))
    _confine(limits)
    answer: dict[str, Any]
    try:
        answer = {"found": asdict(examine(path, limits, _finder(path)))}
    except BadInput as error:
        answer = {"code": error.code, "message": error.message, "hint": error.hint}
    except MemoryError:
        answer = {
            "code": TooLarge.code,
            "message": f"{path.name} takes too much memory to decode.",
            "hint": "Make it smaller, or save it anew in a usual format.",
        }
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    _main()
