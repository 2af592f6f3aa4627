"""The request inside a finished file."""

from __future__ import annotations

from pathlib import Path

import av

from avatalk.errors import BadInput
from avatalk.media import reading


def read_comment(path: Path) -> str:
    """Return the comment tag of a media file.

    Raises:
        BadInput: the file is not a video, or carries no comment.
    """
    try:
        with path.open("rb") as file, av.open(file, **reading()) as container:
            comment = container.metadata.get("comment") or container.metadata.get("COMMENT")
    except (av.FFmpegError, OSError) as error:
        raise BadInput(
            f"{path} is neither a request in JSON nor a video.", hint="See `avatalk schema`.", field="spec"
        ) from error
    if not comment:
        raise BadInput(
            f"{path} does not carry the request that made it.",
            hint="Only files made by avatalk do; some editors and messengers remove it.",
            field="spec",
        )
    return str(comment)
