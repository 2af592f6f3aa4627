"""The voices of espeak-ng under short names, and the languages it knows: their tags, names and scripts."""

from __future__ import annotations

from functools import cache

from avatalk.speech.base import Voice
from avatalk.speech.libespeak import EspeakLanguage, languages, variant_names

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


@cache
def canonical(tag: str) -> str:
    """Return the tag, lower case, of the language that `tag` means here; `tag`'s own language if none does.

    ``de-AT`` is ``de``, ``zh-CN`` is ``cmn``, ``en`` is ``en-us``: tags with the same one are spoken by the
    same voices.
    """
    known = {voice.language.lower() for voice in espeak_voices()}
    tag = tag.lower().replace("_", "-")
    wanted = tag
    while wanted:
        wanted = _MEANT.get(wanted, wanted)
        if wanted in known:
            return wanted
        wanted = wanted.rpartition("-")[0]
    return tag.partition("-")[0]


def about(tag: str) -> tuple[str, tuple[str, ...]]:
    """Return the English name of a language, ``German``, and the Unicode scripts that it is written in."""
    wanted = canonical(tag)
    voice = next((voice for voice in espeak_voices() if voice.language.lower() == wanted), None)
    return (voice.language_name, voice.scripts) if voice else (tag, ("Latin",))


@cache
def _tags_by_name() -> dict[str, str]:
    """English names of languages, lower case → tags; of dialects also without what tells them apart."""
    found = {"norwegian": "nb", "mandarin": "cmn"}
    for voice in espeak_voices():
        found.setdefault(voice.language_name.lower(), voice.language)
    for voice in sorted(
        espeak_voices(), key=lambda voice: (not is_common(voice.language), "-" in voice.language)
    ):
        found.setdefault(voice.language_name.lower().split(" (")[0], voice.language)
    return found


def tag_of(language: str) -> str:
    """Return the tag of a language that is given by its English name, ``German``; a tag stays as it is."""
    return _tags_by_name().get(" ".join(language.lower().split()), language)


def language_names() -> list[str]:
    """Return the English names of all languages, lower case, those that many ask for first."""
    names = _tags_by_name()
    return sorted(names, key=lambda name: not is_common(names[name]))


def is_common(tag: str) -> bool:
    """Whether a language is one of those that many ask for, whose voices have names of people."""
    return tag in _NAMES


def by_identifier(name: str) -> Voice | None:
    """Return a voice by espeak-ng's identifier or tag, a variant of it behind a plus: ``en-us+f4``."""
    language, plus, variant = name.partition("+")
    known = variant_names().get(variant.lower()) if plus else ""
    if known is None:
        return None
    for voice in espeak_voices():
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
