"""One frame as a picture file."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from avatalk.errors import BadInput
from avatalk.media import UInt8Array
from avatalk.video.pixels import straight
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
    """Write a picture in the format that the ending names, or nothing.

    Args:
        path: `check_picture_path` has found that it can be written.
        picture: (height, width, 3) uint8 RGB, or (height, width, 4) premultiplied RGBA.

    Raises:
        BadInput: it is transparent, and a JPEG cannot be.
    """
    if picture.shape[2] == 4:
        if path.suffix.lower() in (".jpg", ".jpeg"):
            raise BadInput(
                f"{path.name} cannot be transparent.",
                hint="Write .png or .webp.",
                stage="encode",
                field="output",
            )
        picture = straight(picture)
    with complete_or_nothing(path) as part:
        Image.fromarray(picture).save(part, format=_FORMATS[path.suffix.lower()], quality=95)
