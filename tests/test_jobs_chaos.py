"""The chaos script, small: workers are killed, the database restarts, the disk fills up; nothing is lost."""

import importlib.util
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from dbos._utils import retriable_sqlite_exception

from avatalk.jobs.tables import Database, events

SCRIPT = Path(__file__).parents[1] / "scripts" / "jobs_chaos.py"


@pytest.fixture
def chaos(monkeypatch, tmp_path):
    monkeypatch.setenv("AVATALK_CACHE", str(tmp_path / "cache"))
    spec = importlib.util.spec_from_file_location("jobs_chaos", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    monkeypatch.setattr(script, "FULL_S", 3.0)
    monkeypatch.setattr(script, "AWAY_S", 1.0)
    return script.main


def test_two_workers_on_postgresql(chaos, capsys):
    code = chaos(["--jobs", "5", "--workers", "2", "--every", "8", "--limit", "400"])
    told = capsys.readouterr().out
    assert code == 0, told
    assert "{'completed': 5}" in told and "published so many times: {1: 5}" in told
    assert ", 0 workers killed" not in told and "database restarted" in told


def test_one_worker_on_sqlite(chaos, capsys):
    code = chaos(["--jobs", "3", "--workers", "1", "--every", "10", "--limit", "400", "--sqlite"])
    told = capsys.readouterr().out
    assert code == 0, told
    assert "{'completed': 3}" in told and "files left behind: 0" in told
    assert ", 0 workers killed" not in told


def test_a_full_disk_under_sqlite_is_waited_for(tmp_path):
    """SQLite's own limit gives the very error; DBOS must take it for one that passes."""
    db = Database(f"sqlite:///{tmp_path / 'jobs.sqlite'}")
    with db.engine.connect() as connection:
        pages = connection.execute(sa.text("PRAGMA page_count")).scalar_one()
    limit = {"pages": pages}

    def narrow(connection, _record):
        connection.execute(f"PRAGMA max_page_count={limit['pages']}")

    sa.event.listen(db.engine, "connect", narrow)
    db.engine.dispose()
    row = {"job_id": "j", "number": 1, "at": 0.0, "kind": "x", "data": {"filler": "x" * 500_000}}

    def write(connection):
        connection.execute(events.insert().values(**row))

    db.patience_s = 0.0
    with (
        pytest.raises(sa.exc.OperationalError, match="disk is full") as caught,
        db.engine.begin() as connection,
    ):
        write(connection)
    assert retriable_sqlite_exception(caught.value)
    db.patience_s = 60.0
    waiting = threading.Thread(target=lambda: db.run(write))
    waiting.start()
    waiting.join(0.5)
    assert waiting.is_alive()
    limit["pages"] = 100_000
    db.engine.dispose()
    waiting.join(30)
    with db.engine.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(events)).scalar_one() == 1
    db.close()
