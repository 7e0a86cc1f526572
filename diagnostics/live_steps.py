"""What the live probes share: a step of the examination that failed is an outcome for the probes that need it."""

from __future__ import annotations

from ..knowledge.text import Text
from .live import Live
from .probe import CouldNotLook


def need(live: Live, step: str, there: bool) -> None:
    """Go on only where a step gave its result.

    Raises:
        CouldNotLook: it did not, or it was never reached, and why.
    """
    if there:
        return
    failed = next((live.failures[name] for name in ("load", "forward", step) if name in live.failures), None)
    if failed is None:
        raise CouldNotLook(Text("the model was not run that far", "模型没有运行到这一步"))
    told = f"{failed.type}: {failed.message.strip().partition(chr(10))[0][:300]}"
    raise CouldNotLook(Text(f"running the model ended with {told}", f"运行模型时出错：{told}"))
