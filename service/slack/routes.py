"""Slack's addresses. They need no key: Slack signs what it sends, and nothing of a request is read before that was checked.

https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

from __future__ import annotations

from dataclasses import dataclass
from http.client import HTTPException as HttpError
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response
from slack_bolt import App
from slack_bolt.adapter.starlette.handler import to_bolt_request, to_starlette_response
from slack_bolt.oauth import OAuthFlow
from slack_sdk.signature import SignatureVerifier
from starlette.exceptions import HTTPException

from ...errors import ConflictError, NoAccessError, NotFoundError
from ..access import count_passing
from ..answering import Answering
from ..service import Service, TheService
from ..settings import Settings
from .answers import SlackAnswering
from .attachments import Attachments
from .bolt import Listeners
from .client import Slack
from .installations import Installations, States
from .installing import REDIRECT, oauth_flow
from .intake import ANSWER, POST, Intake
from .posting import SlackPosting
from .sealing import NO_SECRET
from .webhook import answer_to

NOT_SET = (
    "Slack is not set up here: it needs the settings `slack_signing_secret` and `slack_bot_token`, "
    "or `slack_client_id` and `slack_client_secret`."
)
NO_INSTALLING = (
    "Workspaces are not installed here: that needs the settings `slack_client_id` and `slack_client_secret`."
)
NO_WEBHOOK = "There is no webhook here: it needs the setting `slack_webhook_token`."
NOT_SIGNED = "The signature is not Slack's, or it is more than five minutes old."
router = APIRouter(prefix="/slack", include_in_schema=False)
COUNTED = [
    Depends(count_passing)
]  # what Slack signs comes from few addresses for all workspaces, which have limits of their own


@dataclass(frozen=True)
class SlackApp:
    """What answers Slack; None where it is not set up."""

    verifier: SignatureVerifier
    app: App
    oauth: OAuthFlow | None


def set_up(service: Service) -> SlackApp | None:
    """Put Slack's part of the service together, and have its jobs done."""
    settings = service.settings
    installable = bool(settings.slack_client_id and settings.slack_client_secret.get_secret_value())
    signing = settings.slack_signing_secret.get_secret_value().strip()
    if not signing or not (installable or settings.slack_bot_token.get_secret_value()):
        return None
    installations = Installations(service.database, settings.secret.get_secret_value())
    slack = Slack(settings, installations)
    attachments = Attachments(slack, service.uploads, settings)
    answering = service.handlers["answer"]
    assert isinstance(answering, Answering)  # noqa: S101 - as the service puts it together
    service.handlers[ANSWER] = SlackAnswering(service.database, answering, attachments, slack)
    service.handlers[POST] = SlackPosting(service.database, slack, settings.public_url)
    app = Listeners(Intake(service), installations, settings).app()
    oauth = oauth_flow(settings, installations, States(service.database)) if installable else None
    return SlackApp(SignatureVerifier(signing), app, oauth)


def the_app(request: Request) -> SlackApp:
    """Slack's part of the service.

    Raises:
        NotFoundError: it is not set up.
    """
    found: SlackApp | None = request.app.state.slack
    if found is None:
        raise NotFoundError(NOT_SET)
    return found


TheApp = Annotated[SlackApp, Depends(the_app)]


@router.post("/events")
@router.post("/commands")
@router.post("/interactions")
async def receive(request: Request, slack: TheApp) -> Response:
    """Take what Slack sends.

    Raises:
        NoAccessError: Slack did not send it, or not now.
    """
    body = await request.body()
    if not is_signed(slack.verifier, request, body):
        raise NoAccessError(NOT_SIGNED)
    return to_starlette_response(await to_thread.run_sync(slack.app.dispatch, to_bolt_request(request, body)))


def is_signed(verifier: SignatureVerifier, request: Request, body: bytes) -> bool:
    """Whether Slack signed a body, in the last five minutes."""
    try:
        return verifier.is_valid_request(body, dict(request.headers))
    except (ValueError, TypeError):  # no number, no UTF-8, a signature of odd characters
        return False


@router.get("/install", dependencies=COUNTED)
async def install(request: Request, slack: TheApp, service: TheService) -> Response:
    """Send a browser to Slack, to install the app in a workspace."""
    flow = _flow(slack, service.settings)
    return to_starlette_response(await to_thread.run_sync(flow.handle_installation, to_bolt_request(request, b"")))


@router.get(REDIRECT.removeprefix("/slack"), dependencies=COUNTED)
async def redirected(request: Request, slack: TheApp, service: TheService) -> Response:
    """Slack sends the browser back."""
    flow = _flow(slack, service.settings)
    try:
        return to_starlette_response(await to_thread.run_sync(flow.handle_callback, to_bolt_request(request, b"")))
    except (OSError, HttpError) as error:
        raise HTTPException(502, "Slack cannot be reached from here; begin again at /slack/install.") from error


def _flow(slack: SlackApp, settings: Settings) -> OAuthFlow:
    if slack.oauth is None:
        raise NotFoundError(NO_INSTALLING)
    if not settings.secret.get_secret_value().strip(", "):
        raise ConflictError(f"{NO_SECRET}.")
    return slack.oauth


@router.post("/webhook", dependencies=COUNTED)
async def webhook(request: Request, service: TheService) -> Response:
    """Answer a plain outgoing webhook."""
    if not service.settings.slack_webhook_token.get_secret_value():
        raise NotFoundError(NO_WEBHOOK)
    body, kind = await request.body(), request.headers.get("content-type", "")
    return JSONResponse(await to_thread.run_sync(answer_to, service, kind, body))
