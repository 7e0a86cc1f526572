"""The tools for coding assistants over HTTP: uploads of their owner, keys, other origins."""

from __future__ import annotations

import base64
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import anyio
import httpx
from fastapi import FastAPI
from fastapi.testclient import TestClient
from kerasdoctor.service.counters import OWN
from kerasdoctor.service.keys import new_key
from mcp import Client
from mcp.types import CallToolResult

Serve = Callable[..., AbstractContextManager[str]]
CHURN = Path(__file__).parents[2] / "examples" / "churn.h5"
PING = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
HEADERS = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}


def told(result: CallToolResult) -> str:
    (content,) = result.content
    assert content.type == "text"
    return content.text


def test_files_are_uploads_or_come_along(serve: Serve, digits: bytes) -> None:
    """What was uploaded before is examined by its id, a small file also in the request; a path of the server is nothing."""

    async def ask(address: str, upload: str) -> dict[str, CallToolResult]:
        async with Client(f"{address}/mcp") as client:
            asked = {
                "upload": ("examine_file", {"file": upload}),
                "path": ("examine_file", {"file": str(CHURN)}),
                "content": (
                    "examine_content",
                    {"name": "churn.h5", "content": base64.b64encode(CHURN.read_bytes()).decode()},
                ),
                "no content": ("examine_content", {"name": "churn.h5", "content": "%%%"}),
                "text": ("diagnose", {"text": "loss is nan after a few batches"}),
                "live": ("diagnose", {"text": "loss is nan after a few batches", "live": True}),
            }
            assert "examine_environment" not in {tool.name for tool in (await client.list_tools()).tools}
            return {name: await client.call_tool(*each) for name, each in asked.items()}

    with serve(live=False) as address:
        upload = httpx.post(f"{address}/api/v1/uploads", files={"file": ("digits.keras", digits)}).json()["id"]
        given = anyio.run(ask, address, upload)
    assert "uint8" in told(given["upload"])
    assert given["path"].is_error
    assert "there is no upload" in told(given["path"])
    assert "softmax" in told(given["content"])
    assert "expected base64" in told(given["no content"])
    assert "`nan-loss`" in told(given["text"])
    assert "does not run models" in told(given["live"])


def test_keys_and_origins_count_here_too(serve: Serve) -> None:
    """Without a key where one is needed nothing is told, and no page of another site gets in."""
    with serve(keys=True) as address:
        assert httpx.post(f"{address}/mcp", json=PING, headers=HEADERS).status_code == httpx.codes.UNAUTHORIZED
    with serve() as address:
        assert httpx.post(f"{address}/mcp", json=PING, headers=HEADERS).status_code == httpx.codes.OK
        foreign = HEADERS | {"Origin": "https://example.org"}
        assert httpx.post(f"{address}/mcp", json=PING, headers=foreign).status_code == httpx.codes.FORBIDDEN


def test_messages_are_counted(serve: Serve) -> None:
    """A diagnosis counts as a message, looking things up does not."""

    async def ask(address: str) -> list[CallToolResult]:
        async with Client(f"{address}/mcp") as client:
            for _ in range(4):
                assert not (await client.call_tool("search", {"words": "nan"})).is_error
            return [await client.call_tool("diagnose", {"text": "loss is nan"}) for _ in range(3)]

    with serve(messages_per_minute=2) as address:
        first, second, third = anyio.run(ask, address)
    assert not first.is_error
    assert not second.is_error
    assert "More than 2 messages" in told(third)


def counted() -> list[float]:
    """The diagnoses that Prometheus is told of: known, not known."""
    return [OWN.get_sample_value("kerasdoctor_diagnoses_total", {"known": known}) or 0 for known in ("yes", "no")]


def test_diagnoses_are_kept_and_counted(
    make_app: Callable[..., FastAPI], program: Callable[..., TestClient], database_url: str
) -> None:
    """For Prometheus, and for the report of what was not known; masked, and whose they are. A file alone is no paste."""
    app = make_app(database=database_url, keys=True)
    ann, bob = (program(app, new_key(app.state.service.database, name)) for name in ("ann", "bob"))
    before = counted()
    unknown = "FlurbError: the gizmo of ann@example.org is out of frobs"
    for name, arguments in (
        ("diagnose", {"text": "loss is nan after a few batches"}),
        ("diagnose", {"text": unknown}),
        ("examine_content", {"name": "log.csv", "content": "bG9zcwoxCg=="}),
        ("search", {"words": "nan"}),
    ):
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": arguments}}
        assert not ann.post("/mcp", json=body, headers=HEADERS).json()["result"]["isError"]
    assert counted() == [before[0] + 1, before[1] + 2]
    (told,) = ann.get("/api/v1/report").json()["unknown"]
    assert "FlurbError" in told["text"]
    assert "ann@example.org" not in told["text"]
    assert bob.get("/api/v1/report").json()["unknown"] == []
