"""The colours of pictures, each for a light and a dark ground.

A picture is written in the light ones, as attributes that every program understands; a style in it turns them into the dark ones
where its reader wants a dark look (`prefers-color-scheme`, https://drafts.csswg.org/mediaqueries-5/; of an image in a page this
is the `color-scheme` of the page). Texts have a contrast of 4.5:1 and lines of 3:1 in both (WCAG 2.2, 1.4.3 and 1.4.11).

Hues are those of Okabe and Ito (https://jfly.uni-koeln.de/color/), which people with any colour vision tell apart, made darker
or lighter as the ground needs.
"""

from __future__ import annotations

GROUND = "#ffffff"
INK, SOFT = "#1a1a1a", "#5c6470"
LINE, EDGE, GRID = "#868d96", "#8a9199", "#e6e8ec"
SHEET, SHEET_EDGE = "#f7f8fa", "#d3d7dc"
INSIDE, NESTED = "#faf7fc", "#f3eef7"
FOUND = "#b5001f"  # also behind texts in the colour of the ground
MARK = "#c45200"

BLUE, VERMILION, GREEN, PINK = "#0072b2", "#d05a00", "#009066", "#c2659b"
ORANGE, SKY, YELLOW = "#b57500", "#1899b5", "#8f8100"
GREY, BLACK, PURPLE, PALE = "#4d4d4d", "#111111", "#7a5195", "#8c8c8c"

DARK = {
    GROUND: "#1a1e1d", INK: "#e6e9e6", SOFT: "#a9b2bf", LINE: "#8f969f", EDGE: "#6f7780", GRID: "#333a38",
    SHEET: "#242a29", SHEET_EDGE: "#4a5250", INSIDE: "#211f27", NESTED: "#2d2836", FOUND: "#ff8f8f", MARK: "#ff8c6b",
    BLUE: "#3f9ade", VERMILION: "#ff8a3d", GREEN: "#2fbf93", PINK: "#dd93bd", ORANGE: "#e69f00", SKY: "#8fd8ee",
    YELLOW: "#d8c400", GREY: "#a0a5ab", BLACK: "#f2f2f2", PURPLE: "#b892d4", PALE: "#8c8c8c",
}  # fmt: skip

_RULES = "".join(f'[fill="{light}"]{{fill:{dark}}}[stroke="{light}"]{{stroke:{dark}}}' for light, dark in DARK.items())
# Around a picture that is opened alone is what its ground is.
STYLE = f"<style>@media (prefers-color-scheme:dark){{:root{{background:{DARK[GROUND]}}}{_RULES}}}</style>"
