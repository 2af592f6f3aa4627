"""All voices of all engines, and how a name in a request becomes a voice.

A name that comes with avatalk always means the embedded voice: installing others never changes what a
request says. A language, or no name at all, asks for the best voice there is: an installed neural one first.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import replace
from functools import cache

from avatalk import engines
from avatalk.errors import EngineUnavailable, SpeechError, UnknownName
from avatalk.events import Monitor
from avatalk.models import piper
from avatalk.speech import kept
from avatalk.speech.base import SpeechEngine, Voice
from avatalk.speech.espeak_voices import (
    about,
    by_identifier,
    canonical,
    espeak_voices,
    is_common,
    language_names,
    tag_of,
)
from avatalk.speech.guess import latin_language
from avatalk.speech.scripts import script_of, scripts_in
from avatalk.speech.spoken import unread

DEFAULT = "amy"
_DEFAULT_LANGUAGE = "en-US"

FOREIGN_SHARE = 0.2
"""Share of letters in scripts that a voice does not read above which a text is refused, or another chosen."""

_FIRST_FOR = {
    "Cyrillic": "ru",
    "Arabic": "ar",
    "Devanagari": "hi",
    "Bengali": "bn",
    "Han": "cmn",
    "Greek": "el",
}
"""Which language is meant by a script that several use."""


@cache
def _engine(name: str) -> SpeechEngine:
    engine: SpeechEngine = engines.get("speech", name).load()()
    return engine


def engine_of(voice: Voice) -> SpeechEngine:
    """Return the engine that speaks `voice`.

    Raises:
        EngineUnavailable: its extra is not installed.
    """
    return _engine(voice.engine)


def speech_engines() -> tuple[SpeechEngine, ...]:
    """Return the engines that speak text and whose packages are installed, the embedded one first."""
    rows = [row for row in engines.ENGINES if row.stage == "speech" and "text" in row.takes]
    return tuple(_engine(row.name) for row in rows if not row.missing())


def neural_voices() -> tuple[Voice, ...]:
    """Return the installed voices, in the order in which they are preferred."""
    return tuple(v for engine in speech_engines() if engine.name != "espeak" for v in engine.voices())


def all_voices() -> tuple[Voice, ...]:
    """Return every voice that can be used now: the embedded ones, then the installed ones."""
    return (*espeak_voices(), *neural_voices())


def lookup(name: str) -> Voice:
    """Return the voice meant by a name, a language (tag or English name), or espeak-ng's identifier.

    Raises:
        UnknownName: there is none, or several; the hint has the nearest names, or theirs.
        EngineUnavailable: it is a Piper voice that is not installed.
    """
    wanted = plain_name(name)
    neural = neural_voices()
    for voice in (*espeak_voices(), *neural):
        if wanted in (plain_name(voice.name), voice.identifier.lower()):
            return voice
    called = [voice for voice in neural if wanted in map(plain_name, voice.aliases)]
    if len(called) == 1:
        return called[0]
    if called:
        raise UnknownName(
            f"Several voices are called “{name}”.",
            hint=f"Say which one: {', '.join(voice.name for voice in called[:4])}.",
            stage="speech",
            field="voice",
        )
    if piper.is_of_hub(name):
        raise _not_installed(name)
    own = by_identifier(name.strip())
    if own is not None:
        return own
    for voice in espeak_voices():
        in_english = voice.language_name.lower()
        if wanted in (in_english, in_english.split(" (")[0]):
            return _best(voice.language, neural) or voice
    tag = canonical(wanted)
    embedded = next((voice for voice in espeak_voices() if voice.language.lower() == tag), None)
    found = _best(tag, neural) or embedded
    if found is not None:
        return found
    if meant := piper.usual(name):
        raise _not_installed(meant)
    if wanted in ("yourtts", "xtts", "coqui") or re.fullmatch(r"(fe)?male-(en|pt)-\d", wanted):
        raise _not_a_voice(name, "xtts" if wanted == "xtts" else "yourtts")
    known = [*kept.names(), *_names_and_languages(all_voices())]
    near = difflib.get_close_matches(wanted, known, n=3, cutoff=0.5)
    guess = f"Did you mean {' or '.join(near)}? " if near else ""
    raise UnknownName(
        f"There is no voice “{name}”.",
        hint=f"{guess}All voices: avatalk voices",
        stage="speech",
        field="voice",
    )


def _not_installed(name: str) -> EngineUnavailable:
    steps = [f"`avatalk models install {piper.PREFIX}{name}`"]
    if engines.get("speech", "piper").missing():
        steps.insert(0, "`pip install 'avatalk[piper]'`")
    return EngineUnavailable(
        f"The Piper voice {name} cannot be used yet.",
        hint=f"Run {', then '.join(steps)}. {_INSTEAD}",
        stage="speech",
        field="voice",
    )


_INSTEAD = "Until then an embedded voice speaks if you leave out the voice."


def _not_a_voice(name: str, engine: str) -> EngineUnavailable:
    """The error for the name of an engine, or of a speaker whose weights are not here."""
    if speakers := [voice.name for voice in neural_voices() if voice.engine == engine]:
        return EngineUnavailable(
            f"“{name}” is no voice; {engine} has {len(speakers)}.",
            hint=f"Choose one of them, such as {speakers[0]}. All voices: avatalk voices",
            stage="speech",
            field="voice",
        )
    steps = [f"`avatalk models install {engine} --accept-license`"]
    if engines.get("speech", engine).missing():
        steps.insert(0, "`pip install 'avatalk[coqui]'`")
    return EngineUnavailable(
        f"The voices of {engine} cannot be used yet.",
        hint=f"Run {', then '.join(steps)} (not for commercial use). {_INSTEAD}",
        stage="speech",
        field="voice",
    )


def plain_name(name: str) -> str:
    """Return `name` as names of voices are compared."""
    return name.strip().lower().replace("_", "-")


def _best(tag: str, voices: Iterable[Voice], sex: str = "") -> Voice | None:
    """Return the first of `voices` that speaks the language, and is not of another sex."""
    fits = (voice for voice in voices if not (sex and voice.sex) or voice.sex == sex)
    return next((voice for voice in fits if canonical(voice.language) == canonical(tag)), None)


def _names_and_languages(voices: tuple[Voice, ...]) -> list[str]:
    names = [voice.name for voice in voices]
    names += [voice.language.lower() for voice in voices]
    names += [voice.language_name.split(" (")[0].lower() for voice in voices]
    return list(dict.fromkeys(names))


def voices_for_script(script: str) -> list[Voice]:
    """Return the embedded voices that read `script`, the most likely language first, then common ones."""
    voices = [voice for voice in espeak_voices() if script in voice.scripts]
    first = _FIRST_FOR.get(script)
    return sorted(voices, key=lambda voice: (voice.language != first, not is_common(voice.language)))


def _near_languages(wanted: str) -> list[str]:
    """English names of languages like `wanted`, which is one or a tag; those that many ask for first."""
    names = language_names()
    near = difflib.get_close_matches(wanted, names, n=8, cutoff=0.6)
    tags = [name for name in names if canonical(tag_of(name)).partition("-")[0][:2] == wanted[:2]]
    return sorted(near, key=lambda name: not is_common(tag_of(name)))[:3] or tags[:3]


def voices_of_language(language: str) -> list[Voice]:
    """Return the voices that speak a language, given as a tag: neural ones if there are any, else embedded.

    Raises:
        UnknownName: there is none.
    """
    tag = canonical(language)
    for voices in (neural_voices(), espeak_voices()):
        if found := [voice for voice in voices if canonical(voice.language) == tag]:
            return found
    near = _near_languages(language.lower())
    raise UnknownName(
        f"There is no voice for the language {language}.",
        hint=(f"Did you mean {' or '.join(near)}? " if near else "") + "All voices: avatalk voices",
        stage="speech",
        field="language",
    )


def is_spoken(language: str) -> bool:
    """Whether there is a voice for a language, given as a tag."""
    return any(canonical(voice.language) == canonical(language) for voice in all_voices())


def language_of(text: str) -> str:
    """Return the tag of the likely language of `text`, by its script and words; English in doubt."""
    script = script_of_text(text)
    if script == "Latin":
        guess = latin_language(text)
        return guess if guess not in (None, "en") else _DEFAULT_LANGUAGE
    return next((voice.language for voice in voices_for_script(script)), _DEFAULT_LANGUAGE)


_SYLLABLES = frozenset({"Han", "Hiragana", "Katakana", "Hangul"})
_LETTERS_OF_A_SYLLABLE = 3  # roughly what one of those signs is worth


def script_of_text(text: str) -> str:
    """The script of `text`: the most frequent one besides Latin if it has a fair share, else Latin.

    It need not have the most letters: English names stand in texts of any language, and every voice reads
    Latin letters somehow.
    """
    counts = scripts_in(text)
    for script in _SYLLABLES & counts.keys():
        counts[script] *= _LETTERS_OF_A_SYLLABLE
    latin = counts.pop("Latin", 0)
    others = counts.total()
    if not others or others <= FOREIGN_SHARE * (others + latin):
        return "Latin"
    script = counts.most_common(1)[0][0]
    if script == "Han" and (counts["Hiragana"] or counts["Katakana"]):
        return "Hiragana"  # only Japanese mixes them
    return script


def choose(
    name: str | None, text: str, monitor: Monitor, sex: str = "", language: str | None = None
) -> Voice:
    """Return the voice of a request; without a name, the best one for the likely language of `text`.

    That is an installed neural one if there is one, else an embedded one.

    Args:
        name: what `lookup` knows, or None.
        text: to be spoken.
        monitor: takes the warning that a voice was chosen by the text, where that is not English.
        sex: ``female`` or ``male`` where the avatar has one; a voice of that sex is taken if there is one.
        language: tag of the language of `text`, which rules out others; None for what it seems to be.

    Raises:
        UnknownName: there is no such voice, or none of that language.
    """
    if name:
        voice = lookup(name)
        if language is None and _taken_for_language(name, voice, text):
            monitor.warn(
                f"“{name}” is taken for the language {voice.language_name}, which {voice.name} speaks; "
                "the text seems to be in another. Voices: `avatalk voices`."
            )
        return _speaking(voice, language, monitor)
    if language:
        of_language = voices_of_language(language)
        return next((voice for voice in of_language if voice.sex == sex), of_language[0])
    script, tag = script_of_text(text), language_of(text)
    if tag == _DEFAULT_LANGUAGE:
        return _english(sex)
    neural = [voice for voice in neural_voices() if script in voice.scripts]
    chosen = _best(tag, neural, sex) or _best(tag, espeak_voices(), sex) or voices_of_language(tag)[0]
    if script == "Latin":
        monitor.warn(
            f"No voice was given; the text seems to be {chosen.language_name.partition(' (')[0]}, so "
            f"{chosen.name} reads it. Another: --voice or --language."
        )
    else:
        monitor.warn(
            f"No voice was given; the text is written in {script}, so {chosen.name} "
            f"({chosen.language_name}) reads it. Another: --voice, see avatalk voices."
        )
    return chosen


def _taken_for_language(name: str, voice: Voice, text: str) -> bool:
    """Whether `name` is a code such as ``am`` or ``no``, and `text` clearly not in that language."""
    base = canonical(voice.language).partition("-")[0]
    if canonical(plain_name(name)).partition("-")[0] != base:
        return False
    script = script_of_text(text)
    return script not in voice.scripts or (script == "Latin" and base != "en" == latin_language(text))


def _speaking(voice: Voice, language: str | None, monitor: Monitor) -> Voice:
    """Return `voice` speaking `language`, where it can; else as it is, with a warning."""
    able = voice if language is None else _itself_in(voice, language)
    if able is not None:
        return able
    monitor.warn(f"--language has no effect: the voice {voice.name} speaks {voice.language_name}.")
    return voice


def _itself_in(voice: Voice, language: str) -> Voice | None:
    """Return `voice` speaking `language`; None if it cannot."""
    if canonical(voice.language) == canonical(language):
        return voice
    engine = engine_of(voice)
    if engine.clones and canonical(language) in map(canonical, engine.languages()):
        language_name, scripts = read_by(engine, language)
        return replace(voice, language=language, language_name=language_name, scripts=scripts)
    return None


def in_language(voice: Voice, language: str) -> Voice | None:
    """Return `voice` speaking `language`, or one of its engine and sex that does; None if there is none."""
    return _itself_in(voice, language) or _best(language, engine_of(voice).voices(), voice.sex)


def read_by(engine: SpeechEngine, language: str) -> tuple[str, tuple[str, ...]]:
    """Return the English name of a language, and the scripts in which `engine` reads it."""
    tag = canonical(language)
    name, scripts = about(language)
    return name, next((v.scripts for v in engine.voices() if canonical(v.language) == tag), scripts)


def _english(sex: str) -> Voice:
    """Return the best English voice: American before others, an embedded one before one of the other sex."""
    neural = [voice for voice in neural_voices() if voice.language.partition("-")[0] == "en"]
    default = next(voice for voice in espeak_voices() if voice.name == DEFAULT)
    embedded = [voice for voice in espeak_voices() if voice.language == default.language]
    for voices in (neural, embedded):
        for language in (default.language, *(voice.language for voice in voices)):
            if found := _best(language, voices, sex):
                return found
    return default


_SHOWN = 12  # signs that a warning names


def _shown(char: str) -> str:
    """A character as a warning names it."""
    script = script_of(char)
    return f"{char} ({script})" if script else char if char.isprintable() else f"U+{ord(char):04X}"


def check_readable(text: str, voice: Voice, monitor: Monitor) -> None:
    """Make sure that `voice` reads the script of `text`; Latin letters any voice reads somehow.

    Of a few other letters and signs that it does not read, a warning tells.

    Raises:
        SpeechError: too many letters of `text` are in other scripts.
    """
    if lost := unread(text, voice.scripts):
        shown = ", ".join(_shown(char) for char in lost[:_SHOWN]) + (" …" if len(lost) > _SHOWN else "")
        monitor.warn(f"Left out, since the voice {voice.name} does not read them: {shown}.")
    counts = scripts_in(text)
    foreign = {script: n for script, n in counts.items() if script not in (*voice.scripts, "Latin")}
    if not foreign:
        return
    scripts = " and ".join(sorted(foreign))
    if sum(foreign.values()) <= FOREIGN_SHARE * sum(counts.values()):
        return
    able = voices_for_script(max(foreign, key=lambda script: foreign[script]))[:4]
    if "Katakana" in voice.scripts:
        able = []
    kana = " Japanese is read from kana, not kanji." if "Katakana" in voice.scripts else ""
    hint = "No voice here reads it."
    if able:
        names = ", ".join(other.name for other in able)
        part = f'<lang xml:lang="{able[0].language}">…</lang>'
        hint = f"Choose a voice that reads it: {names}. Or say which part is in another language: {part}."
    raise SpeechError(
        f"The voice {voice.name} reads {' and '.join(voice.scripts)}; the text is written in {scripts}.",
        hint=hint + kana,
        stage="speech",
        field="text",
    )
