"""Tiny YourTTS and XTTS with random weights, by the library's own classes, saved as the real ones lie."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import torch
from tokenizers import Tokenizer, models
from tokenizers.pre_tokenizers import Whitespace
from TTS.config.shared_configs import BaseAudioConfig
from TTS.encoder.configs.speaker_encoder_config import SpeakerEncoderConfig
from TTS.encoder.utils.generic_utils import setup_encoder_model
from TTS.tts.configs.shared_configs import CharactersConfig
from TTS.tts.configs.vits_config import VitsArgs, VitsConfig
from TTS.tts.configs.xtts_config import XttsArgs, XttsAudioConfig, XttsConfig
from TTS.tts.models.vits import Vits
from TTS.tts.models.xtts import Xtts

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyzàâãçéêëíîïóôõöùúûü"
SPEAKERS = ("female-en-5", "female-en-5\n", "female-pt-4\n", "male-en-2")
LANGUAGES = {"en": 0, "fr-fr": 1, "pt-br": 2}
ELSEWHERE = "/home/author/checkpoints/"


@dataclass
class Size:
    """Of a YourTTS; the defaults are tiny."""

    text_layers: int = 1
    hidden: int = 16
    text_ffn: int = 32
    flow_layers: int = 1
    posterior_layers: int = 1
    decoder: int = 32
    resblock: str = "2"
    d_vector: int = 32
    encoder_input: int = 16
    more: dict = field(default_factory=dict)


def yourtts(folder: Path, size: Size = Size(), seed: int = 0) -> Path:  # noqa: B008
    """Write a YourTTS into `folder`, with the paths of another machine in its configuration."""
    torch.manual_seed(seed)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "language_ids.json").write_text(json.dumps(LANGUAGES))
    clips = {
        f"clip{index}.wav": {
            "name": name,
            "embedding": torch.nn.functional.normalize(torch.randn(size.d_vector), dim=0).tolist(),
        }
        for index, name in enumerate(SPEAKERS)
    }
    (folder / "speakers.json").write_text(json.dumps(clips))
    args = VitsArgs(
        hidden_channels=size.hidden,
        hidden_channels_ffn_text_encoder=size.text_ffn,
        num_layers_text_encoder=size.text_layers,
        num_layers_posterior_encoder=size.posterior_layers,
        num_layers_flow=size.flow_layers,
        upsample_initial_channel_decoder=size.decoder,
        resblock_type_decoder=size.resblock,
        use_d_vector_file=True,
        d_vector_file=[str(folder / "speakers.json")],
        d_vector_dim=size.d_vector,
        use_language_embedding=True,
        embedded_language_dim=4,
        language_ids_file=str(folder / "language_ids.json"),
        init_discriminator=False,
        **size.more,
    )
    config = VitsConfig(
        model_args=args,
        audio=BaseAudioConfig(
            sample_rate=16000,
            hop_length=256,
            win_length=1024,
            fft_size=1024,
            num_mels=80,
            mel_fmin=0.0,
            mel_fmax=None,
        ),
        text_cleaner="multilingual_cleaners",
        use_phonemes=False,
        add_blank=True,
        characters=CharactersConfig(
            characters_class="TTS.tts.models.vits.VitsCharacters",
            pad="_",
            eos="&",
            bos="*",
            blank=None,
            characters=LETTERS,
            punctuations="!'(),-.:;? ",
            phonemes=None,
        ),
    )
    model = Vits(config)
    for name, weights in model.named_parameters():
        if name.endswith(("post.weight", "proj.weight")):  # zero at first, so that the layer would do nothing
            torch.nn.init.normal_(weights, std=0.05)
    model.waveform_decoder.conv_post.weight.data *= 10  # as loud as speech
    written = json.loads(json.dumps(config.to_dict()))
    for part in (written, written["model_args"]):
        part["d_vector_file"] = [f"{ELSEWHERE}speakers.json"]
        part["language_ids_file"] = f"{ELSEWHERE}language_ids.json"
    written["model_args"].update(use_speaker_encoder_as_loss=True, init_discriminator=True)
    written["model_args"]["speaker_encoder_model_path"] = f"{ELSEWHERE}model_se.pth"
    written["model_args"]["speaker_encoder_config_path"] = f"{ELSEWHERE}config_se.json"
    (folder / "config.json").write_text(json.dumps(written, indent=1))
    encoder, encoder_config = _speaker_encoder(size)
    (folder / "config_se.json").write_text(json.dumps(encoder_config.to_dict(), indent=1))
    torch.save({"model": encoder.state_dict(), "step": 1}, folder / "model_se.pth")
    # The real discriminator alone would take 190 MB.
    state = {
        "disc.nets.0.weight": torch.zeros(1),
        **model.state_dict(),
        **{f"speaker_encoder.{k}": v for k, v in encoder.state_dict().items()},
    }
    torch.save(
        {"model": state, "config": written, "optimizer": [{"state": {}}], "step": 7},
        folder / "model_file.pth",
    )
    return folder


def _speaker_encoder(size: Size):
    config = SpeakerEncoderConfig(
        num_classes_in_batch=2,
        num_utter_per_class=2,
        num_loader_workers=0,
        audio=BaseAudioConfig(
            sample_rate=16000,
            fft_size=512,
            win_length=400,
            hop_length=160,
            preemphasis=0.97,
            num_mels=size.encoder_input,
            do_trim_silence=False,
        ),
        model_params={
            "model_name": "resnet",
            "input_dim": size.encoder_input,
            "use_torch_spec": True,
            "log_input": True,
            "proj_dim": size.d_vector,
        },
    )
    return setup_encoder_model(config).eval(), config


def xtts(folder: Path, seed: int = 0, args: dict | None = None, notes: bool = True) -> Path:
    """Write an XTTS v2 into `folder`; with `notes`, its checkpoint holds objects, as the published one."""
    torch.manual_seed(seed)
    folder.mkdir(parents=True, exist_ok=True)
    words = ["[STOP]", "[UNK]", "[START]", "[SPACE]", *(f"[{code}]" for code in ("en", "de", "zh-cn", "ja"))]
    vocabulary = {
        word: index for index, word in enumerate([*words, *"abcdefghijklmnopqrstuvwxyzäöü0123456789.,!?'"])
    }
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[], unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.add_special_tokens(words)
    tokenizer.save(str(folder / "vocab.json"))
    settings = {
        "gpt_max_audio_tokens": 32,
        "gpt_max_text_tokens": 300,
        "gpt_layers": 1,
        "gpt_n_model_channels": 64,
        "gpt_n_heads": 2,
        "gpt_number_text_tokens": len(vocabulary),
        "gpt_start_text_token": vocabulary["[START]"],
        "gpt_stop_text_token": vocabulary["[STOP]"],
        "gpt_num_audio_tokens": 66,
        "gpt_start_audio_token": 64,
        "gpt_stop_audio_token": 65,
        "gpt_use_perceiver_resampler": True,
        "decoder_input_dim": 64,
        **(args or {}),
    }
    config = XttsConfig(
        model_args=XttsArgs(**settings), audio=XttsAudioConfig(), gpt_cond_len=6, gpt_cond_chunk_len=3
    )
    model = Xtts(config)
    model.hifigan_decoder.waveform_decoder.conv_post.weight.data *= 10  # as loud as speech
    written = json.loads(json.dumps(config.to_dict()))
    written["model_args"]["tokenizer_file"] = f"{ELSEWHERE}vocab.json"
    (folder / "config.json").write_text(json.dumps(written, indent=1))
    state = {name: tensor for name, tensor in model.state_dict().items() if "gpt_inference" not in name}
    torch.save({"model": state, "config": config if notes else written}, folder / "model.pth")
    channels = settings["gpt_n_model_channels"]
    torch.save(
        {
            name: {
                "gpt_cond_latent": torch.randn(1, 32, channels),
                "speaker_embedding": torch.nn.functional.normalize(torch.randn(1, 512, 1), dim=1),
            }
            for name in ("Claribel Dervla", "Damien Black")
        },
        folder / "speakers_xtts.pth",
    )
    return folder
