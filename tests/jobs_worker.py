"""A worker in a process of its own, for the tests of jobs: short segments, drawn as slowly as is wanted.

Run as: python jobs_worker.py SEGMENT_S SECONDS_PER_FRAME [WHAT_ELSE_IT_HAS ...]
"""

import signal
import sys
import threading
import time

from avatalk.jobs import needs, work, worker
from avatalk.video import segments

_write = segments.write_segment


def slowly(frames, seconds):
    for frame in frames:
        time.sleep(seconds)
        yield frame


def configure(segment_s, seconds_per_frame):
    segments.SEGMENT_S = segment_s
    worker.SEEN_EVERY_S = 0.3
    worker.LEASE_S = 600.0  # so that no test passes by waiting for its end

    def write(path, frames, *args, **options):
        _write(path, slowly(frames, seconds_per_frame), *args, **options)

    work.write_segment = write


def pretend(more):
    has = needs.has
    needs.has = lambda: sorted([*has(), *more])


if __name__ == "__main__":
    pretend(sys.argv[3:])
    configure(float(sys.argv[1]), float(sys.argv[2]))
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    running = worker.Worker()
    running.start()
    print(running.name, flush=True)
    while not stop.wait(0.1):
        pass
    running.stop(1)
    print("handed back", flush=True)
