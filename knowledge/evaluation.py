"""How well the matcher does on cases: the figures of `kerasdoctor evaluate`.

"Not known" on an answerable case counts as wrong; naming any topic on a negative is a false alarm. Answerable cases whose
topics all lack an entry are left out and counted. Intervals hold 95 %: Wilson's for proportions (Wilson 1927), a
percentile bootstrap with a fixed seed for the mean reciprocal rank.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .cases import Case
from .matcher import Matcher, Ranking
from .parser import parse

Z = 1.959964
RESAMPLES = 1_000


@dataclass(frozen=True)
class Result:
    """What the matcher said of a case: the ranked topics (empty for "not known") and the confidence of the first."""

    case: Case
    named: tuple[str, ...]
    confidence: float

    @property
    def rank(self) -> int | None:
        """The place of the first right topic, from 1."""
        places = (n for n, topic in enumerate(self.named, start=1) if topic in self.case.expect)
        return next(places, None)


@dataclass(frozen=True)
class Evaluation:
    """All results, and the ids of the cases that were left out."""

    results: tuple[Result, ...]
    left_out: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The figures, over all cases and by kind and language."""
        return {
            **figures(self.results),
            "by_kind": {k: figures(r for r in self.results if r.case.kind == k) for k in self._values("kind")},
            "by_lang": {v: figures(r for r in self.results if r.case.lang == v) for v in self._values("lang")},
            "left_out": len(self.left_out),
        }

    def misses(self) -> list[Result]:
        """The results that are not right: wrong or no topic on an answerable case, any topic on a negative."""
        return [r for r in self.results if (r.rank != 1 if r.case.expect else bool(r.named))]

    def _values(self, field: str) -> list[str]:
        return sorted({getattr(result.case, field) for result in self.results})


def evaluate(cases: Iterable[Case], matcher: Matcher) -> Evaluation:
    """Match every case whose topics have an entry, and every negative."""
    results, left_out = [], []
    topics = set(matcher.index.topics)
    for case in cases:
        if case.expect and not case.expect & topics:
            left_out.append(case.id)
        else:
            results.append(_result(case, matcher.match(parse(case.text))))
    return Evaluation(tuple(results), tuple(left_out))


def _result(case: Case, ranking: Ranking) -> Result:
    named = tuple(match.topic for match in ranking.matches) if ranking.known else ()
    return Result(case, named, ranking.matches[0].confidence if ranking.matches else 0.0)


def figures(results: Iterable[Result]) -> dict[str, dict[str, float | int | None]]:
    """`top1`, `top3`, `mrr` over the answerable results, `false_alarms` over the negatives."""
    results = list(results)
    ranks = [result.rank for result in results if result.case.expect]
    alarms = [bool(result.named) for result in results if not result.case.expect]
    return {
        "top1": _proportion([rank == 1 for rank in ranks]),
        "top3": _proportion([rank is not None and rank <= 3 for rank in ranks]),  # noqa: PLR2004 - the first three
        "mrr": _mean([1 / rank if rank else 0.0 for rank in ranks]),
        "false_alarms": _proportion(alarms),
    }


def _proportion(hits: list[bool]) -> dict[str, float | int | None]:
    n = len(hits)
    if not n:
        return {"value": None, "low": None, "high": None, "n": 0}
    p = sum(hits) / n
    middle = (p + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z * math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n)) / (1 + Z * Z / n)
    return {
        "value": round(p, 4),
        "low": round(max(0.0, middle - half), 4),
        "high": round(min(1.0, middle + half), 4),
        "n": n,
    }


def _mean(values: list[float]) -> dict[str, float | int | None]:
    n = len(values)
    if not n:
        return {"value": None, "low": None, "high": None, "n": 0}
    draw = random.Random(0)  # noqa: S311 - resampling, not secrecy
    means = sorted(sum(draw.choices(values, k=n)) / n for _ in range(RESAMPLES))
    low, high = means[int(RESAMPLES * 0.025)], means[int(RESAMPLES * 0.975)]
    return {"value": round(sum(values) / n, 4), "low": round(low, 4), "high": round(high, 4), "n": n}
