"""Workspaces: how the app is installed in them and removed, and how their tokens are kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from kerasdoctor.service.database import Database
from kerasdoctor.service.slack import installing
from kerasdoctor.service.slack.installations import Installations
from kerasdoctor.service.tables import SlackState, now
from slack_sdk.oauth.installation_store import Installation
from sqlalchemy import update

from .slack_checks import Json
from .slack_stand_in import StandIn
from .slack_world import OAUTH, ONE, SHAPES, install, served


def test_a_state_is_valid_once_in_one_browser_for_ten_minutes(
    slack: StandIn, database_url: str, tmp_path: Path
) -> None:
    """In the browser that began it, until it is used or ten minutes are over; nothing of the address is shown."""
    with served(slack, database_url, tmp_path, **OAUTH) as world:
        begun = world.client.get("/slack/install")
        assert begun.headers["location"].startswith("https://slack.com/oauth/v2/authorize?")
        state = begun.headers["location"].partition("state=")[2].partition("&")[0]
        cookie = {"Cookie": begun.headers["set-cookie"].partition(";")[0]}
        world.client.cookies.clear()

        def back(headers: Json, **told: str) -> Any:
            return world.client.get(
                "/slack/oauth_redirect", params={"code": "no", "state": state, **told}, headers=headers
            )

        assert back({}).status_code == 400
        refused = back(cookie, error="<script>")
        assert (refused.status_code, "script" in refused.text) == (400, False)
        assert "invalid_code" in back(cookie).text
        assert "invalid_state" in back(cookie).text
        late = world.client.get("/slack/install")
        with world.database.session() as session:
            session.execute(update(SlackState).values(ends_at=now()))
        state = late.headers["location"].partition("state=")[2].partition("&")[0]
        assert "invalid_state" in back({"Cookie": late.headers["set-cookie"].partition(";")[0]}).text
        world.client.cookies.clear()


def test_tokens_are_encrypted_and_secrets_can_be_replaced(slack: StandIn, sqlite_url: str, tmp_path: Path) -> None:
    """Nothing of a token is in the database. A new secret before the old one opens what the old one closed; without it: told."""
    with served(slack, sqlite_url, tmp_path, **OAUTH) as world:
        assert install(world, "xoxb-one").status_code == 200
    assert not [file for file in tmp_path.glob("test.db*") if b"xoxb-one" in file.read_bytes()]
    for secret, works in (("new, a long random text", True), ("new", False)):
        with served(slack, sqlite_url, tmp_path, **OAUTH | {"secret": secret}) as world:
            channel = world.channel()
            event = {"type": "app_mention", "user": "U1", "text": SHAPES, "ts": world.slack.ts(), "channel": channel}
            assert world.one.event(event).status_code == 200
            world.answers(channel, 1 if works else 0)
            assert world.one.command("").json()["text"].startswith("Paste") is works


def test_an_uninstalled_app_forgets_its_token(slack: StandIn, database_url: str, tmp_path: Path) -> None:
    """By Slack's event, by that of the bot's token, or when the API says so."""
    with served(slack, database_url, tmp_path, **OAUTH) as world:
        for told in ({"type": "app_uninstalled"}, {"type": "tokens_revoked", "tokens": {"bot": ["UBOT"]}}):
            install(world, "xoxb-one")
            world.one.event({"type": "tokens_revoked", "tokens": {"oauth": ["U1"]}})
            assert world.one.command("").json()["text"].startswith("Paste")
            world.one.event(told)
            assert "isn't installed" in world.one.command("").json()["text"]
        install(world, "xoxb-one")
        world.slack.next("chat.postMessage", lambda _: (200, {}, {"ok": False, "error": "token_revoked"}))
        world.one.mention(SHAPES, world.channel())
        world.idle()
        assert "isn't installed" in world.one.command("").json()["text"]


def test_one_workspace_needs_its_token_alone(slack: StandIn, sqlite_url: str, tmp_path: Path) -> None:
    with served(slack, sqlite_url, tmp_path, **ONE) as world:
        channel = world.channel()
        world.one.mention(SHAPES, channel)
        world.answers(channel)
        assert world.client.get("/slack/install").status_code == 404


def test_without_a_secret_nothing_is_installed(slack: StandIn, sqlite_url: str, tmp_path: Path) -> None:
    with served(slack, sqlite_url, tmp_path, **OAUTH | {"secret": ""}) as world:
        for path in ("install", "oauth_redirect"):
            refused = world.client.get(f"/slack/{path}")
            assert refused.status_code == 409
            assert "KERASDOCTOR_SECRET" in refused.json()["detail"]


def test_an_organisation_installs_for_all_its_workspaces(database: Database) -> None:
    """A workspace's own installation comes before that of its organisation; each is removed alone."""
    kept = Installations(database, "secret")
    every = {"user_id": "U1", "enterprise_id": "E1", "bot_token": "xoxb-all", "is_enterprise_install": True}
    one = {"user_id": "U1", "enterprise_id": "E1", "team_id": "T1", "bot_token": "xoxb-one"}
    kept.save(Installation(**every))
    kept.save(Installation(**one))

    def token(team: str | None, enterprise: str | None) -> str | None:
        found = kept.find_bot(enterprise_id=enterprise, team_id=team)
        return found.bot_token if found else None

    assert (token("T1", "E1"), token("T1", None), token("T2", "E1")) == ("xoxb-one", "xoxb-one", "xoxb-all")
    assert (token("T2", None), token("T2", "E2"), token(None, None)) == (None, None, None)
    kept.delete_installation(enterprise_id="E1", team_id="T1")
    assert token("T1", "E1") == "xoxb-all"
    kept.delete_installation(enterprise_id="E1", team_id=None)
    assert token("T1", "E1") is None


def test_the_manifest_is_what_the_service_serves() -> None:
    """The permissions that an installation asks for, and addresses that are routes."""
    file = Path(installing.__file__).with_name("manifest.yaml")
    manifest = yaml.safe_load(file.read_text("utf-8"))
    assert sorted(manifest["oauth_config"]["scopes"]["bot"]) == sorted(installing.SCOPES)
    here = "https://doctor.example.org/slack/"
    assert manifest["oauth_config"]["redirect_urls"] == [f"{here}oauth_redirect"]
    assert manifest["features"]["slash_commands"][0]["url"] == f"{here}commands"
    assert manifest["settings"]["event_subscriptions"]["request_url"] == f"{here}events"
    assert manifest["settings"]["interactivity"]["request_url"] == f"{here}interactions"
    assert file.read_text("utf-8").count("https://doctor.example.org/") == 4
