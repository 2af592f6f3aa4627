"""The gallery of voices: heard, kept, shown and removed."""

from __future__ import annotations

import getpass
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from avatalk.errors import BadInput, EngineUnavailable, UnknownName
from avatalk.events import Monitor, OnProgress

if TYPE_CHECKING:
    from avatalk.speech.kept import Kept
    from avatalk.speech.sample_checks import Finding
    from avatalk.voiceover import Said

STATEMENT = "I am the speaker of this recording, or the speaker agreed that avatalk imitates the voice in it."
"""What has to be true of a voice that is kept."""


@dataclass(frozen=True, slots=True)
class Added:
    """What `add_voice` returns.

    Attributes:
        voice: as it is kept.
        findings: what was measured of the sample.
        engines: engines that have learnt the voice; others do so when they are first used.
        warnings: what the user should know.
        better: what would make a better voice of it, each with the command that does it.
    """

    voice: Kept
    findings: tuple[Finding, ...]
    engines: list[str]
    warnings: list[str] = field(default_factory=list)
    better: list[str] = field(default_factory=list)


def add_voice(
    name: str,
    sample: str | Path,
    *,
    consent: str,
    who: str = "",
    language: str = "en",
    on_progress: OnProgress | None = None,
    cancel: Event | None = None,
) -> Added:
    """Keep the voice in a recording under a name; it then stands among the voices.

    Args:
        name: letters, digits and hyphens; lower and upper case are the same.
        sample: path of 3 s to 5 min of one person speaking, in any format.
        consent: the statement that the speaker agrees, such as `STATEMENT`; it is kept with the voice.
        who: gives it; the name that the user is logged in with by default.
        language: tag of the language that the voice speaks where a request says nothing else.
        on_progress: called with every step; may raise to stop.
        cancel: set it from any thread to stop.

    Raises:
        BadInput: the name cannot be used or is taken, or there is no consent.
        UnknownName: there is no such language.
        UnreadableFile: the sample is not sound.
        SpeechError: no voice can be learnt from it.
        OutputError: the voice cannot be kept.
    """
    from avatalk.speech import kept
    from avatalk.speech.cloning import clone, cloning_engines, to_clone
    from avatalk.speech.espeak_voices import tag_of
    from avatalk.speech.sample import open_sample
    from avatalk.speech.voices import voices_of_language

    plain, language = kept.safe_name(name), tag_of(language)
    _check_free(plain)
    voices_of_language(language)
    if not consent.strip():
        raise BadInput(
            "There is no statement that the speaker agrees.",
            hint="Give it with --consent “…”, or --i-have-consent if this is true: " + STATEMENT,
            stage="speech",
            field="consent",
        )
    monitor = Monitor(on_progress, cancel or Event())
    opened = open_sample(sample, monitor)
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    given = kept.Consent(consent.strip(), who.strip() or _user(), now)
    voice = kept.Kept(plain, language.replace("_", "-"), Path(sample).name, opened.traits, given)
    kept.put(voice, opened.sound(kept.SAMPLE_RATE))
    learnt = []
    try:
        for engine in cloning_engines():
            monitor.report("speech", message=f"{engine.name} learns the voice")
            clone(engine, plain, voice.sound(), language, opened.traits.sex, voice.folder)
            learnt.append(engine.name)
    except BaseException:
        kept.remove(plain)
        raise
    return Added(voice, opened.findings, learnt, monitor.warnings, [] if learnt else list(to_clone()))


def remove_voice(name: str) -> None:
    """Delete a kept voice with all that was learnt of it.

    Raises:
        UnknownName: no voice of that name is kept.
        OutputError: it cannot be deleted.
    """
    from avatalk.speech import kept

    kept.remove(name)


def play_voice(
    name: str, output: str | Path, *, language: str | None = None, on_progress: OnProgress | None = None
) -> Said:
    """Let a voice say a sentence of about two seconds in its language.

    Args:
        name: of any voice, a kept one too.
        output: path of a sound file, see `avatalk.voiceover.say`.
        language: tag of another language.
        on_progress: called with every step; may raise to stop.

    Raises:
        UnknownName: there is no such voice.
        OutputError: the file cannot be written.
    """
    from avatalk.speech import kept
    from avatalk.speech.espeak_voices import tag_of
    from avatalk.speech.sentences import sentence_in
    from avatalk.speech.voices import lookup
    from avatalk.voiceover import say

    own = kept.get(name)
    tag = tag_of(language) if language else (own.language if own else lookup(name).language)
    return say(sentence_in(tag), output, voice=name, language=tag, on_progress=on_progress)


def about_voice(name: str) -> dict[str, Any]:
    """What is known of a voice, ready for JSON; of a kept one also what was measured, and the consent.

    Raises:
        UnknownName: there is no such voice.
        UnreadableFile: the kept voice is damaged.
    """
    from avatalk.speech import kept
    from avatalk.speech.casting import speaks_as
    from avatalk.speech.sentences import sentence_in
    from avatalk.speech.voices import lookup

    own = kept.get(name)
    if own is None:
        facts = asdict(lookup(name))
        return facts | {"sentence": sentence_in(facts["language"])}
    measured = {key: round(value, 1) for key, value in asdict(own.traits).items()}
    return {
        "name": own.name,
        "language": own.language,
        "sex": own.traits.sex,
        "engine": speaks_as(own),
        "source": own.source,
        "measured": measured,
        "consent": asdict(own.consent),
        "learnt_by": sorted({file.name.partition("-")[0] for file in own.folder.glob("*.npz")}),
        "folder": str(own.folder),
    }


def _check_free(name: str) -> None:
    """Raise `BadInput` if `name` means a voice or a language already."""
    from avatalk.speech import kept
    from avatalk.speech.voices import lookup

    if name in kept.names():
        taken = "a voice that you keep already"
    else:
        try:
            voice = lookup(name)
        except (UnknownName, EngineUnavailable):  # a voice that is not installed takes no name
            return
        exact = {voice.name, *voice.aliases, voice.identifier, voice.language, voice.language_name}
        exact.add(voice.language_name.split(" (")[0])
        if name not in {known.lower().replace("_", "-") for known in exact} and "-" in name:
            return  # only its beginning means a language, as that of my-voice
        taken = f"the voice {voice.name}, {voice.language_name}, already"
    raise BadInput(
        f"{name} is {taken}.",
        hint=f"Choose another name, such as my-{name}.",
        stage="speech",
        field="name",
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # no such entry, as in some containers
        return ""
