"""Slack's rate limits: one message a second in each channel, and waiting as long as Slack says.

https://docs.slack.dev/apis/web-api/rate-limits
"""

from __future__ import annotations

import time
from threading import Lock

from slack_sdk.http_retry import HttpRequest, HttpResponse, RateLimitErrorRetryHandler, RetryState

LONGEST = 60  # seconds that Slack may tell us to wait
APART = 1.0  # seconds between two messages of a channel


class Patience(RateLimitErrorRetryHandler):
    """Waits as long as Slack says, unless that is very long."""

    def _can_retry(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        if not super()._can_retry(state=state, request=request, response=response, error=error) or response is None:
            return False
        told = next((value for name, value in response.headers.items() if name.lower() == "retry-after"), ["1"])
        return str(told[0]).isdigit() and int(told[0]) <= LONGEST


class Pace:
    """Lets one message a second into each channel."""

    def __init__(self, apart: float = APART) -> None:
        self._apart, self._free = apart, dict[str, float]()
        self._lock = Lock()

    def wait(self, channel: str) -> None:
        """Wait until it is this message's turn."""
        with self._lock:
            at = time.monotonic()
            self._free = {each: free for each, free in self._free.items() if free > at}
            turn = max(at, self._free.get(channel, at))
            self._free[channel] = turn + self._apart
        time.sleep(turn - at)
