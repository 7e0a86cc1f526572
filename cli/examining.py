"""The commands that examine and mend: check, env, repair."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .options import ALLOW_CODE, EXIT_CODES, FOUND, LIVE, NO_SANDBOX, NOT_KNOWN, ONLY, READER, UNUSABLE, WEIGHTS
from .terminal import use_color

if TYPE_CHECKING:
    from ..diagnostics.probe import SubjectKind
    from ..diagnostics.repair import Target
    from ..knowledge.text import Lang

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
FILES: tuple[SubjectKind, ...] = ("model", "weights", "live", "log", "data", "environment")


@click.command(epilog=EXIT_CODES)
@click.argument("subjects", nargs=-1, type=click.Path(path_type=Path), metavar="SUBJECT...")
@click.option("--list", "listed", is_flag=True, help="List the probes and what each looks at.")
@click.option("--sandbox", is_flag=True, help="Tell what the sandbox can lock on this machine, and try its doors.")
@WEIGHTS
@LIVE
@ALLOW_CODE
@NO_SANDBOX
@click.option("--labels", metavar="NAME", help="The array or column of a data sample that holds the labels.")
@click.option(
    "--picture", type=click.Path(path_type=Path), help="Draw the layers, or the curves of a log, as SVG to this file."
)
@ONLY
@click.option("--verbose", "-v", is_flag=True, help="Show what the probes saw where nothing is wrong, too.")
@READER
@AS_JSON
@click.pass_context
def check(
    ctx: click.Context,
    subjects: tuple[Path, ...],
    listed: bool,
    sandbox: bool,
    weights: bool,
    live: bool,
    allow_code: bool,
    unlocked: bool,
    labels: str | None,
    picture: Path | None,
    only: tuple[str, ...],
    verbose: bool,
    lang: Lang,
    as_json: bool,
) -> None:
    """Examine model files, training logs, data samples and reports of environments, told apart by their bytes.

    A model is read, not run: its structure always, its weights with --weights. With --live it is also loaded, fed, trained for a
    step, saved and loaded again, in a sandbox without network or files. A data sample beside one model is held against it.

    Ends with 0 when nothing is wrong, with 4 when a fault was found (or the sandbox has an open door), with 3 when no probe
    could look.
    """
    from ..diagnostics.catalogue import listed_probes  # noqa: PLC0415
    from ..diagnostics.depth import Depth  # noqa: PLC0415 - each command imports what it needs
    from . import examination_pages as pages  # noqa: PLC0415

    if listed:
        click.echo(pages.list_page(lang), color=use_color())
        return
    if sandbox:
        ctx.exit(_sandbox(lang, as_json=as_json))
    if not subjects:
        raise click.UsageError(
            "give at least one model file, training log or data sample, or --list, or --sandbox", ctx
        )
    chosen = _chosen(ctx, FILES, only)
    asked = {probe.subject for probe in listed_probes() if probe.id in chosen}
    depth = Depth(
        weights=weights or "weights" in asked,
        live=live or "live" in asked,
        allow_code=allow_code,
        insist=not unlocked,
        picture=picture is not None,
        labels=labels,
        lang=lang,
    )
    examined = pages.examine(subjects, chosen, depth)
    if as_json:
        click.echo(pages.json_page(examined, lang))
    else:
        click.echo(pages.page(examined, depth, chosen=bool(chosen), verbose=verbose), color=use_color())
    if picture is not None:
        pages.save_picture(examined, picture)
    findings = [finding for each in examined for finding in each.findings]
    if not any(finding.outcome in ("finding", "nothing") for finding in findings):
        ctx.exit(UNUSABLE)
    ctx.exit(FOUND if any(finding.fault for finding in findings) else 0)


@click.command(epilog=EXIT_CODES)
@click.option("--python", default=sys.executable, metavar="PATH", help="The interpreter to examine; default: this one.")
@click.option("--list", "listed", is_flag=True, help="List the checks and what each looks at.")
@ONLY
@click.option("--report", is_flag=True, help="Print a report to paste into an issue or a chat (Markdown).")
@click.option(
    "--fail-on",
    type=click.Choice(["warn", "fail", "never"]),
    default="fail",
    show_default=True,
    help="What makes the command end with 4.",
)
@READER
@AS_JSON
@click.pass_context
def env(
    ctx: click.Context,
    python: str,
    listed: bool,
    only: tuple[str, ...],
    report: bool,
    fail_on: str,
    lang: Lang,
    as_json: bool,
) -> None:
    """Examine the environment of a Python: versions, packages, configuration, GPUs, processor, memory.

    Each check passes, warns, fails, is skipped for a reason, or crashes. Home folder, user and host are masked in all that is
    printed. Ends with 0 when nothing is wrong, with 4 when a check failed, with 3 when no check could look.
    """
    from . import environment_pages as pages  # noqa: PLC0415 - each command imports what it needs

    if listed:
        click.echo(pages.list_page(lang), color=use_color())
        return
    if report and as_json:
        raise click.UsageError("give --report or --json, not both", ctx)
    examined = pages.examine(Path(python), _chosen(ctx, ("environment",), only), lang)
    show = pages.json_page if as_json else pages.report_page if report else pages.environment_page
    click.echo(show(examined), color=use_color())
    if not examined.ran:
        click.echo("kerasdoctor: no check could look; the reasons stand above", err=True)
        ctx.exit(UNUSABLE)
    ctx.exit(FOUND if examined.has_failed(fail_on) else 0)


@click.command(epilog=EXIT_CODES)
@click.argument("model", type=click.Path(path_type=Path), required=False)
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), help="The copy to write (.keras or .h5); must not exist yet."
)
@click.option(
    "--to",
    "target",
    type=click.Choice(["keras3", "keras2"]),
    default="keras3",
    show_default=True,
    help="The Keras that the copy is for; keras2 stands for tf_keras and TensorFlow up to 2.15.",
)
@click.option("--dry-run", is_flag=True, help="Tell what would be changed, and write nothing.")
@click.option("--list", "listed", is_flag=True, help="List the repairs.")
@ALLOW_CODE
@NO_SANDBOX
@ONLY
@READER
@AS_JSON
@click.pass_context
def repair(
    ctx: click.Context,
    model: Path | None,
    output: Path | None,
    target: Target,
    dry_run: bool,
    listed: bool,
    allow_code: bool,
    unlocked: bool,
    only: tuple[str, ...],
    lang: Lang,
    as_json: bool,
) -> None:
    """Mend a copy of MODEL, and prove it: the copy is loaded and run beside the original.

    The original is only read. Each repair says what it changes and shows the piece before and after. Everything happens in the
    sandbox and needs TensorFlow here.

    Ends with 0 when a copy was written (or would be), with 1 when there is nothing to repair, with 4 when the copy gives other
    outputs than it should: then it is not written.
    """
    from ..diagnostics.repairing import repair_file  # noqa: PLC0415
    from . import repair_pages as pages  # noqa: PLC0415

    if listed:
        click.echo(pages.list_page(lang), color=use_color())
        return
    if model is None or (output is None and not dry_run):
        raise click.UsageError("give MODEL and -o COPY, or MODEL and --dry-run, or --list", ctx)
    known = pages.repair_ids()
    if wrong := [name for name in only if name not in known]:
        raise click.BadParameter(
            f"there is no repair '{wrong[0]}'; there are {', '.join(known)}", ctx, param_hint="--only"
        )
    mended = repair_file(model, None if dry_run else output, target, only, allow_code=allow_code, insist=not unlocked)
    click.echo(pages.json_page(mended, lang) if as_json else pages.page(mended, model, output, lang), color=use_color())
    if mended.proof is not None and mended.proof.outcome == "differs":
        ctx.exit(FOUND)
    ctx.exit(0 if mended.made else NOT_KNOWN)


def _sandbox(lang: Lang, *, as_json: bool) -> int:
    """Print what the sandbox can do here; the exit code."""
    from ..diagnostics.self_test import self_test  # noqa: PLC0415
    from . import sandbox_page as pages  # noqa: PLC0415

    told = self_test()
    click.echo(pages.json_page(told, lang) if as_json else pages.page(told, lang), color=use_color())
    return 0 if told.holds else FOUND


def _chosen(ctx: click.Context, kinds: tuple[SubjectKind, ...], only: tuple[str, ...]) -> frozenset[str]:
    """The probes that `--only` names, each of which must be there."""
    from ..diagnostics.catalogue import listed_probes  # noqa: PLC0415

    known = [probe.id for probe in listed_probes() if probe.subject in kinds]
    for name in only:
        if name not in known:
            raise click.BadParameter(
                f"there is no probe '{name}' here; there are {', '.join(known)}", ctx, param_hint="--only"
            )
    return frozenset(only)
