"""What was read in a file is masked like a paste: a layer's name, a line of a log may hold a key or a name as well."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any, TypeVar

from ..diagnostics.decoding import decode
from ..diagnostics.diagnosis import Diagnosis
from ..diagnostics.doctor import Doctor
from ..diagnostics.probe import Finding
from .masking import mask

Value = TypeVar("Value")


class MaskedDoctor(Doctor):
    """Makes diagnoses whose findings are masked before anybody gets them."""

    def diagnose(self, *args: Any, **given: Any) -> Diagnosis:  # noqa: ANN401 - those of `Doctor.diagnose`
        """Diagnose, as `Doctor.diagnose` does."""
        diagnosis = super().diagnose(*args, **given)
        findings = tuple(masked(finding) for finding in _suspicious(diagnosis.findings))
        return replace(diagnosis, findings=findings) if findings else diagnosis


def _suspicious(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The findings, if there is anything to mask in them at all: most have nothing, and one look at all of them tells."""
    text = "\n".join(_texts([asdict(finding) for finding in findings]))
    return findings if mask(text) != text else ()


def masked(value: Value) -> Value:
    """A dataclass of plain values, with every text in it masked."""
    read: Value = decode(type(value), _masked(asdict(value)), type(value).__name__)  # type: ignore[call-overload]
    return read


def _masked(value: Any) -> Any:  # noqa: ANN401 - plain values, nested
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {name: _masked(inner) for name, inner in value.items()}
    return [_masked(inner) for inner in value] if isinstance(value, list | tuple) else value


def _texts(value: Any) -> Iterator[str]:  # noqa: ANN401 - plain values, nested
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list | tuple):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)
