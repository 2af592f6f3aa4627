"""YourTTS, a VITS network, by coqui-tts; on processors the part that draws the wave runs in OpenVINO."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from TTS.config import load_config
from TTS.encoder.utils.generic_utils import setup_encoder_model
from TTS.tts.configs.vits_config import VitsConfig
from TTS.tts.models.vits import Vits
from TTS.utils.audio import AudioProcessor
from TTS.utils.audio.numpy_transforms import rms_volume_norm

from avatalk.media import Float32Array
from avatalk.models import runtime
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

WEIGHTS = "model_file.pth"
_TRAINING_ONLY = ("disc.", "posterior_encoder.", "speaker_encoder.", "audio_transform.")
"""Parts of a checkpoint that speaking does without."""


class VitsNetwork:
    """A VITS network that speaks letters with a voice given by its d-vector.

    Args:
        folder: config.json, model_file.pth, speakers.json, language_ids.json; to clone, config_se.json and
            model_se.pth.
        device: one of `avatalk.models.runtime.DEVICES` but ``auto``.

    Raises:
        UnreadableFile: a file is missing, damaged, or does not fit the others.
    """

    def __init__(self, folder: Path, device: str) -> None:
        self._folder, self._device, self._lock = folder, device, Lock()
        self._model = _read_model(folder).to(device)
        self._pace = _Pace(self._model.duration_predictor, self._model.length_scale)
        self._model.duration_predictor, self._model.length_scale = self._pace, 1.0
        self.sample_rate = int(self._model.config.audio.sample_rate)
        without_weight_norm(self._model)
        if device == "cpu":
            self._model.waveform_decoder = _FastDecoder(self._model.waveform_decoder, folder / WEIGHTS)
        self._encoder: tuple[Any, Any] | None = None

    def speaker(self, name: str) -> Learnt:
        """Return the mean d-vector of a speaker."""
        return {"d_vector": np.array(self._model.speaker_manager.get_mean_embedding(name), np.float32)}

    def embed(self, sound: Float32Array, sample_rate: int) -> dict[str, npt.NDArray[Any]]:
        """Return the d-vector of the voice in `sound`: the mean over ten stretches, as the library does."""
        with self._lock:
            if self._encoder is None:
                self._encoder = _read_encoder(self._folder)
            encoder, audio = self._encoder
            wave = resample(sound, sample_rate, audio.sample_rate)
            if audio.do_trim_silence:
                wave = audio.trim_silence(wave)
            if audio.do_sound_norm:
                wave = audio.sound_norm(wave)
            if audio.do_rms_norm:
                wave = rms_volume_norm(x=wave, db_level=audio.db_level)
            features = wave if encoder.use_torch_spec else audio.melspectrogram(wave)
            with torch.inference_mode():
                found = encoder.compute_embedding(torch.from_numpy(np.array(features, np.float32))[None])
        return {"d_vector": array(found[0])}

    def speak(
        self, words: Sequence[str], code: str, voice: Learnt, speed: float, seed: int
    ) -> tuple[Float32Array, list[Span] | None]:
        """See `avatalk.speech.coqui_files.Network`."""
        ids, owners = self._letters(words, code)
        if not any(owner is not None for owner in owners):
            return np.zeros(0, np.float32), None
        inputs = {
            "x_lengths": torch.tensor([len(ids)], device=self._device),
            "d_vectors": torch.from_numpy(voice["d_vector"])[None].to(self._device),
            "speaker_ids": None,
            "language_ids": torch.tensor(
                [self._model.language_manager.name_to_id[code]], device=self._device
            ),
        }
        with self._lock, seeded(self._device, seed):
            self._pace.speed = speed
            outputs = self._model.inference(torch.tensor([ids], device=self._device), inputs)
        return array(outputs["model_outputs"]).ravel(), self._spans(
            array(outputs["durations"]).ravel(), owners
        )

    def _letters(self, words: Sequence[str], code: str) -> tuple[list[int], list[int | None]]:
        """Return the numbers of the letters, and to which word each belongs, None for none."""
        tokenizer = self._model.tokenizer
        letters: list[tuple[str, int | None]] = []
        for index, word in enumerate(words):
            clean = (
                tokenizer.text_cleaner(word, lang=code.partition("-")[0]) if tokenizer.text_cleaner else word
            )
            if clean.strip():
                letters += [(" ", None)] if letters else []
                letters += [(letter, index if letter.isalnum() else None) for letter in clean.strip()]
        known = set(tokenizer.characters.vocab)
        letters = [(letter, owner) for letter, owner in letters if letter in known]
        ids = [tokenizer.characters.char_to_id(letter) for letter, _ in letters]
        owners = [owner for _, owner in letters]
        if tokenizer.add_blank:
            ids = tokenizer.intersperse_blank_char(ids)
            # A blank belongs to the word that it is in the middle of.
            around = zip([None, *owners], [*owners, None], strict=True)
            blanks = [before if before == after else None for before, after in around]
            owners = [owner for pair in zip(blanks, [*owners, None], strict=True) for owner in pair][:-1]
        return ids, owners

    def _spans(self, durations: Float32Array, owners: list[int | None]) -> list[Span]:
        """Return when each word is spoken: from the first of its letters to the last."""
        args, audio = self._model.args, self._model.config.audio
        frame_s = audio.hop_length / (args.encoder_sample_rate or audio.sample_rate)
        ends = np.cumsum(durations) * frame_s
        spans: dict[int, tuple[float, float]] = {}
        for owner, duration, end in zip(owners, durations * frame_s, ends, strict=True):
            if owner is not None:
                start = spans[owner][0] if owner in spans else float(end - duration)
                spans[owner] = (start, float(end))
        return [(owner, start, end) for owner, (start, end) in sorted(spans.items())]


class _Pace(nn.Module):
    """The predictor of durations, with another speed.

    The network rounds the frames of every letter up, of which there are two on average: asked for twice the
    speed, it would speak 1.6 times as fast. Here the ends of the letters are rounded, so no error adds up.
    """

    def __init__(self, predictor: nn.Module, length_scale: float) -> None:
        super().__init__()
        self.predictor, self.length_scale, self.speed = predictor, length_scale, 1.0

    def forward(self, x: Tensor, mask: Tensor, **more: Any) -> Tensor:
        """Return the logarithm of what is rounded up to the wanted frames."""
        frames = torch.ceil(torch.exp(self.predictor(x, mask, **more)) * mask * self.length_scale)
        ends = torch.round(torch.cumsum(frames, 2) / self.speed)
        wanted = torch.diff(ends, dim=2, prepend=torch.zeros_like(ends[:, :, :1]))
        return torch.log((wanted - 0.5).clamp_min(0))


class _Decoder(nn.Module):
    """The decoder with arguments by position, as a converter wants them."""

    def __init__(self, decoder: nn.Module) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, z: Tensor, g: Tensor) -> Tensor:
        wave: Tensor = self.decoder(z, g=g)
        return wave


class _FastDecoder(nn.Module):
    """The decoder in OpenVINO, for any length; converted at the first use of the weights."""

    def __init__(self, decoder: Any, weights: Path) -> None:
        super().__init__()
        path = runtime.converted(weights, "decoder.xml")
        latents, voice = decoder.conv_pre.in_channels, decoder.cond_layer.in_channels
        if not path.exists():
            runtime.convert(_Decoder(decoder), (torch.zeros(1, latents, 50), torch.zeros(1, voice, 1)), path)
        shapes = ((1, latents, -1), (1, voice, 1))
        self._network = runtime.openvino_network(path, shapes, "f32", alone=True)

    def forward(self, z: Tensor, g: Tensor) -> Tensor:
        return torch.from_numpy(self._network(z.numpy(), g.numpy())[0])


def check(folder: Path) -> None:
    """Raise `UnreadableFile` if the files in `folder` are not such a model."""
    _read_model(folder)
    _read_encoder(folder)


def _read_model(folder: Path) -> Any:
    """Return the network with its weights, without what only training needs."""
    settings = read_config(folder / "config.json")
    try:
        args = settings["model_args"]
        args.update(init_discriminator=False, use_speaker_encoder_as_loss=False)
        config = VitsConfig()
        config.from_dict(settings)
        model = Vits(config)
        del model.posterior_encoder
    except (KeyError, TypeError, ValueError, AttributeError, AssertionError, RuntimeError) as error:
        raise damaged(folder / "config.json") from error
    state = read_state_dict(folder / WEIGHTS)
    state = {name: tensor for name, tensor in state.items() if not name.startswith(_TRAINING_ONLY)}
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise damaged(folder / WEIGHTS) from error
    return model.eval()


def _read_encoder(folder: Path) -> tuple[Any, Any]:
    """Return the speaker encoder, and what prepares sound for it."""
    try:
        config = load_config(folder / "config_se.json")
        encoder = setup_encoder_model(config)
        audio = AudioProcessor(config.audio)
    except (OSError, json.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise damaged(folder / "config_se.json") from error
    try:
        encoder.load_state_dict(read_state_dict(folder / "model_se.pth"))
    except RuntimeError as error:
        raise damaged(folder / "model_se.pth") from error
    return encoder.eval(), audio
