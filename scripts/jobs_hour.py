"""Make a video of an hour as one job with one worker, and print its memory each minute; then cancel one.

Needs the extra `service`, and Linux. Run as: python scripts/jobs_hour.py --minutes 60 --size 256x144
Ends with 1 if the video is not as long as its speech, if the memory of the last quarter is more than a tenth
above that of the second, or if canceling takes more than 2 s to answer.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import av

from avatalk import VideoRequest
from avatalk.jobs.api import Jobs
from avatalk.jobs.job import Job

SENTENCES = (
    "This is sentence {n} of a long report, and it is read out without a pause for tea.",
    "In the year {y} nobody had counted the boats in the harbour, so we did it ourselves.",
    "Number {n} on our list is a small town by the sea, where bread is baked at night.",
    "Whoever has listened for so long may stand up now, walk a little, and come back.",
)
LETTERS_A_SECOND = 15.0


def text_of(minutes: float) -> str:
    """A text that takes about so long to read, no sentence of it twice."""
    written: list[str] = []
    length = 0
    while length < minutes * 60 * LETTERS_A_SECOND:
        number = len(written)
        written.append(SENTENCES[number % len(SENTENCES)].format(n=number, y=1000 + number))
        length += len(written[-1]) + 1
    return " ".join(written)


def resident_mb(pid: int) -> float:
    """Memory that a process holds now, MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def follow(jobs: Jobs, job_id: str, pid: int, every_s: float) -> tuple[Job, list[float]]:
    """Wait for the end of a job; the worker's memory from the first segment on, MB."""
    began, next_look, held = time.monotonic(), 0.0, []
    while not (job := jobs.get(job_id)).ended_at:
        time.sleep(1)
        if time.monotonic() - began >= next_look:
            next_look += every_s
            memory = resident_mb(pid)
            if job.segments:
                held.append(memory)
            spent = (time.monotonic() - began) / 60
            print(f"{spent:6.1f} min  {memory:6.0f} MB  {job.stage} {job.progress:.3f}", flush=True)
    return job, held


def cancelled(jobs: Jobs, text: str, size: str) -> tuple[float, float]:
    """Seconds until a job in the middle of a segment is canceled, and until its worker began the next."""
    job_id = jobs.submit(VideoRequest(text=text, size=size, quality="draft"))
    while not any(event.kind == "segment" for event in jobs.events(job_id)):
        time.sleep(0.2)
    time.sleep(0.5)
    began = time.monotonic()
    assert jobs.cancel(job_id).status == "canceled"
    answered = time.monotonic() - began
    other = jobs.submit(VideoRequest(text="Yes.", size=size, quality="draft"))
    while jobs.get(other).status == "queued":
        time.sleep(0.05)
    return answered, time.monotonic() - began


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--size", default="256x144")
    parser.add_argument("--every", type=float, default=60.0, help="seconds between two looks at the memory")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hour") as name:
        folder = Path(name)
        for variable, place in (("DATA", "data"), ("CACHE", "cache")):
            os.environ[f"AVATALK_{variable}"] = str(folder / place)
        jobs = Jobs()
        text = text_of(given.minutes)
        job_id = jobs.submit(VideoRequest(text=text, size=given.size, quality="draft"))
        worker = subprocess.Popen([sys.executable, "-m", "avatalk.cli", "worker", "--grace", "2"])
        try:
            began = time.monotonic()
            job, held = follow(jobs, job_id, worker.pid, given.every)
            took = time.monotonic() - began
            print(f"{job.status} after {took / 60:.1f} min: {job.duration_s} s in {job.segments} segments")
            if job.result is None:
                print(job.error)
                return 1
            print("seconds of work:", job.result["report"]["seconds"])
            with jobs.open(job_id) as file, av.open(file) as container:
                stream = container.streams.video[0]
                frames = sum(packet.pts is not None for packet in container.demux(stream))
            quarter = max(1, len(held) // 4)
            early, late = max(held[quarter : 2 * quarter] or held), max(held[-quarter:])
            print(f"{frames} frames; at most {early:.0f} MB in the second quarter, {late:.0f} MB in the last")
            answered, freed = cancelled(jobs, text, given.size)
            print(f"canceled in {answered:.2f} s; the worker began the next job {freed:.2f} s after the wish")
        finally:
            worker.terminate()
            worker.wait()
            jobs.close()
    good = frames == job.result["report"]["frames"] and late <= 1.1 * early and answered < 2.0
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
