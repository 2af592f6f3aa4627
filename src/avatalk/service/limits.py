"""What a key may use: videos at once, and seconds of video in a day.

Both are counted in the transaction that submits, so they hold however many processes there are.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from avatalk import settings
from avatalk.errors import TooLarge, TooMany
from avatalk.jobs.records import OPEN
from avatalk.jobs.tables import assets, jobs
from avatalk.service.keys import Key
from avatalk.service.tables import keys, usage
from avatalk.speech.correct import as_said

_DAY_S = 24 * 3600.0
_LETTERS_A_SECOND = 30.0  # more than any voice says at its usual speed
_AGAIN_S = 5.0


def admission(key: Key | None, fields: dict[str, Any]) -> Callable[[sa.Connection, str], None] | None:
    """What `Jobs.submit` asks before it takes a video, in its transaction; None where nothing is limited.

    Args:
        key: whose video it is.
        fields: of its request.
    """
    if key is None or (key.concurrent is None and key.quota_s is None):
        return None

    def admit(connection: sa.Connection, job_id: str) -> None:
        # Others that submit with this key wait here, so that each sees what was taken before.
        connection.execute(sa.select(keys.c.id).where(keys.c.id == key.id).with_for_update())
        if key.concurrent is not None:
            _check_open(connection, key.id, key.concurrent)
        if key.quota_s is not None:
            _check_quota(connection, key.id, key.quota_s, job_id, _least_s(connection, fields))

    return admit


def _check_open(connection: sa.Connection, owner: str, most: int) -> None:
    mine = sa.select(sa.func.count()).where(jobs.c.owner == owner, jobs.c.status.in_(OPEN))
    if int(connection.execute(mine).scalar_one()) > most:  # the new one counts as well
        raise TooMany(
            f"This key may have {most} video{'s' * (most != 1)} queued or made at once.",
            hint="Wait until one is completed, or cancel one.",
            retry_after_s=_AGAIN_S,
        )


def _check_quota(connection: sa.Connection, owner: str, quota_s: float, job_id: str, new_s: float) -> None:
    if new_s > quota_s:
        raise TooLarge(
            f"This video is longer than the {quota_s:g} s that this key may make in 24 hours.",
            hint="Make a shorter one.",
        )
    now = time.time()
    connection.execute(usage.delete().where(usage.c.owner == owner, usage.c.at < now - _DAY_S))
    _settle(connection, usage.c.owner == owner)
    used = sa.select(usage.c.at, usage.c.seconds).where(usage.c.owner == owner).order_by(usage.c.at)
    rows = connection.execute(used).all()
    over = sum(row.seconds for row in rows) + new_s - quota_s
    if over > 0:
        again = now
        for row in rows:
            over -= row.seconds
            again = row.at + _DAY_S
            if over <= 0:
                break
        raise TooMany(
            f"This key may make {quota_s:g} s of video in 24 hours, and has.",
            hint="What was made more than 24 hours ago counts no more.",
            retry_after_s=again - now,
        )
    connection.execute(
        usage.insert().values(job_id=job_id, owner=owner, at=now, seconds=new_s, settled=False)
    )


def settle(connection: sa.Connection, job_id: str) -> None:
    """Write down what a job has used, since it is deleted."""
    _settle(connection, usage.c.job_id == job_id)


def _settle(connection: sa.Connection, which: sa.ColumnElement[bool]) -> None:
    """Replace guesses by the lengths of what was planned since; what failed was not used."""
    length = jobs.c.plan["duration_s"].as_float()
    found = connection.execute(
        sa.select(usage.c.job_id, jobs.c.status, length.label("seconds"))
        .join(jobs, jobs.c.id == usage.c.job_id)
        .where(which, usage.c.settled.is_(False), sa.or_(jobs.c.plan.is_not(None), ~jobs.c.status.in_(OPEN)))
    ).all()
    for row in found:
        values: dict[str, Any] = {"seconds": 0.0 if row.status == "failed" else row.seconds or 0.0}
        if row.status not in OPEN:
            values["settled"] = True
        connection.execute(usage.update().where(usage.c.job_id == row.job_id).values(**values))


def _least_s(connection: sa.Connection, fields: dict[str, Any]) -> float:
    """Seconds that a video has at least, as far as its request tells."""
    if fields.get("audio"):
        facts = connection.execute(sa.select(assets.c.facts).where(assets.c.key == fields["audio"])).scalar()
        return float((facts or {}).get("duration_s") or 0.0)
    words = re.sub(r"<[^>]*>", "", str(fields.get("text") or ""))
    words = as_said(words, [(one["sentence"], one["text"]) for one in fields.get("corrections", ())])
    return len(words) / _LETTERS_A_SECOND / float(fields.get("speed") or 1.0)


def check_text(text: str | None, field: str = "text") -> None:
    """Check the length of a text.

    Raises:
        TooLarge: it is longer than the setting ``max_text``.
    """
    most = int(settings.number("max_text"))
    if text is not None and len(text) > most:
        raise TooLarge(
            f"{field} has {len(text)} characters, and may have {most}.",
            hint="Cut it into several videos, or ask who runs this service to set AVATALK_MAX_TEXT.",
            field=field,
        )
