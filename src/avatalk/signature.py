"""The signature of webhooks: who sends them makes it, who receives them checks it."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any

from avatalk.errors import BadInput

HEADER = "Avatalk-Signature"
"""Name of the header: ``t=<seconds since 1970>,v1=<hexadecimal HMAC-SHA256 of "t.body">``."""


def sign(body: str, secret: str, at: int | None = None) -> str:
    """The value of the header for a body that is sent now, or at `at`, in seconds since 1970."""
    at = int(time.time()) if at is None else at
    return f"t={at},v1={_mac(body.encode(), secret, at)}"


def verify_webhook(body: bytes, header: str, secret: str, tolerance_s: float = 300.0) -> dict[str, Any]:
    """Return the event in a webhook that avatalk has sent.

    Args:
        body: as it was received, byte for byte.
        header: the value of ``Avatalk-Signature``.
        secret: of the key with which the video was made, from ``avatalk keys webhook-secret``.
        tolerance_s: seconds that its time may differ from now; older ones may be a replay.

    Returns:
        ``id``, the same whenever it is sent again; ``type``, such as ``video.completed``; ``created_at``; and
        ``data``, the video.

    Raises:
        BadInput: it was not signed with that secret, or too long ago.
    """
    parts = [part.strip().partition("=") for part in header.split(",")]
    times = [value for name, _, value in parts if name == "t" and value.isdigit() and len(value) < 20]
    at = int(times[0]) if times else 0
    wanted = _mac(body, secret, at)
    given = [value for name, _, value in parts if name == "v1" and value.isascii()]
    if not times or not any(hmac.compare_digest(value, wanted) for value in given):
        raise BadInput(
            "This webhook was not signed with that secret.",
            hint="Do not trust it. Check the body as it came, before any parsing.",
            field="signature",
        )
    if abs(time.time() - at) > tolerance_s:
        raise BadInput(
            f"This webhook was signed {time.time() - at:.0f} s ago.",
            hint="Do not trust it; or look at the clock of this machine.",
            field="signature",
        )
    event: dict[str, Any] = json.loads(body)
    return event


def _mac(body: bytes, secret: str, at: int) -> str:
    return hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
