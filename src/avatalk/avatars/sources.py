"""Stage 1: from the name or path in a request to an `Avatar`."""

from __future__ import annotations

from pathlib import Path

from avatalk.avatars import gallery, kept
from avatalk.avatars.made import Made, make_avatar, read_made
from avatalk.errors import UnknownName
from avatalk.events import Monitor
from avatalk.media import Avatar


def is_file(avatar: str) -> bool:
    """Whether `avatar` means a file rather than a name of the gallery: names have no dot and no slash."""
    return avatar not in gallery.names() and (
        Path(avatar).name != avatar or "." in avatar or Path(avatar).exists()
    )


def open_avatar(avatar: str, monitor: Monitor) -> Avatar:
    """Return the gallery's character or the kept avatar of that name, or the picture or clip at that path.

    A picture of a drawn character that `avatalk avatar` wrote comes with its rig.

    Raises:
        UnknownName: it is neither.
        UnreadableFile: the file cannot be used.
    """
    if is_file(avatar):
        # Imported here, since drawn avatars need neither.
        from avatalk.avatars.clip import is_clip, open_clip
        from avatalk.avatars.photo import load_cutout, load_photo

        made = read_made(Path(avatar)) if Path(avatar).suffix.lower() == ".png" else None
        if made is not None and made.character is not None:
            return Avatar(avatar, character=made.character, engine=made.engine)
        if is_clip(Path(avatar)):
            clip = open_clip(Path(avatar), monitor)
            return Avatar(avatar, picture=next(clip.frames([0])), clip=clip)
        return Avatar(avatar, picture=load_photo(Path(avatar)), cutout=load_cutout(Path(avatar)))
    if avatar.strip().lower() in kept.names():
        return _of(avatar, kept.get(avatar))
    try:
        return Avatar(avatar, character=gallery.get(avatar))
    except UnknownName as error:
        if names := kept.names():
            error.hint += f" Kept by you: {', '.join(names)}."
        raise


def describe_avatar(prompt: str, engine: str, seed: int, monitor: Monitor) -> Avatar:
    """Return an avatar made from words.

    Raises:
        BadInput: the description is blank, too long or not understood, or no picture of it is usable.
        EngineUnavailable: the engine cannot run here.
    """
    return _of("described", make_avatar(prompt, engine=engine, seed=seed, monitor=monitor))


def _of(name: str, made: Made) -> Avatar:
    if made.character is not None:
        return Avatar(name, character=made.character, engine=made.engine)
    return Avatar(name, picture=made.picture, engine=made.engine)
