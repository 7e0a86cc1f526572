"""What `kerasdoctor env` prints: a page for the terminal, a report to paste, JSON."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from .. import __version__
from ..diagnostics.catalogue import listed_probes, probes_of
from ..diagnostics.environment import Environment, masked
from ..diagnostics.examination import examine_python
from ..diagnostics.paper import printable
from ..diagnostics.probe import Finding, Probe
from ..knowledge.text import Lang, Text
from .terminal import Screen

SCHEMA = "kerasdoctor.environment/1"
STATUSES = {
    "pass": ("✓", Text("nothing found", "未发现问题")),
    "warn": ("!", Text("warning", "警告")),
    "fail": ("✗", Text("fault", "有问题")),
    "skip": ("?", Text("could not look", "无法检查")),
    "crashed": ("?", Text("the check itself failed", "检查自身出错")),
}
PACKAGES = ("tensorflow", "keras", "tf-keras", "numpy", "protobuf", "h5py", "ml-dtypes", "jax", "torch")
UNKNOWN = Text("unknown", "未知")
NONE = Text("none", "无")
ENVIRONMENT = Text("Environment", "环境")
CHECKS = Text("Checks", "检查")
REMEDY = Text("What to do: {} ({})", "怎么办：{}（{}）")
VIRTUAL = Text("virtual environment", "虚拟环境")
LABELS = {
    "packages": Text("Packages: {}", "软件包：{}"),
    "backend": Text("Keras backend: {} (from {})", "Keras 后端：{}（来自 {}）"),
    "driver": Text("GPUs of the driver: {}; TensorFlow sees: {}", "驱动看到的 GPU：{}；TensorFlow 看到：{}"),
    "machine": Text("{}, {} of {} cores, {} MiB of memory", "{}，{}/{} 个核心，内存 {} MiB"),
    "variables": Text("Variables: {}", "环境变量：{}"),
}


@dataclass(frozen=True)
class Check:
    """One check: the probe, how it ended, and what it saw."""

    probe: Probe
    status: str
    finding: Finding


@dataclass(frozen=True)
class Examined:
    """An examined environment, worded for a reader of `lang`; `environment` is None where it could not be examined."""

    environment: Environment | None
    checks: tuple[Check, ...]
    lang: Lang

    @property
    def ran(self) -> bool:
        """Whether any check could look."""
        return any(check.status in ("pass", "warn", "fail") for check in self.checks)

    def has_failed(self, fail_on: str) -> bool:
        """Whether a check ended as badly as `fail_on` says: "warn", "fail", or "never"."""
        bad = {"warn": ("warn", "fail"), "fail": ("fail",)}.get(fail_on, ())
        return any(check.status in bad for check in self.checks)


def examine(python: Path, only: frozenset[str], lang: Lang) -> Examined:
    """Examine an interpreter with all checks, or with those that `only` names."""
    seen = examine_python(python, only=only)
    probes = {probe.id: probe for probe in probes_of("environment", only=only)}
    checks = [Check(probes[finding.probe], status_of(finding), finding) for finding in seen.findings]
    return Examined(seen.environment, tuple(checks), lang)


def status_of(finding: Finding) -> str:
    """How a check ended, in the words of the JSON: pass, warn, fail, skip, crashed."""
    if finding.outcome == "finding":
        return "fail" if finding.fault else "warn" if finding.warning else "pass"
    return {"nothing": "pass", "could_not_look": "skip"}.get(finding.outcome, "crashed")


def list_page(lang: Lang) -> str:
    """The checks with what each promises."""
    return "\n".join(
        f"{click.style(f'{probe.id:20}', bold=True)} {probe.promise.say(lang)}"
        for probe in listed_probes()
        if probe.subject == "environment"
    )


def json_page(examined: Examined) -> str:
    """Checks and facts as JSON, by the schema that `SCHEMA` names."""
    lang, environment = examined.lang, examined.environment
    checks = [
        {
            "id": check.probe.id,
            "status": check.status,
            "promise": check.probe.promise.say(lang),
            "evidence": _said(check, lang),
            "topics": list(check.finding.topics),
            "ruled_out": list(check.finding.ruled_out),
            "remedy": check.probe.remedy.say(lang) if check.status in ("warn", "fail") else None,
            "documentation": check.probe.documentation,
        }
        for check in examined.checks
    ]
    facts = environment.as_json() if environment else None
    answer = {
        "schema": SCHEMA,
        "kerasdoctor": __version__,
        "lang": lang,
        "checks": checks,
        "facts": masked(_plain(facts)),
    }
    return json.dumps(answer, ensure_ascii=False, indent=2)


def environment_page(examined: Examined) -> str:
    """A page for a terminal: the machine, then each check with what it saw, then the count."""
    screen, lang = Screen(), examined.lang
    if examined.environment:
        screen.heading(ENVIRONMENT.say(lang))
        for line in _machine(examined.environment, lang):
            screen.plain(line, indent=2, hang=2)
    screen.heading(CHECKS.say(lang))
    if _unreadable(examined):
        screen.item(_said(examined.checks[0], lang)[0], "?")
        return screen.text()
    for check in examined.checks:
        mark, told = STATUSES[check.status]
        screen.item(f"{check.probe.id}: {told.say(lang)}", mark)
        for text in _said(check, lang):
            screen.item(text, "-", indent=4)
        if check.status in ("warn", "fail"):
            screen.plain(_remedy(check, lang), indent=4, hang=2, dim=True)
    screen.blank()
    screen.plain(_count(examined))
    return screen.text()


def report_page(examined: Examined) -> str:
    """The same as Markdown: one block of code, so that nothing in it is taken for markup, wherever it is pasted."""
    lang = examined.lang
    lines = _machine(examined.environment, lang) if examined.environment else []
    lines.append("")
    for check in examined.checks[:1] if _unreadable(examined) else examined.checks:
        mark, told = STATUSES[check.status]
        lines.append(f"{mark} {check.probe.id}: {told.say(lang)}")
        lines += [f"    - {text}" for text in _said(check, lang)]
    text = printable("\n".join([*lines, "", _count(examined)]).strip())
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", text)), 3)
    return f"**{ENVIRONMENT.say(lang)}** (`kerasdoctor env --report`, {__version__})\n\n{fence}text\n{text}\n{fence}"


def _unreadable(examined: Examined) -> bool:
    """Whether the interpreter itself could not be examined, which is told once and not by each check."""
    return examined.environment is None and bool(examined.checks)


def _said(check: Check, lang: Lang) -> list[str]:
    return [str(masked(text.say(lang))) for text in check.finding.evidence]


def _remedy(check: Check, lang: Lang) -> str:
    return REMEDY.say(lang).format(check.probe.remedy.say(lang), check.probe.documentation)


def _count(examined: Examined) -> str:
    counts = Counter(check.status for check in examined.checks)
    return ", ".join(
        f"{counts[status]} {status}" for status in STATUSES if counts[status] or status in ("pass", "fail")
    )


def _machine(environment: Environment, lang: Lang) -> list[str]:
    """What was examined, in a few lines."""
    python, system, cpu = environment.python, environment.system, environment.cpu
    virtual = f", {VIRTUAL.say(lang)}" if python.virtual else ""
    host = f"{system.name} {system.release} {system.machine}" + (f" ({system.container})" if system.container else "")
    packages = [f"{name} {environment.version_of(name)}" for name in PACKAGES if environment.version_of(name)]
    seen = environment.tensorflow.gpus
    gpus = [f"{gpu.name} ({gpu.memory_mib} MiB)" for gpu in environment.gpus]
    sees = UNKNOWN.say(lang) if seen is None else ", ".join(seen) or NONE.say(lang)
    cores = (cpu.usable or cpu.cores, cpu.cores)
    lines = [
        f"Python {python.version}, {python.bits} bit{virtual}: {python.executable}",
        f"{host}, {system.libc}".rstrip(", "),
        LABELS["machine"].say(lang).format(cpu.name or "CPU", *cores, environment.memory.total),
        LABELS["packages"].say(lang).format(", ".join(packages) or NONE.say(lang)),
        LABELS["backend"].say(lang).format(environment.backend_in_force, environment.backend.source),
        LABELS["driver"].say(lang).format(", ".join(gpus) or NONE.say(lang), sees),
    ]
    variables = ", ".join(f"{name}={value!r}" for name, value in environment.variables.items())
    return lines + ([LABELS["variables"].say(lang).format(variables)] if variables else [])


def _plain(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Tuples as the lists that JSON has, which is what masking knows."""
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value
