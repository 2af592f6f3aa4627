"""Reading a photograph: whatever camera, phone or editor wrote it, upright sRGB comes out."""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from avatalk.errors import UnreadableFile
from avatalk.media import UInt8Array

MAX_PIXELS = 52_000_000
"""Cameras sold as having 50 megapixels give up to 50.4 million."""

GROUND = (230, 230, 230)
"""What shows through transparent parts."""

_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "MPO")
_READS = "JPEG, PNG, WebP, HEIC, GIF, BMP and TIFF pictures can be read."
_ORIENTATION = 0x0112
# EXIF 2.32, tag Orientation: quarter turns clockwise that put the stored picture upright, and whether it is
# mirrored left to right afterwards.
_TURNS = {2: (0, True), 3: (2, False), 4: (2, True), 5: (1, True), 6: (1, False), 7: (3, True), 8: (3, False)}
_STRIP = 256  # rows copied at a time: Pillow hands out pixels through two further copies
# What a damaged file makes Pillow and libheif raise.
_DAMAGED = (
    OSError,
    ValueError,
    SyntaxError,
    RuntimeError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    struct.error,
)


def load_photo(path: str | Path) -> UInt8Array:
    """Read a picture, decided by its content and not by its name; of an animation, the first frame.

    Args:
        path: a JPEG, PNG, WebP, HEIC, GIF, BMP or TIFF file of up to 50 megapixels.

    Returns:
        (height, width, 3) uint8 RGB: upright, in sRGB, transparency laid on light grey.

    Raises:
        UnreadableFile: missing, a folder, empty, damaged, cut short, too large, or not a picture.
    """
    return _load(Path(path), _flat)


def load_layer(path: str | Path) -> UInt8Array:
    """Read a picture with its transparency, see `load_photo`.

    Returns:
        (height, width, 4) uint8 premultiplied RGBA: upright, in sRGB.

    Raises:
        UnreadableFile: as `load_photo`.
    """
    # Pillow's mode RGBa is premultiplied.
    return _load(Path(path), lambda image: image.convert("RGBA").convert("RGBa"))


def load_cutout(path: str | Path) -> UInt8Array | None:
    """Read a picture whose background was taken away, see `load_layer`; None if all of it is opaque.

    Raises:
        UnreadableFile: as `load_photo`.
    """
    path = Path(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if not _has_alpha(_open(path, _read(path))):
            return None
    layer = load_layer(path)
    return layer if int(layer[..., 3].min()) < 255 else None


def _load(path: Path, finish: Callable[[Image.Image], Image.Image]) -> UInt8Array:
    data = _read(path)
    with warnings.catch_warnings():
        # Sizes are checked here; what Pillow thinks of odd metadata does not matter to the pixels.
        warnings.simplefilter("ignore")
        image = _open(path, data)
        if image.width * image.height > MAX_PIXELS:
            raise _too_large(path, f"{image.width}×{image.height} pixels")
        try:
            image.load()
            turn = _TURNS.get(_orientation(image), (0, False))
            return _upright(finish(_srgb(_eight_bit(image))), *turn)
        except (*_DAMAGED, MemoryError) as error:
            raise _unreadable(
                f"{path.name} is damaged or cut short.",
                "Copy or download it again, or save it anew from a picture editor.",
            ) from error


def _read(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise _unreadable(f"There is no file {path}.", "Check the path.") from error
    except IsADirectoryError as error:
        raise _unreadable(f"{path} is a folder.", "Name a picture inside it.") from error
    except OSError as error:
        if path.is_dir():  # Windows reports a folder as a file that may not be read
            raise _unreadable(f"{path} is a folder.", "Name a picture inside it.") from error
        raise _unreadable(
            f"{path} cannot be read: {error.strerror or error}.", "Check who may read it."
        ) from error
    if not data:
        raise _unreadable(f"{path.name} is empty (0 bytes).", "Copy or download it again.")
    return data


def _heif() -> Any:
    """libheif, which takes a while to import and is needed for few pictures."""
    import pi_heif

    return pi_heif


def _open(path: Path, data: bytes) -> Image.Image:
    """Read the header only."""
    try:
        if data[4:8] == b"ftyp" and _heif().is_supported(data[:64]):
            heif = _heif().open_heif(io.BytesIO(data), convert_hdr_to_8bit=True)
            if heif.size[0] * heif.size[1] > MAX_PIXELS:
                raise _too_large(path, f"{heif.size[0]}×{heif.size[1]} pixels")
            image: Image.Image = heif.to_pillow()
            return image
        return Image.open(io.BytesIO(data), formats=_FORMATS)
    except Image.DecompressionBombError as error:
        raise _too_large(path, "far more pixels than any camera gives") from error
    except (UnidentifiedImageError, *_DAMAGED) as error:
        kind = _kind(data)
        if kind in _PICTURES:
            raise _unreadable(
                f"{path.name} is a damaged or unusual {kind}.", "Save it anew from a picture editor, as PNG."
            ) from error
        raise _unreadable(f"{path.name} is not a picture: it seems to be {kind}.", _READS) from error


_PICTURES = ("JPEG picture", "PNG picture", "WebP picture", "HEIC picture", "GIF picture", "TIFF picture")
_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xff\xd8\xff", "JPEG picture"),
    (0, b"\x89PNG", "PNG picture"),
    (8, b"WEBP", "WebP picture"),
    (0, b"GIF8", "GIF picture"),
    (0, b"II*\0", "TIFF picture"),
    (0, b"MM\0*", "TIFF picture"),
    (4, b"ftyphei", "HEIC picture"),
    (4, b"ftypmif1", "HEIC picture"),
    (4, b"ftypavi", "an AVIF picture"),
    (4, b"ftyp", "a video or sound (MP4, MOV, M4A)"),
    (0, b"\x1aE\xdf\xa3", "a video (WebM, Matroska)"),
    (8, b"AVI ", "a video (AVI)"),
    (8, b"WAVE", "a sound (WAV)"),
    (0, b"ID3", "a sound (MP3)"),
    (0, b"\xff\xfb", "a sound (MP3)"),
    (0, b"OggS", "a sound (Ogg)"),
    (0, b"fLaC", "a sound (FLAC)"),
    (0, b"%PDF", "a PDF document"),
    (0, b"PK\x03\x04", "a ZIP archive or an office document"),
    (0, b"\x1f\x8b", "a compressed archive"),
    (0, b"\x7fELF", "a program"),
    (0, b"MZ", "a program"),
    (0, b"8BPS", "a Photoshop file"),
)


def _kind(data: bytes) -> str:
    """Say what a file seems to be from how it begins."""
    for offset, signature, kind in _SIGNATURES:
        if data.startswith(signature, offset):
            return kind
    head = data[:2048]
    try:
        text = head.decode("utf-8").lstrip("\ufeff \t\r\n").lower()
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3:  # not a character that the end of the head cuts
            return "data of an unknown kind"
        text = ""
    if any(not sign.isprintable() and not sign.isspace() for sign in text):
        return "data of an unknown kind"
    if "<svg" in text:
        return "a vector drawing (SVG)"
    if text.startswith(("<!doctype html", "<html")):
        return "a web page"
    return "text"


def _eight_bit(image: Image.Image) -> Image.Image:
    """Bring deep grey pictures to 8 bits; everything else has 8 or fewer already."""
    if image.mode != "F" and not image.mode.startswith("I"):
        return image
    values = np.asarray(image, np.float32)
    top = float(values.max(initial=0))
    full = next((limit for limit in (1.0, 255.0, 65535.0) if top <= limit), top)
    return Image.fromarray(np.clip(values * (255 / full) + 0.5, 0, 255).astype(np.uint8))


def _has_alpha(image: Image.Image) -> bool:
    return "A" in image.getbands() or "a" in image.getbands() or "transparency" in image.info


def _srgb(image: Image.Image) -> Image.Image:
    """Return L, RGB or RGBA pixels in sRGB; a profile that cannot be used is passed over."""
    has_alpha = _has_alpha(image)
    alpha = image.convert("RGBA").getchannel("A") if has_alpha else None
    profile = image.info.get("icc_profile")
    if has_alpha or image.mode not in ("L", "RGB", "CMYK"):
        image = image.convert("RGB")
    if profile:
        image = _through_profile(image, profile)
    if image.mode != "RGB":
        image = image.convert("RGB")
    if alpha is not None:
        image.putalpha(alpha)
    return image


def _through_profile(image: Image.Image, profile: bytes) -> Image.Image:
    try:
        from PIL import ImageCms  # a part of Pillow that some builds leave out

        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "sRGB" in ImageCms.getProfileDescription(source):
            return image
        target = ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(image, source, target, outputMode="RGB") or image
    except (ImportError, OSError, ValueError, TypeError):
        return image
    except ImageCms.PyCMSError:  # the profile is damaged, or of another kind than the picture
        return image


def _flat(image: Image.Image) -> Image.Image:
    if image.mode != "RGBA":
        return image
    ground = Image.new("RGB", image.size, GROUND)
    ground.paste(image, mask=image.getchannel("A"))
    return ground


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except _DAMAGED:  # metadata may be broken where the pixels are not
        return 1


def _upright(image: Image.Image, turns: int, mirrored: bool) -> UInt8Array:
    """Copy a picture into an array, turned clockwise by quarters, then mirrored."""
    (width, height), channels = image.size, len(image.getbands())
    upright = np.empty((width, height, channels) if turns % 2 else (height, width, channels), np.uint8)
    stored = np.rot90(upright[:, ::-1] if mirrored else upright, turns)  # a view, turned back
    for top in range(0, height, _STRIP):
        bottom = min(height, top + _STRIP)
        stored[top:bottom] = np.asarray(image.crop((0, top, width, bottom)))
    return upright


def _too_large(path: Path, what: str) -> UnreadableFile:
    return _unreadable(
        f"{path.name} is too large: it has {what}.", "Make it smaller; up to 50 megapixels can be read."
    )


def _unreadable(message: str, hint: str) -> UnreadableFile:
    return UnreadableFile(message, hint=hint, stage="avatar", field="avatar")
