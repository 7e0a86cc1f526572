"""A stand-in of Slack's API: a real HTTP server that takes what Slack takes and refuses what it refuses.

It knows the methods that are used, as https://docs.slack.dev/reference/methods describes them: their arguments, content types,
tokens, errors, and the limits of blocks. What it does not expect is written down in `faults`, which a test must find empty.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx

from .slack_checks import Json, check

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"  # noqa: S105 - of tests
CLIENT = ("1111.2222", "client-secret")
BASIC = "Basic " + base64.b64encode(":".join(CLIENT).encode()).decode()
BOT, BOT_ID = "UBOT", "BBOT"
JSON, FORM = "application/json", "application/x-www-form-urlencoded"


class Refusal(Exception):  # noqa: N818 - an answer
    """An error of Slack's."""


class StandIn(ThreadingHTTPServer):
    """Slack. `tokens` are valid, by workspace; `posted` are the messages, in order, by channel; `plan` answers first."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.tokens = {"xoxb-one": "T1", "xoxb-two": "T2"}
        self.channels = {"C1": "T1", "C2": "T2", "D1": "T1", "D2": "T2"}
        self.messages: dict[str, list[Json]] = {}
        self.responses: list[Json] = []  # to response_urls
        self.calls: list[tuple[str, Json, float]] = []
        self.files: dict[str, Json] = {}
        self.faults: list[str] = []
        self.codes: dict[str, str] = {}
        self.plan: dict[str, list[Callable[[Json], tuple[int, dict[str, str], Json] | None]]] = {}
        self.lock = threading.Lock()
        self.clock = 1_700_000_000

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def api(self) -> str:
        return f"{self.address}/api/"

    def ts(self) -> str:
        """A timestamp that no other message has."""
        with self.lock:
            self.clock += 1
        return f"{self.clock}.000100"

    def file(self, name: str, content: bytes, **told: Any) -> Json:
        """Put a file into Slack; what an event tells of it."""
        id_ = f"F{len(self.files)}"
        url = f"{self.address}/files-pri/{id_}/download/{name}"
        kept = {"id": id_, "name": name, "size": len(content), "mode": "hosted", "url_private_download": url, **told}
        self.files[id_] = {**kept, "content": content}
        return {"id": id_, "name": name}

    def next(self, method: str, *answers: Callable[[Json], tuple[int, dict[str, str], Json] | None]) -> None:
        """Answer the next calls of a method like this."""
        self.plan.setdefault(method, []).extend(answers)

    def said(self, channel: str) -> list[Json]:
        """What the app posted."""
        return list(self.messages.get(channel, []))

    def called(self, method: str) -> list[Json]:
        return [told for name, told, _ in list(self.calls) if name == method]

    # The methods.

    def auth_test(self, _told: Json, team: str) -> Json:
        return {
            "url": "https://t.slack.com/",
            "team": team,
            "user": "bot",
            "team_id": team,
            "user_id": BOT,
            "bot_id": BOT_ID,
        }

    def oauth_v2_access(self, told: Json, _team: str) -> Json:
        token = self.codes.pop(told.get("code", ""), None)
        if token is None:
            raise Refusal("invalid_code")
        return {
            "access_token": token,
            "token_type": "bot",
            "scope": "chat:write,commands",
            "bot_user_id": BOT,
            "app_id": "A1",
            "team": {"name": "Team", "id": self.tokens[token]},
            "enterprise": None,
            "authed_user": {"id": "U9"},
            "is_enterprise_install": False,
        }

    def chat_postMessage(self, told: Json, team: str) -> Json:  # noqa: N802 - Slack's name
        self._channel(told, team)
        if set(told) - {"channel", "text", "blocks", "thread_ts", "metadata", "unfurl_links", "unfurl_media"}:
            raise Refusal("invalid_arguments")
        check(told["text"], told["blocks"])
        assert told["unfurl_links"] is False
        message = {"ts": self.ts(), "user": BOT, "bot_id": BOT_ID, **told}
        with self.lock:
            self.messages.setdefault(told["channel"], []).append(message)
        return {"channel": told["channel"], "ts": message["ts"], "message": message}

    def chat_update(self, told: Json, team: str) -> Json:
        self._channel(told, team)
        check(told["text"], told["blocks"])
        found = next((m for m in self.said(told["channel"]) if m["ts"] == told.get("ts")), None)
        if found is None:
            raise Refusal("message_not_found")
        found |= {"text": told["text"], "blocks": told["blocks"], "edited": True}
        return {"channel": told["channel"], "ts": told["ts"], "text": told["text"]}

    def conversations_replies(self, told: Json, team: str) -> Json:
        self._channel(told, team)
        seen = [m for m in self.said(told["channel"]) if m.get("thread_ts") == told["ts"]]
        return {"messages": self._with_metadata(seen, told), "has_more": False}

    def conversations_history(self, told: Json, team: str) -> Json:
        self._channel(told, team)
        seen = [m for m in self.said(told["channel"]) if not m.get("thread_ts")][::-1]
        return {"messages": self._with_metadata(seen, told), "has_more": False}

    def files_info(self, told: Json, _team: str) -> Json:
        if told.get("file") not in self.files:
            raise Refusal("file_not_found")
        return {"file": {name: value for name, value in self.files[told["file"]].items() if name != "content"}}

    def _with_metadata(self, messages: list[Json], told: Json) -> list[Json]:
        wanted = str(told.get("include_all_metadata")).lower() in ("1", "true")
        return [m if wanted else {k: v for k, v in m.items() if k != "metadata"} for m in messages]

    def _channel(self, told: Json, team: str) -> None:
        if self.channels.get(told.get("channel", "")) != team:
            raise Refusal("channel_not_found")


class _Handler(BaseHTTPRequestHandler):
    server: StandIn
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as the library has it
        """Be quiet."""

    def do_GET(self) -> None:
        """A file, or a method that only reads."""
        if self.path.startswith("/api/"):
            address = urlsplit(self.path)
            return self._call(address.path.removeprefix("/api/"), dict(parse_qsl(address.query)))
        parts = self.path.split("/")
        file = self.server.files.get(parts[2]) if len(parts) > 2 and parts[1] == "files-pri" else None
        if file is None:
            self.server.faults.append(f"GET {self.path}")
            return self._send(404, b"", "text/plain")
        if self._token() not in self.server.tokens or file.get("hidden"):  # Slack shows a page to sign in
            return self._send(200, b"<html>sign in</html>", "text/html; charset=utf-8")
        if file.get("moved"):
            self.send_response(302)
            self.send_header("Location", file["moved"])
            self.send_header("Content-Length", "0")
            self.end_headers()
            return None
        return self._send(200, file["content"], "application/octet-stream")

    def do_POST(self) -> None:
        """A method, or an answer to a response_url."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = urlsplit(self.path).path
        if path.startswith("/respond/"):
            return self._respond(body)
        kind = self.headers.get("Content-Type", "").partition(";")[0]
        told = json.loads(body or b"{}") if kind == JSON else dict(parse_qsl(body.decode()))
        if kind not in (JSON, FORM):
            self.server.faults.append(f"{path}: {kind}")
        return self._call(path.removeprefix("/api/"), told)

    def _call(self, method: str, told: Json) -> None:
        server = self.server
        server.calls.append((method, told, time.monotonic()))
        planned = server.plan.get(method) or []
        answer = planned.pop(0)(told) if planned else None
        try:
            if answer is None:
                return self._json(200, {"ok": True, **self._answer(method, told)})
        except Refusal as refusal:
            return self._json(200, {"ok": False, "error": str(refusal)})
        except Exception as error:  # noqa: BLE001 - told to the test
            server.faults.append(f"{method}: {type(error).__name__} {error}")
            return self._json(200, {"ok": False, "error": "invalid_arguments"})
        status, headers, content = answer
        if status:
            return self._json(status, content, headers)
        with suppress(Refusal):
            self._answer(method, told)
        self.close_connection = True  # what was asked was done, and the answer is lost
        return None

    def _answer(self, method: str, told: Json) -> Json:
        call = getattr(self.server, method.replace(".", "_"), None)
        if call is None or method.startswith("_"):
            raise ValueError(f"no such method: {method}")
        token = self._token()
        if method != "oauth.v2.access" and token not in self.server.tokens:
            raise Refusal("invalid_auth" if token else "not_authed")
        if method == "oauth.v2.access" and self.headers.get("Authorization") != BASIC:
            raise Refusal("bad_client_secret")
        answer: Json = call(told, self.server.tokens.get(token, ""))
        return answer

    def _respond(self, body: bytes) -> None:
        try:
            told = json.loads(body)
            check(told["text"], told["blocks"])
            self.server.responses.append(told | {"to": self.path})
        except Exception as error:  # noqa: BLE001 - told to the test
            self.server.faults.append(f"{self.path}: {type(error).__name__} {error}")
        self._send(200, b"ok", "text/plain")

    def _token(self) -> str:
        return self.headers.get("Authorization", "").removeprefix("Bearer ")

    def _json(self, status: int, content: Json, headers: dict[str, str] | None = None) -> None:
        self._send(status, json.dumps(content).encode(), f"{JSON}; charset=utf-8", headers)

    def _send(self, status: int, content: bytes, kind: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(content)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def standing_in() -> Iterator[StandIn]:
    """Slack, on a socket."""
    with StandIn() as slack:
        thread = threading.Thread(target=slack.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield slack
        finally:
            slack.shutdown()
            thread.join()


class Workspace:
    """A workspace as the service sees it: signed requests, as Slack sends them."""

    def __init__(self, slack: StandIn, client: httpx.Client, team: str = "T1") -> None:
        self.slack, self.client, self.team = slack, client, team
        self.events = 0

    def post(self, path: str, body: bytes, kind: str, **headers: str) -> httpx.Response:
        """Send a body with its signature."""
        told = {"Content-Type": kind, **signed(body), **headers}
        return self.client.post(f"/slack/{path}", content=body, headers=told)

    def event(self, event: Json, **envelope: Any) -> httpx.Response:
        """Send an event."""
        self.events += 1
        body = {
            "token": "x",
            "team_id": self.team,
            "api_app_id": "A1",
            "type": "event_callback",
            "event_id": f"Ev{self.team}{self.events}",
            "event_time": int(time.time()),
            "authorizations": [{"enterprise_id": None, "team_id": self.team, "user_id": BOT, "is_bot": True}],
            "event": event,
            **envelope,
        }
        return self.post("events", json.dumps(body).encode(), JSON)

    def mention(self, text: str, channel: str = "C1", user: str = "U1", **told: Any) -> str:
        """Somebody mentions the app; the message's timestamp."""
        ts = self.slack.ts()
        event = {"type": "app_mention", "user": user, "text": f"<@{BOT}> {text}", "ts": ts, "channel": channel, **told}
        assert self.event(event).status_code == 200
        return ts

    def say(self, text: str, channel: str = "C1", user: str = "U1", **told: Any) -> str:
        """Somebody says something in a channel, or (in D…) to the app; the message's timestamp."""
        ts = self.slack.ts()
        kind = "im" if channel.startswith("D") else "channel"
        event = {
            "type": "message",
            "user": user,
            "text": text,
            "ts": ts,
            "channel": channel,
            "channel_type": kind,
            **told,
        }
        assert self.event(event).status_code == 200
        return ts

    def command(self, text: str, **told: Any) -> httpx.Response:
        """Somebody gives the command."""
        fields = {
            "command": "/kerasdoctor",
            "text": text,
            "team_id": self.team,
            "user_id": "U1",
            "channel_id": "C1",
            "trigger_id": f"{time.monotonic_ns()}",
            "response_url": f"{self.slack.address}/respond/command",
            **told,
        }
        return self.post("commands", urlencode(fields).encode(), FORM)

    def interact(self, payload: Json) -> httpx.Response:
        """Somebody used a button or a shortcut."""
        told = {"team": {"id": self.team, "domain": "t"}, "user": {"id": "U1", "team_id": self.team}, **payload}
        told |= {"trigger_id": f"{time.monotonic_ns()}", "response_url": f"{self.slack.address}/respond/button"}
        return self.post("interactions", urlencode({"payload": json.dumps(told)}).encode(), FORM)

    def press(self, message: Json, action: str, channel: str = "C1", **told: Any) -> httpx.Response:
        """Somebody presses a button of a message."""
        buttons = [e for block in message["blocks"] if block["type"] == "actions" for e in block["elements"]]
        button = next(each for each in buttons if each["action_id"] == action)
        container = {"type": "message", "message_ts": message["ts"], "channel_id": channel, "is_ephemeral": False}
        if message.get("thread_ts"):
            container["thread_ts"] = message["thread_ts"]
        pressed = {**button, "type": "button", "block_id": "b", "action_ts": f"{time.monotonic_ns()}", **told}
        return self.interact(
            {"type": "block_actions", "container": container, "message": message, "actions": [pressed]}
        )


def signed(body: bytes, secret: str = SECRET, at: float | None = None) -> dict[str, str]:
    """The headers by which Slack signs: https://docs.slack.dev/authentication/verifying-requests-from-slack."""
    told = str(int(time.time() if at is None else at))
    digest = hmac.new(secret.encode(), f"v0:{told}:".encode() + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": told, "X-Slack-Signature": f"v0={digest}"}
