"""What people do with the secret that signs what a subscription is sent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from catalog.models import User
from delivery import endpoints, signals
from delivery.models import Endpoint, Subscription
from governance import access
from governance.actions import Action
from governance.governed import governed, record


def rotate(
    subscription: Subscription,
    *,
    by: User,
    now: datetime,
    overlap: timedelta = endpoints.OVERLAP,
    reason: str = "",
) -> str:
    """Make a new signing secret and return it in plain; the old one stays valid for `overlap`.

    Raises PermissionDenied, and ValidationError for a feed or an overlap beyond 7 days.
    """
    with _signing_anew(subscription, by=by, now=now, reason=reason) as (endpoint, told):
        plain = endpoints.rotate_secret(endpoint, overlap=overlap, now=now)
        told["old_valid_until"] = now + overlap
    return plain


def reveal(subscription: Subscription, *, by: User, now: datetime) -> str:
    """Return the newest signing secret in plain; the ledger says who looked.

    Raises PermissionDenied, and ValidationError for a feed.
    """
    access.require(by, Action.SECRET_VIEW, subscription)
    endpoint = _endpoint(subscription)
    with governed(by=by, now=now):
        record(Action.SECRET_VIEW, subscription, related=(subscription.application, endpoint))
    return endpoints.signing_secrets(endpoint, now=now)[0]


def rotate_key_pair(
    subscription: Subscription,
    *,
    by: User,
    now: datetime,
    overlap: timedelta = endpoints.OVERLAP,
    reason: str = "",
) -> str:
    """Sign with a new ed25519 pair beside the secret (`v1a`); return its public half.

    A pair that signed before stays valid for `overlap`. Raises as `rotate` does.
    """
    with _signing_anew(subscription, by=by, now=now, reason=reason) as (endpoint, told):
        public = endpoints.rotate_key_pair(endpoint, overlap=overlap, now=now)
        told |= {"public_key": public, "old_valid_until": now + overlap}
    return public


def end_key_pairs(subscription: Subscription, *, by: User, now: datetime, reason: str = "") -> None:
    """Sign with the secret alone from now on. Raises as `rotate` does."""
    with _signing_anew(subscription, by=by, now=now, reason=reason) as (endpoint, told):
        endpoints.end_key_pairs(endpoint, now=now)
        told["public_key"] = ""


def public_keys(subscription: Subscription, *, now: datetime) -> list[str]:
    """Return what a receiver verifies `v1a` signatures with, the newest first; mostly none."""
    endpoint = subscription.endpoint
    return endpoints.public_keys(endpoint, now=now) if endpoint else []


@contextmanager
def _signing_anew(
    subscription: Subscription, *, by: User, now: datetime, reason: str
) -> Iterator[tuple[Endpoint, dict[str, object]]]:
    """Ask for permission, and say what was changed: what the block writes goes into the ledger."""
    access.require(by, Action.SECRET_ROTATE, subscription)
    endpoint, told = _endpoint(subscription), dict[str, object]()
    with governed(by=by, now=now, reason=reason):
        yield endpoint, told
        signals.secret_rotated.send(Subscription, thing=subscription, by=by, now=now)
        record(
            Action.SECRET_ROTATE,
            subscription,
            after=told,
            related=(subscription.application, endpoint),
        )


def _endpoint(subscription: Subscription) -> Endpoint:
    if subscription.endpoint is None:
        raise ValidationError(
            {"mode": _("A feed is not signed: whoever reads it proves who they are by their key.")}
        )
    return subscription.endpoint
