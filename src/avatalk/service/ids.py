"""Ids in paths. One that cannot be is as unknown as one that is not there, and reaches no database."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Depends, Path

from avatalk.errors import NotFound

VIDEO_ID = r"vid_[0-9a-f]{28}"
BATCH_ID = r"batch_[0-9a-f]{28}"
_CREATION_ID = r"make_[0-9a-f]{28}"


# Not `def`: these would be done in a thread each.
async def _video_id(
    video_id: Annotated[str, Path(description="Of a video.", examples=["vid_019358c1a2b40f6e3d5c8a917b24"])],
) -> str:
    if not re.fullmatch(VIDEO_ID, video_id):
        raise NotFound("There is no such video.", hint="It may have been deleted.", field="video_id")
    return video_id


VideoId = Annotated[str, Depends(_video_id)]


async def _batch_id(
    batch_id: Annotated[
        str, Path(description="Of a batch.", examples=["batch_019358c1a2b40f6e3d5c8a917b24"])
    ],
) -> str:
    if not re.fullmatch(BATCH_ID, batch_id):
        raise NotFound("There is no such batch.", hint="It may have been deleted.", field="batch_id")
    return batch_id


BatchId = Annotated[str, Depends(_batch_id)]


async def _creation_id(
    creation_id: Annotated[
        str, Path(description="Of a creation.", examples=["make_019358c1a2b40f6e3d5c8a917b24"])
    ],
) -> str:
    if not re.fullmatch(_CREATION_ID, creation_id):
        raise NotFound("There is no such creation.", hint="Look at the id.", field="creation_id")
    return creation_id


CreationId = Annotated[str, Depends(_creation_id)]
