"""Builds the search index and the list of probes into the wheel; everything else stands in pyproject.toml."""

import os
import subprocess
import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithIndex(build_py):
    """Build the modules, then the index from the entries and traces among them."""

    def run(self) -> None:
        """An editable install leaves the index to `make index`."""
        super().run()
        if not self.editable_mode:
            places = [
                str(Path(self.build_lib).resolve()),
                os.environ.get("PYTHONPATH", ""),
            ]  # pip's build tools are there
            environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, places))}
            for module in ("kerasdoctor.knowledge.indexing", "kerasdoctor.diagnostics.catalogue"):
                command = [sys.executable, "-m", module]
                subprocess.run(command, env=environment, cwd=self.build_lib, check=True)  # noqa: S603 - our own modules


setup(cmdclass={"build_py": BuildWithIndex})
