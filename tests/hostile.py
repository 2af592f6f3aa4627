"""Files that nobody should send: each a small generator of its bytes, by what it is."""

import io
import struct
import wave
import zipfile
import zlib

import av
import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from clips import numbered, write_clip


def picture(kind="PNG", size=(64, 48), **options):
    data = io.BytesIO()
    noise = np.random.default_rng(7).integers(0, 255, (size[1], size[0], 3), np.uint8)
    Image.fromarray(noise).save(data, kind, **options)
    return data.getvalue()


def sound(seconds=1.0, rate=8000):
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        samples = 9000 * np.sin(np.arange(int(seconds * rate)) / 5)
        file.writeframes(samples.astype("<i2").tobytes())
    return data.getvalue()


def clip(folder, name="clip.mp4", frames=20, **options):
    return write_clip(folder / name, numbered(frames), **options).read_bytes()


def coded(folder, name, codec, rate=48000, seconds=2.0):
    """A sound in another container."""
    path = folder / name
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.layout = "mono"
        samples = (9000 * np.sin(np.arange(int(seconds * rate)) / 5)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.sample_rate = rate
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path.read_bytes()


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_claiming(width, height, data=b""):
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def gif_of(frames):
    """A GIF of one pixel and many frames, a few bytes each."""
    head = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff"
    frame = b"\x21\xf9\x04\x00\x64\x00\x00\x00\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00"
    return head + frame * frames + b"\x3b"


def zipped():
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("Main.class", b"\xca\xfe\xba\xbe" * 20)
    return data.getvalue()


def wav_claiming(size, data):
    head = sound()[:44]
    return head[:4] + struct.pack("<I", size) + head[8:40] + struct.pack("<I", size - 36) + data


def hours_long(data, hours):
    """An MP4 whose headers say that it lasts for hours."""
    data = bytearray(data)
    for box, place in ((b"mvhd", 16), (b"mdhd", 16), (b"tkhd", 20)):
        at = data.index(box) + 4
        scale = 1000 if box == b"tkhd" else int.from_bytes(data[at + 12 : at + 16], "big")
        data[at + place : at + place + 4] = (hours * 3600 * scale).to_bytes(4, "big")
    return bytes(data)


def made(folder):
    """Bytes by what they are."""
    return {
        **other_things(),
        **several_things(folder),
        **lists(folder),
        **too_much(folder),
        **too_little(folder),
    }


def other_things():
    svg = b'<svg xmlns="http://www.w3.org/2000/svg">%b</svg>'
    return {
        "empty": b"",
        "one byte": b"\xff",
        "zeros": bytes(100_000),
        "random": np.random.default_rng(1).bytes(50_000),
        "text": b"Dear sir or madam,\n" * 20,
        "JSON": b'{"file": "/etc/passwd"}',
        "HTML": b"<!DOCTYPE html><html><script>alert(1)</script></html>",
        "SVG": svg % b"<script>alert(1)</script>",
        "SVG with entities": b'<!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + svg % b"&x;",
        "ZIP": zipped(),
        "PDF": b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF",
        "ELF": b"\x7fELF" + bytes(200),
        "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n",
        "ImageMagick script": b"push graphic-context\nimage over 0,0 0,0 'https://127.0.0.1/x.png'\n",
    }


def several_things(folder):
    jpeg, mp4 = picture("JPEG", quality=95), clip(folder)
    return {
        "JPEG and ZIP": jpeg + zipped(),
        "GIF and JAR": picture("GIF") + zipped(),
        "WAV and ZIP": sound() + zipped(),
        "MP4 and ZIP": mp4 + zipped(),
        "JPEG and RAR": jpeg + b"Rar!\x1a\x07\x01\x00" + bytes(50),
        "JPEG and HTML": jpeg + b"<html><script>alert(1)</script></html>",
        "JPEG with HTML in a comment": picture("JPEG", comment=b"<script>alert(1)</script>"),
        "PNG with PHP in a comment": with_comment(b"<?php system($_GET['c']); ?>"),
        "GIF that is JavaScript": b"GIF89a/*" + picture("GIF")[8:] + b"*/=1;alert(1)//",
        "BMP with HTML": picture("BMP") + b"<script>alert(1)</script>",
        "PDF and JPEG": b"%PDF-1.4\n" + jpeg,
        "JPEG with a PDF in a comment": picture("JPEG", comment=b"%PDF-1.4\n1 0 obj"),
        "TAR and MP4": tar_like(mp4),
    }


def lists(folder):
    """Files that name others, by path and by URL."""
    secret = folder / "secret.wav"
    secret.write_bytes(sound())
    here = secret.as_posix()
    head = "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n"
    return {
        "HLS": f"{head}{here}\n#EXT-X-ENDLIST\n".encode(),
        "HLS of a URL": f"{head}http://127.0.0.1:1/x.ts\n#EXT-X-ENDLIST\n".encode(),
        "HLS with concat": f"{head}concat:{here}|/etc/hosts\n#EXT-X-ENDLIST\n".encode(),
        "ffconcat": f"ffconcat version 1.0\nfile '{here}'\n".encode(),
        "SDP": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 4000 RTP/AVP 0\n",
        "DASH": b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period>'
        b"<BaseURL>http://127.0.0.1:1/</BaseURL></Period></MPD>",
        "M3U of files": f"{here}\n".encode(),
        "subtitles": b"1\n00:00:00,000 --> 00:00:05,000\nHello.\n",
    }


def too_much(folder):
    """Beyond 1.2 megapixels or 10 seconds, or said to be so."""
    bombs = b"".join(chunk(b"zTXt", b"k%d\0\0" % n + zlib.compress(b"a" * 900_000)) for n in range(80))
    return {
        "PNG of 50000x50000": png_claiming(50_000, 50_000),
        "PNG of 2^31-1 pixels": png_claiming(2**31 - 1, 2**31 - 1),
        "PNG bomb of 7000x7000": png_claiming(7_000, 7_000, bytes(7_000 * 21_001)),
        "PNG of 1300x1000": picture(size=(1300, 1000)),
        "PNG with a text bomb": png_with(chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(90_000_000)))),
        "PNG with many text bombs": png_with(bombs),
        "PNG with a profile bomb": png_with(chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(90_000_000)))),
        "JPEG of 65500x65500": jpeg_claiming(picture("JPEG"), 65_500, 65_500),
        "GIF of 100000 frames": gif_of(100_000),
        "GIF of 60000x60000": b"GIF89a" + struct.pack("<HH", 60_000, 60_000) + gif_of(2)[10:],
        "BMP of 40000x40000": bmp_claiming(40_000),
        "TIFF of 60000x60000": tiff_claiming(60_000),
        "MP4 of ten hours by its header": hours_long(clip(folder), 10),
        "MP4 of twelve seconds": clip(folder, "long.mp4", 12, rate=1),
        "MP4 of 1280x960": write_clip(folder / "large.mp4", numbered(2, 1280, 960)).read_bytes(),
        "WAV of twelve seconds": sound(12),
        "WAV of 4 GB by its header": wav_claiming(0xFFFFFFFF, bytes(100)),
        "WAV of 3 GB by its header": wav_claiming(3_000_000_000, sound()[44:]),
        "WAV at 4 GHz": sound_at(4_000_000_000),
        "WAV of silence": sound_of(np.zeros(16000)),
    }


def too_little(folder):
    mp4, webm = clip(folder), clip(folder, "c.webm", 50, codec="libvpx", options={"deadline": "realtime"})
    jpeg = picture("JPEG", quality=95)
    whole = {
        "JPEG": jpeg,
        "MP4": mp4,
        "MP4 for the web": clip(folder, "f.mp4", options={"movflags": "faststart"}),
        "WebM": webm,
        "AVI": clip(folder, "c.avi", codec="mpeg4"),
        "WAV": sound(),
        "GIF": gif_of(20),
        **{kind: picture(kind) for kind in ("PNG", "WEBP", "BMP", "TIFF")},
        **{
            f"sound in {kind}": coded(folder, f"a.{kind}", codec)
            for kind, codec in {"mp3": "libmp3lame", "ogg": "libopus", "flac": "flac", "m4a": "aac"}.items()
        },
    }
    return {
        **{f"{name}, cut off": data[: len(data) * 2 // 3] for name, data in whole.items()},
        "WebM of a stream, cut off": of_a_stream(webm)[: len(webm) * 2 // 3],
        "MP4 without its last byte": mp4[:-1],
        "JPEG damaged": jpeg[:300] + bytes(800) + jpeg[1100:],
        "MP4 damaged": mp4[:48] + np.random.default_rng(3).bytes(len(mp4) - 48),
        "only a JPEG header": jpeg[:20],
        "only an MP4 header": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom",
        "only a WebM header": webm[:60],
    }


def of_a_stream(data):
    """A WebM whose segment has no size, as it is written while it goes on."""
    at = data.index(b"\x18\x53\x80\x67") + 4
    assert data[at] == 1
    return data[: at + 1] + b"\xff" * 7 + data[at + 8 :]


def with_comment(text):
    info = PngInfo()
    info.add_text("Comment", text.decode())
    return picture(pnginfo=info)


def png_with(chunks):
    data = picture()
    return data[:33] + chunks + data[33:]


def jpeg_claiming(data, width, height):
    at = data.index(b"\xff\xc0")
    return data[: at + 5] + struct.pack(">HH", height, width) + data[at + 9 :]


def bmp_claiming(side):
    return b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, side, side, 1, 24, *(6 * [0]))


def tiff_claiming(side):
    tags = {256: side, 257: side, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: side, 279: side * side % 2**32}
    body = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + body + bytes(4)


def tar_like(data):
    head = bytearray(data[:512].ljust(512, b"\0"))
    head[257:262] = b"ustar"
    return bytes(head) + data[512:]


def sound_at(rate):
    data = bytearray(sound())
    data[24:28] = struct.pack("<I", rate)
    return bytes(data)


def sound_of(samples):
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(samples.astype("<i2").tobytes())
    return data.getvalue()
