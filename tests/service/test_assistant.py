"""The tools for coding assistants, asked by the client of the protocol's own SDK."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import anyio
import pytest
from mcp import Client, StdioServerParameters
from mcp.types import CallToolResult

ROOT = Path(__file__).parents[2]
ERROR = (ROOT / "examples" / "error.txt").read_text(encoding="utf-8")


def told(result: CallToolResult) -> str:
    (content,) = result.content
    assert content.type == "text"
    return content.text


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def calls() -> dict[str, CallToolResult]:
    """One conversation with `kerasdoctor mcp`, started as an assistant starts it: what each call gave."""

    async def converse() -> dict[str, CallToolResult]:
        here = StdioServerParameters(
            command=str(Path(sys.executable).with_name("kerasdoctor")), args=["mcp"], cwd=str(ROOT)
        )
        async with Client(here) as client:
            for tool in (await client.list_tools()).tools:
                assert tool.description
                assert tool.annotations
                assert tool.annotations.read_only_hint
            steps: list[str | None] = []

            async def progress(_ended: float, _total: float | None, message: str | None) -> None:
                steps.append(message)

            asked = {
                "error": ("diagnose", {"text": ERROR}),
                "chinese": ("diagnose", {"text": "训练时 loss 变成 nan 怎么办", "lang": "zh"}),
                "unknown": ("diagnose", {"text": "KeyError: 'Age'"}),
                "version": ("diagnose", {"text": ERROR, "keras": "new"}),
                "secret": ("diagnose", {"text": "KeyError: 'x'\npassword = 'hunter2hunter2'"}),
                "churn": ("examine_file", {"file": "examples/churn.h5"}),
                "absent": ("examine_file", {"file": "examples/absent.h5"}),
                "python": ("examine_environment", {"python": sys.executable}),
                "search": ("search", {"words": "weights have another shape"}),
                "topic": ("topic", {"topic": "graph-disconnected", "lang": "zh"}),
                "no topic": ("topic", {"topic": "no-such-topic"}),
                "too long": ("diagnose", {"text": "x" * (1 << 20) + "y"}),
            }
            given = {name: await client.call_tool(*each) for name, each in asked.items()}
            given["model"] = await client.call_tool(
                "diagnose", {"text": ERROR, "files": ["examples/digits.keras"]}, progress_callback=progress
            )
            assert "digits.keras: dtype-casts" in steps
            resource = await client.read_resource("kerasdoctor://topics/dtype-not-allowed")
            assert "dtype-not-allowed" in resource.contents[0].text  # type: ignore[union-attr]
        return given

    return anyio.run(converse)


def test_a_text_is_diagnosed(calls: dict[str, CallToolResult]) -> None:
    """The answer is Markdown to read, and the diagnosis by its schema to work with."""
    assert "`dtype-not-allowed`" in told(calls["error"])
    structured = calls["error"].structured_content
    assert structured
    assert structured["topic"] == "dtype-not-allowed"
    assert structured["schema"].startswith("kerasdoctor.diagnosis/")


def test_a_file_beside_the_text_is_examined(calls: dict[str, CallToolResult]) -> None:
    """What the probes saw stands in the answer."""
    assert "the probe dtype-casts found it in digits.keras" in told(calls["model"])
    assert "uint8" in told(calls["model"])


def test_the_answer_is_in_the_language_asked_for(calls: dict[str, CallToolResult]) -> None:
    assert "怎么办" in told(calls["chinese"])


def test_what_is_not_known_is_said(calls: dict[str, CallToolResult]) -> None:
    """An honest answer is no error of the tool."""
    assert not calls["unknown"].is_error
    assert told(calls["unknown"]).startswith("## Not known")
    assert calls["unknown"].structured_content
    assert calls["unknown"].structured_content["topic"] is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("version", "expected numbers such as 2.2.4"),
        ("absent", "there is no such file"),
        ("no topic", "`search` finds topics"),
        ("too long", "at most"),
    ],
)
def test_bad_input_is_told(calls: dict[str, CallToolResult], name: str, expected: str) -> None:
    """An error says what was expected."""
    assert calls[name].is_error
    assert expected in told(calls[name])


def test_secrets_are_masked(calls: dict[str, CallToolResult]) -> None:
    assert "hunter2" not in json.dumps(calls["secret"].model_dump(mode="json"))


def test_a_file_is_examined_alone(calls: dict[str, CallToolResult]) -> None:
    """A fault of the model is the diagnosis."""
    assert "softmax" in told(calls["churn"])


def test_a_python_is_examined(calls: dict[str, CallToolResult]) -> None:
    """Where nothing is wrong it is said, not that a problem is unknown."""
    assert "Not known" not in told(calls["python"])
    assert "TensorFlow 2" in told(calls["python"])


def test_topics_are_found_and_read(calls: dict[str, CallToolResult]) -> None:
    assert "weights-shape-mismatch" in told(calls["search"])
    assert "## 怎么办" in told(calls["topic"])
