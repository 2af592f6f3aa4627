"""What is wrong with a request is told when it is submitted, as far as names and kinds of files tell it.

It takes milliseconds: nothing is decoded, and no network is loaded. Engines and voices that only a worker has
count as well as those of this machine.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from avatalk import engines
from avatalk.avatars import gallery, kept
from avatalk.avatars.made import check_prompt
from avatalk.errors import BadInput, FaceError
from avatalk.jobs import needs
from avatalk.models import piper
from avatalk.request import VideoRequest
from avatalk.spec import path_in
from avatalk.speech import kept as kept_voices
from avatalk.speech.casting import spoken_by
from avatalk.speech.correct import check_corrections
from avatalk.speech.perform import rehearse
from avatalk.speech.sample_checks import SHORTEST_S

_TAKES = {
    "avatar": ("picture", "clip"),
    "audio": ("sound", "clip"),
    "voice_sample": ("sound", "clip"),
    "background": ("picture", "clip"),
    "overlay": ("picture",),
}
"""Kinds of files that a field takes."""


_EVERYWHERE = {"speech:espeak", "speech:recording"}
"""Ways to speech that need no extra."""


def check_names(request: VideoRequest, have: Collection[str]) -> None:
    """Look at the names in a request: of engines, avatar, voice and language; and at its text.

    Args:
        request: its files stored, or on this machine.
        have: what workers have, from `avatalk.jobs.needs.had_by_workers`.

    Raises:
        UnknownName: there is no such thing; the hint has the nearest names.
        EngineUnavailable: an engine cannot do what is asked of it, or a voice is on no machine.
        SpeechError: the text is malformed, or in letters that its voice does not read.
    """
    engines.get("lipsync", request.engine, _moved(request))
    engines.get("face", request.faces)
    engines.get("compose", request.matting)
    if request.avatar_prompt is not None:
        check_prompt(request.avatar_prompt)
        engines.get("avatar", request.avatar_engine, "words")
    if request.text is not None:
        check_corrections(request.text, [(one.sentence, one.text) for one in request.corrections])
        _check_voice(request, request.text, have)


def _moved(request: VideoRequest) -> str:
    """What the lips are to be moved of, as engines call it; empty where only a file tells."""
    name = request.avatar.strip().lower()
    if request.avatar_prompt is not None or path_in("avatar", request.avatar) or name in kept.names():
        return ""
    gallery.get(name)  # or it says which there are
    return "drawn"


def _check_voice(request: VideoRequest, text: str, have: Collection[str]) -> None:
    voice, language = request.voice, request.language
    own = kept_voices.get(voice) if voice else None
    if own is not None:
        voice, language = None, language or spoken_by(own, text)
    if voice is not None and needs.of_voice(voice, have):
        return  # not all machines have it: the one that has knows what it reads
    if voice is None:
        neural = {word for word in have if word.startswith(("speech:", piper.PREFIX))} - _EVERYWHERE
        if neural and neural - set(needs.has()):
            return  # a worker may have a better voice, which reads more
    rehearse(text, voice=voice, language=language)


def check_file(request: VideoRequest, field: str, name: str, kind: str, facts: Mapping[str, Any]) -> None:
    """Look at what is known of a file that a request names.

    Args:
        request: the whole of it.
        field: that names the file.
        name: of the file, for people.
        kind: picture, clip or sound.
        facts: ``faces``, ``duration_s``, ``sound`` and others, as far as they are known.

    Raises:
        BadInput: it is no file for that field.
    """
    takes = _TAKES[field]
    heard = field in ("audio", "voice_sample")
    if kind not in takes:
        raise BadInput(
            f"{name} is a {kind}, and {field} takes a {' or a '.join(takes)}.",
            hint="Give another file.",
            field=field,
        )
    if heard and kind == "clip" and not facts.get("sound", True):
        raise BadInput(f"{name} is a clip without sound.", hint="Give a recording.", field=field)
    if field == "voice_sample" and facts.get("duration_s", SHORTEST_S) < SHORTEST_S:
        raise BadInput(
            f"{name} is {facts['duration_s']:.1f} s long, which is too short to learn a voice from.",
            hint=f"Give {SHORTEST_S:g} s to 5 min of one person speaking; 10 to 30 s are best.",
            field=field,
        )
    edited = request.rotate or request.crop is not None or request.resize_factor != 1
    # A PNG may be a drawn character, whose face nobody looks for.
    if field == "avatar" and kind == "picture" and not edited and not name.lower().endswith(".png"):
        _check_faces(request, name, facts.get("faces"))


def _check_faces(request: VideoRequest, name: str, faces: Sequence[object] | None) -> None:
    if faces is None:  # not looked for
        return
    if not faces:
        raise FaceError(
            f"No face was found in {name}.",
            hint="Use a picture in which a face of at least 40 pixels is seen from the front, upright and"
            " well lit; `rotate` turns a picture that lies on its side.",
            stage="face",
            field="avatar",
        )
    if request.face is not None and request.face > len(faces):
        raise BadInput(
            f"There is no face number {request.face} in {name}.",
            hint=f"Choose a number from 1 to {len(faces)}." if len(faces) > 1 else "Choose 1.",
            stage="face",
            field="face",
        )
