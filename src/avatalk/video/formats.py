"""The files a video can be written to: what each holds, and what it can carry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from avatalk.errors import BadInput
from avatalk.workspace import check_writable


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file.

    Attributes:
        muxer: FFmpeg's name; empty for a folder of pictures.
        sound: FFmpeg's name of the encoder of sound.
        alpha: whether it can be transparent.
        captions: whether it can carry a track of captions.
    """

    muxer: str
    sound: str
    alpha: bool
    captions: bool


FORMATS = {
    ".mp4": Format("mp4", "aac", alpha=False, captions=True),
    ".m4v": Format("mp4", "aac", alpha=False, captions=True),
    ".webm": Format("webm", "libopus", alpha=True, captions=False),
    ".mov": Format("mov", "pcm_s16le", alpha=True, captions=False),
    "": Format("", "pcm_s16le", alpha=True, captions=False),
}
"""By the ending of the name: H.264 in MP4, VP9 in WebM, ProRes 4444 in MOV, a folder of PNG pictures."""


def format_of(path: Path) -> Format:
    """Return what the ending of `path` means; `check_output` has found that it means something."""
    return FORMATS[path.suffix.lower()]


def check_output(path: Path, *, transparent: bool = False, ways: Sequence[str] = ()) -> None:
    """Find out before hours of work whether a video can be written at `path`.

    Args:
        path: of the file, or of the folder if it has no ending.
        transparent: whether frames have alpha.
        ways: of captions, as in a request.

    Raises:
        BadInput: its ending names no format, or one that cannot do what is asked.
        OutputError: its folder is missing or read-only, or it is a folder that is there already.
    """
    made = FORMATS.get(path.suffix.lower())
    if made is None or not path.name:
        raise BadInput(
            f"{path.name or 'The output'} does not end in {', '.join(filter(None, FORMATS))}.",
            hint="Videos are MP4, WebM or MOV; a name without ending is a folder of PNG pictures.",
            stage="encode",
            field="output",
        )
    if transparent and not made.alpha:
        raise BadInput(
            f"{path.suffix} cannot be transparent.",
            hint="Write .webm (VP9, small), .mov (ProRes 4444, for editors), or a name without ending: a "
            "folder of PNG pictures.",
            stage="encode",
            field="background",
        )
    if "soft" in ways and not made.captions:
        raise BadInput(
            f"{path.suffix or 'A folder of pictures'} carries no track of captions.",
            hint="Write .mp4, or take --captions srt or burn.",
            stage="encode",
            field="captions",
        )
    check_writable(path)
