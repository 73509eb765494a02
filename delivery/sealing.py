"""Encrypts what must be read again but never seen: signing secrets and credentials of endpoints."""

from __future__ import annotations

from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from delivery import configuration


class Unreadable(ValueError):
    """No key of FIELD_ENCRYPTION_KEYS opens this: put the key that sealed it back into the list."""


def seal(text: str) -> str:
    """Return a Fernet token of the text, made with the first key."""
    return _box(configuration.encryption_keys()).encrypt(text.encode()).decode("ascii")


def unseal(token: str) -> str:
    """Return the text of a token that any of the keys made; raises `Unreadable`."""
    try:
        return _box(configuration.encryption_keys()).decrypt(token.encode("ascii")).decode()
    except InvalidToken:
        raise Unreadable("No key of FIELD_ENCRYPTION_KEYS opens this secret.") from None


def reseal(token: str) -> str:
    """Return the token made anew with the first key, as a rotation of keys needs."""
    return _box(configuration.encryption_keys()).rotate(token.encode("ascii")).decode("ascii")


@lru_cache(maxsize=8)
def _box(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])
