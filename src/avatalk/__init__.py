"""avatalk: a face and some words become a talking video.

    from avatalk import VideoRequest, plan, render

    render(VideoRequest(avatar="ada", text="Hello."), "hello.mp4")

Importing this package does no work; the names below load what they need when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from avatalk._version import __version__
from avatalk.errors import AvatalkError, BadInput, CannotRun
from avatalk.events import Progress

if TYPE_CHECKING:
    from avatalk.avatars.made import Made, make_avatar
    from avatalk.client.aio import AsyncClient
    from avatalk.client.sync import Client
    from avatalk.media import Result
    from avatalk.pipeline import Plan, plan, preview, render
    from avatalk.request import VideoRequest
    from avatalk.signature import verify_webhook
    from avatalk.spec import load_spec
    from avatalk.voicebook import about_voice, add_voice, play_voice, remove_voice
    from avatalk.voiceover import Said, say

__all__ = [
    "AsyncClient",
    "AvatalkError",
    "BadInput",
    "CannotRun",
    "Client",
    "Made",
    "Plan",
    "Progress",
    "Result",
    "Said",
    "VideoRequest",
    "__version__",
    "about_voice",
    "add_voice",
    "load_spec",
    "make_avatar",
    "plan",
    "play_voice",
    "preview",
    "remove_voice",
    "render",
    "say",
    "verify_webhook",
]

_HOMES = {
    "AsyncClient": "client.aio",
    "Client": "client.sync",
    "Made": "avatars.made",
    "Plan": "pipeline",
    "Result": "media",
    "Said": "voiceover",
    "VideoRequest": "request",
    "about_voice": "voicebook",
    "add_voice": "voicebook",
    "load_spec": "spec",
    "make_avatar": "avatars.made",
    "plan": "pipeline",
    "play_voice": "voicebook",
    "preview": "pipeline",
    "remove_voice": "voicebook",
    "render": "pipeline",
    "say": "voiceover",
    "verify_webhook": "signature",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'avatalk' has no attribute {name!r}")
    try:
        return getattr(import_module(f"avatalk.{_HOMES[name]}"), name)
    except ModuleNotFoundError as error:
        if error.name in ("httpx", "anyio"):
            raise CannotRun(
                "The client needs more packages.", hint="pip install 'avatalk[client]'"
            ) from error
        raise


def __dir__() -> list[str]:
    return sorted(__all__)
