"""What a file is, whatever its name says."""

from __future__ import annotations

from pathlib import Path

_MAGIC = (
    (0, b"\x89PNG", "a PNG image"),
    (0, b"\xff\xd8\xff", "a JPEG image"),
    (0, b"GIF8", "a GIF image"),
    (0, b"BM", "a BMP image"),
    (0, b"II*\0", "a TIFF image"),
    (0, b"MM\0*", "a TIFF image"),
    (8, b"WEBP", "a WebP image"),
    (4, b"ftypheic", "a HEIC image"),
    (4, b"ftypmif1", "a HEIC image"),
    (4, b"ftypavif", "an AVIF image"),
    (0, b"%PDF", "a PDF document"),
    (0, b"PK\x03\x04", "a ZIP archive or office document"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"\x7fELF", "a program"),
    (0, b"MZ", "a program"),
    (8, b"WAVE", "a WAV sound file"),
    (8, b"AVI ", "an AVI video"),
    (0, b"fLaC", "a FLAC sound file"),
    (0, b"OggS", "an Ogg sound file"),
    (0, b"ID3", "an MP3 sound file"),
    (0, b"\xff\xfb", "an MP3 sound file"),
    (0, b"\xff\xf3", "an MP3 sound file"),
    (4, b"ftypM4A", "an M4A sound file"),
    (4, b"ftyp", "an MP4 video or sound file"),
    (0, b"\x1aE\xdf\xa3", "a WebM or Matroska video"),
    (0, b"FORM", "an AIFF sound file"),
)
_MARKUP = ((b"<!doctype html", "a web page"), (b"<html", "a web page"), (b"<svg", "an SVG image"))


def kind_of(path: Path) -> str:
    """Return what a file is by its first bytes, in words with an article; empty when they say nothing."""
    with path.open("rb") as file:
        head = file.read(1024)
    for offset, magic, kind in _MAGIC:
        if head.startswith(magic, offset):
            return kind
    for tag, kind in _MARKUP:
        if tag in head.lower():
            return kind
    text = head.decode("utf-8", "ignore")  # "ignore": the last character may be cut in two
    if len(text.encode()) > len(head) - 4 and all(c.isprintable() or c in "\r\n\t\f\ufeff" for c in text):
        return "a text file"
    return ""
