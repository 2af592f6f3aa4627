"""A worker takes pieces of jobs from the queue, one at a time, and looks after what lost workers left.

Every worker has a name of its own, says every few seconds that it lives, and holds a lock that the
system frees when its process ends. One that was not seen for `LEASE_S`, or whose lock is free, is lost:
whoever finds that queues again what it had taken. DBOS changes only what still belongs to the lost one, so
of several that find it only one does so; and one that was only slow cannot record what is no longer its own.
"""

from __future__ import annotations

import logging
import os
import random
import secrets
import socket
import time
import uuid
from contextlib import ExitStack
from datetime import datetime, timezone
from pathlib import Path
from threading import Event, Thread
from typing import Any

import sqlalchemy as sa
from dbos import DBOS, DBOSConfig
from dbos import error as dbos_error
from sqlalchemy.dialects import postgresql, sqlite

from avatalk import settings
from avatalk.errors import CannotRun, StorageError
from avatalk.jobs import expiry, needs, workflows
from avatalk.jobs.storage import Storage
from avatalk.jobs.tables import APPLICATION, Database, workers
from avatalk.jobs.work import Workshop
from avatalk.lock import is_free, locked

log = logging.getLogger("avatalk.jobs")

VERSION = "1"
"""Of the workflows, for DBOS: work that was begun under one version waits for workers of that version.

So it stays, whatever changes in avatalk: pieces of work are begun from their start, and their names and
arguments are all that two versions must share."""

LEASE_S = 30.0
SEEN_EVERY_S = 3.0
_POLL_S = 0.25
_POLLS_A_SECOND = 200.0  # of all workers: each takes PostgreSQL one to two milliseconds
_PATIENCE_AT_FIRST_S = 30.0  # after that the URL is taken for wrong
_PATIENCE_S = 600.0  # a database that restarts, or moves
_CLEAN_EVERY_S = 3600.0
_CLEAN_LOOK_S = 60.0
_FORGOTTEN_S = 24 * 3600.0
_LOOK = 3.0


class Worker:
    """Runs in threads of its own between `start` and `stop`; one in a process.

    Args:
        database_url: by default `avatalk.settings.database_url`.
        storage_url: by default `avatalk.settings.storage_url`.
    """

    def __init__(self, database_url: str | None = None, storage_url: str | None = None) -> None:
        self.name = f"{socket.gethostname()[:40]}-{os.getpid()}-{secrets.token_hex(4)}"
        self._database_url = database_url or settings.database_url()
        self._storage = Storage(storage_url or settings.storage_url())
        self._stop = Event()
        self._leaving = Event()
        self._open = ExitStack()
        self._not_run: set[str] = set()  # pieces that are ours by the database and not under way

    def start(self) -> None:
        """Begin to take work.

        Raises:
            StorageError: the database cannot be reached.
        """
        self._db = Database(self._database_url, patience_s=_PATIENCE_AT_FIRST_S)
        self._open.callback(self._db.close)
        self._db.patience_s = _PATIENCE_S
        self._folder = settings.data_dir() / "workers"
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / self.name).write_text(_this_machine())
        self._open.enter_context(locked(self._folder / self.name, _not_free))
        self._has = needs.has()
        self._queue = needs.queue_of(self._has)
        self._say_alive()
        self._shop = Workshop(self._db, self._storage, self.name)
        self._open.callback(self._shop.close)
        workflows.open_shop(self._shop)
        config: DBOSConfig = {
            "name": APPLICATION,
            "system_database_url": self._database_url,
            "system_database_engine": self._db.engine,  # which knows what passes: DBOS waits for that
            "executor_id": self.name,
            "application_version": VERSION,
            "log_level": "ERROR",
            "run_migrations": False,
        }
        self._dbos = DBOS(config=config)
        logging.getLogger("dbos").addFilter(_is_news)
        DBOS.listen_queues([self._queue])
        DBOS.launch()
        self._polled = DBOS.register_queue(
            self._queue, worker_concurrency=1, polling_interval_sec=_POLL_S, on_conflict="never_update"
        )
        needs.route(self._db, self._shop.failed)
        self._threads = [
            Thread(target=self._tend, name="avatalk-tend", daemon=True),
            Thread(target=self._clean, name="avatalk-clean", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def stop(self, grace_s: float = 20.0) -> None:
        """Take no more work, finish what can be finished within `grace_s` seconds, and hand back the rest.

        Work that is handed back ends at its next frame; a process that ends should not wait for it.
        """
        self._leaving.set()
        DBOS.destroy(workflow_completion_timeout_sec=max(1, round(grace_s)))
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._db.take_back([self.name])  # before it ends, so that how it ends is not recorded
        logging.getLogger("dbos").setLevel(logging.CRITICAL)  # it would tell of every piece that ends now
        self._shop.stopping.set()
        self._db.run(lambda connection: connection.execute(workers.delete().where(workers.c.id == self.name)))
        self._open.close()
        (self._folder / self.name).unlink(missing_ok=True)

    def _tend(self) -> None:
        while not self._stop.wait(SEEN_EVERY_S):
            self._look()

    def _clean(self) -> None:
        """Remove what is old every hour, one worker for all."""
        while not self._stop.wait(_CLEAN_LOOK_S * random.uniform(0.5, 1.5)):
            try:
                if not expiry.is_due(self._db, "expire", _CLEAN_EVERY_S):
                    continue
                gone = expiry.expire(
                    self._db,
                    self._storage,
                    keep_s=settings.number("keep_days") * 86400,
                    keep_bytes=settings.number("keep_gb") * 1e9,
                    stop=self._stop.is_set,
                )
                if gone.jobs or gone.files:
                    log.warning("Removed %d old jobs and %d old files", gone.jobs, gone.files)
            except StorageError as error:
                log.warning("%s", error)
            except Exception:
                log.exception("Removing what is old failed")

    def _look(self) -> None:
        try:
            others = self._say_alive()
            # Of many workers a few look each time.
            if random.random() < _LOOK / others:
                self._recover()
                self._bury()
                needs.route(self._db, self._shop.failed)
                self._pace(others)
        except StorageError as error:
            log.warning("%s", error)
        except Exception:
            log.exception("Looking after lost workers failed")

    def _pace(self, count: int) -> None:
        """Let all workers together ask the queue at most so often, however many there are."""
        wanted = max(_POLL_S, count / _POLLS_A_SECOND)
        if self._leaving.is_set():
            return
        if not 0.8 < self._polled.polling_interval_sec / wanted < 1.25:
            self._polled.set_polling_interval_sec(wanted)

    def _say_alive(self) -> int:
        """Note that this worker lives, and return how many do."""
        insert: Any = (sqlite if self._db.engine.dialect.name == "sqlite" else postgresql).insert(workers)
        row = {"id": self.name, "queue": self._queue, "has": self._has, "started_at": time.time()}
        seen = insert.values(**row, seen_at=self._db.now).on_conflict_do_update(
            index_elements=["id"], set_={"seen_at": self._db.now}
        )

        def work(connection: sa.Connection) -> int:
            connection.execute(seen)
            return int(connection.execute(sa.select(sa.func.count()).select_from(workers)).scalar_one())

        return max(1, self._db.run(work))

    def _recover(self) -> None:
        """Queue again what lost workers had begun."""
        # In this order: a worker is in the table before it takes anything.
        begun = self._db.dbos.list_workflows(status="PENDING", load_input=False, load_output=False)
        rows = self._db.run(
            lambda connection: connection.execute(
                sa.select(workers.c.id, (self._db.now - workers.c.seen_at).label("age"))
            ).all()
        )
        alive = {row.id for row in rows if row.age < LEASE_S and not self._ended(row.id)}
        lost = {flow.executor_id for flow in begun if flow.executor_id} - alive - {self.name}
        if lost and (count := self._db.take_back(sorted(lost))):
            log.warning("Queued again %d pieces of work of lost workers: %s", count, ", ".join(sorted(lost)))
        running = self._dbos._active_workflows_set.activeList()
        mine = {flow.workflow_id for flow in begun if flow.executor_id == self.name} - set(running)
        # Between taking a piece and beginning it there is a moment, so it counts from the second look on.
        if dropped := mine & self._not_run:
            count = self._db.take_back([self.name], dropped)
            log.warning("Queued again %d pieces of work whose end could not be recorded", count)
        self._not_run = mine
        gone = [row.id for row in rows if row.id not in alive and row.id != self.name]
        self._db.run(lambda connection: connection.execute(workers.delete().where(workers.c.id.in_(gone))))
        for name in gone:
            (self._folder / name).unlink(missing_ok=True)

    def _ended(self, name: str) -> bool:
        """Whether a worker's process is known to have ended: it ran on this machine, and its lock is free."""
        path = self._folder / name
        try:
            return path.read_text() == _this_machine() and is_free(path)
        except OSError:
            return False

    def _bury(self) -> None:
        """End the jobs whose work killed its workers again and again; forget work that ended long ago."""
        client = self._db.dbos
        bad = client.list_workflows(
            status=["MAX_RECOVERY_ATTEMPTS_EXCEEDED", "ERROR"], load_input=False, load_output=False
        )
        for flow in bad:
            error: Exception = CannotRun(
                "Making this video stopped the workers that tried.",
                hint="It may need more memory than they have: try a smaller size or another avatar.",
            )
            if flow.status == "ERROR":
                error = RuntimeError("not carried out")
            self._shop.failed(flow.workflow_id.split(".")[0], error)
        before = datetime.fromtimestamp(time.time() - _FORGOTTEN_S, timezone.utc).isoformat()
        old = client.list_workflows(
            status=["SUCCESS", "CANCELLED"], end_time=before, limit=500, load_input=False, load_output=False
        )
        if bad or old:
            client.delete_workflows([flow.workflow_id for flow in (*bad, *old)])


def _is_news(record: logging.LogRecord) -> bool:
    """Whether it is worth telling: that a canceled piece of work ended is not."""
    return not (
        record.exc_info and isinstance(record.exc_info[1], dbos_error.DBOSAwaitedWorkflowCancelledError)
    )


def _not_free() -> None:
    raise CannotRun("A worker of this name runs already.", hint="Start it again.")


def _this_machine() -> str:
    """What tells this machine, as it runs now, from any other."""
    boot = Path("/proc/sys/kernel/random/boot_id")
    return boot.read_text().strip() if boot.exists() else str(uuid.getnode())
