"""Other throats, rooms, microphones and noises: what recordings do to speech, for the corpora."""

from __future__ import annotations

import io

import av
import numpy as np
from scipy import signal

from avatalk.lipsync.listen_features import SAMPLE_RATE

# --- on sound ----------------------------------------------------------------------------------------


def another_throat(sound: np.ndarray, rate_in: int, factor: float) -> np.ndarray:
    """Played `factor` times as fast at 16 kHz: formants, pitch and pace move together."""
    return signal.resample_poly(sound, 160, round(160 * rate_in * factor / SAMPLE_RATE)).astype(np.float32)


def breathy(sound: np.ndarray, amount: float, rng: np.random.Generator) -> np.ndarray:
    """Put noise under the spectral envelope, so that pitch pulses are less regular than a synthesiser's."""
    _, _, spectrum = signal.stft(sound, SAMPLE_RATE, nperseg=400, noverlap=300)
    power = signal.convolve(
        np.abs(spectrum) ** 2, np.hanning(13)[:, None] / np.hanning(13).sum(), mode="same"
    )
    noise = rng.standard_normal(spectrum.shape) + 1j * rng.standard_normal(spectrum.shape)
    mixed = (1 - amount) * spectrum + amount * noise * np.sqrt(np.maximum(power, 0.0) / 2)
    return signal.istft(mixed, SAMPLE_RATE, nperseg=400, noverlap=300)[1][: len(sound)].astype(np.float32)


def in_a_room(sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Reverberation: exponentially decaying noise after the direct sound."""
    decay_s = rng.uniform(0.1, 0.6)
    time = np.arange(int(SAMPLE_RATE * decay_s)) / SAMPLE_RATE
    tail = rng.standard_normal(len(time)) * np.exp(-6.9 * time / decay_s) * (time > rng.uniform(0.002, 0.02))
    tail *= 10 ** (-rng.uniform(3, 18) / 20) / np.sqrt(np.sum(tail**2))
    tail[0] = 1.0
    return signal.fftconvolve(sound, tail)[: len(sound)].astype(np.float32)


def coded(sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What MP3 at 24 to 64 kbit/s leaves of it, in the same place to the sample."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp3") as out:
        stream = out.add_stream("mp3", rate=SAMPLE_RATE, layout="mono")
        stream.bit_rate = int(rng.choice([24, 32, 48, 64])) * 1000
        frame = av.AudioFrame.from_ndarray(
            (np.clip(sound, -1, 1) * 32767).astype(np.int16)[None], "s16p", "mono"
        )
        frame.sample_rate = SAMPLE_RATE
        packets = [*stream.encode(frame), *stream.encode(None)]
        out.mux(packets)
    file.seek(0)
    with av.open(file) as made:
        back = np.concatenate([frame.to_ndarray()[0] for frame in made.decode(audio=0)]).astype(np.float32)
    return np.pad(back, (0, max(len(sound) - len(back), 0)))[: len(sound)]


def through_a_microphone(sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Noise 5 to 45 dB below, another equaliser, perhaps a narrow band."""
    loud = np.sqrt(np.mean(sound[np.abs(sound) > 0.1 * np.abs(sound).max()] ** 2)) + 1e-9
    sound = sound + noise(len(sound), rng) / 0.1 * loud * 10 ** (-rng.uniform(5, 45) / 20)
    place = np.linspace(0, 1, 9)
    gain = 10 ** (np.cumsum(rng.normal(0, 3, 9)) / 20)
    low = rng.uniform(0.01, 0.04) if rng.random() < 0.3 else 0.0
    high = rng.uniform(0.42, 0.9) if rng.random() < 0.3 else 2.0
    gain[(place < low) | (place > high)] *= 0.01
    return signal.fftconvolve(sound, signal.firwin2(255, place, gain), mode="same").astype(np.float32)


def noise(samples: int, rng: np.random.Generator) -> np.ndarray:
    """Something that is not speech, around -20 dB: hiss, hum, fan, engine, music, tones, chirps, clicks."""
    time = np.arange(samples) / SAMPLE_RATE
    kind = rng.integers(8)
    if kind in (0, 1, 2):  # coloured, with a resonance, perhaps waxing and waning
        spectrum = np.fft.rfft(rng.standard_normal(samples))
        hertz = np.fft.rfftfreq(samples, 1 / SAMPLE_RATE) + 20
        spectrum *= hertz ** -rng.uniform(-0.3, 1.3)
        spectrum *= 1 + rng.uniform(0, 5) * np.exp(-((np.log(hertz / rng.uniform(100, 6000)) / 0.3) ** 2))
        sound = np.fft.irfft(spectrum, samples)
        sound *= 1 + rng.uniform(0, 0.9) * (kind == 2) * np.sin(2 * np.pi * rng.uniform(0.2, 12) * time)
    elif kind == 3:  # mains hum, engine: harmonics of a slowly drifting low note
        phase = np.cumsum(rng.uniform(40, 130) * (1 + rng.uniform(0, 0.1) * np.sin(time)) / SAMPLE_RATE)
        sound = sum(rng.random() / k * np.sin(2 * np.pi * k * phase) for k in range(1, 25))
        sound = sound + 0.02 * rng.standard_normal(samples)
    elif kind in (4, 5):  # music: chords, notes and perhaps drums
        sound = _music(time, rng)
    elif kind == 6:  # tones and sweeps
        low, high = rng.uniform(80, 3000, 2)
        sweep = low + (high - low) * (0.5 + 0.5 * np.sin(2 * np.pi * rng.uniform(0, 0.5) * time))
        sound = np.sin(2 * np.pi * np.cumsum(sweep) / SAMPLE_RATE) * (np.sin(time * rng.uniform(0, 9)) > -0.5)
    else:  # clicks, keys, steps
        sound = 0.003 * rng.standard_normal(samples)
        for at in rng.integers(0, samples - 4000, rng.integers(3, 60)):
            length = int(rng.integers(200, 4000))
            decay = np.exp(-np.arange(length) / rng.uniform(20, length / 3))
            sound[at : at + length] += rng.random() * decay * rng.standard_normal(length)
    return (0.1 * sound / (np.sqrt(np.mean(sound**2)) + 1e-9)).astype(np.float32)


def _music(time: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    sound = np.zeros(len(time))
    beat, root = rng.uniform(0.15, 0.7), rng.uniform(55, 330)
    for start in np.arange(0, time[-1], beat):
        at = int(start * SAMPLE_RATE)
        local = time[: min(len(time) - at, int(4 * beat * SAMPLE_RATE))]
        fade = (1 - np.exp(-local / rng.uniform(0.003, 0.05))) * np.exp(-local / rng.uniform(0.1, 1.5))
        for step in rng.choice([0, 3, 4, 5, 7, 9, 12, 16, 19, 24], rng.integers(1, 4)):
            hertz = root * 2 ** (step / 12)
            partials = range(1, min(12, int(7000 / hertz)) + 1)
            tilt = rng.uniform(0.5, 2.0)
            vibrato = 0.004 * rng.random() * np.sin(2 * np.pi * 5.5 * local)
            sound[at : at + len(local)] += fade * sum(
                k**-tilt * np.sin(2 * np.pi * k * hertz * (local + vibrato / 35)) for k in partials
            )
        if rng.random() < 0.4:
            drum = rng.standard_normal(len(local)) * np.exp(-local / rng.uniform(0.01, 0.1))
            sound[at : at + len(local)] += rng.uniform(0.5, 3) * drum
    return sound


# --- on mel spectrograms (pieces, frames, bands), decibels -------------------------------------------


def _curves(rng: np.random.Generator, pieces: int, length: int, every: int, spread: float) -> np.ndarray:
    """(pieces, length): smooth random curves with a knot `every` so many steps."""
    knots = rng.normal(0, spread, (pieces, max(length // every, 2) + 1))
    place = np.linspace(0, knots.shape[1] - 1.001, length)
    left = place.astype(int)
    return (knots[:, left] * (1 - place % 1) + knots[:, left + 1] * (place % 1)).astype(np.float32)


def _uniform(rng: np.random.Generator, low: float, high: float, pieces: int) -> np.ndarray:
    return rng.uniform(low, high, (pieces, 1, 1)).astype(np.float32)


def spoken_otherwise(
    mel: np.ndarray, rng: np.random.Generator, stretch: float = 0.1, shift: float = 0.8
) -> np.ndarray:
    """Another vocal tract (by `stretch`, and `shift` bands, at most), other contrasts, other stresses."""
    pieces, frames, bands = mel.shape
    stretches, shifts = rng.uniform(1 - stretch, 1 + stretch, pieces), rng.uniform(-shift, shift, pieces)
    place = np.clip(np.arange(bands) * stretches[:, None] + shifts[:, None], 0, bands - 1.001)
    left = np.broadcast_to(place.astype(int)[:, None], mel.shape)
    part = (place % 1).astype(np.float32)[:, None]
    mel = np.take_along_axis(mel, left, 2) * (1 - part) + np.take_along_axis(mel, left + 1, 2) * part
    loudest, mean = mel.max((1, 2), keepdims=True), mel.mean(2, keepdims=True)
    mel = mean + (mel - mean) * _uniform(rng, 0.65, 1.25, pieces)
    mel = loudest + (mel - loudest) * _uniform(rng, 0.8, 1.2, pieces)
    mel += _curves(rng, pieces, frames, int(rng.choice([8, 15, 40])), 3.0)[:, :, None]
    regions, every = 5, int(rng.choice([10, 30]))
    local = np.stack([_curves(rng, pieces, frames, every, 2.5) for _ in range(regions)], axis=2)
    place = np.linspace(0, regions - 1.001, bands)
    left, part = place.astype(int), (place % 1).astype(np.float32)
    return mel + local[:, :, left] * (1 - part) + local[:, :, left + 1] * part


def with_noise(mel: np.ndarray, noise: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Noise 5 to 70 dB below the speech, and a recorder's hiss."""
    pieces, _, bands = mel.shape
    speech, other = 10 ** (mel / 10), 10 ** (noise / 10)
    frame = speech.sum(2)
    level = ((frame**2).sum(1) / (frame.sum(1) + 1e-9))[:, None, None]
    below = np.where(
        rng.random((pieces, 1, 1)) < 0.5, _uniform(rng, 5, 25, pieces), _uniform(rng, 25, 70, pieces)
    )
    other *= level / (other.sum(2).mean(1)[:, None, None] + 1e-9) * 10 ** (-below / 10)
    hiss = level * 10 ** _uniform(rng, -7, -3.5, pieces) / bands
    hiss = hiss * np.exp(_curves(rng, pieces, bands, 10, 1.0))[:, None]
    return 10 * np.log10(speech + other + hiss * rng.exponential(1, mel.shape) + 1e-10)


def recorded(mel: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Another microphone: equaliser, tilt, band limits, gain."""
    pieces, _, bands = mel.shape
    band = np.arange(bands, dtype=np.float32)
    mel = mel + _curves(rng, pieces, bands, 8, 4.0)[:, None]
    mel += _uniform(rng, -8, 8, pieces) * np.linspace(-1, 1, bands, dtype=np.float32)
    high = np.where(rng.random(pieces) < 0.3, rng.integers(29, 40, pieces), bands)[:, None]
    low = np.where(rng.random(pieces) < 0.3, rng.integers(0, 5, pieces), 0)[:, None]
    mel -= (np.maximum(band - high, 0) * 12 + np.maximum(low - band, 0) * 6)[:, None].astype(np.float32)
    return np.maximum(mel + _uniform(rng, -30, 10, pieces), -100).astype(np.float32)
