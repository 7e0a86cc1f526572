"""Slack's tokens, encrypted where they are kept."""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ...errors import StorageError

PURPOSE = b"kerasdoctor slack installation"
NO_SECRET = (
    "Slack's tokens cannot be kept: set KERASDOCTOR_SECRET to a long random text, such as `openssl rand -hex 32` prints"  # noqa: S105 - a message
)


class Sealing:
    """Encrypts with the first secret and opens with any, so that a secret can be replaced: `NEW,OLD`."""

    def __init__(self, secrets: str) -> None:
        """`secrets` are texts with commas between; of each the key is derived with HKDF (RFC 5869).

        Raises:
            StorageError: there is none.
        """
        keys = [_key(secret.strip()) for secret in secrets.split(",") if secret.strip()]
        if not keys:
            raise StorageError(NO_SECRET)
        self._fernet = MultiFernet(keys)

    def seal(self, text: str) -> bytes:
        """Encrypt."""
        return self._fernet.encrypt(text.encode())

    def open(self, sealed: bytes) -> str:
        """Decrypt.

        Raises:
            StorageError: none of the secrets fits.
        """
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken:
            raise StorageError(
                "a Slack workspace's token was encrypted with a secret that is not among those of the setting `secret`"
            ) from None


def _key(secret: str) -> Fernet:
    derived = HKDF(SHA256(), length=32, salt=None, info=PURPOSE).derive(secret.encode())
    return Fernet(base64.urlsafe_b64encode(derived))
