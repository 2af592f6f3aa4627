"""XTTS v2 by coqui-tts: a language model that continues a voice with the sounds of a text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from TTS.tts.configs.xtts_config import XttsConfig
from TTS.tts.models.xtts import Xtts

from avatalk.media import Float32Array
from avatalk.models.checkpoints import read_state_dict
from avatalk.speech.coqui_files import (
    Learnt,
    Span,
    array,
    damaged,
    read_config,
    seeded,
    without_weight_norm,
)
from avatalk.speech.resample import resample

WEIGHTS = "model.pth"
_HEARD_AT = 22050
_PAUSE_S = 0.1
"""Between the parts of a sentence that is longer than the model speaks at once."""
_BREAKS = re.compile(r"(?<=[,;:，、；：،؛。！？।…—–])\s*")


class _Note:
    """Stands for the notes of training that the published file carries beside the weights."""


_NOTES: list[Any] = [
    (_Note, f"{module}.{name}")
    for module in ("TTS.tts.configs.xtts_config", "TTS.tts.models.xtts", "TTS.config.shared_configs")
    for name in ("XttsConfig", "XttsAudioConfig", "XttsArgs", "BaseDatasetConfig")
]


class XttsNetwork:
    """XTTS v2.

    Args:
        folder: config.json, model.pth, vocab.json, speakers_xtts.pth.
        device: one of `avatalk.models.runtime.DEVICES` but ``auto``.

    Raises:
        UnreadableFile: a file is missing, damaged, or does not fit the others.
    """

    def __init__(self, folder: Path, device: str) -> None:
        self._device, self._lock = device, Lock()
        self._model = _read_model(folder).to(device)
        self.sample_rate = int(self._model.args.output_sample_rate)

    def speaker(self, name: str) -> Learnt:
        """Return what the model knows of a speaker."""
        known = self._model.speaker_manager.speakers[name]
        return {field: array(tensor) for field, tensor in known.items()}

    def embed(self, sound: Float32Array, sample_rate: int) -> dict[str, npt.NDArray[Any]]:
        """Return the latents of the voice in `sound`, by the settings that the model came with."""
        config = self._model.config
        wave = torch.from_numpy(resample(sound, sample_rate, _HEARD_AT))[None]
        wave = wave[:, : _HEARD_AT * int(config.max_ref_len)].clamp(-1, 1)
        if config.sound_norm_refs:
            wave = wave / wave.abs().max().clamp_min(1e-6) * 0.75
        with self._lock:
            speaker = self._model.get_speaker_embedding(wave, _HEARD_AT)
            latents = self._model.get_gpt_cond_latents(
                wave, _HEARD_AT, length=config.gpt_cond_len, chunk_length=config.gpt_cond_chunk_len
            )
        return {"gpt_cond_latent": array(latents), "speaker_embedding": array(speaker)}

    def speak(
        self, words: Sequence[str], code: str, voice: Learnt, speed: float, seed: int
    ) -> tuple[Float32Array, list[Span] | None]:
        """See `avatalk.speech.coqui_files.Network`; the model does not tell when a word is spoken."""
        config = self._model.config
        limit = self._model.tokenizer.char_limits.get(code.partition("-")[0], 250)
        parts: list[Float32Array] = []
        with self._lock, seeded(self._device, seed):
            for part in _parts(" ".join(words), limit):
                made = self._model.inference(
                    part,
                    code,
                    torch.from_numpy(voice["gpt_cond_latent"]),
                    torch.from_numpy(voice["speaker_embedding"]),
                    temperature=config.temperature,
                    length_penalty=config.length_penalty,
                    repetition_penalty=config.repetition_penalty,
                    top_k=config.top_k,
                    top_p=config.top_p,
                    speed=speed,
                )["wav"]
                parts += [np.zeros(round(_PAUSE_S * self.sample_rate), np.float32)] if parts else []
                parts.append(np.array(made, np.float32).ravel())
        return np.concatenate([np.zeros(0, np.float32), *parts]), None


def _parts(text: str, limit: int) -> Iterator[str]:
    """Cut `text` into parts of at most `limit` characters: after a clause, else at a space, else anywhere."""
    while len(text) > limit:
        clauses = [found.end() for found in _BREAKS.finditer(text, limit // 4, limit) if found.end()]
        cut = clauses[-1] if clauses else text.rfind(" ", limit // 4, limit)
        cut = cut if cut > 0 else limit
        yield text[:cut].strip()
        text = text[cut:].strip()
    if text:
        yield text


def check(folder: Path) -> None:
    """Raise `UnreadableFile` if the files in `folder` are not such a model."""
    _read_model(folder)


def _read_model(folder: Path) -> Any:
    """Return the network with its weights.

    The library's own reader would write the file anew without its notes, and its checksum would be another.
    """
    settings = read_config(folder / "config.json")
    try:
        config = XttsConfig()
        config.from_dict(settings)
        model = Xtts(config)
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise damaged(folder / "config.json") from error
    with torch.serialization.safe_globals(_NOTES):
        state = read_state_dict(folder / WEIGHTS)
    model._load_checkpoint = lambda _path: state
    try:
        model.load_checkpoint(config, checkpoint_dir=folder, eval=True)
    except Exception as error:
        raise damaged(folder / WEIGHTS) from error
    without_weight_norm(model.hifigan_decoder.waveform_decoder)
    return model
