"""What people do with inbound adapters: make, change, give a new secret, switch off."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import TypedDict, Unpack

from django.core.exceptions import ValidationError
from django.utils.text import slugify
from django.utils.translation import gettext as _

from catalog.models import Application, EventType, User
from catalog.moves import IllegalMove
from catalog.words import Environment
from delivery import mapping, sealing
from delivery.models import Adapter
from delivery.states import SecretKind
from governance import access, differences
from governance.actions import Action
from governance.governed import governed, record

OVERLAP = timedelta(hours=24)  # how long the old secret stays valid, as an endpoint's
MAX_WINDOW_SECONDS = 30 * 24 * 3600
SECRET_BYTES = 32
PATHS = ("id_path", "source_path", "subject_path", "time_path", "key_path", "data_path")
SECRET_NAMES: Mapping[str, str] = {
    SecretKind.HEADER: "X-Signalbox-Secret",
    SecretKind.BASIC: "signalbox",
    SecretKind.QUERY: "token",
    SecretKind.HMAC: "X-Signature",
}
# A header's name (RFC 9110, section 5.6.2), without what a query would have to escape.
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,80}")


class Wishes(TypedDict, total=False):
    """What the verbs take; what is left out keeps its value, or its default at first."""

    name: str
    secret_name: str
    id_path: str
    source_path: str
    subject_path: str
    time_path: str
    key_path: str
    data_path: str
    window_seconds: int


def create(
    application: Application,
    *,
    event_type: EventType,
    environment: str,
    secret_kind: str = SecretKind.HEADER,
    by: User,
    now: datetime,
    **wishes: Unpack[Wishes],
) -> tuple[Adapter, str]:
    """Make an inbound address; return it with its secret in plain, which nobody can see again.

    It publishes as its application: the grant is asked for at each request. Raises
    PermissionDenied, and ValidationError by field.
    """
    with governed(by=by, now=now):
        access.require(by, Action.ADAPTER_CREATE, application, now=now)
        access.require(by, Action.EVENT_TYPE_VIEW, event_type, now=now)
        plain = secrets.token_urlsafe(SECRET_BYTES)
        adapter = Adapter(
            application=application,
            event_type=event_type,
            environment=environment,
            secret_kind=secret_kind,
            sealed=sealing.seal(plain),
            created_by=by,
            created_at=now,
        )
        differences.take(adapter, _stripped(wishes))
        adapter.secret_name = adapter.secret_name or SECRET_NAMES.get(secret_kind, "")
        _check(adapter)
        adapter.slug = _free_slug(adapter.name)
        adapter.save()
        record(
            Action.ADAPTER_CREATE,
            adapter,
            after={
                "slug": adapter.slug,
                "event_type": event_type.name,
                "environment": environment,
                "secret_kind": secret_kind,
                **{name: _digest(getattr(adapter, name)) for name in PATHS},
            },
            related=(application, application.team),
        )
    return adapter, plain


def change(
    adapter: Adapter, *, by: User, now: datetime, reason: str = "", **wishes: Unpack[Wishes]
) -> Adapter:
    """Put the wishes over what the adapter has; it goes by them from the next request on.

    Raises PermissionDenied, ValidationError by field, and IllegalMove when it is switched off.
    """
    with governed(by=by, now=now, reason=reason):
        access.require(by, Action.ADAPTER_CHANGE, adapter, now=now)
        adapter = _active(adapter)
        before, after = differences.take(adapter, _stripped(wishes))
        if not after:
            return adapter
        _check(adapter)
        adapter.save()
        _record_change(adapter, _digested(before), _digested(after))
    return adapter


def rotate(
    adapter: Adapter, *, overlap: timedelta = OVERLAP, by: User, now: datetime
) -> tuple[Adapter, str]:
    """Give the adapter a new secret, returned in plain; the old one is taken for `overlap` more.

    Raises PermissionDenied, and IllegalMove when it is switched off.
    """
    with governed(by=by, now=now):
        access.require(by, Action.ADAPTER_CHANGE, adapter, now=now)
        adapter = _active(adapter)
        plain = secrets.token_urlsafe(SECRET_BYTES)
        adapter.sealed_before, adapter.before_until = adapter.sealed, now + overlap
        adapter.sealed = sealing.seal(plain)
        adapter.save()
        _record_change(adapter, {}, {"old_secret_until": adapter.before_until})
    return adapter, plain


def deactivate(adapter: Adapter, *, by: User, now: datetime, reason: str = "") -> Adapter:
    """Close the address for good: it answers as one that never was.

    Raises PermissionDenied, and IllegalMove when it is switched off already.
    """
    with governed(by=by, now=now, reason=reason):
        access.require(by, Action.ADAPTER_CHANGE, adapter, now=now)
        adapter = _active(adapter)
        adapter.is_active = False
        adapter.save()
        _record_change(adapter, {"is_active": True}, {"is_active": False})
    return adapter


def secrets_of(adapter: Adapter, *, now: datetime) -> list[str]:
    """Return the secrets that are valid at `now` in plain, the newest first; one or two."""
    sealed = [adapter.sealed]
    if adapter.before_until is not None and adapter.before_until > now:
        sealed.append(adapter.sealed_before)
    return [sealing.unseal(one) for one in sealed]


def _active(adapter: Adapter) -> Adapter:
    """Lock and return the adapter as it stands; raises IllegalMove when it is switched off."""
    row = (
        Adapter.objects.select_for_update(of=("self",))
        .select_related("application__team", "event_type")
        .get(pk=adapter.pk)
    )
    if not row.is_active:
        raise IllegalMove(_("This inbound address was switched off."), current="inactive")
    return row


def _stripped(wishes: Mapping[str, object]) -> dict[str, object]:
    unknown = wishes.keys() - Wishes.__annotations__.keys()
    if unknown:
        raise TypeError(f"An adapter has no {', '.join(sorted(unknown))} to change.")
    return {k: v.strip() if isinstance(v, str) else v for k, v in wishes.items()}


def _check(adapter: Adapter) -> None:
    faults: dict[str, list[str]] = {}
    for name, message in _faults(adapter):
        faults.setdefault(name, []).append(message)
    if faults:
        raise ValidationError(faults)


def _faults(adapter: Adapter) -> Iterator[tuple[str, str]]:
    if not slugify(adapter.name) or len(adapter.name) > 120:
        yield "name", _("Give it a name of letters or digits, up to 120 characters.")
    if adapter.environment not in Environment.values:
        yield "environment", _("Choose staging or production.")
    if adapter.secret_kind not in SecretKind.values:
        yield "secret_kind", _("Choose header, basic, query or hmac.")
    elif not _NAME.fullmatch(adapter.secret_name):
        yield "secret_name", _("Use letters, digits, dots, dashes and underscores.")
    for name in PATHS:
        text = getattr(adapter, name)
        if text:
            try:
                mapping.compile(text)
            except mapping.InvalidMapping as error:
                yield name, str(error)
    if not 1 <= adapter.window_seconds <= MAX_WINDOW_SECONDS:
        yield (
            "window_seconds",
            _("Give a number from 1 to %(most)s.") % {"most": MAX_WINDOW_SECONDS},
        )


def _free_slug(name: str) -> str:
    base = slugify(name)[:60]
    taken = set(Adapter.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    return next(
        slug
        for slug in (base if number == 1 else f"{base}-{number}" for number in range(1, 10_000))
        if slug not in taken
    )


def _record_change(
    adapter: Adapter, before: Mapping[str, object], after: Mapping[str, object]
) -> None:
    record(
        Action.ADAPTER_CHANGE,
        adapter,
        before=before,
        after=after,
        related=(adapter.application, adapter.application.team),
    )


def _digested(values: Mapping[str, object]) -> dict[str, object]:
    """Return the values for the ledger, expressions by their digest."""
    return {k: _digest(str(v)) if k in PATHS else v for k, v in values.items()}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest() if text else ""
