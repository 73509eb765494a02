"""Sign webhooks as Standard Webhooks 1.0 does, and verify what is signed so.

A secret is a text that says its scheme: `whsec_` (HMAC-SHA256, signatures `v1`), `whsk_` (an
ed25519 private key, signatures `v1a`); `whpk_` is the public key that verifies the latter.
"""

from __future__ import annotations

import binascii
import hmac
import secrets
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

SECRET_BYTES = 32
# Standard Webhooks, "Signature scheme": at least 192, at most 512 bits.
MIN_SECRET_BYTES, MAX_SECRET_BYTES = 24, 64
TOLERANCE_SECONDS = 5 * 60

_ED25519_SEED_BYTES = 32


class BadSecret(ValueError):
    """The text is no signing secret: make one with `new_secret`, or paste it again whole."""


class BadSignature(ValueError):
    """The message is not to be trusted: it was not signed so, or not within the tolerance."""


def new_secret(length_bytes: int = SECRET_BYTES) -> str:
    """Return a random `whsec_` secret of 24 to 64 bytes."""
    if not MIN_SECRET_BYTES <= length_bytes <= MAX_SECRET_BYTES:
        raise BadSecret(f"A secret has {MIN_SECRET_BYTES} to {MAX_SECRET_BYTES} bytes.")
    return "whsec_" + b64encode(secrets.token_bytes(length_bytes)).decode()


def new_key_pair() -> tuple[str, str]:
    """Return a new ed25519 pair: the private `whsk_` and the public `whpk_` text."""
    private = "whsk_" + b64encode(Ed25519PrivateKey.generate().private_bytes_raw()).decode()
    return private, public_key(private)


def public_key(secret: str) -> str:
    """Return the `whpk_` text that verifies what the `whsk_` secret signs."""
    public = _private_key(secret).public_key().public_bytes_raw()
    return "whpk_" + b64encode(public).decode()


def message_id(event: str) -> str:
    """Return the `webhook-id` of an event's id: the same for every attempt and every replay."""
    return f"msg_{event}"


def sign(keys: Sequence[str], message_id: str, timestamp: int, body: bytes) -> str:
    """Return the `webhook-signature` header: one signature for each secret, in their order.

    `timestamp` is the attempt's, in seconds since 1970. Raises `BadSecret`.
    """
    if "." in message_id:
        # The parts are joined by full stops: one inside a part would let two messages look alike.
        raise ValueError("A message id has no full stop in it.")
    content = b"%b.%d.%b" % (message_id.encode(), timestamp, body)
    return " ".join([_signer(key)(content) for key in keys])


def verify(
    keys: Sequence[str],
    *,
    message_id: str,
    timestamp: str,
    signature: str,
    body: bytes,
    now: float,
) -> None:
    """Return if one of the signatures is by one of the secrets and not five minutes off.

    `keys` are `whsec_`, `whsk_` or `whpk_` texts; `timestamp` and `signature` the headers as they
    came. Raises `BadSignature` otherwise.
    """
    if not (timestamp.isascii() and timestamp.isdigit()) or len(timestamp) > 12:
        raise BadSignature("The webhook-timestamp is not a number of seconds.")
    if abs(now - int(timestamp)) > TOLERANCE_SECONDS:
        raise BadSignature("The webhook-timestamp is more than five minutes off.")
    content = b"%b.%b.%b" % (message_id.encode(), timestamp.encode(), body)
    for given in signature.split():
        scheme, _, text = given.partition(",")
        if any(_is_by(key, scheme, text, content) for key in keys):
            return
    raise BadSignature("No signature is by a known secret.")


def _is_by(key: str, scheme: str, text: str, content: bytes) -> bool:
    if key.startswith("whsec_"):
        expected = _signer(key)(content)
        return scheme == "v1" and hmac.compare_digest(expected.encode(), f"v1,{text}".encode())
    if scheme != "v1a":
        return False
    public = public_key(key) if key.startswith("whsk_") else key
    try:
        _public_key(public).verify(_decoded(text), content)
    except (InvalidSignature, BadSecret):
        return False
    return True


# An endpoint keeps its secret for months, so its key schedule is worked out once a process.
@lru_cache(maxsize=4_096)
def _signer(secret: str) -> Callable[[bytes], str]:
    """Return a function from the content to one signature, `v1,…` or `v1a,…`."""
    if secret.startswith("whsk_"):
        private = _private_key(secret)

        def sign_asymmetrically(content: bytes) -> str:
            return "v1a," + b64encode(private.sign(content)).decode()

        return sign_asymmetrically

    if not secret.startswith("whsec_"):
        raise BadSecret("A signing secret starts with whsec_ or whsk_.")
    key = _decoded(secret.removeprefix("whsec_"))
    if not MIN_SECRET_BYTES <= len(key) <= MAX_SECRET_BYTES:
        raise BadSecret(f"A secret has {MIN_SECRET_BYTES} to {MAX_SECRET_BYTES} bytes.")
    keyed = hmac.new(key, digestmod="sha256")

    def sign_symmetrically(content: bytes) -> str:
        mac = keyed.copy()
        mac.update(content)
        return "v1," + b64encode(mac.digest()).decode()

    return sign_symmetrically


def _private_key(secret: str) -> Ed25519PrivateKey:
    key = _decoded(secret.removeprefix("whsk_"))
    # Some libraries write the public half behind the seed (64 bytes); the seed is all it takes.
    if len(key) not in (_ED25519_SEED_BYTES, 2 * _ED25519_SEED_BYTES):
        raise BadSecret("A whsk_ secret has 32 or 64 bytes.")
    return Ed25519PrivateKey.from_private_bytes(key[:_ED25519_SEED_BYTES])


def _public_key(text: str) -> Ed25519PublicKey:
    try:
        return Ed25519PublicKey.from_public_bytes(_decoded(text.removeprefix("whpk_")))
    except ValueError:
        raise BadSecret("A whpk_ key has 32 bytes.") from None


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadSecret("The text is not base64.") from None
