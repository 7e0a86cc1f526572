"""Writes docs/settings.md from the table of settings: `make settings`. With --print it only prints."""

from __future__ import annotations

import sys
from pathlib import Path

from kerasdoctor.service.settings import Row, settings_table

PAGE = Path(__file__).with_suffix(".md")
HEAD = """# Settings

Each setting of the service is taken from its flag of `kerasdoctor serve`, else from its environment variable, else from the TOML
file that `--config` (or `KERASDOCTOR_CONFIG`) names, else it has its default. In the file a setting has the name of its flag with
`_` for `-`: `max_text_mib = 2`. Secrets have no flag, because flags show in the list of processes; a database's URL with a
password is better kept out of it too.

| flag | variable | default | meaning |
|---|---|---|---|
"""


def line(row: Row) -> str:
    """A row of the table."""
    cells = (row.flag, row.variable, row.default)
    return " | ".join(["", *(f"`{cell}`" if cell else "" for cell in cells), row.meaning, ""]).strip()


def main() -> None:
    """Write the page, or print it."""
    page = HEAD + "".join(f"{line(row)}\n" for row in settings_table())
    if "--print" in sys.argv:
        sys.stdout.write(page)
    else:
        PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
