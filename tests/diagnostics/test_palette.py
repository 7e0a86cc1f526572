"""Pictures in light and in dark: what is drawn is told apart from its ground in both."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from kerasdoctor.diagnostics import palette
from kerasdoctor.diagnostics.depth import Depth
from kerasdoctor.diagnostics.examination import examine_file
from kerasdoctor.diagnostics.palette import DARK, EDGE, FOUND, GROUND, INK, INSIDE, LINE, MARK, NESTED, SHEET, SOFT
from kerasdoctor.diagnostics.picture_style import KINDS
from kerasdoctor.diagnostics.plot import _COLOURS

EXAMPLES = Path(__file__).parents[2] / "examples"
LIGHT = {colour: colour for colour in DARK}
LOOKS = pytest.mark.parametrize("look", [LIGHT, DARK], ids=["light", "dark"])


def contrast(one: str, other: str) -> float:
    """The contrast of two colours as WCAG 2.2 defines it."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    values = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@LOOKS
def test_texts_are_read(look: dict[str, str]) -> None:
    """4.5:1 for every text on every ground that it stands on."""
    on = [(text, ground) for text in (INK, SOFT) for ground in (GROUND, SHEET, INSIDE)]
    for text, ground in [*on, (GROUND, MARK), (GROUND, FOUND), (palette.PURPLE, INSIDE)]:
        assert contrast(look[text], look[ground]) >= 4.5, (text, ground)


@LOOKS
def test_lines_are_seen(look: dict[str, str]) -> None:
    """3:1 for every line, curve, mark and colour of a kind; the grid is there to be overlooked."""
    curves = [*_COLOURS, *(colour for colour, _ in KINDS.values()), MARK, FOUND, LINE, EDGE]
    for colour in curves:
        assert contrast(look[colour], look[GROUND]) >= 3, colour
    for colour, ground in ((LINE, INSIDE), (palette.PURPLE, NESTED)):
        assert contrast(look[colour], look[ground]) >= 3, (colour, ground)


@LOOKS
def test_the_grid_is_there_to_be_overlooked(look: dict[str, str]) -> None:
    """It is seen, and less than any line."""
    assert 1.1 < contrast(look[palette.GRID], look[GROUND]) < 2


def test_the_style_has_each_colour() -> None:
    """Where a dark look is wanted, and only there, each colour of faces and of lines becomes its dark one."""
    media, _, rules = palette.STYLE.partition("{")
    assert media == "<style>@media (prefers-color-scheme:dark)"
    assert rules.startswith(f":root{{background:{DARK[GROUND]}}}")
    for what in ("fill", "stroke"):
        assert dict(re.findall(rf'\[{what}="(#\w+)"\]{{{what}:(#\w+)}}', rules)) == DARK


@pytest.mark.parametrize("file", ["digits.keras", "training.csv"])
def test_every_colour_has_a_dark_one(file: str) -> None:
    """A picture has its own style for a dark look, loads nothing, and every colour in it changes with the look."""
    drawn = examine_file(EXAMPLES / file, depth=Depth(picture=True)).picture
    assert drawn
    assert drawn.count(palette.STYLE) == 1
    rest = drawn.replace(palette.STYLE, "")
    used = set(re.findall(r'(?:fill|stroke)="([^"]+)"', rest)) - {"none"}
    assert GROUND in used
    assert used <= set(DARK)
    assert "url(" not in drawn
