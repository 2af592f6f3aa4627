"""A service of avatalk from Python: the same videos, made elsewhere."""

from __future__ import annotations

from avatalk.client.aio import AsyncClient
from avatalk.client.shapes import Batch, BatchRow, Event, MadeAvatar, Speech, Video
from avatalk.client.sync import Client

__all__ = ["AsyncClient", "Batch", "BatchRow", "Client", "Event", "MadeAvatar", "Speech", "Video"]
