"""The embedded voices under short names, and how a name in a request becomes a voice."""

from __future__ import annotations

import difflib
from functools import cache

from avatalk.errors import SpeechError, UnknownName
from avatalk.events import Monitor
from avatalk.speech.base import Voice
from avatalk.speech.libespeak import EspeakLanguage, languages, variant_names
from avatalk.speech.scripts import scripts_in

DEFAULT = "amy"

_LICENCE = "GPL-3.0-or-later (the program; the sound it makes is yours)"

_FEMALE, _MALE = "f1", "m3"
"""Variants of a voice. f2, f3 and f5 are breathier, but do not sound the same in every process."""

# Language of espeak-ng → names of a woman and a man. Every other language is named by its tag:
# `sw` and `sw-f`.
_NAMES = {
    "en-US": ("amy", "brian"),
    "en-GB": ("emma", "george"),
    "en-GB-scotland": ("fiona", "angus"),
    "ar": ("layla", "omar"),
    "bg": ("elena", "boris"),
    "bn": ("ananya", "rahul"),
    "ca": ("nuria", "jordi"),
    "cmn": ("mei", "wei"),
    "cs": ("tereza", "tomas"),
    "cy": ("carys", "rhys"),
    "da": ("freja", "mads"),
    "de": ("anna", "lukas"),
    "el": ("eleni", "nikos"),
    "es": ("lucia", "mateo"),
    "es-419": ("camila", "diego"),
    "et": ("liis", "rasmus"),
    "fa": ("shirin", "dariush"),
    "fi": ("aino", "eero"),
    "fr": ("chloe", "louis"),
    "ga": ("aoife", "sean"),
    "he": ("noa", "eitan"),
    "hi": ("priya", "arjun"),
    "hr": ("ivana", "luka"),
    "hu": ("eszter", "bence"),
    "hy": ("ani", "aram"),
    "id": ("dewi", "budi"),
    "is": ("katrin", "jon"),
    "it": ("giulia", "marco"),
    "ja": ("yuki", "haruto"),
    "ka": ("nino", "giorgi"),
    "ko": ("minji", "jiho"),
    "lt": ("ruta", "jonas"),
    "lv": ("liga", "janis"),
    "nb": ("ingrid", "lars"),
    "nl": ("sanne", "daan"),
    "pl": ("zofia", "jakub"),
    "pt": ("ines", "joao"),
    "pt-BR": ("beatriz", "thiago"),
    "ro": ("ioana", "andrei"),
    "ru": ("natasha", "dmitri"),
    "sk": ("zuzana", "marek"),
    "sl": ("nika", "matej"),
    "sr": ("jelena", "nikola"),
    "sv": ("elsa", "erik"),
    "ta": ("kavya", "murugan"),
    "th": ("malee", "somchai"),
    "tr": ("elif", "emre"),
    "uk": ("oksana", "taras"),
    "ur": ("zara", "bilal"),
    "vi": ("linh", "minh"),
}
_MORE = {"en-US": (("grace", "female", "Annie"), ("max", "male", ""))}
"""More voices of a language: name, sex, variant."""

_LANGUAGE_OF = {"gmw/en": "en-GB"}
"""Identifiers whose last part is not the BCP-47 tag."""

_SILENT = frozenset({"fo", "kaa", "xex"})
"""Languages that espeak-ng 1.52 lists without having a dictionary for them."""

# What a tag without a voice of its own means here.
_MEANT = {
    "en": "en-us",
    "en-uk": "en-gb",
    "fr-fr": "fr",
    "es-mx": "es-419",
    "es-us": "es-419",
    "no": "nb",
    "nn": "nb",
    "zh": "cmn",
    "zh-hk": "yue",
    "zh-yue": "yue",
    "pt-pt": "pt",
    "iw": "he",
    "in": "id",
    "sh": "sr",
}

_CYRILLIC = "ba be bg cv kk ky mk nog ru ru-cl ru-LV tt uk"
_SCRIPTS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(_CYRILLIC.split(), ("Cyrillic",)),
    **dict.fromkeys(("ar", "fa", "sd", "ug", "ur"), ("Arabic",)),
    **dict.fromkeys(("hi", "kok", "mr", "ne"), ("Devanagari",)),
    **dict.fromkeys(("as", "bn", "bpy"), ("Bengali",)),
    **dict.fromkeys(("am", "ti"), ("Ethiopic",)),
    **dict.fromkeys(("cmn", "cmn-Latn-pinyin", "yue", "yue-Latn-jyutping"), ("Han",)),
    **dict.fromkeys(("el", "grc"), ("Greek",)),
    **dict.fromkeys(("hy", "hyw"), ("Armenian",)),
    **dict.fromkeys(("my", "shn"), ("Myanmar",)),
    **dict.fromkeys(("bs", "sr", "uz"), ("Latin", "Cyrillic")),
    "chr": ("Cherokee",),
    "en-Shaw": ("Shavian",),
    "gu": ("Gujarati",),
    "he": ("Hebrew",),
    "ja": ("Hiragana", "Katakana"),
    "ka": ("Georgian",),
    "kn": ("Kannada",),
    "ko": ("Hangul",),
    "ml": ("Malayalam",),
    "or": ("Oriya",),
    "pa": ("Gurmukhi",),
    "si": ("Sinhala",),
    "ta": ("Tamil",),
    "te": ("Telugu",),
    "th": ("Thai",),
}
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
def espeak_voices() -> tuple[Voice, ...]:
    """Return every voice of espeak-ng; of each language the one that its tag alone means comes first."""
    return tuple(
        voice
        for language in sorted(languages(), key=lambda language: language.name)
        if language.tag not in _SILENT
        for voice in _voices_of(language)
    )


def _voices_of(language: EspeakLanguage) -> list[Voice]:
    tag = _LANGUAGE_OF.get(language.identifier, language.identifier.split("/")[-1])
    if tag in _NAMES:
        woman, man = _NAMES[tag]
        named = [(woman, "female", _FEMALE), (man, "male", _MALE), *_MORE.get(tag, ())]
    else:
        named = [(tag.lower(), "male", ""), (f"{tag.lower()}-f", "female", _FEMALE)]
    return [
        Voice(
            name=name,
            language=tag,
            language_name=language.name,
            sex=sex,
            engine="espeak",
            identifier=f"{language.identifier}+{variant}" if variant else language.identifier,
            licence=_LICENCE,
            description=f"{language.name}, {sex}" + (", reads kana only" if tag == "ja" else ""),
            scripts=_SCRIPTS.get(tag, ("Latin",)),
        )
        for name, sex, variant in named
    ]


def lookup(name: str) -> Voice:
    """Return the voice meant by a short name, a language (tag or English name), or espeak-ng's identifier.

    Raises:
        UnknownName: there is none; the hint has the nearest names.
    """
    voices = espeak_voices()
    wanted = name.strip().lower().replace("_", "-")
    for voice in voices:
        in_english = voice.language_name.lower()
        if wanted in (voice.name, voice.identifier.lower(), in_english, in_english.split(" (")[0]):
            return voice
    own = _by_identifier(name.strip(), voices)
    if own is not None:
        return own
    tag = wanted
    while tag:
        tag = _MEANT.get(tag, tag)
        for voice in voices:
            if voice.language.lower() == tag:
                return voice
        tag = tag.rpartition("-")[0]
    near = difflib.get_close_matches(wanted, _names_and_languages(voices), n=3, cutoff=0.5)
    guess = f"Did you mean {' or '.join(near)}? " if near else ""
    raise UnknownName(
        f"There is no voice “{name}”.",
        hint=f"{guess}All voices: avatalk voices",
        stage="speech",
        field="voice",
    )


def _by_identifier(name: str, voices: tuple[Voice, ...]) -> Voice | None:
    """A voice by espeak-ng's identifier or tag with any of its variants behind a plus, ``en-us+f4``."""
    language, plus, variant = name.partition("+")
    known = variant_names().get(variant.lower()) if plus else ""
    if known is None:
        return None
    for voice in voices:
        base = voice.identifier.partition("+")[0]
        if language.lower() in (base.lower(), *((voice.language.lower(),) if plus else ())):
            identifier = f"{base}+{known}" if known else base
            description = f"{voice.language_name}, espeak-ng's own {identifier}"
            return Voice(
                name=identifier,
                language=voice.language,
                language_name=voice.language_name,
                sex="",
                engine=voice.engine,
                identifier=identifier,
                licence=voice.licence,
                description=description,
                scripts=voice.scripts,
            )
    return None


def _names_and_languages(voices: tuple[Voice, ...]) -> list[str]:
    names = [voice.name for voice in voices]
    names += [voice.language.lower() for voice in voices]
    names += [voice.language_name.split(" (")[0].lower() for voice in voices]
    return list(dict.fromkeys(names))


def voices_for_script(script: str) -> list[Voice]:
    """Return the voices that read `script`, the most likely language first."""
    voices = [voice for voice in espeak_voices() if script in voice.scripts]
    first = _FIRST_FOR.get(script)
    return sorted(voices, key=lambda voice: voice.language != first)


def choose(name: str | None, text: str, monitor: Monitor, sex: str = "") -> Voice:
    """Return the voice of a request; without a name, one that reads the script of `text`.

    Args:
        name: what `lookup` knows, or None.
        text: to be spoken.
        monitor: takes the warning that a voice was chosen by the script.
        sex: ``female`` or ``male`` where the avatar has one; a voice of that sex is taken if there is one.

    Raises:
        UnknownName: there is no such voice.
    """
    if name:
        return lookup(name)
    counts = scripts_in(text)
    script = counts.most_common(1)[0][0] if counts else "Latin"
    if script == "Han" and (counts["Hiragana"] or counts["Katakana"]):
        script = "Hiragana"  # only Japanese mixes them
    found = voices_for_script(script) if script != "Latin" else []
    if not found:
        default = lookup(DEFAULT)
        of_language = [voice for voice in espeak_voices() if voice.language == default.language]
        return next((voice for voice in of_language if voice.sex == sex), default)
    found = [voice for voice in found if voice.language == found[0].language]
    found.sort(key=lambda voice: bool(sex) and voice.sex != sex)
    monitor.warn(
        f"No voice was given; the text is written in {script}, so {found[0].name} "
        f"({found[0].language_name}) reads it. Another: --voice, see avatalk voices."
    )
    return found[0]


FOREIGN_SHARE = 0.2
"""Share of letters in scripts that the voice does not read above which a text is refused."""


def check_readable(text: str, voice: Voice, monitor: Monitor) -> None:
    """Make sure that `voice` reads the script of `text`; Latin letters any voice reads somehow.

    Raises:
        SpeechError: too many letters of `text` are in other scripts.
    """
    counts = scripts_in(text)
    foreign = {script: n for script, n in counts.items() if script not in (*voice.scripts, "Latin")}
    if not foreign:
        return
    scripts = " and ".join(sorted(foreign))
    if sum(foreign.values()) <= FOREIGN_SHARE * sum(counts.values()):
        monitor.warn(f"Letters in {scripts} were left out: the voice {voice.name} does not read them.")
        return
    able = [other.name for other in voices_for_script(max(foreign, key=lambda script: foreign[script]))[:4]]
    if "Katakana" in voice.scripts:
        able = []
    kana = " Japanese is read from kana, not kanji." if "Katakana" in voice.scripts else ""
    raise SpeechError(
        f"The voice {voice.name} reads {' and '.join(voice.scripts)}; the text is written in {scripts}.",
        hint=(f"Choose a voice that reads it: {', '.join(able)}." if able else "No voice here reads it.")
        + kana,
        stage="speech",
        field="text",
    )
