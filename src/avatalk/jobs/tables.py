"""The tables of jobs, beside those of DBOS in the same database, and how to reach it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from dbos import DBOS, DBOSClient

from avatalk.errors import BadInput, StorageError

T = TypeVar("T")

APPLICATION = "avatalk"
_BUSY_MS = 30_000
_IDLE_MS = 60_000
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.1, 2.0

metadata = sa.MetaData()

jobs = sa.Table(
    "avatalk_jobs",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("owner", sa.String(200), nullable=False),
    sa.Column("idempotency_key", sa.String(200)),
    sa.Column("fingerprint", sa.String(64), nullable=False),
    sa.Column("status", sa.String(16), nullable=False, index=True),
    sa.Column("stage", sa.String(16), nullable=False),
    sa.Column("turn", sa.Integer, nullable=False),  # the priority of its first piece
    sa.Column("queue", sa.String(40), nullable=False),  # of the workers that make it
    sa.Column("needs", sa.JSON, nullable=False),  # what these must have, see `avatalk.jobs.needs`
    sa.Column("request", sa.JSON, nullable=False),
    sa.Column("words", sa.Text, nullable=False),  # what a search looks in, case folded
    sa.Column("inputs", sa.JSON, nullable=False),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("started_at", sa.Float),
    sa.Column("ended_at", sa.Float, index=True),
    sa.Column("size", sa.BigInteger, nullable=False),  # bytes of its result
    sa.Column("plan", sa.JSON(none_as_null=True)),
    sa.Column("warnings", sa.JSON, nullable=False),
    sa.Column("error", sa.JSON(none_as_null=True)),
    sa.Column("result", sa.JSON(none_as_null=True)),
    sa.Column("events", sa.Integer, nullable=False),
    sa.Column("told_at", sa.Float),  # when its progress was told last
    sa.UniqueConstraint("owner", "idempotency_key", name="avatalk_jobs_once"),
)
sa.Index("avatalk_jobs_of", jobs.c.owner, jobs.c.id)

segments = sa.Table(
    "avatalk_segments",
    metadata,
    sa.Column("job_id", sa.String(64), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("start", sa.Integer, nullable=False),
    sa.Column("stop", sa.Integer, nullable=False),
    sa.Column("done", sa.Integer, nullable=False),  # frames drawn so far
    sa.Column("key", sa.String(300)),  # of the file, once it is stored
    sa.Column("worker", sa.String(100)),
)

revisions = sa.Table(
    "avatalk_revisions",
    metadata,
    sa.Column("job_id", sa.String(64), primary_key=True),
    sa.Column("revises", sa.String(64), nullable=False),  # the job whose video it takes segments from
)

events = sa.Table(
    "avatalk_events",
    metadata,
    sa.Column("job_id", sa.String(64), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("data", sa.JSON, nullable=False),
)

files = sa.Table(
    "avatalk_files",
    metadata,
    sa.Column("key", sa.String(300), primary_key=True),  # of a file that requests are made from
    sa.Column("used_at", sa.Float, nullable=False),
)

assets = sa.Table(
    "avatalk_assets",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("owner", sa.String(200), nullable=False, index=True),
    sa.Column("key", sa.String(300), nullable=False, index=True),  # in the storage; shared by equal files
    sa.Column("name", sa.String(200), nullable=False),  # what it is called, never a path
    sa.Column("kind", sa.String(16), nullable=False),  # picture, clip or sound
    sa.Column("type", sa.String(64), nullable=False),
    sa.Column("facts", sa.JSON, nullable=False),  # bytes, width, height, duration_s, faces …
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("used_at", sa.Float, nullable=False),
)
"""What was uploaded to the service. It stands here since it goes when its file does."""

chores = sa.Table(
    "avatalk_chores",
    metadata,
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("at", sa.Float, nullable=False),  # when it was done last, by the clock of the database
)

workers = sa.Table(
    "avatalk_workers",
    metadata,
    sa.Column("id", sa.String(100), primary_key=True),
    sa.Column("queue", sa.String(40), nullable=False),  # that it takes work from
    sa.Column("has", sa.JSON, nullable=False),  # see `avatalk.jobs.needs`
    sa.Column("started_at", sa.Float, nullable=False),
    sa.Column("seen_at", sa.Float, nullable=False),  # by the clock of the database
)

counts = sa.Table(
    "avatalk_counts",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("label", sa.String(64), primary_key=True),
    sa.Column("shard", sa.Integer, primary_key=True),
    sa.Column("value", sa.Float(53), nullable=False),
)
"""What only grows: see `avatalk.jobs.counts`."""


class Database:
    """The one database of jobs: SQLite for a machine, PostgreSQL for many.

    Args:
        url: ``sqlite:///path`` or ``postgresql://…``.
        patience_s: how long to try again when it cannot be reached.

    Raises:
        StorageError: it cannot be reached, or its tables cannot be made.
    """

    def __init__(self, url: str, patience_s: float = 5.0) -> None:
        try:
            self.url = sa.make_url(url)
            known = self.url.get_backend_name() in ("sqlite", "postgresql")
        except sa.exc.ArgumentError:
            known = False
        if not known:
            raise BadInput(
                "The URL of the database is none of SQLite or PostgreSQL.",
                hint="AVATALK_DATABASE_URL is postgresql://user:password@host/name; without it, SQLite.",
                field="database_url",
            )
        self.patience_s = patience_s
        sqlite = self.url.get_backend_name() == "sqlite"
        if sqlite and self.url.database:
            try:
                Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise StorageError(
                    f"The database cannot be made in {Path(self.url.database).parent} ({error.strerror}).",
                    hint="Set AVATALK_DATA to a folder that can be written.",
                ) from error
        driver = self.url if sqlite else self.url.set(drivername="postgresql+psycopg")
        self.engine = sa.create_engine(
            driver,
            # A file is always there, and to open one costs more than to ask it. A fleet of workers has many
            # times what one keeps open of a server.
            pool_pre_ping=not sqlite,
            pool_size=15 if sqlite else 5,
            max_overflow=0 if sqlite else 10,
            hide_parameters=True,  # errors go to logs, and parameters are what users wrote
        )
        now = (
            "(julianday('now') - 2440587.5) * 86400.0" if sqlite else "extract(epoch from clock_timestamp())"
        )
        self.now: sa.ColumnElement[float] = sa.cast(sa.literal_column(now), sa.Float(53))
        if sqlite:
            sa.event.listen(self.engine, "connect", _prepare_sqlite)
            sa.event.listen(self.engine, "handle_error", _wait_for_disk, retval=True)
        else:
            sa.event.listen(self.engine, "connect", _end_if_idle)
            sa.event.listen(self.engine, "handle_error", _wait_for_server)
        self._patiently(lambda: DBOS.migrate(self.url.render_as_string(hide_password=False)))
        self.run(self._make_tables)
        self.dbos = DBOSClient(system_database_engine=self.engine, application_name=APPLICATION)

    def _make_tables(self, connection: sa.Connection) -> None:
        """Make what is missing; several processes may do so at once."""
        if self.engine.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(8214637)"))
        metadata.create_all(connection)

    def run(self, work: Callable[[sa.Connection], T]) -> T:
        """Return ``work(connection)``, done in one transaction; done again if the connection is lost.

        Raises:
            StorageError: the database could not be reached for as long as patience lasts.
        """

        def once() -> T:
            with self.engine.begin() as connection:
                return work(connection)

        return self._patiently(once)

    def _patiently(self, work: Callable[[], T]) -> T:
        until, wait = time.monotonic() + self.patience_s, _FIRST_WAIT_S
        while True:
            try:
                return work()
            except (sa.exc.OperationalError, sa.exc.InterfaceError) as error:
                if time.monotonic() >= until:
                    raise StorageError(
                        "The database of jobs cannot be reached.",
                        hint=f"Look at AVATALK_DATABASE_URL: {error.orig}",
                    ) from error
            time.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT_S)

    def take_back(self, executors: Sequence[str], only: Collection[str] | None = None) -> int:
        """Queue again work that these workers had begun, and return how much that was.

        What one of them records later for such work is refused by DBOS.

        Args:
            executors: names of workers.
            only: ids of workflows; by default all.
        """
        found = self.dbos.list_workflows(
            status="PENDING", executor_id=list(executors), load_input=False, load_output=False
        )
        # DBOS has this in its own service of recovery, which needs to be bought, and at the start of a worker
        # of the same name. It changes a row only while that belongs to one of `executors`.
        again = self.dbos._sys_db.reenqueue_for_recovery
        return sum(
            again(flow.workflow_id, list(executors), flow.queue_name or "")
            for flow in found
            if only is None or flow.workflow_id in only
        )

    def close(self) -> None:
        """Give back all connections."""
        self.dbos.destroy()
        self.engine.dispose()


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # As DBOS does: writers wait for each other instead of failing. The journal lets readers go on.
    connection.isolation_level = "IMMEDIATE"
    connection.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    if sqlite3.sqlite_version_info < (3, 42):
        # DBOS writes times by `unixepoch('subsec')` on Python 3.12 and later, whatever its SQLite; older
        # ones know no fractions there, and the result is NULL.
        connection.create_function("unixepoch", 1, lambda _: round(time.time(), 3))


def _end_if_idle(connection: Any, _record: object) -> None:
    # As DBOS does: a process that is stopped in a transaction must not lock others out for ever.
    with connection.cursor() as cursor:
        cursor.execute(f"SET idle_in_transaction_session_timeout = {_IDLE_MS}")
    connection.commit()


def _wait_for_server(context: sa.engine.ExceptionContext) -> None:
    """Take any failure to connect for one that passes: DBOS knows only some by their words."""
    if context.connection is None:
        context.is_disconnect = True


def _wait_for_disk(context: sa.engine.ExceptionContext) -> BaseException | None:
    """Tell of a full disk as of a locked file: DBOS waits for that one, and would lose work otherwise."""
    told = str(context.original_exception)
    if not any(word in told for word in ("disk is full", "disk I/O error")):
        return None
    locked = sqlite3.OperationalError(f"database is locked: {told}")
    return sa.exc.OperationalError(context.statement, context.parameters, locked)
