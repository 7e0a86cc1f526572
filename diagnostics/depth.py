"""How deep to look at a file."""

from __future__ import annotations

from dataclasses import dataclass

from ..knowledge.text import Lang


@dataclass(frozen=True)
class Depth:
    """How deep to look at files.

    `weights` reads the stored values, `live` runs the model in the sandbox. `allow_code` runs it even where the file carries
    code, `insist` refuses where the sandbox cannot be locked. `picture` draws the layer graph or the curves. `labels` names
    the array or column of a data sample that holds the labels.
    """

    weights: bool = False
    live: bool = False
    allow_code: bool = False
    insist: bool = True
    picture: bool = False
    labels: str | None = None
    lang: Lang = "en"


STRUCTURE = Depth()  # what costs milliseconds
