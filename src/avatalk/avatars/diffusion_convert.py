"""What Stable Diffusion is made into, once, so that it paints on processors without PyTorch.

Its three networks go to OpenVINO's form, in bfloat16 and for the one shape that they are run in; its
tokenizer to one text; and its scheduler, which is linear in what it is given, to a table of numbers. All are
made by diffusers and transformers themselves.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from avatalk.avatars.made import STEPS
from avatalk.errors import UnreadableFile
from avatalk.events import Monitor
from avatalk.media import Float32Array
from avatalk.models import pipelines, runtime
from avatalk.workspace import kept_or_made

KNOWN = "StableDiffusionPipeline"
FAST_STEPS = 4
"""The most for pipelines that are made for few."""

_TOKENS = 77
_SCHEDULER = Path("scheduler", "scheduler_config.json")


@dataclass(frozen=True, slots=True)
class Schedule:
    """What a scheduler does in a number of steps, as the linear map that it is.

    Its columns belong to the noise and to what the network predicted in each step, in their order.

    Attributes:
        times: (steps,) float32, what the network is told in each step.
        given: (steps, steps + 1) float32, what it is given to look at in each.
        painted: (steps + 1,) float32, what is decoded in the end.
    """

    times: Float32Array
    given: Float32Array
    painted: Float32Array


def is_fast(folder: Path) -> bool:
    """Whether a pipeline is distilled to paint in one to four steps without guidance, by its scheduler."""
    scheduler = _config(folder / _SCHEDULER)
    kind = str(scheduler.get("_class_name"))
    # SD-Turbo, SDXL-Turbo and Lightning step from the last time on; others leave it out.
    return kind == "LCMScheduler" or (
        kind.startswith("Euler") and scheduler.get("timestep_spacing") == "trailing"
    )


def latent_shape(folder: Path) -> tuple[int, ...]:
    """Return the shape (1, channels, height, width) of what Stable Diffusion paints before it is decoded.

    Empty for other pipelines, and for networks that take more than that, a time and a text.
    """
    config = _config(folder / "unet" / "config.json")
    side, channels = config.get("sample_size"), config.get("in_channels")
    conditions = ("addition_embed_type", "class_embed_type", "time_cond_proj_dim", "encoder_hid_dim")
    kind = _config(folder / pipelines.INDEX).get("_class_name")
    if kind != KNOWN or not isinstance(side, int) or channels != 4:
        return ()
    return () if any(config.get(name) for name in conditions) else (1, channels, side, side)


def can_convert(folder: Path) -> bool:
    """Whether a pipeline is Stable Diffusion with a scheduler that adds no noise of its own."""
    kind = _config(folder / _SCHEDULER).get("_class_name")
    return bool(latent_shape(folder)) and (not is_fast(folder) or kind == "EulerDiscreteScheduler")


def convert(weights: Path, monitor: Monitor) -> None:
    """Convert what a pipeline is made of, if it can be and unless that was done before.

    Args:
        weights: of its ``unet``, in the folder of the pipeline.
        monitor: told that it is being done, which takes about as long as five steps.
    """
    folder = weights.parent.parent
    if not can_convert(folder):
        return
    for part, make in (("text_encoder", _text), ("unet", _unet), ("vae", _decoder)):
        path = network_path(folder, part)
        if not path.exists():
            monitor.report("avatar", message="Converting the painter, once")
            quiet()
            with reading(folder):
                module, examples = make(folder)
            runtime.convert(module, examples, path)
    tokenizer(folder)
    schedule(folder, FAST_STEPS if is_fast(folder) else STEPS)


def network_path(folder: Path, part: str) -> Path:
    """Return where the converted network of a pipeline's part lies, or is to be put.

    Args:
        folder: of the pipeline.
        part: ``"text_encoder"`` (tokens → (1, 77, width)), ``"unet"`` (latents, time and text → prediction)
            or ``"vae"`` (latents → (1, 3, height, width), -1 to 1); all but the tokens are float32.
    """
    weights = next(
        (folder / part).glob("*.safetensors"), folder / part / "diffusion_pytorch_model.safetensors"
    )
    return runtime.converted(weights, f"{part}.xml")


def tokenizer(folder: Path) -> str:
    """Return what makes 77 tokens of a text as a pipeline does, in the form of the library `tokenizers`."""
    files = sorted(path for path in (folder / "tokenizer").iterdir() if path.suffix in (".json", ".txt"))

    def made(_: str) -> bytes:
        transformers = runtime.require("transformers", "diffusion")
        with reading(folder):
            whole = transformers.AutoTokenizer.from_pretrained(folder / "tokenizer", local_files_only=True)
        bare = whole.backend_tokenizer
        bare.enable_truncation(_TOKENS)
        bare.enable_padding(length=_TOKENS, pad_id=whole.pad_token_id, pad_token=whole.pad_token)
        return str(bare.to_str()).encode()

    return kept_or_made(
        "tokenizers", "\n".join(path.read_text(encoding="utf-8") for path in files), made
    ).decode()


def schedule(folder: Path, steps: int) -> Schedule:
    """Return what the scheduler of a pipeline does in `steps`; see `load_scheduler` for which that is."""

    def made(_: str) -> bytes:
        torch = runtime.require("torch", "diffusion")
        scheduler = load_scheduler(folder)
        scheduler.set_timesteps(steps)
        # It treats every number of a picture alike, and linearly. Given, as its pictures, noise and
        # predictions that are 1 in a place of their own each, it tells how much of each it takes.
        told = torch.eye(len(scheduler.timesteps) + 1, dtype=torch.float64)
        now, given = told[0] * float(scheduler.init_noise_sigma), []
        for predicted, time in zip(told[1:], scheduler.timesteps, strict=True):
            given.append(scheduler.scale_model_input(now, time).tolist())
            now = scheduler.step(predicted, time, now, return_dict=False)[0]
        return json.dumps([scheduler.timesteps.tolist(), given, now.tolist()]).encode()

    config = json.dumps(_config(folder / _SCHEDULER), sort_keys=True)
    return Schedule(
        *(
            np.array(part, np.float32)
            for part in json.loads(kept_or_made("schedules", f"{steps} {config}", made))
        )
    )


def noise(seed: int, shape: tuple[int, ...]) -> Float32Array:
    """Return the noise, float32, that a picture begins with: the same on every device."""
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def load_scheduler(folder: Path) -> Any:
    """Return the scheduler of diffusers that a pipeline paints with: DPM-Solver++ unless it is a fast one."""
    diffusers = runtime.require("diffusers", "diffusion")
    name = str(_config(folder / _SCHEDULER).get("_class_name"))
    with reading(folder):
        scheduler = getattr(diffusers, name).from_pretrained(folder / "scheduler", local_files_only=True)
    return scheduler if is_fast(folder) else multistep(scheduler)


def multistep(scheduler: Any) -> Any:
    """Return DPM-Solver++ instead of a scheduler of diffusers, if it can stand in for it."""
    kind = runtime.require("diffusers", "diffusion").DPMSolverMultistepScheduler
    return kind.from_config(scheduler.config) if kind in getattr(scheduler, "compatibles", ()) else scheduler


@contextmanager
def reading(folder: Path) -> Iterator[None]:
    """Tell what a pipeline's libraries complain of as a file that cannot be read.

    Raises:
        UnreadableFile: within, they could not load the pipeline, or it makes no pictures from words.
    """
    safetensors = runtime.require("safetensors", "diffusion")
    wrong = (OSError, ValueError, KeyError, AttributeError, RuntimeError, safetensors.SafetensorError)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # `torch_dtype` is what old and new versions know
            yield
    except wrong as error:
        raise UnreadableFile(
            f"The pipeline in {folder} cannot be loaded: {str(error).strip().splitlines()[0]}",
            hint="It must be one of diffusers that makes pictures from words; install or import it again.",
            stage="avatar",
        ) from error


def quiet() -> None:
    """Keep the libraries of pipelines from talking to the user."""
    for name in ("diffusers", "transformers"):
        library = runtime.require(name, "diffusion")
        library.utils.logging.set_verbosity_error()
        library.utils.logging.disable_progress_bar()


def _text(folder: Path) -> tuple[Any, tuple[Any, ...]]:
    torch, transformers = runtime.require("torch"), runtime.require("transformers", "diffusion")
    network = transformers.CLIPTextModel.from_pretrained(
        folder / "text_encoder", **_as_stored(folder, "text_encoder")
    )
    module = _bare(torch, lambda tokens: network(input_ids=tokens)[0].float(), network)
    return module, (torch.zeros((1, _TOKENS), dtype=torch.int64),)


def _unet(folder: Path) -> tuple[Any, tuple[Any, ...]]:
    torch, diffusers = runtime.require("torch"), runtime.require("diffusers", "diffusion")
    network = diffusers.UNet2DConditionModel.from_pretrained(folder / "unet", **_as_stored(folder, "unet"))

    def predict(latents: Any, time: Any, text: Any) -> Any:
        return network(latents.bfloat16(), time, text.bfloat16(), return_dict=False)[0].float()

    text = torch.zeros((1, _TOKENS, network.config.cross_attention_dim))
    return _bare(torch, predict, network), (torch.zeros(latent_shape(folder)), torch.tensor(500.0), text)


def _decoder(folder: Path) -> tuple[Any, tuple[Any, ...]]:
    torch, diffusers = runtime.require("torch"), runtime.require("diffusers", "diffusion")
    network = diffusers.AutoencoderKL.from_pretrained(folder / "vae", **_as_stored(folder, "vae"))

    def decode(latents: Any) -> Any:
        latents = (latents / network.config.scaling_factor).bfloat16()
        return network.decode(latents, return_dict=False)[0].float()

    return _bare(torch, decode, network), (torch.zeros(latent_shape(folder)),)


def _as_stored(folder: Path, part: str) -> dict[str, Any]:
    """Return how a part of a pipeline is loaded: from this disk only, in bfloat16, never from pickles."""
    half = any((folder / part).glob(f"*.{pipelines.HALF}.safetensors"))
    return {
        "variant": pipelines.HALF if half else None,
        "torch_dtype": runtime.require("torch", "diffusion").bfloat16,
        "use_safetensors": True,
        "local_files_only": True,
    }


def _bare(torch: Any, function: Callable[..., Any], owner: Any) -> Any:
    """Return `function` as a module with the weights of `owner`, as converters want it."""

    class Bare(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.owner = owner

        def forward(self, *inputs: Any) -> Any:
            return function(*inputs)

    return Bare().eval().requires_grad_(False)


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
