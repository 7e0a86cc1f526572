"""What `kerasdoctor check` prints: a page for the terminal, JSON, the picture."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Any

import click

from ..diagnostics.catalogue import listed_probes, probe_of
from ..diagnostics.depth import Depth
from ..diagnostics.diagnosis import finding_as_json
from ..diagnostics.examination import Examination, examine_files
from ..diagnostics.page import OUTCOMES, SILENT
from ..diagnostics.paper import shown
from ..diagnostics.probe import Finding
from ..diagnostics.workers import Workers
from ..errors import InputError
from ..knowledge.text import Lang, Text
from .terminal import Screen, json_text

SCHEMA = "kerasdoctor.examination/1"
KINDS = {
    "model": Text("model file", "模型文件"),
    "weights": Text("stored weights (--weights)", "存储的权重（--weights）"),
    "live": Text("model in the sandbox (--live)", "沙箱中运行的模型（--live）"),
    "log": Text("training log", "训练日志"),
    "data": Text("data sample", "数据样本"),
    "environment": Text("environment (kerasdoctor env, or its report)", "环境（kerasdoctor env，或环境报告）"),
}
LOAD = Text("To load it: {}", "加载方式：{}")
COULD_NOT = Text("No probe could look: {}", "所有探针都无法检查：{}")
REST = Text("The other probes have nothing to look at: {}", "其他探针无从检查：{}")
NONE_ASKED = Text("None of the probes asked for is for this kind of subject: {}.", "所选的探针都不检查这类对象：{}。")
FAULT = Text("fault", "错误")
NOTE = Text("worth knowing", "值得留意")
BLIND = Text("{} could not look: {}", "{} 无法检查：{}")
REMEDY = Text("What to do: {} ({})", "怎么办：{}（{}）")
NOT_ASKED = Text("Not looked at: {}.", "没有检查：{}。")
VERBOSE = Text("What the silent probes saw: -v.", "未发现问题的探针看到了什么：加 -v 查看。")
DEEPER = {
    "weights": Text("the stored weights (--weights)", "存储的权重（--weights）"),
    "live": Text("what it does when it is run (--live)", "运行时的表现（--live）"),
}
LOCKS = Text(
    "It was run in the sandbox, where {} locks held (kerasdoctor check --sandbox names them).",
    "模型在沙箱中运行，{} 道锁生效（kerasdoctor check --sandbox 可逐一列出）。",
)
OPEN = Text("IT WAS RUN UNLOCKED, as you asked. Open: {}", "按你的要求，模型在没有锁住的沙箱中运行。敞开的有：{}")


def examine(subjects: tuple[Path, ...], only: frozenset[str], depth: Depth) -> list[Examination]:
    """Examine files; only where models are run is it worth while to start workers."""
    if not depth.live:
        return examine_files(subjects, only=only, depth=depth)
    with Workers() as workers:
        return examine_files(subjects, only=only, depth=depth, workers=workers)


def list_page(lang: Lang) -> str:
    """The probes by the subject that they examine, with what each promises."""
    lines = []
    by_kind = sorted(listed_probes(), key=lambda probe: list(KINDS).index(probe.subject))
    for kind, probes in groupby(by_kind, key=lambda probe: probe.subject):
        lines.append(click.style(KINDS[kind].say(lang), bold=True))
        lines += [f"  {probe.id:20} {probe.promise.say(lang)}" for probe in probes]
    return "\n".join(lines)


def json_page(examined: list[Examination], lang: Lang) -> str:
    """The findings as JSON, by the schema that `SCHEMA` names."""
    answer = {"schema": SCHEMA, "lang": lang, "subjects": [_as_json(each, lang) for each in examined]}
    return json_text(answer)


def _as_json(examined: Examination, lang: Lang) -> dict[str, Any]:
    findings = [
        finding_as_json(finding, lang)
        | {
            "remedy": probe_of(finding.probe).remedy.say(lang) if finding.outcome == "finding" else None,
            "documentation": probe_of(finding.probe).documentation,
        }
        for finding in examined.findings
    ]
    return {
        "name": examined.name,
        "kind": examined.kind,
        "statement": examined.statement.say(lang) if examined.statement else None,
        "load": examined.load.say(lang) if examined.load else None,
        "keras_line": examined.line,
        "sandbox": {"applied": list(examined.applied), "missing": list(examined.missing)} if examined.applied else None,
        "findings": findings,
    }


def page(examined: list[Examination], depth: Depth, *, chosen: bool, verbose: bool) -> str:
    """A page for a terminal: for each file what it is, what was found, what was not, and what was not looked at.

    Args:
        examined: the files.
        depth: how deep they were looked at.
        chosen: whether only some probes were asked for: then what else could be looked at is not told.
        verbose: whether to tell what probes saw that found nothing wrong.
    """
    screen = Screen()
    for each in examined:
        screen.heading(shown(each.name))
        if each.statement:
            screen.plain(each.statement.say(depth.lang), indent=2, dim=True)
        if each.load and each.kind:
            screen.plain(LOAD.say(depth.lang).format(each.load.say(depth.lang)), indent=2, hang=2, dim=True)
        _findings(screen, each, depth.lang, verbose=verbose)
        _sandbox(screen, each, depth.lang)
        if not chosen and each.kind == "model":
            _not_asked(screen, each, depth)
    if not verbose and any(finding.outcome == "nothing" for each in examined for finding in each.findings):
        screen.blank()
        screen.plain(VERBOSE.say(depth.lang), dim=True)
    return screen.text()


def _not_asked(screen: Screen, examined: Examination, depth: Depth) -> None:
    looked = any(finding.outcome in ("finding", "nothing") for finding in examined.findings)
    missed = [DEEPER[name].say(depth.lang) for name in DEEPER if not getattr(depth, name)]
    if missed and looked:
        comma = ", " if depth.lang == "en" else "、"
        screen.plain(NOT_ASKED.say(depth.lang).format(comma.join(missed)), indent=2, dim=True)


def _findings(screen: Screen, examined: Examination, lang: Lang, *, verbose: bool) -> None:
    findings = examined.findings
    silent = [finding for finding in findings if finding.outcome == "nothing"]
    blind = [finding for finding in findings if finding.outcome == "could_not_look"]
    if not findings:
        kind = KINDS[examined.kind or "model"].say(lang)
        screen.item(NONE_ASKED.say(lang).format(kind), "?")
    for finding in findings:
        if finding.outcome in ("finding", "crashed") or (verbose and finding.outcome == "nothing"):
            _finding(screen, finding, lang)
    if silent and not verbose:
        told = SILENT[len(silent) > 1].say(lang).format(len(silent))
        screen.item(told, OUTCOMES["nothing"][0])
    _blind(screen, examined, blind, lang)


def _blind(screen: Screen, examined: Examination, blind: list[Finding], lang: Lang) -> None:
    """Each reason once, with the probes that it kept from looking; none of them is named where the file itself is the reason."""
    mark, all_blind = OUTCOMES["could_not_look"][0], len(blind) == len(examined.findings)
    for reason in dict.fromkeys(finding.evidence for finding in blind):
        told = "; ".join(text.say(lang) for text in reason)
        if examined.kind is None:
            way_on = examined.load.say(lang) if examined.load else told
            screen.item((COULD_NOT if all_blind else REST).say(lang).format(way_on), mark)
        elif all_blind and all(finding.evidence == reason for finding in blind) and len(blind) > 1:
            screen.item(COULD_NOT.say(lang).format(told), mark)
        else:
            names = ", ".join(finding.probe for finding in blind if finding.evidence == reason)
            screen.item(BLIND.say(lang).format(names, told), mark)


def _finding(screen: Screen, finding: Finding, lang: Lang) -> None:
    mark, outcome = OUTCOMES[finding.outcome]
    if finding.outcome == "finding":
        mark, outcome = (mark, FAULT) if finding.fault else ("!", NOTE)
    screen.item(f"{finding.probe}: {outcome.say(lang)}", mark)
    for text in finding.evidence:
        screen.item(text.say(lang), "-", indent=4)
    if finding.outcome == "finding":
        probe = probe_of(finding.probe)
        screen.plain(REMEDY.say(lang).format(probe.remedy.say(lang), probe.documentation), indent=4, hang=2, dim=True)
        if finding.topics:
            screen.more(finding.topics[0], lang)


def _sandbox(screen: Screen, examined: Examination, lang: Lang) -> None:
    """How many locks held while the model was run; loudly where the door stood open."""
    if examined.open_doors:
        screen.plain(OPEN.say(lang).format("; ".join(examined.open_doors)), indent=2, bold=True, fg="red")
    elif examined.applied:
        screen.plain(LOCKS.say(lang).format(len(examined.applied)), indent=2, dim=True)


def save_picture(examined: list[Examination], path: Path) -> None:
    """Write the picture of the first file that has one.

    Raises:
        InputError: none has one, or it cannot be written.
    """
    drawn = next((each.picture for each in examined if each.picture), None)
    if drawn is None:
        raise InputError(
            "none of these files has layers or curves to draw; give a model with its architecture or a log"
        )
    try:
        path.write_text(drawn, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from error
