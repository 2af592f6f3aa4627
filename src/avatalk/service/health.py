"""Whether the service lives, whether it can do its work, and figures for Prometheus."""

from __future__ import annotations

import time
from collections.abc import Iterator

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from pydantic import BaseModel, Field

from avatalk._version import __version__
from avatalk.errors import AvatalkError
from avatalk.jobs.counts import BOUNDS_S
from avatalk.jobs.figures import Figures, figures
from avatalk.jobs.worker import LEASE_S
from avatalk.service.answers import may_answer
from avatalk.service.context import Here, Service, Watcher

router = APIRouter(tags=["health"])

_KEPT_S = 2.0  # a result is given again: whoever asks often costs nothing


class Alive(BaseModel):
    """The service answers."""

    status: str = Field(examples=["ok"])
    version: str = Field(examples=["0.1.0"])


class Ready(BaseModel):
    """What the service needs, and whether it is there."""

    ready: bool
    database: bool = Field(description="Whether it can be read.")
    storage: bool = Field(description="Whether it can be reached.")
    workers: int = Field(description="Workers that were seen in the last 30 seconds.", examples=[1])


@router.get("/healthz", openapi_extra={"security": []})
async def healthz() -> Alive:
    """Whether the process answers; no key is needed."""
    return Alive(status="ok", version=__version__)


@router.get(
    "/readyz",
    responses={503: {"model": Ready, "description": "Something is missing."}},
    openapi_extra={"security": []},
)
def readyz(request: Request, response: Response) -> Ready:
    """Whether videos can be made: database and storage are in reach, and a worker lives. No key is needed."""
    readiness: Readiness = request.app.state.readiness
    ready = readiness.look()
    if not ready.ready:
        response.status_code = 503
    return ready


class Readiness:
    """Looks at what the service needs; what was seen counts for 2 s, so that asking often costs nothing.

    Args:
        service: which.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._seen: tuple[float, Ready] | None = None

    def look(self) -> Ready:
        """What is there."""
        if self._seen is None or time.monotonic() > self._seen[0]:
            self._seen = (time.monotonic() + _KEPT_S, self._look())
        return self._seen[1]

    def _look(self) -> Ready:
        workers, database = 0, True
        try:
            workers = figures(self._service.db, LEASE_S).workers
        except AvatalkError:
            database = False
        storage = self._service.storage.is_there()
        ready = database and storage and workers > 0
        return Ready(ready=ready, database=database, storage=storage, workers=workers)


@router.get(
    "/metrics",
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {}}, "description": "In the text format of Prometheus."},
        **may_answer(401, 403, 429, 503),
    },
)
def metrics(service: Here, _caller: Watcher) -> Response:
    """Figures for Prometheus: those of jobs are the same whichever process is asked."""
    registry = CollectorRegistry()
    registry.register(_Jobs(figures(service.db, LEASE_S)))
    text = generate_latest(registry) + generate_latest(service.traffic.registry)
    return Response(text, headers={"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"})


class _Jobs:
    """The figures of all jobs as Prometheus wants them."""

    def __init__(self, found: Figures) -> None:
        self._found = found

    def collect(self) -> Iterator[Metric]:
        found = self._found
        yield _gauge("avatalk_queue_depth", "Pieces of work that wait.", "kind", found.waiting)
        yield _gauge("avatalk_queue_oldest_seconds", "For how long the oldest waits.", "kind", found.oldest_s)
        yield _gauge("avatalk_work_in_hand", "Pieces of work that workers have.", "kind", found.running)
        yield _gauge("avatalk_jobs", "Videos that are not ended.", "status", found.jobs)
        yield GaugeMetricFamily("avatalk_workers", "Workers seen in the last 30 s.", value=found.workers)
        yield _counter("avatalk_jobs_ended", "Videos that ended.", "status", found.ended)
        yield _counter("avatalk_job_failures", "Videos that failed.", "code", found.failures)
        stages = HistogramMetricFamily(
            "avatalk_stage_seconds",
            "wait: until a worker took a video. plan, segment, join: pieces of work. whole: from submission.",
            labels=["stage"],
        )
        for stage, (seconds, counts) in sorted(found.stages.items()):
            bounds = [*map(str, map(float, BOUNDS_S)), "+Inf"]
            stages.add_metric([stage], list(zip(bounds, counts, strict=True)), seconds)
        yield stages


def _gauge(name: str, about: str, label: str, values: dict[str, int] | dict[str, float]) -> Metric:
    family = GaugeMetricFamily(name, about, labels=[label])
    for value, number in sorted(values.items()):
        family.add_metric([value], number)
    return family


def _counter(name: str, about: str, label: str, values: dict[str, float]) -> Metric:
    family = CounterMetricFamily(name, about, labels=[label])
    for value, number in sorted(values.items()):
        family.add_metric([value], number)
    return family
