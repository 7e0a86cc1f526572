"""What several commands share: exit codes, options, and the subjects that options name."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ..diagnostics.doctor import Subjects

NOT_KNOWN = 1
UNUSABLE = 3
FOUND = 4
EXIT_CODES = """
\b
Exit codes:
  0  a topic was named (or the command did what it says)
  1  not known, or nothing found
  2  wrong usage
  3  an input cannot be used; the message says what was expected
  4  check found a fault, env a check that failed (see --fail-on)
  run ends with the exit code of its command (128 + N when signal N ended it).
"""

Command = Callable[..., Any]


def _version(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    from ..knowledge.lines import line_of  # noqa: PLC0415 - each command imports what it needs

    if value is not None and line_of(value, None) is None:
        raise click.BadParameter(f"'{value}' is no version of Keras; expected numbers such as 2.2.4, 2.15 or 3")
    return value


def _remember(ctx: click.Context, _: click.Parameter, value: str | None) -> str | None:
    """Keep the language for the messages of errors, which are printed where no command's options are known any more."""
    ctx.find_root().obj = value
    return value


LANG = click.option(
    "--lang",
    type=click.Choice(["en", "zh"]),
    callback=_remember,
    help="Language of the answer; by default that of the paste.",
)
READER = click.option(
    "--lang", type=click.Choice(["en", "zh"]), callback=_remember, default="en", show_default=True, help="Language."
)
KERAS = click.option(
    "--keras",
    metavar="VERSION",
    callback=_version,
    help="Your Keras version, e.g. 2.15; by default what the text tells.",
)
ONLY = click.option("--only", multiple=True, metavar="ID", help="Only this one; may be repeated.")
WEIGHTS = click.option("--weights", is_flag=True, help="Read the stored weights too.")
LIVE = click.option("--live", is_flag=True, help="Run the model too, in a sandbox (needs TensorFlow here).")
ALLOW_CODE = click.option(
    "--allow-code", is_flag=True, help="Run a model whose file carries code (a Lambda), inside the sandbox."
)
NO_SANDBOX = click.option(
    "--unlocked",
    is_flag=True,
    help="Run the model even where the sandbox CANNOT be locked: only for files that you trust.",
)
_FILES = {
    "models": ("--model", "A model file (.keras, .h5, a SavedModel, a JSON architecture) to examine; may be repeated."),
    "logs": ("--log", "A training log (CSV, History as JSON, TensorBoard, progress-bar output); may be repeated."),
    "data": ("--data", "A sample of the data (npz, npy, CSV, HDF5); may be repeated."),
}


def subjects(command: Command) -> Command:
    """The options that name what is to be examined; the command gets them as one argument, `subjects`."""

    @functools.wraps(command)
    def with_subjects(**given: Any) -> Any:  # noqa: ANN401 - as click has it
        return command(subjects=_subjects(given), **given)

    files = [
        click.option(option, name, multiple=True, metavar="PATH", help=told) for name, (option, told) in _FILES.items()
    ]
    decorated: Command = with_subjects
    for option in reversed([*files, PYTHON, LIVE, ALLOW_CODE, NO_SANDBOX]):
        decorated = option(decorated)
    return decorated


PYTHON = click.option("--python", metavar="PATH", help="An interpreter whose environment is examined (GPU, versions).")


def _subjects(given: dict[str, Any]) -> Callable[[], Subjects]:
    """Take the options out of what click gave, as a function: only commands that come to it pay for the import."""
    files = tuple(Path(each) for name in _FILES for each in given.pop(name))
    python, live = given.pop("python"), given.pop("live")
    allow_code, unlocked = given.pop("allow_code"), given.pop("unlocked")

    def build() -> Subjects:
        from ..diagnostics.depth import Depth  # noqa: PLC0415
        from ..diagnostics.doctor import Subjects  # noqa: PLC0415

        depth = Depth(live=live, allow_code=allow_code, insist=not unlocked)
        return Subjects(files, python=Path(python) if python else None, depth=depth)

    return build
