"""A tiny Stable Diffusion pipeline of the library's own classes, random weights, saved as the real one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from avatalk.avatars import diffusion_words

CARD = "---\nlicense: openrail++\ntags: [x]\n---\n# Tiny\n"


def save_painter(folder: Path, *, turbo: bool = False, half: bool = False, seed: int = 0) -> Path:
    """Write the pipeline into `folder`, which paints pictures of 32×32, and return it."""
    import torch
    from diffusers import (
        AutoencoderKL,
        EulerAncestralDiscreteScheduler,
        PNDMScheduler,
        StableDiffusionPipeline,
        UNet2DConditionModel,
    )
    from safetensors.torch import load_file, save_file
    from transformers import CLIPTextConfig, CLIPTextModel

    torch.manual_seed(seed)
    words = folder.parent / f"{folder.name}-words"
    tokenizer = _tokenizer(words)
    unet = UNet2DConditionModel(
        sample_size=16,
        block_out_channels=(32, 64),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=32,
        attention_head_dim=[2, 4],
        use_linear_projection=True,
        norm_num_groups=8,
    )
    vae = AutoencoderKL(
        block_out_channels=(16, 32),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        latent_channels=4,
        norm_num_groups=8,
        sample_size=32,
    )
    text = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=32,
            intermediate_size=37,
            num_hidden_layers=2,
            num_attention_heads=4,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
        )
    )
    betas = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
    if turbo:
        scheduler = EulerAncestralDiscreteScheduler(**betas, timestep_spacing="trailing")
    else:
        scheduler = PNDMScheduler(**betas, skip_prk_steps=True, steps_offset=1, set_alpha_to_one=False)
    pipeline = StableDiffusionPipeline(
        vae=vae,
        text_encoder=text,
        tokenizer=tokenizer,
        unet=unet,
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    if half:
        pipeline.to(torch.float16)
    pipeline.save_pretrained(folder, variant="fp16" if half else None)
    # The published ones were saved by an older version: other names of the text's weights, and the vocabulary
    # in two files.
    for file in (folder / "text_encoder").glob("*.safetensors"):
        weights = {f"text_model.{name}": tensor for name, tensor in load_file(file).items()}
        weights["text_model.embeddings.position_ids"] = torch.arange(77)[None]
        save_file(weights, file, metadata={"format": "pt"})
    shutil.rmtree(folder / "tokenizer")
    shutil.copytree(words, folder / "tokenizer")
    (folder / "README.md").write_text(CARD)
    return folder


def save_xl_painter(folder: Path) -> Path:
    """Write a pipeline like SDXL-Turbo into `folder`: two encoders of the text, few steps, no guidance.

    Its networks are in half precision but for the decoder, as repositories mix them.
    """
    import torch
    from diffusers import (
        AutoencoderKL,
        EulerAncestralDiscreteScheduler,
        StableDiffusionXLPipeline,
        UNet2DConditionModel,
    )
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    torch.manual_seed(0)
    tokenizer = _tokenizer(folder.parent / f"{folder.name}-words")
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=37,
        num_hidden_layers=3,
        num_attention_heads=4,
        projection_dim=32,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    unet = UNet2DConditionModel(
        sample_size=16,
        block_out_channels=(32, 64),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=64,
        attention_head_dim=[2, 4],
        use_linear_projection=True,
        norm_num_groups=8,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=80,
    )
    vae = AutoencoderKL(
        block_out_channels=(16, 32),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        latent_channels=4,
        norm_num_groups=8,
        sample_size=32,
    )
    pipeline = StableDiffusionXLPipeline(
        vae=vae,
        text_encoder=CLIPTextModel(config),
        text_encoder_2=CLIPTextModelWithProjection(config),
        tokenizer=tokenizer,
        tokenizer_2=tokenizer,
        unet=unet,
        scheduler=EulerAncestralDiscreteScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", timestep_spacing="trailing"
        ),
    )
    pipeline.to(torch.float16).save_pretrained(folder, variant="fp16")
    shutil.rmtree(folder / "vae")
    vae.save_pretrained(folder / "vae")
    (folder / "README.md").write_text(CARD)
    return folder


def save_full_size(folder: Path) -> Path:
    """Write a pipeline with networks of the sizes of Stable Diffusion 2.1 base, 2.6 GB, and return it.

    Sizes: the published unet, vae and text_encoder configurations (865, 84 and 340 million weights).
    """
    import torch
    from diffusers import AutoencoderKL, PNDMScheduler, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    parts = {
        "unet": lambda: UNet2DConditionModel(
            sample_size=64,
            attention_head_dim=[5, 10, 20, 20],
            cross_attention_dim=1024,
            use_linear_projection=True,
        ),
        "vae": lambda: AutoencoderKL(
            block_out_channels=(128, 256, 512, 512),
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            layers_per_block=2,
            latent_channels=4,
            sample_size=512,
        ),
        "text_encoder": lambda: CLIPTextModel(
            CLIPTextConfig(
                vocab_size=49408,
                hidden_size=1024,
                intermediate_size=4096,
                num_hidden_layers=23,
                num_attention_heads=16,
            )
        ),
    }
    for name, make in parts.items():
        with torch.device("meta"):
            network = make().half()
        network = network.to_empty(device="cpu")
        drawn = torch.Generator().manual_seed(0)
        for which, weights in network.named_parameters():
            if weights.dim() == 1:
                weights.data.fill_(which.endswith("weight"))
            else:
                # All of them drawn: what is equal would be stored once.
                weights.data.uniform_(-1, 1, generator=drawn).mul_(0.87 / weights[0].numel() ** 0.5)
        network.save_pretrained(folder / name, variant="fp16")
    PNDMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        skip_prk_steps=True,
        steps_offset=1,
        set_alpha_to_one=False,
    ).save_pretrained(folder / "scheduler")
    _tokenizer(folder / "tokenizer")
    kinds = {
        "scheduler": ["diffusers", "PNDMScheduler"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
        "safety_checker": [None, None],
        "feature_extractor": ["transformers", "CLIPImageProcessor"],
    }
    index = {"_class_name": "StableDiffusionPipeline", "requires_safety_checker": False, **kinds}
    (folder / "model_index.json").write_text(json.dumps(index))
    (folder / "README.md").write_text(CARD)
    return folder


def _tokenizer(folder: Path):
    """CLIP's tokenizer; it has the words of the wrapping and a few more, and spells all others."""
    from transformers import CLIPTokenizer

    folder.mkdir(parents=True, exist_ok=True)
    letters = [chr(code) for code in range(33, 127)]
    merges = dict.fromkeys(pair for word in _words() for pair in _merges(word))
    names = [*letters, *(f"{letter}</w>" for letter in letters), *map("".join, merges)]
    names += ["<|startoftext|>", "<|endoftext|>"]
    vocabulary = {name: index for index, name in enumerate(dict.fromkeys(names))}
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *map(" ".join, merges), ""]))
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "CLIPTokenizer", "model_max_length": 77})
    )
    return CLIPTokenizer.from_pretrained(folder, local_files_only=True)


def _words():
    wraps = f"{diffusion_words._NEEDED} {diffusion_words._NICE} {diffusion_words.NEGATIVE}"
    return [*wraps.replace(",", "").split(), "a", "man", "woman", "with", "red", "hair"]


def _merges(word: str):
    """The pairs that put `word` together from its first letter on."""
    parts = [*word[:-1], f"{word[-1]}</w>"]
    return [("".join(parts[:end]), parts[end]) for end in range(1, len(parts))]
