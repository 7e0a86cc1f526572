"""What one process counts for Prometheus. Whoever counts imports this alone; `metrics.py` tells it."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
OWN = CollectorRegistry()
disable_created_metrics()  # type: ignore[no-untyped-call]
REQUESTS = Counter("kerasdoctor_requests", "Requests", ("method", "route", "status"), registry=OWN)
SECONDS = Histogram("kerasdoctor_request_seconds", "Time to answer", ("method", "route"), registry=OWN, buckets=BUCKETS)
IN_FLIGHT = Gauge("kerasdoctor_requests_in_flight", "Requests under way", registry=OWN, multiprocess_mode="livesum")
DIAGNOSES = Counter("kerasdoctor_diagnoses", "Diagnoses, by whether a topic was named", ("known",), registry=OWN)


def measure(method: str, route: str, status: int, seconds: float) -> None:
    """Count a request that was answered."""
    REQUESTS.labels(method, route, str(status)).inc()
    SECONDS.labels(method, route).observe(seconds)


def count_diagnosis(*, known: bool) -> None:
    """Count a diagnosis that was given."""
    DIAGNOSES.labels("yes" if known else "no").inc()
