"""The three kinds of work a job consists of: its plan, its segments, and their join.

Each may be done twice, by two workers at once: the files are the same bytes under the same name, and
`records` takes the first.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import OrderedDict
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from fractions import Fraction
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from threading import Event, Lock
from typing import Any

import sqlalchemy as sa

from avatalk.errors import Cancelled, CannotRun, NotFound, OutputError, StorageError, UnreadableFile
from avatalk.events import Monitor, Progress
from avatalk.jobs import records
from avatalk.jobs.inputs import Inputs, local_request, told_request, with_names
from avatalk.jobs.storage import Storage
from avatalk.jobs.tables import Database, segments
from avatalk.media import Cue
from avatalk.pipeline import Plan, better, plan
from avatalk.video.encode import Captions
from avatalk.video.poster import spoken_frame, thumbnail
from avatalk.video.segments import bounds, join, moved, take_out, write_segment, write_sound
from avatalk.video.sidecar import to_srt, to_vtt
from avatalk.workspace import temporary_folder

_PLANS = 2  # kept by a worker; each holds the files and networks of its video
_LOOK_EVERY_S = 1.0  # at what became of the job, while it is worked on
_MAKERS = ("avatalk", "av", "numpy", "opencv-python-headless", "resvg-py")  # that a segment's bits come from
_WORDS = ("text", "corrections", "captions")  # of a request: pictures show them through curves and layers
_TYPES = {
    ".mp4": "video/mp4",
    ".srt": "application/x-subrip",
    ".vtt": "text/vtt",
    ".jpg": "image/jpeg",
}


class HandedBack(Exception):
    """The worker stops, and somebody else is to do this work."""


@dataclass(slots=True)
class Open:
    """A plan that a worker keeps, with the local copies of the job's files."""

    plan: Plan
    undo: ExitStack
    names: dict[str, str]


class Workshop:
    """What one worker has at hand.

    Args:
        db: the jobs.
        storage: their files.
        worker: the name of this worker.
    """

    def __init__(self, db: Database, storage: Storage, worker: str) -> None:
        self.db, self.storage, self.worker = db, storage, worker
        self.stopping = Event()
        self._plans: OrderedDict[str, Open] = OrderedDict()
        self._lock = Lock()

    def close(self) -> None:
        """Give up what is kept."""
        with self._lock:
            while self._plans:
                self._plans.popitem()[1].undo.close()

    # --- the work

    def plan(self, job_id: str) -> None:
        """Plan a job, store its sound, and queue its segments."""
        job = records.begin(self.db, job_id, self.worker)
        if job is None or job.plan is not None:
            return
        began = time.perf_counter()
        watch = Watch(self, job_id)
        made = self._open(job, watch).plan
        with temporary_folder() as folder:
            sound = Path(folder) / "sound.m4a"
            write_sound(sound, made.speech.audio, quality=made.request.quality, monitor=watch.monitor)
            stored = self.storage.put(sound, f"jobs/{job_id}", "sound")
        facts = {
            "duration_s": float(made.n_frames / made.fps),
            "n_frames": made.n_frames,
            "fps": str(made.fps),
            "width": made.width,
            "height": made.height,
            "engines": made.engines,
            "warnings": [self._told(job_id, warning) for warning in made.warnings],
            "better": better(made),
            "cues": [asdict(cue) for cue in made.captions],
            "language": made.speech.language,
            "sound": stored.key,
            "thumbnail": spoken_frame(made.visemes, made.motion),
            "outline": outline(made),
            "seconds": round(time.perf_counter() - began, 3),
        }
        cuts = cuts_of(made)
        facts["recipes"] = recipes(job.request, made, cuts)
        reused = self._reused(job_id, facts, cuts)
        facts["reused"] = sum(cuts[number][1] - cuts[number][0] for number in reused)
        if not records.planned(self.db, job_id, facts, cuts, reused):
            watch.give_up()

    def _reused(self, job_id: str, facts: dict[str, Any], cuts: list[tuple[int, int]]) -> dict[int, str]:
        """Copy segments out of the video that this one revises; number → key of each that is the same there.

        A video that is gone meanwhile is no loss but of time: its segments are drawn.
        """
        old = records.revised(self.db, job_id)
        if old is None:
            return {}
        there = {
            recipe: (piece.start, piece.stop)
            for piece in self._segments(old.id)
            if (recipe := old.plan.get("recipes", {}).get(str(piece.number)))
        }
        stored: dict[int, str] = {}
        with temporary_folder() as name, suppress(UnreadableFile, OutputError, NotFound):
            video = self.storage.fetch(old.result["files"]["video.mp4"]["key"], Path(name))
            for number in range(len(cuts)):
                found = there.get(facts["recipes"].get(str(number)))
                if found is not None:
                    path = Path(name) / "segment.mp4"
                    take_out(video, path, *found, Fraction(facts["fps"]))
                    stored[number] = self.storage.put(path, f"jobs/{job_id}/segments", f"{number:06d}").key
        return stored

    def segment(self, job_id: str, number: int) -> None:
        """Draw and encode one segment, and store it."""
        job = records.begin(self.db, job_id, self.worker)
        row = self._segment(job_id, number)
        if job is None or row is None or row.key is not None:
            return
        began = time.perf_counter()
        watch = Watch(self, job_id, number)
        made = self._open(job, watch).plan
        if outline(made) != job.plan["outline"]:
            raise CannotRun(
                "This worker would make another video than the one that was planned.",
                hint="All workers need the same version of avatalk and the same weights.",
                stage="encode",
            )
        with temporary_folder() as folder:
            path = Path(folder) / "segment.mp4"
            write_segment(
                path,
                made.drawn(row.start, row.stop),
                row.stop - row.start,
                made.fps,
                (made.width, made.height),
                quality=made.request.quality,
                monitor=watch.monitor,
            )
            stored = self.storage.put(path, f"jobs/{job_id}/segments", f"{number:06d}")
        seconds = time.perf_counter() - began
        if not records.segment_made(self.db, job_id, number, stored.key, self.worker, seconds):
            watch.give_up()

    def join(self, job_id: str) -> None:
        """Put the segments together and publish the result; it needs no plan, only files."""
        job = records.begin(self.db, job_id, self.worker)
        if job is None:
            if done := records.published(self.db, job_id):  # by one that was killed before it tidied up
                self._tidy(job_id, done.plan["sound"])
            return
        began = time.perf_counter()
        facts, inputs = job.plan, Inputs(job.request, job.inputs)
        cues = tuple(Cue(**{**cue, "lines": tuple(cue["lines"])}) for cue in facts["cues"])
        ways = job.request.get("captions", "none").split(",")
        watch = Watch(self, job_id)
        with temporary_folder() as name:
            folder = Path(name)
            pieces = [self.storage.fetch(row.key, folder) for row in self._segments(job_id)]
            video = folder / "video.mp4"
            join(
                video,
                pieces,
                self.storage.fetch(facts["sound"], folder),
                Fraction(facts["fps"]),
                comment=told_request(inputs),
                monitor=watch.monitor,
                captions=Captions(cues, facts["language"]) if "soft" in ways and cues else None,
            )
            made = [video]
            for way, write in (("srt", to_srt), ("vtt", to_vtt)):
                if way in ways and cues:
                    made.append(folder / f"captions.{way}")
                    made[-1].write_text(write(cues), encoding="utf-8", newline="\n")
            made.append(folder / "thumbnail.jpg")
            made[-1].write_bytes(thumbnail(video, facts["thumbnail"]))
            files = {}
            for path in made:
                stored = self.storage.put(path, f"jobs/{job_id}", path.stem)
                files[path.name] = {**asdict(stored), "type": _TYPES[path.suffix]}
        kept = ("duration_s", "fps", "width", "height", "engines", "warnings", "better")
        report = {name: facts[name] for name in kept} | {
            "path": video.name,
            "frames": facts["n_frames"],
            "captions": [name for name in files if name.startswith("captions.")],
            "captions_in": [way for way in ("burn", "soft") if way in ways and cues],
            "seconds": {"plan": facts["seconds"], "total": round(time.time() - job.started_at, 3)},
        }
        seconds = time.perf_counter() - began
        if not records.publish(self.db, job_id, {"files": files, "report": report}, seconds):
            watch.give_up()
            return
        self._tidy(job_id, facts["sound"])

    def _tidy(self, job_id: str, sound: str) -> None:
        """Remove what the video was made of."""
        self.storage.remove(f"jobs/{job_id}/segments")
        self.storage.remove(sound)

    def failed(self, job_id: str, error: Exception) -> None:
        """End a job by an error, unless it is over."""
        told = records.error_fields(error)
        told["message"] = self._told(job_id, told["message"])
        if records.fail(self.db, job_id, told):
            records.clear_queue(self.db, job_id)
            self.storage.remove(f"jobs/{job_id}")

    # --- plans

    def _open(self, job: sa.Row[Any], watch: Watch) -> Open:
        """The plan of a job: the one that is kept, or made now."""
        with self._lock:
            if job.id in self._plans:
                self._plans.move_to_end(job.id)
                return self._plans[job.id]
        with ExitStack() as undo:
            folder = Path(undo.enter_context(temporary_folder()))
            request, names = local_request(Inputs(job.request, job.inputs), self.storage, folder)
            try:
                made = plan(request, on_progress=watch.progress, cancel=watch.monitor.cancelled)
            except Exception as error:
                if hasattr(error, "message"):
                    error.message = with_names(error.message, names)
                raise
            undo.enter_context(made)
            kept = Open(made, undo.pop_all(), names)
        with self._lock:
            self._plans[job.id] = kept
            while len(self._plans) > _PLANS:
                self._plans.popitem(last=False)[1].undo.close()
        return kept

    def _told(self, job_id: str, text: str) -> str:
        """The text with the names of files that the user knows, instead of paths of this worker."""
        kept = self._plans.get(job_id)
        return with_names(text, kept.names) if kept else text

    def _segment(self, job_id: str, number: int) -> sa.Row[Any] | None:
        query = sa.select(segments).where(segments.c.job_id == job_id, segments.c.number == number)
        return self.db.run(lambda connection: connection.execute(query).one_or_none())

    def _segments(self, job_id: str) -> list[sa.Row[Any]]:
        query = sa.select(segments).where(segments.c.job_id == job_id).order_by(segments.c.number)
        return list(self.db.run(lambda connection: connection.execute(query).all()))


class Watch:
    """Tells how far a piece of work is, and stops it when its job is over or its worker stops."""

    def __init__(self, shop: Workshop, job_id: str, number: int | None = None) -> None:
        self._shop, self._job_id, self._number = shop, job_id, number
        self._looked = time.monotonic()
        self._stage = ""
        self.monitor = Monitor(self.progress, Event())

    def progress(self, progress: Progress) -> None:
        """Called with every step of the work."""
        if self._shop.stopping.is_set():
            raise HandedBack
        now = time.monotonic()
        if now - self._looked < _LOOK_EVERY_S and (self._number is not None or progress.stage == self._stage):
            return
        self._looked, self._stage = now, progress.stage
        shop = self._shop
        try:
            # A worker that meets the job at a segment plans it first: that is no frame of the segment.
            if self._number is not None and progress.stage == "encode":
                alive = records.drawn(shop.db, self._job_id, self._number, int(progress.done), shop.worker)
            elif self._number is not None:
                alive = shop.db.run(lambda connection: records.wanted(connection, self._job_id))
            else:
                alive = records.at_stage(shop.db, self._job_id, progress.stage)
        except StorageError:  # the work goes on: its result may still be wanted when the database is back
            return
        if not alive:
            self.monitor.cancelled.set()
            raise Cancelled("The job was stopped.", hint="Nothing was written.", stage=progress.stage)

    def give_up(self) -> None:
        """Remove what was stored for a job that was over by then, unless that is its published result."""
        if not self._shop.db.run(lambda connection: records.wanted(connection, self._job_id)):
            self._shop.storage.remove(f"jobs/{self._job_id}")


def outline(made: Plan) -> str:
    """What two plans of one job have in common. A worker that lacks a voice or weights plans another video.

    Not a hash of curves: their last bits differ between processors, and nobody sees that.
    """
    sound = made.speech.audio
    engines = " ".join(f"{stage}={engine}" for stage, engine in sorted(made.engines.items()))
    samples = round(sound.duration_s * sound.sample_rate)
    return f"{made.n_frames} {made.fps} {made.width}x{made.height} {samples} {engines}"


def cuts_of(made: Plan) -> list[tuple[int, int]]:
    """The segments of a video; what a correction does not touch of it keeps its segments."""
    splices = [(splice.start, splice.stop, splice.frames) for splice in made.speech.splices]
    before = made.n_frames - sum(frames - (stop - start) for start, stop, frames in splices)
    return moved(bounds(before, made.fps, joints=made.cuts()), splices, made.fps)


def recipes(request: dict[str, Any], made: Plan, cuts: list[tuple[int, int]]) -> dict[str, str]:
    """Number of a segment → hash of all that its bytes depend on, where that is known.

    Files stand in `request` by their content. Voice and speed act on pictures through the curves alone; they
    count all the same, since nothing is gained where they differ.
    """
    if made.request.text is None:
        return {}
    same = {name: request[name] for name in sorted(request) if name not in _WORDS}
    base = json.dumps(
        [*map(_version, _MAKERS), same, str(made.fps), made.width, made.height, sorted(made.engines.items())]
    )
    found = {}
    for number, (start, stop) in enumerate(cuts):
        trace = made.trace(start, stop)
        if trace is not None:
            found[str(number)] = hashlib.sha256(f"{base}\n{trace}".encode()).hexdigest()[:32]
    return found


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:  # OpenCV has several names
        return ""
