"""Stage 1: from the name or path in a request to an `Avatar`."""

from __future__ import annotations

from pathlib import Path

from avatalk.avatars import gallery
from avatalk.events import Monitor
from avatalk.media import Avatar


def is_file(avatar: str) -> bool:
    """Whether `avatar` means a file rather than a name of the gallery: names have no dot and no slash."""
    return avatar not in gallery.names() and (
        Path(avatar).name != avatar or "." in avatar or Path(avatar).exists()
    )


def open_avatar(avatar: str, monitor: Monitor) -> Avatar:
    """Return the gallery's character of that name, or the picture or clip at that path.

    Raises:
        UnknownName: it is neither.
        UnreadableFile: the file cannot be used.
    """
    if is_file(avatar):
        # Imported here, since drawn avatars need neither.
        from avatalk.avatars.clip import is_clip, open_clip
        from avatalk.avatars.photo import load_photo

        if is_clip(Path(avatar)):
            clip = open_clip(Path(avatar), monitor)
            return Avatar(avatar, picture=next(clip.frames([0])), clip=clip)
        return Avatar(avatar, picture=load_photo(Path(avatar)))
    return Avatar(avatar, character=gallery.get(avatar))
