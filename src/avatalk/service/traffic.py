"""What one process of the service counts of its own requests, for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Traffic:
    """Requests by route and status, how long they took, and how many are being answered."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "avatalk_http_requests",
            "Requests that this process answered.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "avatalk_http_request_seconds",
            "Seconds until the end of an answer of this process.",
            ("method", "route"),
            buckets=_BOUNDS,
            registry=self.registry,
        )
        self.open = Gauge(
            "avatalk_http_requests_open", "Requests that this process answers now.", registry=self.registry
        )

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request.

        Args:
            method: of HTTP; one that no route has counts as ``other``, or anybody could make up any number.
            route: its template; empty where there is none.
            status: of the answer; 499 if the client had gone.
            seconds: until its end.
        """
        known = method if route else "other"
        self._requests.labels(known, route or "none", str(status)).inc()
        self._seconds.labels(known, route or "none").observe(seconds)
