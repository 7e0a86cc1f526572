"""`kerasdoctor serve` and `kerasdoctor keys`, as processes: start, requests, signals, exit codes, and nothing left behind."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from kerasdoctor.cli import main
from kerasdoctor.errors import InputError
from kerasdoctor.service.settings import Settings, load_settings, settings_table
from pydantic import SecretStr

ROOT = Path(__file__).parents[2]
COMMAND = str(Path(sys.executable).with_name("kerasdoctor"))


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Nothing but what is said here: the data in a folder of the test."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KERASDOCTOR_")}
    return {**kept, "KERASDOCTOR_DATA": str(tmp_path / "data"), "TMPDIR": str(tmp_path), "COLUMNS": "100"}


def run(environment: dict[str, str], *arguments: str) -> Result:
    """A command that ends by itself, in this process."""
    given = {name: value for name, value in environment.items() if name.startswith(("KERASDOCTOR_", "COLUMNS"))}
    return CliRunner().invoke(main, arguments, env={"KERASDOCTOR_CONFIG": None, **given})


class Serving:
    """A process that serves, and its address."""

    def __init__(self, environment: dict[str, str], *arguments: str) -> None:
        self.process = subprocess.Popen(
            [COMMAND, "serve", "--port", "0", *arguments],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        told = self.process.stdout.readline()
        assert "kerasdoctor serves at http://127.0.0.1:" in told, self.process.communicate()
        self.address = told.split()[-1]

    def get(self, path: str) -> str:
        with urllib.request.urlopen(self.address + path, timeout=20) as answer:  # noqa: S310 - our own address
            return str(answer.read().decode())

    def stop(self, number: int) -> tuple[int, str]:
        """Send a signal; gives the exit code, and what stands in the log."""
        self.process.send_signal(number)
        _, log = self.process.communicate(timeout=30)
        return self.process.returncode, log


@pytest.fixture
def start(environment: dict[str, str]) -> Iterator[Callable[..., Serving]]:
    """Start serving; what still runs at the end of the test is killed."""
    started: list[Serving] = []

    def begin(*arguments: str) -> Serving:
        started.append(Serving(environment, *arguments))
        return started[-1]

    yield begin
    for serving in started:
        serving.process.kill()
        if serving.process.stdout and not serving.process.stdout.closed:
            serving.process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_and_stop(start: Callable[..., Serving], tmp_path: Path, number: int) -> None:
    """The address is told, requests are answered and logged, and a signal ends it with 0 and frees the port."""
    serving = start("--log-json")
    assert '"ready":true' in serving.get("/api/v1/health/ready")
    with pytest.raises(urllib.error.HTTPError, match="404"):
        serving.get("/nothing")
    code, log = serving.stop(number)
    assert code == 0, log
    assert '"event": "request"' in log
    assert "Traceback" not in log
    port = int(serving.address.rpartition(":")[2])
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", port))
    assert {file.name for file in tmp_path.iterdir()} == {"data"}


def test_answers_on_a_kept_connection_do_not_wait(start: Callable[..., Serving]) -> None:
    """The fastest of many answers takes a few milliseconds: none waits for an acknowledgement (40 ms)."""
    connection = http.client.HTTPConnection(start().address.removeprefix("http://"), timeout=20)
    took = []
    for _ in range(20):
        began = time.perf_counter()
        connection.request("GET", "/api/v1/health/live")
        connection.getresponse().read()
        took.append(time.perf_counter() - began)
    connection.close()
    assert min(took[1:]) < 0.03


def test_several_processes(start: Callable[..., Serving], tmp_path: Path) -> None:
    """Workers share the port and their metrics; one that is killed is replaced; all end together."""
    serving = start("--workers", "2")
    for _ in range(20):
        serving.get("/api/v1/health/live")
    counted = re.search(r'route="/api/v1/health/live",status="200"} (\S+)', serving.get("/metrics"))
    assert counted is not None
    assert float(counted[1]) == 20
    before = children(serving.process.pid)
    os.kill(min(before), signal.SIGKILL)
    wait_for(lambda: len(children(serving.process.pid) - before) == 1)
    assert "ready" in serving.get("/api/v1/health/ready")
    assert "kerasdoctor_requests_in_flight 1.0" in serving.get("/metrics")
    all_of_them = children(serving.process.pid)
    code, log = serving.stop(signal.SIGTERM)
    assert code == 0, log
    assert not any(Path(f"/proc/{pid}").exists() for pid in all_of_them)
    # What the one that was killed had started may just have begun: it ends, and takes its folder away, by itself.
    wait_for(lambda: {file.name for file in tmp_path.iterdir()} == {"data"})


def test_workers_end_with_their_parent(start: Callable[..., Serving]) -> None:
    """After kill -9 of the process that started them no worker holds the port."""
    serving = start("--workers", "2")
    serving.get("/api/v1/health/live")
    workers = children(serving.process.pid)
    assert len(workers) == 2
    serving.process.kill()
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))


STREAMING = """
import sys, time
from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from kerasdoctor.service import serving
from kerasdoctor.service.app import create_app
from kerasdoctor.service.service import TheService
from kerasdoctor.service.settings import load_settings
router = APIRouter()

@router.get("/stream")
def stream(service: TheService):
    def parts():
        yield "began\\n"
        while not service.stopping.wait(0.05):
            pass
        yield "the end"
    return StreamingResponse(parts())

serving.make_worker = lambda settings: create_app(settings, routers=[router])
serving.serve(load_settings(port=0, stop_seconds=60), lambda told: print(told, flush=True))
"""


def test_streams_are_told_to_end(environment: dict[str, str]) -> None:
    """A stop does not wait for streams until the time is over: they learn of it at once, and end whole."""
    with subprocess.Popen(
        [sys.executable, "-c", STREAMING], env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        with urllib.request.urlopen(process.stdout.readline().strip() + "/stream", timeout=20) as answer:  # noqa: S310
            assert answer.readline() == b"began\n"
            process.send_signal(signal.SIGTERM)
            assert answer.read() == b"the end"
        assert process.wait(20) == 0


def children(pid: int) -> set[int]:
    """The worker processes (not the resource tracker of multiprocessing)."""
    found = map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    return {child for child in found if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()}


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_other_addresses_need_keys(environment: dict[str, str]) -> None:
    """It does not start where strangers would come in; the message says how to make a key, and --open is explicit."""
    refused = run(environment, "serve", "--host", "0.0.0.0", "--port", "0")  # noqa: S104
    assert refused.exit_code == 3
    assert "kerasdoctor keys new NAME" in refused.stderr
    assert "--open" in refused.stderr
    behind = run(environment, "serve", "--public-url", "https://doctor.example.org", "--port", "0")
    assert behind.exit_code == 3


def test_a_port_in_use_is_told(environment: dict[str, str]) -> None:
    """One line, with what to do."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        ended = run(environment, "serve", "--port", str(other.getsockname()[1]))
    assert ended.exit_code == 3
    assert "Address already in use; choose others with --host and --port" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--port", "70000"], 3, "port: Input should be less than or equal to 65535"),
        (["--port", "eight"], 2, "not a valid integer"),
        (["--config", "/no/such.toml"], 3, "there is no such file"),
        (["--database", "mysql://a/b"], 3, "expected sqlite or postgresql"),
        (["--host", "no-such-host.invalid"], 3, "no-such-host.invalid"),
        (["--public-url", "doctor.example.org"], 3, "expected http:// or https://"),
        (["--secret", "x"], 2, "No such option"),
    ],
)
def test_mistakes_are_told(environment: dict[str, str], arguments: list[str], code: int, told: str) -> None:
    """Each with its exit code, and what was expected."""
    ended = run(environment, "serve", "--open", *arguments)
    assert ended.exit_code == code
    assert told in ended.stderr
    assert "Traceback" not in ended.stderr


def test_keys(environment: dict[str, str]) -> None:
    """A key is printed once, listed without itself, and revoked by its id."""
    made = run(environment, "keys", "new", "alice")
    key = made.stdout.strip()
    assert re.fullmatch(r"kd_[\w-]{43}", key)
    assert "cannot be shown again" in made.stderr
    listed = run(environment, "keys", "list").stdout
    assert re.fullmatch(r"\S{22}  made \d{4}-\d\d-\d\d  never used +alice\n", listed)
    assert key not in listed
    assert run(environment, "keys", "revoke", listed.split()[0]).exit_code == 0
    assert "revoked" in run(environment, "keys", "list").stdout
    wrong = run(environment, "keys", "revoke", "nobody's")
    assert (wrong.exit_code, "keys list" in wrong.stderr) == (3, True)


def test_help_is_the_table_of_settings(environment: dict[str, str]) -> None:
    """Each setting stands there with its variable; secrets have no flag, since those show in the list of processes."""
    told = " ".join(run(environment, "serve", "--help").stdout.split())
    for row in settings_table():
        assert row.variable in told
        if row.flag:
            assert row.flag in told
    secrets = {name for name, field in Settings.model_fields.items() if field.annotation is SecretStr}
    assert {row.name for row in settings_table() if not row.flag} == secrets
    assert "--slack-bot-token" not in told


def test_the_settings_page_is_up_to_date() -> None:
    """docs/settings.md is what `make settings` writes now."""
    written = subprocess.run(
        [sys.executable, "docs/settings.py", "--print"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert (ROOT / "docs" / "settings.md").read_text(encoding="utf-8") == written


def test_a_flag_counts_before_the_environment_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And what is wrong in a file is told with its name."""
    file = tmp_path / "doctor.toml"
    file.write_text('port = 1\njobs = 3\nhost = "localhost"\n')
    monkeypatch.setenv("KERASDOCTOR_CONFIG", str(file))
    monkeypatch.setenv("KERASDOCTOR_PORT", "2")
    given: dict[str, Any] = {"host": "127.0.0.1"}
    read = load_settings(**given)
    assert (read.host, read.port, read.jobs) == ("127.0.0.1", 2, 3)
    file.write_text("prot = 1\n")
    with pytest.raises(InputError, match="prot"):
        load_settings()
    file.write_text("port = = 1\n")
    with pytest.raises(InputError, match=r"doctor\.toml"):
        load_settings()


def test_the_commands_import_nothing_heavy() -> None:
    """What the service needs is loaded when it is served, not by `kerasdoctor explain`."""
    script = (
        "import sys, kerasdoctor.cli\n"
        "print([m for m in ('pydantic', 'sqlalchemy', 'alembic', 'fastapi', 'uvicorn', 'structlog') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "[]\n"
