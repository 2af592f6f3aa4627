"""Stable Diffusion's networks in OpenVINO's form, on processors: half the time of PyTorch, and less memory.

Converted once, in bfloat16, for the one shape that a pipeline runs them in; the weights of the large network
are then read from that form only, and mapped from the disk. Pipelines of another kind run in PyTorch.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from avatalk.errors import UnreadableFile
from avatalk.events import Monitor
from avatalk.models import runtime

_TOKENS = 77


def is_fast(folder: Path) -> bool:
    """Whether a pipeline is distilled to paint in one to four steps without guidance, by its scheduler."""
    scheduler = _config(folder / "scheduler" / "scheduler_config.json")
    kind = str(scheduler.get("_class_name"))
    # SD-Turbo, SDXL-Turbo and Lightning step from the last time on; others leave it out.
    return kind == "LCMScheduler" or (
        kind.startswith("Euler") and scheduler.get("timestep_spacing") == "trailing"
    )


def convert(weights: Path, monitor: Monitor) -> Path | None:
    """Convert the large network of a pipeline unless that was done before.

    Args:
        weights: of its ``unet``, in the folder of the pipeline.
        monitor: told that it is being done, which takes about as long as two steps.

    Returns:
        Where it lies; None for networks that take more than a picture, a time and a text.
    """
    inside = weights.parent
    shapes = _unet_shapes(inside.parent)
    if not shapes:
        return None
    path = runtime.converted(weights, "unet-one.xml")
    if path.exists():
        return path
    torch, diffusers = runtime.require("torch", "diffusion"), runtime.require("diffusers", "diffusion")
    runtime.require("openvino", "diffusion")
    monitor.report("avatar", message="Converting the network, once")
    variant = "fp16" if ".fp16." in weights.name else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # `torch_dtype` is what old and new versions know
        unet = diffusers.UNet2DConditionModel.from_pretrained(
            inside, variant=variant, torch_dtype=torch.bfloat16, use_safetensors=True, local_files_only=True
        )
    picture, text = (torch.zeros(shape, dtype=torch.bfloat16) for shape in shapes)
    module = _bare(torch, lambda x, time, words: unet(x, time, words, return_dict=False)[0], unet)
    runtime.convert(module, (picture, torch.tensor(500.0), text), path)
    return path


def unet(folder: Path, weights: Path, monitor: Monitor) -> Any:
    """Return the large network of a pipeline as a diffusers model without weights, run by OpenVINO.

    None where it cannot be run so.
    """
    path = convert(weights, monitor)
    if path is None:
        return None
    torch, diffusers = runtime.require("torch", "diffusion"), runtime.require("diffusers", "diffusion")
    with torch.device("meta"):
        model = diffusers.UNet2DConditionModel.from_config(_config(folder / "unet" / "config.json"))
    model = model.to(torch.bfloat16).eval().requires_grad_(False)
    picture, text = _unet_shapes(folder)
    monitor.report("avatar", message="Loading the network")
    network = _network(path, [picture, (), text])

    def forward(sample: Any, timestep: Any, encoder_hidden_states: Any, **_: Any) -> tuple[Any]:
        # One after another: with guidance there are two, without it one.
        time = torch.as_tensor(timestep, dtype=torch.float32).reshape(())
        pairs = zip(sample.split(1), encoder_hidden_states.split(1), strict=True)
        return (torch.cat([network(one, time, words) for one, words in pairs]),)

    model.forward = forward
    return model


def decode_fast(vae: Any, folder: Path, weights: Path) -> None:
    """Have OpenVINO run the decoder of a pipeline's `vae`, which is loaded in bfloat16."""
    torch = runtime.require("torch", "diffusion")
    side = _unet_shapes(folder)[0][-1]
    shape = (1, vae.config.latent_channels, side, side)
    path = runtime.converted(weights, "decoder.xml")
    if not path.exists():
        module = _bare(torch, lambda latents: vae.decode(latents, return_dict=False)[0], vae)
        runtime.convert(module, (torch.zeros(shape, dtype=torch.bfloat16),), path)
    network = _network(path, [shape])
    vae.decode = lambda latents, **_: (network(latents),)


def _network(path: Path, shapes: list[tuple[int, ...]]) -> Callable[..., Any]:
    """Return what runs a converted network on tensors, bfloat16 or float32, and gives one in bfloat16."""
    import numpy as np

    torch = runtime.require("torch", "diffusion")
    network = runtime.openvino_network(path, shapes, runtime.fastest_precision("cpu"), alone=True)

    def run(*tensors: Any) -> Any:
        arrays = [
            one.contiguous().view(torch.int16).numpy().view(np.uint16)
            if one.dtype == torch.bfloat16
            else one.numpy()
            for one in tensors
        ]
        return torch.from_numpy(network(*arrays)[0].view(np.int16)).view(torch.bfloat16)

    return run


def _bare(torch: Any, function: Callable[..., Any], owner: Any) -> Any:
    """Return `function` as a module with the weights of `owner`, as converters want it."""

    class Bare(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.owner = owner

        def forward(self, *inputs: Any) -> Any:
            return function(*inputs)

    return Bare().eval().requires_grad_(False)


def _unet_shapes(folder: Path) -> tuple[tuple[int, ...], ...]:
    """Return the shapes of picture and text that a pipeline gives its ``unet``; empty if it takes more."""
    config = _config(folder / "unet" / "config.json")
    side, channels = config.get("sample_size"), config.get("in_channels")
    conditions = ("addition_embed_type", "class_embed_type", "time_cond_proj_dim", "encoder_hid_dim")
    kind = _config(folder / "model_index.json").get("_class_name")
    if kind != "StableDiffusionPipeline" or not isinstance(side, int) or channels != 4:
        return ()
    if any(config.get(name) for name in conditions):
        return ()
    return (1, channels, side, side), (1, _TOKENS, int(config["cross_attention_dim"]))


def _config(path: Path) -> dict[str, Any]:
    try:
        told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return told
    except OSError:
        return {}
    except ValueError as error:
        raise UnreadableFile(
            f"{path} is damaged.", hint="Install or import the pipeline again.", stage="avatar"
        ) from error
