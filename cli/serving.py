"""The commands of the service: serve, keys."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..errors import InputError
from .terminal import Screen, json_text, use_color

if TYPE_CHECKING:
    from ..service.database import Database
    from ..service.settings import Row, Settings

Loaded = TypeVar("Loaded")
NOT_INSTALLED = "the service is not installed; it comes with: pip install 'kerasdoctor[service]'"


class WithSettings(click.Command):
    """A command whose flags are the settings: the table is read when the command is, not when this module is."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """The flags of the settings, after the command's own."""
        *own, help_flag = super().get_params(ctx)
        return [*own, *self.flags, help_flag]

    @cached_property
    def flags(self) -> list[click.Parameter]:
        """One for each setting but the secret ones, which would show in the list of processes."""
        table = _installed(_table)
        return [_flag(row, kind) for row, kind in table if row.flag]

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Name the secrets, which have no flag."""
        secrets = [(row.variable, row.meaning) for row, _ in _installed(_table) if not row.flag]
        with formatter.section("Only by the environment or the file"):
            formatter.write_dl(secrets)
        super().format_epilog(ctx, formatter)


CONFIG = click.option("--config", metavar="FILE", help="A TOML file with settings. [env: KERASDOCTOR_CONFIG]")


@click.command(cls=WithSettings)
@CONFIG
def serve(config: str | None, **flags: Any) -> None:  # noqa: ANN401 - what the flags hold
    """Serve the web chat and the HTTP API, on this machine unless told otherwise.

    Each setting is taken from its flag, else from its environment variable, else from the file, else it has its default.
    """
    settings = _settings(config, **{name: value for name, value in flags.items() if value is not None})
    from ..service.serving import serve as run  # noqa: PLC0415 - each command imports what it needs

    run(settings, lambda address: click.echo(f"kerasdoctor serves at {address}"))


@click.group()
@CONFIG
@click.option("--database", metavar="URL", help="The database's URL. [env: KERASDOCTOR_DATABASE]")
@click.pass_context
def keys(ctx: click.Context, config: str | None, database: str | None) -> None:
    """Make, list and revoke keys of the HTTP API. A key also signs a browser in."""
    ctx.obj = lambda: _database(config, database)


@keys.command("new")
@click.argument("name")
@click.pass_obj
def new(opened: Callable[[], Database], name: str) -> None:
    """Make a key and print it, once.

    NAME says whose it is. A second key of the same NAME belongs to the same owner: make it, change over, revoke the first.
    """
    from ..service.keys import new_key  # noqa: PLC0415

    click.echo(new_key(opened(), name))
    click.echo("Keep it: it is not stored, and cannot be shown again.", err=True)


@keys.command("list")
@click.pass_obj
def list_keys(opened: Callable[[], Database]) -> None:
    """List the keys: id, when it was made, when last used, name."""
    from ..service.keys import all_keys  # noqa: PLC0415

    for key in all_keys(opened()):
        used = f"used {key.used_at:%Y-%m-%d %H:%M}" if key.used_at else "never used"
        state = f"revoked {key.revoked_at:%Y-%m-%d}" if key.revoked_at else used
        click.echo(
            f"{click.style(key.id, bold=True)}  made {key.made_at:%Y-%m-%d}  {state:21}  {key.name}", color=use_color()
        )


@keys.command("revoke")
@click.argument("key_id", metavar="ID")
@click.pass_obj
def revoke(opened: Callable[[], Database], key_id: str) -> None:
    """End a key, and the browsers that signed in with it."""
    from ..service.keys import revoke_key  # noqa: PLC0415
    from ..service.tables import now  # noqa: PLC0415

    revoke_key(opened(), key_id, now())
    click.echo(f"Key {key_id} is revoked.")


@click.command()
@CONFIG
@click.option("--database", metavar="URL", help="The database's URL. [env: KERASDOCTOR_DATABASE]")
@click.option(
    "--limit", default=50, show_default=True, type=click.IntRange(1, 10_000), help="How many of each at most."
)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def report(config: str | None, database: str | None, limit: int, as_json: bool) -> None:
    """Tell what a service learnt: which topics helped, why others did not, and what was pasted and not known.

    It is for those who write topics. Pastes and reasons were masked before they were stored.
    """
    from dataclasses import asdict  # noqa: PLC0415

    from ..service.feedback import Feedbacks  # noqa: PLC0415

    with closing(_database(config, database)) as opened:
        read = Feedbacks(opened)
        told = {
            "topics": [asdict(each) for each in read.by_topic()][:limit],
            "reasons": [asdict(each) for each in read.reasons(limit)],
            "unknown": [asdict(each) for each in read.unknown(limit)],
        }
    if as_json:
        click.echo(json_text(told))
        return
    screen = Screen()
    screen.heading("Topics, those that helped least first")
    for each in told["topics"]:
        screen.item(
            f"{each['topic']}: named {each['named']}, helped {each['helped']}, did not help {each['not_helped']}"
        )
    screen.heading("Reasons")
    for each in told["reasons"]:
        screen.item(f"{each['topic'] or 'not known'}: {each['reason']}", "✓" if each["helped"] else "✗")
    screen.heading("Not known")
    for each in told["unknown"]:
        screen.item(f"{each['times']} times, nearest {each['nearest'] or 'to none'}")
        screen.code(each["text"])
    click.echo(screen.text(), color=use_color())


@click.command()
def mcp() -> None:
    """Serve tools for coding assistants, over standard input and output (Model Context Protocol).

    An assistant starts it by itself, with the command `kerasdoctor mcp`. Its tools diagnose text, examine files and Pythons of
    this machine, and look topics up.
    """
    _installed(_mcp)


def _mcp() -> None:
    from ..diagnostics.doctor import Doctor  # noqa: PLC0415
    from ..diagnostics.workers import Workers  # noqa: PLC0415
    from ..knowledge.matcher import Matcher  # noqa: PLC0415
    from ..service.assistant import LocalTools, local_files, make_server  # noqa: PLC0415

    with Workers() as workers:
        make_server(LocalTools(Doctor(Matcher.load(), workers), local_files, live=True)).run("stdio")


def _settings(config: str | None, **flags: Any) -> Settings:  # noqa: ANN401 - what the flags hold
    if config:
        os.environ["KERASDOCTOR_CONFIG"] = config

    def load() -> Settings:
        from ..service.settings import load_settings  # noqa: PLC0415

        return load_settings(**flags)

    return _installed(load)


def _database(config: str | None, url: str | None) -> Database:
    settings = _settings(config, **({"database": url} if url else {}))
    from ..service.database import Database  # noqa: PLC0415

    database = Database(settings.database)
    database.migrate()
    return database


def _table() -> list[tuple[Row, Any]]:
    from ..service.settings import Settings, settings_table  # noqa: PLC0415

    return [(row, Settings.model_fields[row.name].annotation) for row in settings_table()]


def _installed(load: Callable[[], Loaded]) -> Loaded:
    """What `load` gives, which imports parts of the service; they are an extra."""
    try:
        return load()
    except ModuleNotFoundError as error:
        raise InputError(f"{NOT_INSTALLED} (there is no {error.name})") from None


def _flag(row: Row, kind: Any) -> click.Option:  # noqa: ANN401 - a type of the table
    told = f"{row.meaning[0].upper()}{row.meaning[1:]}. [env: {row.variable}]"
    if kind is bool:
        on, off = f"--{row.name.replace('_', '-')}", f"--no-{row.name.replace('_', '-')}"
        return click.Option([f"{on}/{off}"], default=None, help=f"{told} [default: {row.default}]")
    default = f" [default: {row.default}]" if row.default else ""
    types = {int: click.INT, float: click.FLOAT, Path: click.Path(path_type=Path)}
    return click.Option([row.flag], type=types.get(kind, click.STRING), help=told + default)
