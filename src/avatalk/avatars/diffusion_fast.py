"""Stable Diffusion on processors, in OpenVINO: half the time of PyTorch, less memory, and a quick start.

Neither PyTorch nor diffusers is loaded: what they know of a pipeline was written down when it was converted.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from avatalk.avatars import diffusion_convert
from avatalk.avatars.diffusion_words import NEGATIVE, SCALE
from avatalk.events import Monitor
from avatalk.media import Float32Array, UInt8Array
from avatalk.models import runtime


class FastPainter:
    """A converted pipeline, ready to paint."""

    def __init__(self, folder: Path, monitor: Monitor) -> None:
        """Load it, after converting it if that was not done when it was installed.

        Args:
            folder: of a pipeline that `diffusion_convert.can_convert`.
            monitor: told of a conversion.
        """
        diffusion_convert.convert(next(folder.glob("unet/*.safetensors")), monitor)
        self._folder = folder
        self._shape = diffusion_convert.latent_shape(folder)
        tokenizers = runtime.require("tokenizers", "diffusion")
        self._tokenizer = tokenizers.Tokenizer.from_str(diffusion_convert.tokenizer(folder))
        self._read: dict[str, Float32Array] = {}
        self._networks: tuple[runtime.Network, ...] = ()

    def fits(self, text: str) -> bool:
        """Whether the pipeline reads all of `text`."""
        return not self._tokenizer.encode(text).overflowing

    def paint(
        self, words: str, seed: int, steps: int, guided: int, stepped: Callable[[int], None]
    ) -> UInt8Array:
        """Return a picture (height, width, 3) uint8 RGB; see `avatalk.avatars.diffusion.Painter`."""
        plan = diffusion_convert.schedule(self._folder, steps)
        known = [diffusion_convert.noise(seed, self._shape)]
        with ThreadPoolExecutor() as pool:
            loading = pool.submit(self._load)
            wanted, unwanted = self._told([words, NEGATIVE])
            unet, decoder = loading.result()
        for step, (time, shares) in enumerate(zip(plan.times, plan.given, strict=True)):
            latents = _mixed(known, shares)
            predicted = _answer(unet(latents, time, wanted))
            if step < guided:
                otherwise = _answer(unet(latents, time, unwanted))
                predicted = otherwise + np.float32(SCALE) * (predicted - otherwise)
            known.append(predicted)
            stepped(step + 1)
        picture = _answer(decoder(_mixed(known, plan.painted)))
        shown: UInt8Array = np.round((picture[0] / 2 + 0.5).clip(0, 1) * 255).astype(np.uint8)
        return np.ascontiguousarray(shown.transpose(1, 2, 0))

    def _load(self) -> tuple[runtime.Network, ...]:
        self._networks = self._networks or tuple(map(self._network, ("unet", "vae")))
        return self._networks

    def _told(self, texts: list[str]) -> list[Float32Array]:
        """Return what the painter is told of each text; the network that reads them, 1 GB, goes at once."""
        if any(text not in self._read for text in texts):
            network = self._network("text_encoder")
            tokens = {text: np.array([self._tokenizer.encode(text).ids], np.int64) for text in texts}
            self._read = {text: _answer(network(numbers)) for text, numbers in tokens.items()}
        return [self._read[text] for text in texts]

    def _network(self, part: str) -> runtime.Network:
        path = diffusion_convert.network_path(self._folder, part)
        return runtime.openvino_network(path, None, runtime.fastest_precision("cpu"), alone=True)


def _answer(results: list[runtime.Numbers]) -> Float32Array:
    return np.asarray(results[0], np.float32)


def _mixed(known: list[Float32Array], shares: Float32Array) -> Float32Array:
    mixed: Float32Array = np.tensordot(shares[: len(known)], np.stack(known), 1)
    return mixed
