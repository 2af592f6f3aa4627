"""Which workers can make which videos: a GPU, an extra or weights that not all of them have.

Workers that have the same make up a group with a queue of its own, since they also decide the same where a
request leaves the choice. A job is queued for one group that has what it needs, and stays with it as long as
a worker of the group lives.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import sqlalchemy as sa

from avatalk import models, settings
from avatalk.engines import ENGINES
from avatalk.errors import AvatalkError, EngineUnavailable, UnknownName
from avatalk.jobs import records
from avatalk.jobs.tables import Database, jobs, workers
from avatalk.models import pipelines, piper
from avatalk.models.runtime import choose_device
from avatalk.request import VideoRequest
from avatalk.speech.voices import lookup, plain_name

_SEEN_S = 30.0  # after which a worker that was not seen counts no more
_AT_ONCE = 500


def needs_of(request: VideoRequest, have: Collection[str] = ()) -> list[str]:
    """What a worker must have for a request, of what not all have: words as in `has`, sorted.

    Args:
        request: its own names; those that nobody knows are for `avatalk.jobs.foresight` to refuse.
        have: what workers say they have, from `had_by_workers`.
    """
    named = [("lipsync", request.engine), ("face", request.faces), ("compose", request.matting)]
    if request.avatar_prompt is not None:
        named.append(("avatar", request.avatar_engine))
    known = {(engine.stage, engine.name) for engine in ENGINES if engine.extra}
    found = [f"{stage}:{name}" for stage, name in named if (stage, name) in known]
    if request.device in ("cuda", "mps"):
        found.append(request.device)
    if request.text is not None and request.voice is not None:
        with suppress(AvatalkError):
            found += of_voice(request.voice, have)
    return sorted(found)


def of_voice(name: str, have: Collection[str] = ()) -> list[str]:
    """What a worker must have to speak with a voice: words as in `has`; nothing for an embedded one.

    Args:
        name: as a request says it.
        have: what workers say they have: their voices need not be on this machine.

    Raises:
        UnknownName: neither this machine nor a worker knows a voice of that name.
        EngineUnavailable: it is one that is known, which nobody has.
    """
    if piper.is_of_hub(name):
        return [f"{piper.PREFIX}{name}"]
    there = _voice_of_workers(name, have)
    try:
        voice = lookup(name)
    except (UnknownName, EngineUnavailable):
        if word := there or _speaker_of_workers(name, have):
            return [word]
        raise
    meant = {plain_name(called) for called in (voice.name, *voice.aliases)}
    if plain_name(name) not in meant:  # a language, or what begins like one
        return [there] if there else []
    if voice.engine == "espeak":
        return []
    stem = voice.identifier.partition("#")[0]
    return [f"{piper.PREFIX}{stem}" if voice.engine == "piper" else f"speech:{voice.engine}"]


def _voice_of_workers(name: str, have: Collection[str]) -> str | None:
    """The word for a Piper voice that a worker has."""
    wanted, usual = plain_name(name), f"{piper.PREFIX}{piper.usual(name)}"
    if usual in have:
        return usual
    for word in sorted(have):
        if word.startswith(piper.PREFIX):
            stem = plain_name(word.removeprefix(piper.PREFIX))
            speakers = (stem, *stem.split("-")[2:3])  # en-US-lessac-medium is called lessac as well
            if any(f"{wanted}-".startswith(f"{called}-") for called in speakers):
                return word
    return None


def _speaker_of_workers(name: str, have: Collection[str]) -> str | None:
    """The word for a cloning engine that a worker has, and that may have a speaker of that name."""
    wanted = plain_name(name)
    if wanted in ("yourtts", "xtts", "coqui"):
        return None
    # The names of XTTS lie in its weights.
    word = "speech:yourtts" if _OF_YOURTTS.fullmatch(wanted) else "speech:xtts"
    return word if word in have else None


_OF_YOURTTS = re.compile(r"(fe)?male-(en|pt)-\d")


def has() -> list[str]:
    """What this process has: engines, a graphics card, voices; sorted."""
    found = [
        f"{engine.stage}:{engine.name}"
        for engine in ENGINES
        # What needs no extra fetches its models when it is first used.
        if not engine.missing() and (not engine.extra or not engine.to_get())
    ]
    for device in ("cuda", "mps"):
        with suppress(AvatalkError):
            found.append(choose_device(device))
    # Other weights are those of the engines above.
    kinds = (piper.PREFIX, pipelines.PREFIX)
    found += [
        model.name
        for model in models.list_models()
        if model.name.startswith(kinds) and models.installed(model.name)
    ]
    return sorted(set(found))


def had_by_workers(db: Database) -> frozenset[str]:
    """What any worker that lives has: words as in `has`."""
    seen = sa.select(workers.c.has).where(workers.c.seen_at > db.now - _SEEN_S)
    rows = db.run(lambda connection: connection.execute(seen).scalars().all())
    return frozenset(word for row in rows for word in row)


def queue_of(having: Sequence[str]) -> str:
    """The queue of all workers that have exactly that."""
    return f"{records.QUEUE}-{hashlib.sha256(' '.join(having).encode()).hexdigest()[:8]}"


def choose(db: Database, connection: sa.Connection, needs: Sequence[str]) -> str:
    """The queue for a job: of the groups that have what it needs, the one with the shortest way to go.

    It is `records.QUEUE`, which no worker looks at, when there is no such group.
    """
    seen = sa.select(workers.c.queue, workers.c.has).where(workers.c.seen_at > db.now - _SEEN_S)
    count: defaultdict[str, int] = defaultdict(int)
    for row in connection.execute(seen):
        if set(needs) <= set(row.has):
            count[row.queue] += 1
    if len(count) < 2:
        return next(iter(count), records.QUEUE)
    waiting = _waiting(db, connection)
    return min(sorted(count), key=lambda queue: waiting.get(queue, 0) / count[queue])


def route(db: Database, fail: Callable[[str, Exception], None]) -> None:
    """Queue for another group what waits for one without workers; give up what nobody could begin for long.

    Args:
        db: the jobs.
        fail: ends a job by an error.

    Raises:
        StorageError: the database cannot be reached.
    """
    flows, options = _flows(db)

    def stale(connection: sa.Connection) -> list[str]:
        seen = sa.select(workers.c.queue).where(workers.c.seen_at > db.now - _SEEN_S)
        live = set(connection.execute(seen).scalars())
        dead = [queue for queue in _waiting(db, connection) if queue not in live]
        query = sa.select(flows.c.workflow_uuid).where(
            flows.c.status == "ENQUEUED", flows.c.queue_name.in_(dead)
        )
        names = connection.execute(query.limit(_AT_ONCE).execution_options(**options)).scalars()
        return sorted({name.split(".")[0] for name in names})

    def move(connection: sa.Connection, job_id: str) -> None:
        # The row is locked first, as in `records`: what queues more for this job waits for the change.
        held = jobs.update().where(jobs.c.id == job_id).values(events=jobs.c.events)
        row = connection.execute(held.returning(jobs.c.needs, jobs.c.queue)).one_or_none()
        if row is None:
            return
        queue = choose(db, connection, row.needs)
        connection.execute(jobs.update().where(jobs.c.id == job_id).values(queue=queue))
        ours = flows.c.workflow_uuid.between(f"{job_id}.", f"{job_id}/") & (flows.c.status == "ENQUEUED")
        moved = flows.update().where(ours).values(queue_name=queue)
        connection.execute(moved.execution_options(**options))

    for job_id in db.run(stale):
        db.run(partial(move, job_id=job_id))
    waited = time.time() - settings.number("wait_s")
    late = sa.select(jobs.c.id, jobs.c.needs).where(
        jobs.c.status == "queued", jobs.c.queue == records.QUEUE, jobs.c.created_at < waited
    )
    for row in db.run(lambda connection: connection.execute(late).all()):
        if row.needs:
            fail(row.id, EngineUnavailable(lacking(row.needs), hint=_HINT))


_HINT = "Start a worker that has it: see `avatalk engines` and docs/jobs.md; or ask for something else."


def lacking(needs: Sequence[str]) -> str:
    """What to say of a job that no worker can make."""
    return f"No worker that runs has what this needs: {', '.join(needs)}."


def _waiting(db: Database, connection: sa.Connection) -> dict[str, int]:
    """Queue → pieces of work that wait on it."""
    flows, options = _flows(db)
    query = (
        sa.select(flows.c.queue_name, sa.func.count().label("n"))
        .where(flows.c.status == "ENQUEUED", flows.c.queue_name.startswith(records.QUEUE))
        .group_by(flows.c.queue_name)
    )
    return {row.queue_name: row.n for row in connection.execute(query.execution_options(**options))}


def _flows(db: Database) -> tuple[sa.Table, Any]:
    """The table of DBOS with all work, and where it is: a schema of its own on PostgreSQL."""
    return db.dbos._sys_db.tables.workflow_status, db.dbos._sys_db.engine.get_execution_options()
