"""The texts of a paste that the matcher compares, taken from its symptoms."""

from __future__ import annotations

from dataclasses import dataclass

from .symptoms import Raised, Symptoms
from .terms import essence, mask

MAX_OTHERS = 4
MAX_ASKED = 800
INNERMOST = 4


@dataclass(frozen=True)
class Texts:
    """The texts of a paste that are compared: the main message, the others, the person's own words, everything.

    `everything` is not masked: signatures are looked for in it.
    """

    main: str
    others: tuple[str, ...]
    asks: tuple[str, ...]
    everything: str

    @classmethod
    def of(cls, symptoms: Symptoms) -> Texts:
        """The texts of parsed symptoms."""
        main = symptoms.main
        others = [told(r) for r in reversed(symptoms.raised) if r is not main and r.message]
        latest = list(reversed(symptoms.log))
        others += [line.text for line in sorted(latest, key=lambda line: line.level in "DI")]
        paragraphs = [line for line in symptoms.prose.split("\n") if len(line) > 2]  # noqa: PLR2004
        asks = [symptoms.prose[:MAX_ASKED], *paragraphs[:1]]
        everything = [with_stack(r) for r in symptoms.raised]
        everything += [line.text for line in symptoms.log] + [symptoms.prose, symptoms.code]
        return cls(
            main=mask(essence(told(main))) if main else "",
            others=tuple(filter(None, (mask(essence(text)) for text in others[:MAX_OTHERS]))),
            asks=tuple(dict.fromkeys(filter(None, map(mask, asks)))),
            everything="\n".join(everything),
        )


def told(raised: Raised) -> str:
    """An exception as one line of text."""
    return f"{raised.type}: {raised.message}" if raised.type else raised.message


def with_stack(raised: Raised) -> str:
    """An exception behind the innermost frames of its stack, each as `file in function code`: what signatures see."""
    frames = [
        f"{f.path.replace(chr(92), '/').rpartition('/')[2]} in {f.function} {f.code}"
        for f in raised.frames[-INNERMOST:]
    ]
    return "\n".join([*frames, told(raised)])
