"""The curves of a training log as SVG, with what was found marked in them: text stays text, and no library is needed.

Readers with any colour vision tell the colours apart; validation is dashed as well.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape

from ..knowledge.text import Lang, Text
from .catalogue import probes_of
from .curves import Mark, Sighting
from .palette import (
    BLUE,
    FOUND,
    GREEN,
    GREY,
    GRID,
    GROUND,
    INK,
    LINE,
    ORANGE,
    PINK,
    SKY,
    SOFT,
    STYLE,
    VERMILION,
    YELLOW,
)
from .plot_scale import WIDTH, Panel, Scale, panels_of, ticks_of_epochs
from .probe import Finding
from .training_log import RATE, Series, TrainingLog

_LEFT, _RIGHT, _TOP, _GAP, _HEIGHT, _RATE_HEIGHT = 64.0, 150.0, 76.0, 62.0, 190.0, 90.0
_COLOURS = (BLUE, VERMILION, GREEN, PINK, ORANGE, SKY, GREY, YELLOW)
_VALIDATION = VERMILION
_POINTS = 1500
_MARKS = 12
_NAME = 20
_LABEL_GAP = 14.0


@dataclass(frozen=True)
class _Found:
    """A mark with the number under which the legend tells it."""

    number: int
    row: int
    until: int | None
    mark: Mark


def plot_log(log: TrainingLog, findings: Iterable[Finding] = (), lang: Lang = "en") -> str:
    """The curves of a log, a panel for the losses, one for each group of metrics, and the learning rate.

    Args:
        log: the log that was examined.
        findings: those of the log's probes; what they found is marked. Each mark comes from the evidence that the
            finding tells, and has its number in the legend below.
        lang: the language of the marks and titles.

    Returns:
        An SVG document as text. Names that the log brought are escaped and shortened.
    """
    panels = panels_of(log)
    marks = list(_marks(log, findings))[:_MARKS]
    drawn, top = [], _TOP
    for panel in panels:
        height = _RATE_HEIGHT if panel.names == (RATE,) else _HEIGHT
        drawn.append(_panel(log, panel, Scale.of(log, panel, _LEFT, WIDTH - _RIGHT, top, height), marks, lang))
        top += height + _GAP
    height = top + _legend_height(marks)
    parts = [_head(log, height, lang), *drawn, *_legend(marks, top - 6, lang), "</svg>"]
    return "\n".join(parts) + "\n"


def _marks(log: TrainingLog, findings: Iterable[Finding]) -> Iterator[_Found]:
    """The places of the evidence that findings tell: the probe looks again, and is asked for nothing else."""
    probes = {probe.id: probe for probe in probes_of("log")}
    number = 0
    for finding in findings:
        probe = probes.get(finding.probe)
        if probe is None or finding.outcome != "finding":
            continue
        for seen in probe.look(log):
            if not isinstance(seen, Sighting) or seen.text not in finding.evidence:
                continue
            number += bool(seen.marks)
            yield from (found for mark in seen.marks if (found := _place(log, mark, number)))


def _place(log: TrainingLog, mark: Mark, number: int) -> _Found | None:
    """The rows of a mark: its run's epochs."""
    start = 0
    for run in log.runs:
        end = start + len(run.epochs)
        if run.run == mark.run and mark.epoch in run.epochs:
            row = start + run.epochs.index(mark.epoch)
            until = start + run.epochs.index(mark.until) if mark.until in run.epochs else None
            return _Found(number, row, until, mark)
        start = end
    return None


def _text(
    x: float, y: float, words: str, colour: str = INK, size: int = 12, anchor: str = "start", extra: str = ""
) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" font-size="{size}" text-anchor="{anchor}"{extra}>{escape(words)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, width: float = 1, extra: str = "") -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width}"{extra}/>'


def _head(log: TrainingLog, height: float, lang: Lang) -> str:
    title = "".join(c if c.isprintable() else "?" for c in log.name[:60])
    runs = len(log.runs)
    told = Text(
        f"{len(log.epochs)} epochs" + (f" in {runs} runs" if runs > 1 else "") + f" · {log.format}",
        f"{len(log.epochs)} 轮" + (f"，{runs} 次训练" if runs > 1 else "") + f" · {log.format}",
    ).say(lang)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:.0f} {height:.0f}" width="{WIDTH:.0f}" height="{height:.0f}" '
        'font-family="system-ui, -apple-system, Segoe UI, Roboto, Noto Sans, Noto Sans CJK SC, sans-serif" role="img">\n'
        f"<title>{escape(title)}</title>\n"
        f'{STYLE}\n<rect width="100%" height="100%" fill="{GROUND}"/>\n'
        + _text(24, 30, title, size=16, extra=' font-weight="600"')
        + _text(WIDTH - 24, 30, told, SOFT, anchor="end")
    )


def _panel(log: TrainingLog, panel: Panel, scale: Scale, marks: list[_Found], lang: Lang) -> str:
    title = panel.title.say(lang)
    if scale.log:
        title += Text(" (logarithmic)", "（对数刻度）").say(lang)
    parts = [_text(_LEFT, scale.top - 17, title, size=12, extra=' font-weight="600"'), *_axes(log, scale, lang)]
    own = [found for found in marks if found.mark.series in panel.names]
    parts += [_shade(found, scale) for found in own if found.until is not None and found.until > found.row]
    ends = []
    for place, name in enumerate(panel.names):
        colour, dashed = _style(name, panel)
        parts += _curve(log.series[name], scale, colour, dashed=dashed)
        parts += _crosses(log.series[name], scale, scale.top + 16 + 11 * place, colour)
        ends.append((_end(log.series[name], scale), name, colour, dashed))
    parts += _names(ends, scale)
    if any(value is not None and not math.isfinite(value) for name in panel.names for value in log.series[name]):
        parts.append(
            _text(scale.right, scale.top - 17, Text("× is nan or inf", "× 为 nan 或 inf").say(lang), SOFT, 11, "end")
        )
    parts += [part for found in _apart(own) for part in _badge(found, scale, log)]
    return "\n".join(parts)


def _axes(log: TrainingLog, scale: Scale, lang: Lang) -> Iterator[str]:
    for value, label in scale.ticks():
        y = scale.y(value)
        yield _line(scale.left, y, scale.right, y, GRID)
        yield _text(scale.left - 8, y + 4, label, SOFT, 11, "end")
    for row, label in ticks_of_epochs(log):
        yield _text(scale.x(row), scale.bottom + 16, label, SOFT, 11, "middle")
    start = 0
    for run in log.runs[:-1]:
        start += len(run.epochs)
        x = (scale.x(start - 1) + scale.x(start)) / 2
        yield _line(x, scale.top, x, scale.bottom, LINE, extra=' stroke-dasharray="2 3"')
    yield _line(scale.left, scale.bottom, scale.right, scale.bottom, LINE)
    yield _text(scale.right + 8, scale.bottom + 16, Text("epoch", "轮次").say(lang), SOFT, 11)


def _style(name: str, panel: Panel) -> tuple[str, bool]:
    """The colour and dashes: with one pair blue and vermilion, else a colour for each name and dashes for validation."""
    is_validation = name.startswith("val_")
    bases = list(dict.fromkeys(other.removeprefix("val_") for other in panel.names))
    if len(bases) == 1:
        return (_VALIDATION if is_validation else _COLOURS[0]), is_validation
    return _COLOURS[bases.index(name.removeprefix("val_")) % len(_COLOURS)], is_validation


def _curve(series: Series, scale: Scale, colour: str, *, dashed: bool) -> Iterator[str]:
    """The line, broken where there is no finite value; a point where that leaves one value alone."""
    every = max(1, math.ceil(len(series) / _POINTS))
    gap = True
    path, alone = [], []
    kept = [(row, value) for row, value in enumerate(series) if row % every == 0 or not _drawn(value, scale)]
    runs, run = sorted(scale.starts), 0
    for i, (row, value) in enumerate(kept):
        while run < len(runs) and row >= runs[run]:
            gap, run = True, run + 1
        if value is None:
            continue  # not measured in this epoch: the line goes on
        if not _drawn(value, scale):
            gap = True
            continue
        point = f"{scale.x(row):.1f} {scale.y(value):.1f}"
        if gap and (i + 1 == len(kept) or not _drawn(kept[i + 1][1], scale)):
            alone.append(f'<circle cx="{scale.x(row):.1f}" cy="{scale.y(value):.1f}" r="2.5" fill="{colour}"/>')
        path.append(f"{'M' if gap else 'L'}{point}")
        gap = False
    dashes = ' stroke-dasharray="7 4"' if dashed else ""
    if path:
        yield f'<path d="{" ".join(path)}" fill="none" stroke="{colour}" stroke-width="2" stroke-linejoin="round"{dashes}/>'
    yield from alone


def _crosses(series: Series, scale: Scale, y: float, colour: str) -> Iterator[str]:
    """A cross for each value that is NaN or infinite."""
    rows = [row for row, value in enumerate(series) if value is not None and not math.isfinite(value)]
    yield from (_cross(scale.x(row), y, colour) for row in rows[:: max(1, len(rows) // 200)])


def _drawn(value: float | None, scale: Scale) -> bool:
    return value is not None and math.isfinite(value) and (not scale.log or value > 0)


def _cross(x: float, y: float, colour: str) -> str:
    return f'<path d="M{x - 3.5:.1f} {y - 3.5:.1f}l7 7m0 -7l-7 7" stroke="{colour}" stroke-width="1.8" fill="none"/>'


def _end(series: Series, scale: Scale) -> float:
    """The height at which a curve's name stands: that of its last value; at the top where it ends in NaN."""
    for value in reversed(series):
        if value is not None and not math.isfinite(value):
            return scale.top + 8
        if value is not None and _drawn(value, scale):
            return scale.y(value)
    return scale.bottom


def _names(ends: list[tuple[float, str, str, bool]], scale: Scale) -> Iterator[str]:
    """The names at the ends of the curves, moved apart."""
    y = -math.inf
    lowest = scale.bottom - 4 - _LABEL_GAP * (len(ends) - 1)
    for place, (end, name, colour, dashed) in enumerate(sorted(ends)):
        y = max(y + _LABEL_GAP, min(end, lowest + place * _LABEL_GAP))
        short = name if len(name) <= _NAME else name[: _NAME - 1] + "…"
        dashes = ' stroke-dasharray="5 3"' if dashed else ""
        yield _line(scale.right + 6, y, scale.right + 22, y, colour, 2, dashes)
        yield _text(scale.right + 27, y + 4, short)


def _shade(found: _Found, scale: Scale) -> str:
    x, end = scale.x(found.row), scale.x(found.until or found.row)
    return f'<rect x="{x:.1f}" y="{scale.top:.1f}" width="{end - x:.1f}" height="{scale.height:.1f}" fill="{FOUND}" opacity="0.06"/>'


def _apart(own: list[_Found]) -> list[_Found]:
    """One mark for each place and number."""
    return list({(found.row, found.number): found for found in own}.values())


def _badge(found: _Found, scale: Scale, log: TrainingLog) -> Iterator[str]:
    """A line at the epoch, the number at its top, and a ring around the value."""
    x = scale.x(found.row)
    yield _line(x, scale.top, x, scale.bottom, FOUND, 1, ' stroke-dasharray="4 3" opacity="0.7"')
    value = log.series[found.mark.series][found.row]
    if value is not None and _drawn(value, scale):
        yield (
            f'<circle cx="{x:.1f}" cy="{scale.y(value):.1f}" r="4.5" fill="{GROUND}" stroke="{FOUND}" stroke-width="2"/>'
        )
    yield f'<circle cx="{x:.1f}" cy="{scale.top:.1f}" r="8" fill="{FOUND}"/>'
    yield _text(x, scale.top + 4, str(found.number), GROUND, 11, "middle", ' font-weight="600"')


def _legend_height(marks: list[_Found]) -> float:
    return 24.0 * len({found.number for found in marks}) + (14 if marks else 0)


def _legend(marks: list[_Found], top: float, lang: Lang) -> Iterator[str]:
    """What each number stands for, with its epochs."""
    for place, number in enumerate(sorted({found.number for found in marks})):
        same = [found for found in marks if found.number == number]
        y = top + 24 * place
        epochs = ", ".join(dict.fromkeys(_epochs(found.mark) for found in same))
        label = "; ".join(dict.fromkeys(found.mark.label.say(lang) for found in same[:6]))
        series = "".join(c if c.isprintable() else "?" for c in same[0].mark.series[:40])
        where = Text(f"epoch {epochs}", f"第 {epochs} 轮").say(lang)
        yield f'<circle cx="32" cy="{y:.1f}" r="8" fill="{FOUND}"/>'
        yield _text(32, y + 4, str(number), GROUND, 11, "middle", ' font-weight="600"')
        if same[0].mark.run:
            where += Text(f" of run {same[0].mark.run}", f"（第 {same[0].mark.run} 次）").say(lang)
        yield _text(48, y + 4, f"{series}, {where}: {label}"[:130])


def _epochs(mark: Mark) -> str:
    """The epochs of a mark."""
    return f"{mark.epoch}-{mark.until}" if mark.until is not None and mark.until > mark.epoch else str(mark.epoch)
