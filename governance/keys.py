"""API keys: made and shown once, found again by digest."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import connection
from django.utils.translation import gettext as _

from catalog.models import Application, User
from catalog.moves import IllegalMove
from catalog.words import Environment
from governance import access, signals
from governance.actions import Action
from governance.governed import governed, record
from governance.models import ApiKey

PREFIXES: Mapping[str, str] = {
    Environment.PRODUCTION: "sbx_live_",
    Environment.STAGING: "sbx_test_",
}
SECRET_BITS = 256
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_LENGTH = 43  # 62^43 > 2^256
_SHOWN = 6  # characters of the secret that stay readable: enough to tell keys apart
USES_WRITTEN_EVERY = timedelta(minutes=1)

_uses: dict[UUID, datetime] = {}
_uses_lock = threading.Lock()


def create(
    application: Application,
    *,
    environment: str,
    label: str = "",
    expires_at: datetime | None = None,
    by: User,
    now: datetime,
) -> tuple[ApiKey, str]:
    """Make a key of the application; return it with its plain text, which nobody can see again."""
    with governed(by=by, now=now):
        access.require(by, Action.KEY_CREATE, application, now=now)
        if environment not in PREFIXES:
            raise ValidationError({"environment": _("Choose staging or production.")})
        if expires_at is not None and expires_at <= now:
            raise ValidationError({"expires_at": _("This end has passed: choose a later one.")})
        plain = _new_plain_key(environment)
        key = ApiKey(
            application=application,
            environment=environment,
            label=label.strip(),
            prefix=plain[: len(PREFIXES[environment]) + _SHOWN],
            digest=digest(plain),
            created_by=by,
            created_at=now,
            expires_at=expires_at,
        )
        key.clean_fields(exclude=["application", "created_by"])
        key.save()
        signals.key_created.send(sender=ApiKey, thing=key, by=by, now=now)
        record(
            Action.KEY_CREATE,
            key,
            after={"prefix": key.prefix, "environment": environment, "expires_at": expires_at},
            related=(application, application.team),
        )
    return key, plain


def revoke(key: ApiKey, *, by: User, reason: str, now: datetime) -> ApiKey:
    """Make a key useless, at once. Raises IllegalMove when it was revoked already."""
    with governed(by=by, now=now, reason=reason):
        access.require(by, Action.KEY_REVOKE, key, now=now)
        key = (
            ApiKey.objects.select_for_update(of=("self",))
            .select_related("application__team")
            .get(pk=key.pk)
        )
        if key.revoked_at is not None:
            raise IllegalMove(_("This key was revoked already."), current="revoked")
        key.revoked_at = now
        key.save()
        signals.key_revoked.send(sender=ApiKey, thing=key, by=by, now=now)
        record(
            Action.KEY_REVOKE,
            key,
            before={"revoked_at": None},
            after={"revoked_at": now},
            related=(key.application, key.application.team),
        )
    return key


def identify(plain_key: str, now: datetime) -> ApiKey | None:
    """Return the key with its application, or None when it is unknown, expired, revoked or idle.

    A key is idle when its application or service account is not active. One query.
    """
    if not plain_key.startswith(tuple(PREFIXES.values())):
        return None
    key = (
        ApiKey.objects.select_related("application__service_account", "application__team")
        .filter(digest=digest(plain_key))
        .first()
    )
    return key if key is not None and is_usable(key, now) else None


def is_usable(key: ApiKey, now: datetime) -> bool:
    """Tell whether the key opens anything at `now`."""
    if key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= now):
        return False
    return key.application.is_active and key.application.service_account.is_active


def digest(plain_key: str) -> str:
    """Return what is stored of a key: SHA-256, hex. 256 random bits need no slow hash."""
    return hashlib.sha256(plain_key.encode()).hexdigest()


def note_use(key_id: UUID, now: datetime) -> None:
    """Remember in this process that the key was used; `write_uses` stores it later."""
    with _uses_lock:
        _uses[key_id] = now


def write_uses() -> int:
    """Store the remembered uses in one statement, off the request path; return how many."""
    with _uses_lock:
        uses = dict(_uses)
        _uses.clear()
    if uses:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE governance_apikey AS key SET last_used_at = use.at "
                "FROM unnest(%s::uuid[], %s::timestamptz[]) AS use (id, at) "
                "WHERE key.id = use.id AND (key.last_used_at IS NULL OR key.last_used_at < use.at)",
                [list(uses), list(uses.values())],
            )
    return len(uses)


def _new_plain_key(environment: str) -> str:
    number, secret = secrets.randbits(SECRET_BITS), ""
    for _index in range(_LENGTH):
        number, digit = divmod(number, len(_DIGITS))
        secret += _DIGITS[digit]
    return PREFIXES[environment] + secret
