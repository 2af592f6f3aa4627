"""Clips for tests, made on the spot from a picture that moves."""

from fractions import Fraction

import av
import cv2
import numpy as np
from av.video.frame import PictureType


def moved(picture, right=0.0, down=0.0, degrees=0.0, gain=1.0):
    """A picture shifted, turned about its middle, and darkened."""
    height, width = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    matrix[:, 2] += right, down
    turned = cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.clip(turned * gain, 0, 255).astype(np.uint8)


def numbered(count, width=160, height=90):
    """Pictures that tell their number: each a grey of its own, with a bright bar that wanders."""
    for number in range(count):
        picture = np.full((height, width, 3), 30 + 37 * number % 200, np.uint8)
        left = 7 * number % (width - 10)
        picture[:, left : left + 10] = (220, 60, 40)
        yield picture


def write_clip(
    path,
    pictures,
    rate=Fraction(25),
    stamps=None,
    time_base=None,
    codec="libx264",
    pix_fmt="yuv420p",
    options=None,
    keys=(),
    aspect=None,
    tags=None,
):
    """Write pictures as a clip.

    Args:
        stamps: time of each frame in units of `time_base`; None: one after the other at `rate`.
        keys: frames that become key frames.
        aspect: of the pixels.
        tags: attributes of the codec, such as the colour space.
    """
    with av.open(str(path), "w") as container:
        stream = None
        for number, picture in enumerate(pictures):
            frame = picture
            if isinstance(picture, np.ndarray):
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            if stream is None:
                stream = container.add_stream(codec, rate=rate, options=options or {})
                stream.height, stream.width = frame.height, frame.width
                stream.pix_fmt = pix_fmt
                if aspect is not None:
                    stream.codec_context.sample_aspect_ratio = aspect
                if stamps is not None:
                    stream.codec_context.time_base = stream.time_base = time_base
                for name, value in (tags or {}).items():
                    setattr(stream.codec_context, name, value)
            frame.pts = number if stamps is None else stamps[number]
            frame.time_base = 1 / Fraction(rate) if stamps is None else time_base
            if number in keys:
                frame.pict_type = PictureType.I
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def turn_mp4(path, matrix):
    """Write a display matrix, four numbers a, b, c, d, into the track header of an MP4."""
    data = bytearray(path.read_bytes())
    start = data.index(b"tkhd") + 4
    at = start + (52 if data[start] else 40)  # version 1 has longer times
    a, b, c, d = (int(value * 65536).to_bytes(4, "big", signed=True) for value in matrix)
    data[at : at + 8] = a + b
    data[at + 12 : at + 20] = c + d
    path.write_bytes(bytes(data))
