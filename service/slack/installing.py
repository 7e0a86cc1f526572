"""Installing the app in workspaces: OAuth v2, by Bolt."""

from __future__ import annotations

from slack_bolt import BoltResponse
from slack_bolt.oauth import OAuthFlow
from slack_bolt.oauth.callback_options import CallbackOptions, FailureArgs, SuccessArgs
from slack_bolt.oauth.oauth_settings import OAuthSettings
from slack_sdk import WebClient

from ...knowledge.text import Text
from ..settings import Settings
from . import sayings
from .installations import QUIET, STATE_SECONDS, Installations, States

# What the app may do in a workspace; the manifest asks for the same.
SCOPES = (
    *("app_mentions:read", "chat:write", "commands", "files:read"),
    *("channels:history", "groups:history", "im:history", "mpim:history"),
)
REDIRECT = "/slack/oauth_redirect"


def oauth_flow(settings: Settings, installations: Installations, states: States) -> OAuthFlow:
    """The flow of installing."""
    told = OAuthSettings(
        client_id=settings.slack_client_id,
        client_secret=settings.slack_client_secret.get_secret_value(),
        scopes=list(SCOPES),
        user_scopes=[],
        redirect_uri=f"{settings.public_url}{REDIRECT}" if settings.public_url else None,
        install_page_rendering_enabled=False,
        callback_options=CallbackOptions(success=_done, failure=_refused),
        installation_store=installations,
        installation_store_bot_only=True,
        state_store=states,
        state_expiration_seconds=STATE_SECONDS,
        logger=QUIET,
    )
    return OAuthFlow(client=WebClient(base_url=settings.slack_api_url, logger=QUIET), logger=QUIET, settings=told)


def _done(args: SuccessArgs) -> BoltResponse:
    del args
    return _page(sayings.INSTALLED, 200)


def _refused(args: FailureArgs) -> BoltResponse:
    """Bolt's reasons are words of its own, but that of Slack comes in the address."""
    known = ("access_denied", "invalid_browser", "invalid_state", "missing_code", "invalid_code", "storage_error")
    reason = args.reason if args.reason in known else "error"
    text = sayings.NO_INSTALLATION
    return _page(Text(text.en.format(reason), text.zh.format(reason)), max(args.suggested_status_code, 400))


def _page(text: Text, status: int) -> BoltResponse:
    return BoltResponse(
        status=status, body=f"{text.en}\n\n{text.zh}\n", headers={"Content-Type": "text/plain; charset=utf-8"}
    )
