"""The one table of engines. An engine's file is the only place that imports its heavy library."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from avatalk import early, models
from avatalk.errors import EngineUnavailable, UnknownName


@dataclass(frozen=True, slots=True)
class Engine:
    """One way to do one stage.

    Attributes:
        stage: one of `avatalk.events.STAGES`.
        name: what a request calls it.
        target: ``"module:attribute"`` of its class or function.
        summary: one line for people.
        licence: of the engine and what it needs to run, SPDX where there is an identifier.
        packages: importable names it needs.
        models: models it needs, fetched at first use; with a colon at its end, ``piper:``, any of a kind.
        extra: the extra that installs `packages`; empty when they are always there.
        takes: what a lip-sync engine can move: ``drawn``, ``still``, ``clip``; what a speech engine makes
            speech from: ``text``, ``recording``; and ``sample`` if it clones the voice in one; ``words`` for
            an engine that makes avatars from them.
    """

    stage: str
    name: str
    target: str
    summary: str
    licence: str
    packages: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    extra: str = ""
    takes: tuple[str, ...] = ()

    def missing(self) -> tuple[str, ...]:
        """Packages that are not installed."""
        return tuple(package for package in self.packages if find_spec(package) is None)

    def to_get(self) -> str:
        """The commands that add what is missing; empty when nothing is."""
        commands = []
        if self.missing():
            extra = f"'avatalk[{self.extra}]'" if self.extra else "--force-reinstall avatalk"
            commands.append(f"pip install {extra}")
        lacking = list(filter(None, map(models.lacking, self.models)))
        if lacking:
            commands.append(f"avatalk models install {' '.join(lacking)}")
        return " && ".join(commands)

    def load(self) -> Any:
        """Import and return what `target` names.

        Raises:
            EngineUnavailable: a package is missing.
        """
        if missing := self.missing():
            raise EngineUnavailable(
                f"The engine {self.name} needs {', '.join(missing)}.", hint=self.to_get(), stage=self.stage
            )
        module, _, attribute = self.target.partition(":")
        return getattr(import_module(module), attribute)


_PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".heic")
_WAV2LIP_LICENCE = "Wav2Lip weights, non-commercial"

_COQUI = ("TTS", "torchaudio", "torchcodec", "six", "torch", "openvino")

ENGINES: tuple[Engine, ...] = (
    Engine(
        "avatar",
        "gallery",
        "avatalk.avatars.gallery:get",
        "drawn characters that come with avatalk",
        "CC0-1.0",
        packages=("resvg_py",),
    ),
    Engine(
        "avatar",
        "photo",
        "avatalk.avatars.photo:load_photo",
        "your own picture: JPEG, PNG, WebP, HEIC",
        "Apache-2.0",
        packages=("PIL", "pi_heif"),
    ),
    Engine(
        "avatar",
        "diffusion",
        "avatalk.avatars.diffusion:Diffusion",
        "a photograph painted from a description, in a minute or two",
        "CreativeML-Open-RAIL++-M",
        packages=("diffusers", "transformers", "accelerate", "torch"),
        models=("diffusion:",),
        extra="diffusion",
        takes=("words",),
    ),
    Engine(
        "avatar",
        "drawn",
        "avatalk.avatars.drawn.maker:DrawnMaker",
        "a character drawn from a description, at once",
        "CC0-1.0",
        packages=("resvg_py",),
        takes=("words",),
    ),
    Engine(
        "speech",
        "espeak",
        "avatalk.speech.espeak:Espeak",
        "espeak-ng, over 100 languages, exact phoneme times",
        "GPL-3.0-or-later",
        packages=("espeakng_loader", "av"),
        takes=("text",),
    ),
    Engine(
        "speech",
        "piper",
        "avatalk.speech.piper:Piper",
        "Piper's neural voices, in over 30 languages",
        "Apache-2.0; each voice has its own",
        packages=("espeakng_loader", "openvino"),
        models=("piper:",),
        extra="piper",
        takes=("text",),
    ),
    # Where both are here YourTTS clones what it can; XTTS writes sound step by step, slowly on processors.
    Engine(
        "speech",
        "yourtts",
        "avatalk.speech.coqui:YourTts",
        "YourTTS: clones a voice into English, French and Portuguese, faster than real time",
        "CC-BY-NC-ND-4.0",
        packages=_COQUI,
        models=("yourtts",),
        extra="coqui",
        takes=("text", "sample"),
    ),
    Engine(
        "speech",
        "xtts",
        "avatalk.speech.coqui:Xtts",
        "XTTS v2: clones a voice into 17 languages; wants a graphics card",
        "Coqui Public Model License 1.0.0, non-commercial",
        packages=_COQUI,
        models=("xtts",),
        extra="coqui",
        takes=("text", "sample"),
    ),
    Engine(
        "speech",
        "recording",
        "avatalk.speech.audio:open_audio",
        "your own recording, any format",
        "Apache-2.0",
        packages=("av",),
        takes=("recording",),
    ),
    Engine(
        "face",
        "mediapipe",
        "avatalk.faces.mediapipe:MediaPipeFaces",
        "full-range detector and attention mesh of MediaPipe",
        "Apache-2.0",
        packages=("ai_edge_litert", "cv2"),
        models=("face",),
    ),
    Engine(
        "face",
        "s3fd",
        "avatalk.faces.s3fd:S3fd",
        "the detector that Wav2Lip was trained behind",
        _WAV2LIP_LICENCE,
        packages=("openvino", "torch"),
        models=("s3fd",),
        extra="neural",
    ),
    Engine(
        "lipsync",
        "animator",
        "avatalk.lipsync.animator:Animator",
        "a rig for drawn avatars, a mesh warp for photographs",
        "Apache-2.0",
        packages=("cv2",),
        takes=("drawn", "still"),
    ),
    Engine(
        "lipsync",
        "wav2lip-gan",
        "avatalk.lipsync.wav2lip:Wav2Lip",
        "Wav2Lip trained with a visual quality discriminator: sharper; pictures and clips",
        _WAV2LIP_LICENCE,
        packages=("openvino", "torch"),
        models=("wav2lip-gan",),
        extra="neural",
        takes=("clip", "still"),
    ),
    Engine(
        "lipsync",
        "wav2lip",
        "avatalk.lipsync.wav2lip:Wav2Lip",
        "Wav2Lip: lips a little more exact, softer; pictures and clips",
        _WAV2LIP_LICENCE,
        packages=("openvino", "torch"),
        models=("wav2lip",),
        extra="neural",
        takes=("clip", "still"),
    ),
    Engine(
        "compose",
        "selfie",
        "avatalk.compose.selfie:Selfie",
        "MediaPipe's selfie segmentation, for backgrounds",
        "Apache-2.0",
        packages=("ai_edge_litert", "cv2"),
        models=("selfie",),
    ),
    Engine(
        "compose",
        "deeplab",
        "avatalk.compose.deeplab:DeepLab",
        "DeepLabV3+ Xception of PixelLib, for backgrounds; slower, for pictures that selfie gets wrong",
        "MIT",
        packages=("openvino", "cv2"),
        models=("deeplab",),
        extra="neural",
    ),
    Engine(
        "encode",
        "pyav",
        "avatalk.video.encode:encode",
        "H.264 and AAC in MP4",
        "GPL-2.0-or-later",
        packages=("av",),
    ),
)


_FIELDS = {"avatar": "avatar_engine", "face": "faces", "compose": "matting"}
"""Which field of a request names the engine of a stage, where that is not ``engine``."""


def get(stage: str, name: str, takes: str = "") -> Engine:
    """The engine called `name` in `stage`; ``auto`` is the first that can run here.

    Args:
        stage: one of `avatalk.events.STAGES`.
        name: as a request says it.
        takes: what it must be able to take, see `Engine`.

    Raises:
        UnknownName: there is none; the hint names the nearest.
        EngineUnavailable: it cannot take that.
    """
    candidates = [engine for engine in ENGINES if engine.stage == stage]
    for engine in candidates:
        if engine.name == name and takes in ("", *engine.takes):
            return engine
        if engine.name == name:
            lacks = "make avatars from words" if takes == "words" else f"move a {takes} avatar"
            raise EngineUnavailable(
                f"The engine {name} does not {lacks}.",
                hint=f"Use {' or '.join(e.name for e in candidates if takes in e.takes)}.",
                stage=stage,
                field=_FIELDS.get(stage, "engine"),
            )
    if name == "auto":
        fit = [engine for engine in candidates if takes in ("", *engine.takes)]
        return next((engine for engine in fit if not engine.to_get()), fit[0])
    names = ["auto", *(engine.name for engine in candidates)]
    raise UnknownName(
        f"There is no engine {name!r} for {stage}.",
        hint=nearest(name, names, "avatalk engines"),
        stage=stage,
        field=_FIELDS.get(stage, "engine"),
    )


def begin_lips(name: str, avatar: str, device: str) -> None:
    """Begin what a lip-sync engine may do for a picture before all else, see `LipSync.ahead`.

    Args:
        name: of the engine, as a request says it.
        avatar: likewise.
        device: likewise.
    """
    engine = next((one for one in ENGINES if (one.stage, one.name) == ("lipsync", name)), None)
    if engine and engine.models and avatar.lower().endswith(_PICTURES) and not engine.missing():
        key = name, avatar, device
        if not early.begun(key) and (work := engine.load().ahead(name, Path(avatar), device)) is not None:
            early.begin(key, work)


def nearest(name: str, names: Iterable[str], command: str) -> str:
    """A hint for a name nobody knows: the nearest known ones, and the command that lists all."""
    close = difflib.get_close_matches(name.lower(), list(names), n=3, cutoff=0.5)
    return (f"Did you mean {' or '.join(close)}? " if close else "") + f"All are listed by `{command}`."
