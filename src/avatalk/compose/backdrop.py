"""What stands behind a person that was cut out: a ground, a picture or a clip, for any frame of the video."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from avatalk.avatars.clip import Clip, is_clip, open_clip, schedule
from avatalk.avatars.photo import load_photo
from avatalk.compose.wish import Colour, Ground
from avatalk.errors import UnreadableFile
from avatalk.events import Monitor
from avatalk.media import Float32Array, UInt8Array

_BLURRIEST = 0.09  # of the longer side, the sigma of a blur of strength 1
_FINE = 4.0  # pixels of sigma from which on a blur may be computed at half the size, and so on
_SMALL = 320  # pixels of the longer side at which blurs are computed
_STRETCH = 2.5  # enlargement above which a background looks soft


class Backdrop(ABC):
    """A background on the canvas. Rule: a picture is a pure function of its frame's index."""

    one_by_one: bool = True
    """Whether a picture alone costs no more than one of a long range."""

    @abstractmethod
    def pictures(self, start: int, stop: int) -> Iterator[UInt8Array]:
        """Yield the backgrounds of frames `start` to `stop` - 1, not to be changed.

        Each is (height, width, 3) uint8 RGB.
        """


class Still(Backdrop):
    """The same picture behind every frame.

    Args:
        picture: (height, width, 3) uint8 RGB.
    """

    def __init__(self, picture: UInt8Array) -> None:
        self.picture = picture

    def pictures(self, start: int, stop: int) -> Iterator[UInt8Array]:
        """See `Backdrop.pictures`."""
        for _ in range(start, stop):
            yield self.picture


class Moving(Backdrop):
    """A clip, which loops where it is shorter than the video.

    Args:
        clip: to show.
        size: of the canvas, width and height.
        fit: ``cover`` or ``contain``.
        fps: of the video.
        n_frames: of the video.
    """

    one_by_one = False

    def __init__(self, clip: Clip, size: tuple[int, int], fit: str, fps: Fraction, n_frames: int) -> None:
        self._clip, self._size, self._fit = clip, size, fit
        self._source = schedule(clip, fps, n_frames, "loop")

    def pictures(self, start: int, stop: int) -> Iterator[UInt8Array]:
        """See `Backdrop.pictures`."""
        for picture in self._clip.frames(self._source[start:stop].tolist()):
            yield fitted(picture, self._size, self._fit)


def open_backdrop(
    ground: Ground, size: tuple[int, int], fit: str, fps: Fraction, n_frames: int, monitor: Monitor
) -> Backdrop:
    """Make ready a background of kind ``colour``, ``gradient`` or ``file``.

    Args:
        ground: as the request says it.
        size: of the canvas, width and height.
        fit: of a picture or clip: ``cover`` fills the canvas, ``contain`` shows all of it.
        fps: of the video.
        n_frames: of the video.
        monitor: warned of what will not look good.

    Raises:
        UnreadableFile: the file is missing, or neither a picture nor a clip.
    """
    if ground.kind == "file":
        return _from_file(Path(ground.path), size, fit, fps, n_frames, monitor)
    return Still(painted(ground.colours, size))


def _from_file(
    path: Path, size: tuple[int, int], fit: str, fps: Fraction, n_frames: int, monitor: Monitor
) -> Backdrop:
    try:
        if is_clip(path):
            clip = open_clip(path, monitor)
            _check_sharpness(path, (clip.width, clip.height), size, monitor)
            return Moving(clip, size, fit, fps, n_frames)
        picture = load_photo(path)
    except UnreadableFile as error:
        raise UnreadableFile(error.message, hint=error.hint, stage="compose", field="background") from error
    _check_sharpness(path, (picture.shape[1], picture.shape[0]), size, monitor)
    return Still(fitted(picture, size, fit))


def _check_sharpness(path: Path, own: tuple[int, int], size: tuple[int, int], monitor: Monitor) -> None:
    scale = max(size[0] / own[0], size[1] / own[1])
    if scale > _STRETCH:
        monitor.warn(
            f"The background {path.name} is {own[0]}x{own[1]}: enlarged {scale:.1f} times it looks soft."
        )


def painted(colours: tuple[Colour, ...], size: tuple[int, int]) -> UInt8Array:
    """Paint a plain ground or a gradient from the top down, dithered so that it shows no bands."""
    width, height = size
    if len(colours) == 1:
        return np.full((height, width, 3), colours[0], np.uint8)
    at = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    first, last = (np.array(colour, np.float32) for colour in colours)
    grain = np.random.Generator(np.random.PCG64(7)).random((height, width, 1), np.float32)
    return np.clip(first + (last - first) * at + grain, 0, 255).astype(np.uint8)


def fitted(picture: UInt8Array, size: tuple[int, int], fit: str) -> UInt8Array:
    """Return a picture on a canvas: cut to fill it, or whole before its own blurred self.

    Args:
        picture: (height, width, 3) uint8 RGB.
        size: of the canvas, width and height.
        fit: ``cover`` or ``contain``.
    """
    height, width = picture.shape[:2]
    if (width, height) == size:
        return picture
    if fit == "contain":
        scale = min(size[0] / width, size[1] / height)
        inner = round(width * scale), round(height * scale)
        canvas = blurred(fitted(picture, size, "cover"), 1.0)
        x, y = (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2
        canvas[y : y + inner[1], x : x + inner[0]] = _resized(picture, inner)
        return canvas
    scale = max(size[0] / width, size[1] / height)
    part = max(1, round(size[0] / scale)), max(1, round(size[1] / scale))
    x, y = (width - part[0]) // 2, (height - part[1]) // 2
    return _resized(picture[y : y + part[1], x : x + part[0]], size)


def _resized(picture: UInt8Array, size: tuple[int, int]) -> UInt8Array:
    # Area averaging shrinks without moiré, Lanczos enlarges without blur.
    how = cv2.INTER_AREA if size[0] < picture.shape[1] else cv2.INTER_LANCZOS4
    return np.asarray(cv2.resize(picture, size, interpolation=how), np.uint8)


def blurred(picture: UInt8Array, strength: float, without: UInt8Array | None = None) -> UInt8Array:
    """Return a picture out of focus.

    Args:
        picture: (height, width, 3) uint8 RGB.
        strength: above 0 up to 1.
        without: (height, width) uint8, what of the picture is a person, 0 to 255: it leaves no shadow of
            itself in the blur.
    """
    height, width = picture.shape[:2]
    scale = min(1.0, _SMALL / max(width, height))
    small = max(2, round(width * scale)), max(2, round(height * scale))
    seen: Float32Array = np.ones((small[1], small[0], 1), np.float32)
    colours = np.asarray(cv2.resize(picture, small, interpolation=cv2.INTER_AREA), np.float32)
    if without is not None:
        person = cv2.resize(without, small, interpolation=cv2.INTER_AREA)
        person = cv2.dilate(person, np.ones((7, 7), np.uint8))  # its own edge is coloured by it
        seen = (1 - person.astype(np.float32) / np.float32(255))[..., None]
    sigma = max(0.6, strength * _BLURRIEST * max(small))
    soft = _normalised(colours, seen, sigma)
    large = cv2.resize(soft, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(large + np.float32(0.5), 0, 255), np.uint8)


def _normalised(colours: Float32Array, seen: Float32Array, sigma: float) -> Float32Array:
    """Blur by what is seen alone (normalised convolution, Knutsson and Westin 1993), ever wider."""
    soft, missing = np.zeros_like(colours), np.ones_like(seen)
    for widen in (1, 3, 9):
        weight = _gauss(seen, sigma * widen)[..., None]
        spread = _gauss(colours * seen, sigma * widen) / np.maximum(weight, 1e-4)
        trust = np.clip(weight * 20, 0, 1) * missing
        soft += spread * trust
        missing -= trust
    mean = (colours * seen).sum((0, 1)) / max(float(seen.sum()), 1e-4)
    return np.asarray(soft + missing * mean, np.float32)


def _gauss(values: Float32Array, sigma: float) -> Float32Array:
    """A Gaussian blur; a wide one of a smaller copy: it looks the same and takes a tenth of the time."""
    height, width = values.shape[:2]
    by = max(1, int(sigma / _FINE))
    if by > 1:
        small = max(1, round(width / by)), max(1, round(height / by))
        values = np.asarray(cv2.resize(values, small, interpolation=cv2.INTER_AREA), np.float32)
    soft = cv2.GaussianBlur(values, (0, 0), sigma / by, borderType=cv2.BORDER_REFLECT)
    return np.asarray(cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
