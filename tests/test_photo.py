"""Photographs of every kind come out upright, flat and in sRGB; what is none is refused with a reason."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageOps

from avatalk.avatars.photo import GROUND, load_photo
from avatalk.errors import UnreadableFile

WIDTH, HEIGHT = 120, 80


def ramp():
    """(80, 120, 3) uint8: red grows to the right, green downwards."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.stack([x * 2, y * 3, np.full_like(x, 60)], -1).astype(np.uint8)


def textured():
    return np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)


@pytest.fixture
def write(tmp_path):
    """Save pixels or an image in a format, under any name; return the path."""

    def save(picture, kind="PNG", name="picture", **options):
        image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
        image.save(tmp_path / name, kind, **options)
        return tmp_path / name

    return save


def refusal(path):
    with pytest.raises(UnreadableFile) as caught:
        load_photo(path)
    error = caught.value
    assert error.hint and error.stage == "avatar" and error.field == "avatar"
    return error.message


FORMATS = {
    "JPEG": {"quality": 95},
    "PNG": {},
    "WEBP": {"quality": 95},
    "GIF": {},
    "BMP": {},
    "TIFF": {"compression": "tiff_lzw"},
}


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_whatever_the_name(write, kind):
    read = load_photo(write(ramp(), kind, "photo.txt", **FORMATS[kind]))
    assert read.shape == (HEIGHT, WIDTH, 3) and read.dtype == np.uint8
    assert np.abs(read.astype(int) - ramp()).mean() < (6 if kind == "GIF" else 3)


def test_heic():
    """The file shows x * 4, y * 5, 80 at 64 x 48."""
    read = load_photo(Path(__file__).parent / "data" / "faces_ramp.heic").astype(int)
    y, x = np.mgrid[:48, :64]
    assert read.shape == (48, 64, 3)
    assert np.abs(read - np.stack([x * 4, y * 5, np.full_like(x, 80)], -1)).mean() < 4


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation(write, kind, orientation):
    tag = Image.Exif()
    tag[0x0112] = orientation
    path = write(ramp(), kind, exif=tag)
    with Image.open(path) as image:
        expected = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    assert np.array_equal(load_photo(path), expected)


def test_broken_metadata_does_not_matter(write):
    path = write(ramp(), "JPEG", exif=b"Exif\0\0not a TIFF header at all")
    assert load_photo(path).shape == (HEIGHT, WIDTH, 3)


def test_transparency_is_laid_on_the_ground(write):
    pixels = np.dstack([ramp(), np.full((HEIGHT, WIDTH), 255, np.uint8)])
    pixels[:40, :, 3] = 0
    pixels[40:50, :, 3] = 128
    for kind, options in (("PNG", {}), ("WEBP", {"lossless": True, "exact": True}), ("TIFF", {})):
        read = load_photo(write(pixels, kind, **options)).astype(int)
        assert (read[:40] == GROUND).all()
        assert np.abs(read[40:50] - (ramp()[40:50] + np.array(GROUND)) / 2).max() <= 2
        assert np.array_equal(read[50:], ramp()[50:])
    palette = Image.fromarray(ramp()).quantize(16)
    palette.info["transparency"] = palette.getpixel((0, 0))
    read = load_photo(write(palette, "PNG", transparency=palette.getpixel((0, 0))))
    assert tuple(read[0, 0]) == GROUND and tuple(read[-1, -1]) != GROUND


def test_grey_deep_and_palette_pictures(write):
    grey = np.linspace(0, 255, WIDTH).round().astype(np.uint8)[None].repeat(HEIGHT, 0)
    assert np.array_equal(load_photo(write(grey))[..., 1], grey)
    deep = np.linspace(0, 65535, WIDTH).round().astype(np.uint16)[None].repeat(HEIGHT, 0)
    for kind in ("PNG", "TIFF"):
        assert np.abs(load_photo(write(deep, kind)).astype(float) - grey[..., None]).max() <= 1
    dark = (deep // 4).astype(np.uint16)
    assert abs(int(load_photo(write(dark)).max()) - 64) <= 1
    assert np.abs(load_photo(write(Image.fromarray(ramp()).quantize(256))).astype(int) - ramp()).mean() < 6
    bilevel = load_photo(write(Image.fromarray(grey).convert("1")))
    assert set(np.unique(bilevel)) == {0, 255}


def test_cmyk(write):
    read = load_photo(write(Image.fromarray(ramp()).convert("CMYK"), "JPEG", quality=95)).astype(int)
    assert np.abs(read - ramp()).mean() < 12


def test_colour_profiles_are_applied(write):
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    # The same with another name, and red and green exchanged.
    odd = srgb.replace("sRGB".encode("utf-16-be"), "odd!".encode("utf-16-be"))
    odd = odd.replace(b"rXYZ", b"?", 1).replace(b"gXYZ", b"rXYZ", 1).replace(b"?", b"gXYZ", 1)
    plain = load_photo(write(ramp()))
    for kind, options in (("PNG", {}), ("TIFF", {}), ("WEBP", {"lossless": True})):
        exchanged = load_photo(write(ramp(), kind, icc_profile=odd, **options)).astype(int)
        assert np.abs(exchanged - ramp()[..., (1, 0, 2)]).max() <= 2
    assert np.array_equal(load_photo(write(ramp(), icc_profile=srgb)), plain)
    assert np.array_equal(load_photo(write(ramp(), icc_profile=b"nonsense" * 40)), plain)


def test_the_first_frame_of_an_animation(write):
    frames = [Image.fromarray(np.full((HEIGHT, WIDTH, 3), shade, np.uint8)) for shade in (200, 20)]
    for kind in ("GIF", "WEBP", "PNG"):
        path = write(frames[0], kind, save_all=True, append_images=frames[1:])
        assert load_photo(path).min() > 190


# --- what cannot be read ---------------------------------------------------------------------------


def encoded(kind):
    stream = io.BytesIO()
    Image.fromarray(textured()).save(stream, kind, **FORMATS[kind])
    return stream.getvalue()


WHOLE = {kind: encoded(kind) for kind in FORMATS}


@settings(max_examples=150, deadline=None)
@given(kind=st.sampled_from(sorted(FORMATS)), share=st.floats(0.001, 0.999))
def test_a_cut_file_is_refused_or_read_in_full(tmp_path_factory, kind, share):
    path = tmp_path_factory.getbasetemp() / f"cut.{kind}"
    path.write_bytes(WHOLE[kind])
    whole = load_photo(path)
    path.write_bytes(WHOLE[kind][: int(len(WHOLE[kind]) * share)])
    try:
        read = load_photo(path)
    except UnreadableFile as error:
        assert error.hint
    else:
        assert np.array_equal(read, whole)  # nothing but an end mark or padding was lost


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF"])
def test_a_truncated_picture_says_so(tmp_path, kind):
    path = tmp_path / "photo.jpg"
    path.write_bytes(WHOLE[kind][: len(WHOLE[kind]) // 2])
    assert "damaged" in refusal(path)


def test_a_truncated_heic_says_so(tmp_path):
    data = (Path(__file__).parent / "data" / "faces_ramp.heic").read_bytes()
    for length in (30, 300, len(data) - 40):
        (tmp_path / "photo.heic").write_bytes(data[:length])
        assert "damaged" in refusal(tmp_path / "photo.heic")


@settings(max_examples=60, deadline=None)
@given(noise=st.binary(min_size=1, max_size=400))
def test_any_bytes_are_refused_with_a_reason(tmp_path_factory, noise):
    path = tmp_path_factory.getbasetemp() / "noise.jpg"
    for head in (
        b"",
        b"\xff\xd8\xff\xe0",
        b"\x89PNG\r\n\x1a\n",
        b"RIFF\0\1\0\0WEBPVP8 ",
        b"\0\0\0\x18ftypheic",
    ):
        path.write_bytes(head + noise)
        assert path.name in refusal(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "PDF"),
        (b"\0\0\0\x20ftypisom\0\0\2\0isomiso2", "video"),
        (b"\x1aE\xdf\xa3" + bytes(50), "video"),
        (b"ID3\4" + bytes(50), "sound"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "sound"),
        (b"PK\3\4" + bytes(50), "ZIP"),
        (b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "web page"),
        ("Dies ist eine Einkaufsliste: Äpfel".encode(), "text"),
        (bytes(range(256)), "unknown"),
    ],
)
def test_what_it_seems_to_be(tmp_path, content, said):
    (tmp_path / "photo.jpg").write_bytes(content)
    message = refusal(tmp_path / "photo.jpg")
    assert "photo.jpg is not a picture" in message and said in message


def test_missing_folder_and_empty(tmp_path):
    assert "no file" in refusal(tmp_path / "nobody.jpg")
    assert "folder" in refusal(tmp_path)
    (tmp_path / "empty.png").touch()
    assert "0 bytes" in refusal(tmp_path / "empty.png")


def bomb(width, height):
    """A PNG whose header promises more than its few bytes hold."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(9999)))


@pytest.mark.parametrize("size", [(8000, 7000), (60000, 60000), (2**31 - 1, 2)])
def test_bombs_are_refused_by_their_header(tmp_path, size):
    (tmp_path / "bomb.png").write_bytes(bomb(*size))
    assert "too large" in refusal(tmp_path / "bomb.png")


def test_fifty_megapixels_are_read(tmp_path):
    Image.new("L", (8688, 5792), 77).save(tmp_path / "large.png")
    read = load_photo(tmp_path / "large.png")
    assert read.shape == (5792, 8688, 3) and (read[::500, ::500] == 77).all()
