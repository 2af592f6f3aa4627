"""What the files of an installed Piper voice say, and under which names its speakers go."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from avatalk import models, settings
from avatalk.errors import UnreadableFile
from avatalk.models.piper import PREFIX, read_config
from avatalk.speech.base import Voice
from avatalk.speech.espeak_voices import about, espeak_voices

_QUALITIES = ("high", "medium", "low", "x_low")
# The files do not tell women from men; these are the better known voices of the hub.
_WOMEN = (
    *("alba", "amy", "cori", "eva_k", "gosia", "irina", "jenny_dioco", "kathleen"),
    *("kerstin", "kristin", "lessac", "ljspeech", "paola", "ramona", "siwis"),
)
_MEN = (
    *("alan", "bryce", "carlfm", "danny", "davefx", "denis", "dmitri", "gilles", "joe"),
    *("john", "norman", "riccardo", "ruslan", "ryan", "thorsten", "tom"),
)
_SEXES = dict.fromkeys(_WOMEN, "female") | dict.fromkeys(_MEN, "male")


@dataclass(frozen=True, slots=True)
class PiperFiles:
    """What the ``.onnx.json`` of a voice says.

    Attributes:
        stem: name of the files, ``en_US-lessac-medium``.
        language: BCP-47 tag.
        sample_rate: hertz.
        hop: samples per frame.
        espeak: identifier of the espeak-ng voice whose phonemes it was trained on; empty where its symbols
            are the characters of the text.
        symbols: numbers of each symbol.
        clusters: symbols that stand for several characters, longest first.
        scales: of the noise, the length, and the noise in the lengths.
        speakers: number of each speaker's name; empty where there is only one.
    """

    stem: str
    language: str
    sample_rate: int
    hop: int
    espeak: str
    symbols: dict[str, tuple[int, ...]]
    clusters: tuple[str, ...]
    scales: tuple[float, float, float]
    speakers: dict[str, int]


def read_files(stem: str) -> PiperFiles:
    """Return what the files of an installed voice say.

    Raises:
        UnreadableFile: they are damaged, or describe a voice of a kind that cannot be spoken here.
    """
    path = models.folder(PREFIX + stem) / f"{stem}.onnx.json"
    return _read(path, stem, path.stat().st_mtime_ns if path.exists() else 0)


@lru_cache(maxsize=256)
def _read(path: Path, stem: str, _changed: int) -> PiperFiles:
    config: dict[str, Any] = read_config(path)
    kind = config.get("phoneme_type") or "espeak"
    inference = config.get("inference", {})
    espeak = config.get("espeak", {}).get("voice", "")
    try:
        return PiperFiles(
            stem=stem,
            language=(config.get("language", {}).get("code") or espeak or stem.split("-")[0]).replace(
                "_", "-"
            ),
            sample_rate=int(config["audio"]["sample_rate"]),
            hop=int(config.get("hop_length", 256)),
            espeak=espeak if kind == "espeak" else "",
            symbols={symbol: tuple(map(int, ids)) for symbol, ids in config["phoneme_id_map"].items()},
            clusters=tuple(sorted(map("".join, config.get("vowel_clusters") or ()), key=len, reverse=True)),
            scales=(
                float(inference.get("noise_scale", 0.667)),
                float(inference.get("length_scale", 1.0)),
                float(inference.get("noise_w", 0.8)),
            ),
            speakers={str(name): int(number) for name, number in config.get("speaker_id_map", {}).items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnreadableFile(
            f"{path.name} does not describe a Piper voice: {error!r}.",
            hint=f"Fetch it again: `avatalk models install {PREFIX}{stem}`.",
            stage="speech",
        ) from error


def piper_voices() -> tuple[Voice, ...]:
    """Return every speaker of every installed voice, better qualities first.

    A voice is called by the shortest of ``amy``, ``amy-medium`` and ``en_US-amy-medium`` that no embedded
    voice has and no other Piper voice goes by; a speaker's name follows: ``vctk-p225``.
    """
    found = [
        voice for model in models.list_models() if model.engine == "piper" for voice in _voices_of(model)
    ]
    found.sort(key=lambda voice: _rank(voice.identifier))
    names = Counter(alias for voice in found for alias in voice.aliases)
    names.update(voice.name for voice in espeak_voices())
    return tuple(
        replace(voice, name=next((alias for alias in voice.aliases if names[alias] == 1), voice.name))
        for voice in found
    )


def _rank(identifier: str) -> tuple[int, str]:
    quality = identifier.partition("#")[0].rpartition("-")[2]
    return (_QUALITIES.index(quality) if quality in _QUALITIES else len(_QUALITIES), identifier.split("-")[0])


def _voices_of(model: models.Model) -> list[Voice]:
    """Return the speakers of one voice, if it can be used; as yet they have the longest of their names."""
    if not models.installed(model.name) or (settings.commercial() and not model.commercial):
        return []
    stem = model.name.removeprefix(PREFIX)
    try:
        files = read_files(stem)
    except UnreadableFile:
        return []
    language_name, scripts = about(files.language)
    parts = stem.lower().split("-")
    short = parts[1:] if len(parts) == 3 else parts
    bases = tuple(dict.fromkeys((short[0], "-".join(short), stem.lower())))
    sex = _SEXES.get(short[0], "")
    for word in short[0].split("_"):
        sex = word if word in ("female", "male") else sex
    voices: list[Voice] = []
    for speaker in sorted(files.speakers, key=files.speakers.__getitem__) or [""]:
        aliases = tuple(f"{base}-{speaker.lower()}" for base in bases) if speaker else bases
        voices.append(
            Voice(
                name=aliases[-1],
                language=files.language,
                language_name=language_name,
                sex=sex,
                engine="piper",
                identifier=f"{stem}#{speaker}" if speaker else stem,
                licence=model.licence,
                description=f"{language_name}, Piper {stem}" + (f", speaker {speaker}" if speaker else ""),
                scripts=scripts,
                aliases=aliases if voices or not speaker else (*aliases, *bases),
            )
        )
    return voices
