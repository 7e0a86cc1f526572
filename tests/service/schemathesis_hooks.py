"""What Schemathesis must know of bodies that are no JSON."""

from __future__ import annotations

from typing import Any

import schemathesis


@schemathesis.serializer("application/offset+octet-stream")
def offset(context: schemathesis.SerializationContext, value: Any) -> bytes:
    """A piece of a file is sent as it is."""
    del context
    return value if isinstance(value, bytes) else str(value).encode()
