"""One frame as a picture file."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from avatalk.errors import BadInput
from avatalk.media import UInt8Array
from avatalk.workspace import check_writable, complete_or_nothing

_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}


def check_picture_path(path: Path) -> None:
    """Find out before any work whether a picture can be written at `path`.

    Raises:
        BadInput: the ending names no format.
        OutputError: the folder is missing or read-only.
    """
    if path.suffix.lower() not in _FORMATS:
        raise BadInput(
            f"{path.name} does not end in {', '.join(_FORMATS)}.", hint="Choose one of these.", field="output"
        )
    check_writable(path)


def write_picture(path: Path, picture: UInt8Array) -> None:
    """Write `picture`, (height, width, 3) uint8 RGB, in the format that the ending names, or nothing."""
    with complete_or_nothing(path) as part:
        Image.fromarray(picture).save(part, format=_FORMATS[path.suffix.lower()], quality=95)
