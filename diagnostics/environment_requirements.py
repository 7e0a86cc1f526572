"""Whether installed distributions have what their own metadata ask for (Requires-Dist, Requires-Python).

The specifications are read by the library `packaging`, as pip does (packaging.python.org, "Dependency specifiers"). The
metadata come from someone's disk: a line that isn't a specification is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .environment import Environment, numbers
from .environment_facts import Package

if TYPE_CHECKING:
    from packaging.requirements import Requirement


@dataclass(frozen=True)
class Unmet:
    """A distribution asks for another one: for which versions, and which is present (None: it isn't installed)."""

    package: Package
    name: str
    wanted: str
    present: str | None


def unmet(package: Package, environment: Environment, extra: str = "") -> Iterator[Unmet]:
    """The requirements of a distribution that the environment doesn't meet.

    Args:
        package: an installation with its metadata.
        environment: what else is installed, and on which system.
        extra: only the requirements of this extra ("and-cuda"); empty for those that always hold.
    """
    for requirement in _requirements(package, environment, extra):
        name = re.sub(r"[-_.]+", "-", requirement.name).lower()
        present = environment.required.get(name) or environment.distributions.get(name)
        if present is None or not allows(str(requirement.specifier), present):
            yield Unmet(package, name, str(requirement.specifier), present)


def requires(package: Package, name: str, environment: Environment) -> bool:
    """Whether a distribution asks for another one on this system."""
    wanted = _requirements(package, environment, "")
    return any(re.sub(r"[-_.]+", "-", requirement.name).lower() == name for requirement in wanted)


def allows(specifier: str, version: str) -> bool:
    """Whether a version is among those of a specifier such as ">=1.26,<3"; what isn't one of these allows everything."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415 - the start of `check` need not pay it
    from packaging.version import InvalidVersion  # noqa: PLC0415

    try:
        return SpecifierSet(specifier).contains(version, prereleases=True)
    except (InvalidSpecifier, InvalidVersion):
        return True


def _requirements(package: Package, environment: Environment, extra: str) -> Iterator[Requirement]:
    from packaging.markers import UndefinedEnvironmentName  # noqa: PLC0415 - the start of `check` need not pay it
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415
    from packaging.version import InvalidVersion  # noqa: PLC0415

    system = _markers(environment)
    for line in package.requires:
        try:
            requirement = Requirement(line)
            marker = requirement.marker
            held = marker is None or marker.evaluate({**system, "extra": extra})
            always = marker is None or marker.evaluate({**system, "extra": ""})
        except (InvalidRequirement, InvalidVersion, UndefinedEnvironmentName, ValueError):
            continue
        if held and always == (extra == ""):
            yield requirement


def _markers(environment: Environment) -> dict[str, str]:
    """The values that markers compare, of the examined interpreter and not of this one."""
    python, system = environment.python, environment.system
    platforms = {"Linux": "linux", "Darwin": "darwin", "Windows": "win32"}
    return {
        "python_version": ".".join(str(part) for part in numbers(python.version)[:2]),
        "python_full_version": python.version,
        "implementation_name": python.implementation,
        "implementation_version": python.version,
        "platform_python_implementation": {"cpython": "CPython", "pypy": "PyPy"}.get(python.implementation, ""),
        "os_name": "nt" if system.name == "Windows" else "posix",
        "sys_platform": platforms.get(system.name, system.name.lower()),
        "platform_system": system.name,
        "platform_machine": system.machine,
        "platform_release": system.release,
        "platform_version": "",
    }
