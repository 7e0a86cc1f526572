"""How evidence on an environment weighs, and how it names what it is about."""

from __future__ import annotations

from .environment import Environment
from .evidence import fault, warning
from .probe import Evidence

TENSORFLOWS = (
    "tensorflow",
    "tensorflow-cpu",
    "tensorflow-gpu",
    "tensorflow-intel",
    "tensorflow-macos",
    "tensorflow-cpu-aws",
    "tensorflow-aarch64",
    "tensorflow-rocm",
    "tf-nightly",
    "tf-nightly-cpu",
    "tf-nightly-gpu",
)


def graded(works: bool | None, en: str, zh: str, *topics: str) -> Evidence:
    """What should not be: a fault where the import that depends on it fails, a warning where it works or is unknown."""
    return (fault if works is False else warning)(en, zh, *topics)


def works(package: str, environment: Environment) -> bool | None:
    """Whether importing what a distribution brings works: measured, None where it was not."""
    module = "tensorflow" if package in TENSORFLOWS else package
    seen = {"tensorflow": environment.tensorflow, "keras": environment.keras, "keras-nightly": environment.keras}
    found = seen.get(module) or {"torch": environment.torch, "jax": environment.jax}.get(module)
    if found is None or found.outcome in ("unknown", "timed out"):
        return True if found and found.imported else None
    return found.imported


def tensorflow_package(environment: Environment) -> str | None:
    """The distribution that TensorFlow is installed under."""
    return next((name for name in TENSORFLOWS if name in environment.distributions), None)
