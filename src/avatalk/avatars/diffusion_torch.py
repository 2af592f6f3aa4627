"""Any text-to-image pipeline of diffusers, in PyTorch: on graphics cards, and what has no faster form."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from avatalk.avatars import diffusion_convert
from avatalk.avatars.diffusion_words import NEGATIVE, SCALE
from avatalk.media import UInt8Array
from avatalk.models import pipelines, runtime


class TorchPainter:
    """A pipeline of diffusers, ready to paint."""

    def __init__(self, folder: Path, device: str) -> None:
        """Load the pipeline in `folder` onto `device`: ``"cpu"``, ``"cuda"`` or ``"mps"``.

        Raises:
            UnreadableFile: it cannot be loaded, or makes no pictures from words.
        """
        self._shape = diffusion_convert.latent_shape(folder)
        self._fast = diffusion_convert.is_fast(folder)
        self.pipeline = load_pipeline(folder, device)

    def fits(self, text: str) -> bool:
        """Whether the pipeline reads all of `text`, as far as can be told."""
        tokenizer = getattr(self.pipeline, "tokenizer", None)
        if tokenizer is None:
            return True
        return len(tokenizer(text, truncation=False).input_ids) <= int(tokenizer.model_max_length)

    def paint(
        self, words: str, seed: int, steps: int, guided: int, stepped: Callable[[int], None]
    ) -> UInt8Array:
        """Return a picture (height, width, 3) uint8 RGB; see `avatalk.avatars.diffusion.Painter`.

        Guidance ends between two steps where the pipeline is Stable Diffusion; others keep it to the end.
        """
        torch = runtime.require("torch", "diffusion")

        def told(own: Any, step: int, _time: Any, held: dict[str, Any]) -> dict[str, Any]:
            stepped(step + 1)
            if step + 1 == guided < steps and "prompt_embeds" in held:
                own._guidance_scale = 0.0
                held["prompt_embeds"] = held["prompt_embeds"].chunk(2)[-1]
            return held

        arguments = {
            "prompt": words,
            "negative_prompt": NEGATIVE if guided else None,
            "guidance_scale": SCALE if guided else 0.0,
            "num_inference_steps": steps,
            "generator": torch.Generator("cpu").manual_seed(seed),
            "callback_on_step_end": told,
        }
        if self._shape:
            arguments["latents"] = torch.from_numpy(diffusion_convert.noise(seed, self._shape)).to(
                self.pipeline.device, self.pipeline.dtype
            )
            arguments["callback_on_step_end_tensor_inputs"] = ["latents", "prompt_embeds"]
        takes = inspect.signature(self.pipeline.__call__).parameters
        with torch.inference_mode():
            (image,) = self.pipeline(**{name: arguments[name] for name in arguments if name in takes}).images
        return np.asarray(image.convert("RGB"), np.uint8)


def load_pipeline(folder: Path, device: str) -> Any:
    """Return the pipeline of diffusers in `folder`, ready to paint on `device`; see `TorchPainter`."""
    torch, diffusers = runtime.require("torch", "diffusion"), runtime.require("diffusers", "diffusion")
    diffusion_convert.quiet()
    index = json.loads((folder / pipelines.INDEX).read_text(encoding="utf-8"))
    parts: dict[str, Any] = {name: None for name in pipelines.LEFT_OUT if name in index}
    if "safety_checker" in index:
        parts["requires_safety_checker"] = False
    with diffusion_convert.reading(folder):
        pipeline = diffusers.AutoPipelineForText2Image.from_pretrained(
            folder,
            variant=pipelines.HALF if any(folder.glob(f"*/*.{pipelines.HALF}.safetensors")) else None,
            torch_dtype=torch.bfloat16 if device == "cpu" else torch.float16,
            use_safetensors=True,
            local_files_only=True,
            **parts,
        )
    pipeline.set_progress_bar_config(disable=True)
    if not diffusion_convert.is_fast(folder):
        pipeline.scheduler = diffusion_convert.multistep(pipeline.scheduler)
    if device != "cpu":
        pipeline.to(device)
    if hasattr(getattr(pipeline, "vae", None), "enable_tiling"):
        pipeline.vae.enable_tiling()  # of pictures larger than it was made for
    return pipeline
