"""A plain outgoing webhook, for setups without an app: a text comes in, the answer goes out in the response.

Slack sends a form (https://api.slack.com/legacy/custom-integrations/outgoing-webhooks); Mattermost, Rocket.Chat and scripts send
the same fields as JSON. Files are not looked at, and nothing is remembered between two messages.
"""

from __future__ import annotations

import hmac
import json
from typing import Any
from urllib.parse import parse_qsl

from ...errors import InputError, NoAccessError
from ..diagnoses import Paste
from ..limits import spend_of
from ..reply import Reply
from ..service import Service
from .blocks import reply_blocks
from .hearing import spoken
from .installations import workspace
from .messages import without_buttons

OWNER = "slack-webhook"
FIELDS = 50
WANTED = "expected a form or a JSON object with `token` and `text`"
BAD_TOKEN = "The token is missing or not the one of the setting `slack_webhook_token`."  # noqa: S105 - a message


def answer_to(service: Service, content_type: str, body: bytes) -> dict[str, Any]:
    """The answer to a text: `text` and `blocks`; empty where there is nothing to say to people who did not ask.

    Raises:
        NoAccessError: the token is not the one that was set.
        InputError: it is no form and no JSON object.
        TooLargeError: the text is too long.
        TooManyError: the limit of messages is used up.
    """
    fields = read(content_type, body)
    token = service.settings.slack_webhook_token.get_secret_value()
    if not hmac.compare_digest(fields.get("token", "").encode("utf-8", "replace"), token.encode()):
        raise NoAccessError(BAD_TOKEN)
    trigger = fields.get("trigger_word", "")
    text = spoken(fields.get("text", "").removeprefix(trigger))
    if not text or fields.get("bot_id") or fields.get("user_name") == "slackbot":
        return {}
    with service.database.session() as session:
        owner = workspace(session, OWNER)
    spend_of(service, owner, "messages", service.settings.messages_per_minute)
    diagnosis = service.diagnoses.make(owner, Paste(text)).diagnosis
    in_channel = bool(fields.get("channel_id")) and not trigger  # the webhook sends all that is said in a channel
    if diagnosis.topic is None and in_channel:
        return {}
    told, blocks = reply_blocks(
        Reply("diagnosis", diagnosis.lang, None, diagnosis), "-", base=service.settings.public_url
    )
    return {"text": told, "blocks": without_buttons(blocks)}


def read(content_type: str, body: bytes) -> dict[str, str]:
    """The fields of a form or of a JSON object whose values are texts.

    Raises:
        InputError: it is neither.
    """
    kind = content_type.partition(";")[0].strip().lower()
    try:
        if kind == "application/x-www-form-urlencoded":
            return dict(parse_qsl(body.decode(), max_num_fields=FIELDS))
        read = json.loads(body) if kind == "application/json" else None
    except (ValueError, RecursionError):
        raise InputError(f"the body cannot be read; {WANTED}") from None
    if not isinstance(read, dict):
        raise InputError(f"the body is {kind[:60] or 'of no type'}; {WANTED}")
    return {str(name): value for name, value in read.items() if isinstance(value, str)}
