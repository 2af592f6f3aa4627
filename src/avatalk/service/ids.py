"""Ids in paths. One that cannot be is as unknown as one that is not there, and reaches no database."""

import re
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Path

from avatalk.errors import NotFound

VIDEO_ID = r"vid_[0-9a-f]{28}"
BATCH_ID = r"batch_[0-9a-f]{28}"
_CREATION_ID = r"make_[0-9a-f]{28}"


def _id_of(what: str, pattern: str, hint: str = "It may have been deleted.") -> Callable[..., Awaitable[str]]:
    """A dependency: the part of the path that is named ``{what}_id``, if it can be one."""
    name = f"{what}_id"
    example = pattern.partition("[")[0] + "019358c1a2b40f6e3d5c8a917b24"

    # Not `def`: that would be done in a thread each time.
    async def checked(
        given: Annotated[str, Path(alias=name, description=f"Of a {what}.", examples=[example])],
    ) -> str:
        if not re.fullmatch(pattern, given):
            raise NotFound(f"There is no such {what}.", hint=hint, field=name)
        return given

    return checked


VideoId = Annotated[str, Depends(_id_of("video", VIDEO_ID))]
BatchId = Annotated[str, Depends(_id_of("batch", BATCH_ID))]
CreationId = Annotated[str, Depends(_id_of("creation", _CREATION_ID, "Look at the id."))]
