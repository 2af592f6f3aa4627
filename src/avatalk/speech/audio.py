"""Sound in a file, read block by block, so that its length does not matter to memory.

The time of a sample is its place in the decoded stream, counted from the first one that is to be heard:
encoder delay is cut off where the file states it, and a stream that starts late in its container
starts at zero here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import sqrt
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError

from avatalk.errors import SpeechError, UnreadableFile
from avatalk.events import Monitor
from avatalk.media import Float32Array, reading
from avatalk.speech.sniff import kind_of

SHORTEST_S = 0.1
SILENT_PEAK = 10 ** (-60 / 20)
"""A file that never exceeds -60 dBFS holds nothing to lip-sync to."""


_FORMATS = "Give a sound file (wav, mp3, m4a, ogg, flac, opus) or a video with sound."
_WAVE_PROBE = "32768"  # bytes
_LONGEST_PADDING_S = 0.2
"""Silence with which an MP4 fills its last packet: two packets of AAC at 16 kHz and some."""
_SPARE_S = 0.01
"""Most that a resampler may lack at the end before the file counts as changed."""


@dataclass(frozen=True, slots=True)
class AudioClip:
    """A sound file that was decoded once in full and found good.

    Attributes:
        path: the file, in any container and codec that PyAV reads.
        sample_rate: of the file, hertz.
        channels: of the file.
        duration_s: exact, from counting its samples.
        lacking_s: by how much the file is shorter than it says; 0 if it is complete.
    """

    path: Path
    sample_rate: int
    channels: int
    duration_s: float
    lacking_s: float = 0.0

    def blocks(self, sample_rate: int, channels: int = 1, block_s: float = 10.0) -> Iterator[Float32Array]:
        """Yield the sound as (samples, channels) float32 in -1..1, resampled, `block_s` seconds at a time.

        Every block has ``round(block_s * sample_rate)`` samples, the last one what remains; together
        they have ``round(duration_s * sample_rate)``.

        Args:
            sample_rate: hertz.
            channels: 1, the mean of all channels; or 2, stereo, made from what the file has.
            block_s: seconds per block.

        Raises:
            UnreadableFile: the file is gone, or no longer the one that was opened.
        """
        size = max(1, round(block_s * sample_rate))
        left = round(self.duration_s * sample_rate)
        parts: list[Float32Array] = []
        held = 0
        for part in self._parts(sample_rate, channels, left):
            parts.append(part)
            held += len(part)
            if held >= size:
                whole = np.concatenate(parts)
                for start in range(0, held - held % size, size):
                    yield whole[start : start + size].copy()
                parts = [whole[held - held % size :]]
                held %= size
        if held:
            yield np.concatenate(parts)

    def _parts(self, sample_rate: int, channels: int, left: int) -> Iterator[Float32Array]:
        """Yield exactly `left` samples in pieces of any length."""
        with _opened(self.path) as (container, stream):
            for part in _resampled(_Decoder(container, stream).frames(), sample_rate):
                # A resampler's filter may give a sample more than was promised; the count rules.
                piece = _mixed(part, channels)[:left]
                left -= len(piece)
                yield piece
        if left > _SPARE_S * sample_rate:
            raise UnreadableFile(
                f"{self.path.name} changed while it was being read.",
                hint="Leave the file in place until the video is finished, then start again.",
                stage="speech",
                field="audio",
            )
        if left > 0:
            yield np.zeros((left, channels), np.float32)


def open_audio(path: str | Path, monitor: Monitor | None = None) -> AudioClip:
    """Decode the sound of `path` once, to know its exact length and that all of it can be read.

    Args:
        path: a sound file or a video, in any container and codec that PyAV reads.
        monitor: told of progress in seconds, and warned of a damaged or truncated file that is still usable.

    Returns:
        The clip; of several audio streams the one FFmpeg holds to be the best.

    Raises:
        UnreadableFile: missing, a folder, empty, not sound, or too damaged.
        SpeechError: too short, or silent throughout.
    """
    path = Path(path)
    monitor = monitor or Monitor()
    with _opened(path) as (container, stream):
        declared_s = _declared_s(container, stream)
        decoder = _Decoder(container, stream)
        peak = 0.0
        last_report_s = 0.0
        for frame in decoder.frames():
            peak = max(peak, _peak(frame))
            if decoder.seconds - last_report_s >= 5.0:
                last_report_s = decoder.seconds
                monitor.report("speech", decoder.seconds, declared_s, "seconds", f"Reading {path.name}")
    if not decoder.seconds:
        kind = kind_of(path)
        if kind and "sound" not in kind and "video" not in kind:
            raise _unreadable(path, f"is {kind}, not sound", _FORMATS)
        raise _unreadable(path, "is damaged: none of its sound can be decoded", "Export or copy it again.")
    lacking_s = _judge_damage(path, decoder, declared_s, monitor)
    if decoder.seconds < SHORTEST_S:
        raise SpeechError(
            f"{path.name} holds only {decoder.seconds:.3f} s of sound.",
            hint=f"Give a recording of speech, at least {SHORTEST_S} s long.",
            stage="speech",
            field="audio",
        )
    if peak < SILENT_PEAK:
        raise SpeechError(
            f"{path.name} is silent from beginning to end.",
            hint="Check that the right track or microphone was recorded.",
            stage="speech",
            field="audio",
        )
    padding_s = decoder.seconds - declared_s
    padded = container.format.name.startswith("mov") and declared_s and 0 < padding_s < _LONGEST_PADDING_S
    seconds = declared_s if padded else decoder.seconds
    return AudioClip(path, decoder.sample_rate, decoder.channels, seconds, lacking_s)


# --- opening ---------------------------------------------------------------------------------------


@contextmanager
def _opened(path: Path) -> Iterator[tuple[InputContainer, AudioStream]]:
    """Open `path` and choose its audio stream; errors say what the file is instead."""
    if not path.exists():
        raise _unreadable(path, "does not exist", "Check the path of the recording.")
    if not path.is_file():  # a pipe or a device may never end
        raise _unreadable(path, "is a folder" if path.is_dir() else "is not a file", _FORMATS)
    try:
        file = path.open("rb")
    except OSError as error:
        what = f"cannot be opened: {(error.strerror or 'unknown reason').lower()}"
        raise _unreadable(path, what, "Check its permissions.") from None
    with file:
        head = file.read(12)
        if not head:
            raise _unreadable(path, "is empty (0 bytes)", "Export or copy it again.")
        file.seek(0)
        how = reading()
        if head[:4] == b"RIFF" and head[8:] == b"WAVE":
            # Its samples could be another codec's in disguise, for which FFmpeg looks through 5 MB: 9 ms.
            how["options"]["probesize"] = _WAVE_PROBE
        try:
            container = av.open(file, **how)
        except (FFmpegError, ValueError, OSError):
            raise _not_opened(path) from None
        with container:
            stream = container.streams.best("audio")
            if not isinstance(stream, AudioStream):
                raise _no_sound(path, container)
            yield container, stream


def _unreadable(path: Path, what: str, hint: str) -> UnreadableFile:
    return UnreadableFile(f"{path.name or path} {what}.", hint=hint, stage="speech", field="audio")


def _not_opened(path: Path) -> UnreadableFile:
    kind = kind_of(path)
    if "sound" in kind or "video" in kind:
        return _unreadable(
            path, f"looks like {kind} but is damaged or incomplete", "Export or copy it again."
        )
    return _unreadable(path, f"is {kind or 'of an unknown kind'}, not sound", _FORMATS)


def _no_sound(path: Path, container: InputContainer) -> UnreadableFile:
    kind = kind_of(path)
    if container.streams.video and (not kind or "video" in kind):
        return _unreadable(path, "is a video without sound", "Give a recording of speech, or text to speak.")
    return _not_opened(path)


# --- decoding --------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Decoder:
    """Decodes one stream once; what cannot be decoded is passed over and counted."""

    container: InputContainer
    stream: AudioStream
    seconds: float = 0.0
    sample_rate: int = 0
    channels: int = 0
    good_packets: int = 0
    bad_packets: int = 0
    _counts: dict[int, int] = field(default_factory=dict)

    def frames(self) -> Iterator[AudioFrame]:
        """Yield every frame that can be decoded."""
        packets = self.container.demux(self.stream)
        while True:
            try:
                packet = next(packets, None)
            except (FFmpegError, OSError):
                self.bad_packets += 1
                return
            if packet is None:
                return
            try:
                frames = packet.decode()
            except FFmpegError as error:
                self.bad_packets += not isinstance(error, EOFError)
                continue
            self.good_packets += bool(frames)
            for frame in frames:
                if isinstance(frame, AudioFrame) and frame.samples:
                    self._count(frame)
                    yield frame

    def _count(self, frame: AudioFrame) -> None:
        if not self.sample_rate:
            self.sample_rate, self.channels = frame.sample_rate, frame.layout.nb_channels
        counts = self._counts
        counts[frame.sample_rate] = counts.get(frame.sample_rate, 0) + frame.samples
        self.seconds = sum(samples / rate for rate, samples in counts.items())


_GUESSED = frozenset({"aac", "ac3", "dts", "eac3", "loas", "mp2", "mpegts"})


def _declared_s(container: InputContainer, stream: AudioStream) -> float:
    """Seconds that the file says it lasts; 0 where it does not say, or FFmpeg would guess by bit rate."""
    if container.format.name in _GUESSED:
        return 0.0
    if container.format.name == "mp3" and not _counts_frames(Path(container.name)):
        return 0.0
    if container.format.name == "wav":
        return _declared_by_riff(container, stream)
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    if container.duration is not None and not container.streams.video:
        late = container.start_time if container.format.name.startswith("matroska") else 0
        return (container.duration - (late or 0)) / 1e6  # Matroska gives the end, not the length
    return 0.0


def _declared_by_riff(container: InputContainer, stream: AudioStream) -> float:
    """Seconds by the size in a WAV header; FFmpeg corrects a file cut short by itself, and says nothing."""
    with Path(container.name).open("rb") as file:
        claimed = int.from_bytes(file.read(8)[4:], "little")
    if claimed > _STREAMED or not stream.bit_rate:  # written to a pipe: the size was never filled in
        return 0.0
    return 8 * claimed / stream.bit_rate


def _counts_frames(path: Path) -> bool:
    """Whether an MP3 file has a Xing or Info header, which tells the number of its frames."""
    with path.open("rb") as file:
        head = file.read(10)
        if head.startswith(b"ID3"):  # a tag comes first; its size has seven bits in each byte
            size = sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
            file.seek(10 + size)
        first_frame = file.read(256)
    return b"Xing" in first_frame or b"Info" in first_frame


_STREAMED = 0xFFFF0000


def _judge_damage(path: Path, decoder: _Decoder, declared_s: float, monitor: Monitor) -> float:
    """Refuse a file of which less than half can be read; warn of one that lacks less, and say how much."""
    read = decoder.seconds
    lacking = declared_s - read
    if lacking > max(0.25, 0.02 * declared_s):
        if read < declared_s / 2:
            what = f"is damaged: only {read:.1f} s of {declared_s:.1f} s can be decoded"
            raise _unreadable(path, what, "Export or copy it again.")
        monitor.warn(
            f"{path.name} is incomplete: it says {declared_s:.1f} s and holds {read:.1f} s, which are used."
        )
        return lacking
    if decoder.bad_packets > decoder.good_packets:
        raise _unreadable(path, f"is damaged: only {read:.1f} s can be decoded", "Export or copy it again.")
    if decoder.bad_packets:
        monitor.warn(f"{path.name} is damaged; what cannot be decoded was left out.")
    return 0.0


# --- samples ---------------------------------------------------------------------------------------

_Part = tuple[tuple[str, ...], Float32Array]
"""Names of the channels (FL, FR, FC …), and (channels, samples) float32."""


def _peak(frame: AudioFrame) -> float:
    """The largest magnitude in a frame, full scale 1."""
    samples = frame.to_ndarray()
    if samples.dtype.kind == "f":
        values = np.abs(samples[np.isfinite(samples)])
        return float(values.max(initial=0.0))
    if samples.dtype.kind == "u":
        return float(np.abs(samples.astype(np.int16) - 128).max(initial=0)) / 128
    highest, lowest = float(samples.max(initial=0)), float(samples.min(initial=0))
    return max(highest, -lowest) / 2.0 ** (8 * samples.itemsize - 1)


def _resampled(frames: Iterator[AudioFrame], sample_rate: int) -> Iterator[_Part]:
    """Convert to float32 at `sample_rate`; a stream may change its rate or its channels on the way."""
    resampler: AudioResampler | None = None
    source: tuple[str, str, int] | None = None
    for frame in frames:
        form = (frame.format.name, frame.layout.name, frame.sample_rate)
        if form != source:
            yield from _arrays(resampler, None)
            resampler = AudioResampler(format="flt", layout=frame.layout, rate=sample_rate)
            source = form
        frame.pts = None  # the count of samples is the clock; gaps in a container's clock are not sound
        yield from _arrays(resampler, frame)
    yield from _arrays(resampler, None)


def _arrays(resampler: AudioResampler | None, frame: AudioFrame | None) -> Iterator[_Part]:
    """Put `frame` through, or with None what the resampler still holds."""
    if resampler is None:
        return
    for out in resampler.resample(frame):
        if out is not None and out.samples:
            names = tuple(channel.name for channel in out.layout.channels)
            sound = out.to_ndarray().astype(np.float32).reshape(out.samples, -1).T
            yield names, np.nan_to_num(sound)


_LEFT = frozenset({"FL", "BL", "SL", "FLC", "WL", "DL", "TFL", "TBL"})
_RIGHT = frozenset({"FR", "BR", "SR", "FRC", "WR", "DR", "TFR", "TBR"})
_FRONT = frozenset({"FL", "FR", "DL", "DR"})


def _mixed(part: _Part, channels: int) -> Float32Array:
    """Mix to (samples, channels): the mean of all, or stereo by ITU-R BS.775 (others at -3 dB, no LFE)."""
    names, sound = part
    if channels == 1:
        mixed = sound.mean(axis=0, keepdims=True)
    elif len(sound) == 1:
        mixed = np.repeat(sound, 2, axis=0)
    elif len(sound) == 2:
        mixed = sound
    else:
        mixed = _stereo_matrix(names, len(sound)) @ sound
    return np.ascontiguousarray(np.clip(mixed.T, -1.0, 1.0), dtype=np.float32)


def _stereo_matrix(names: tuple[str, ...], count: int) -> Float32Array:
    """(2, count) weights, each row with the sum 1 so that nothing can clip."""
    weights = np.zeros((2, count), np.float32)
    for index in range(count):
        name = names[index] if index < len(names) else ""
        gain = 1.0 if name in _FRONT else sqrt(0.5)
        if name != "LFE":
            weights[0, index] = 0.0 if name in _RIGHT else gain
            weights[1, index] = 0.0 if name in _LEFT else gain
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-6)
    return weights
