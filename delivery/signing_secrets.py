"""What people do with the secret that signs what a subscription is sent."""

from __future__ import annotations

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
    access.require(by, Action.SECRET_ROTATE, subscription)
    endpoint = _endpoint(subscription)
    with governed(by=by, now=now, reason=reason):
        plain = endpoints.rotate_secret(endpoint, overlap=overlap, now=now)
        signals.secret_rotated.send(Subscription, thing=subscription, by=by, now=now)
        record(
            Action.SECRET_ROTATE,
            subscription,
            after={"old_valid_until": now + overlap},
            related=(subscription.application, endpoint),
        )
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
    access.require(by, Action.SECRET_ROTATE, subscription)
    endpoint = _endpoint(subscription)
    with governed(by=by, now=now, reason=reason):
        public = endpoints.rotate_key_pair(endpoint, overlap=overlap, now=now)
        signals.secret_rotated.send(Subscription, thing=subscription, by=by, now=now)
        record(
            Action.SECRET_ROTATE,
            subscription,
            after={"public_key": public, "old_valid_until": now + overlap},
            related=(subscription.application, endpoint),
        )
    return public


def end_key_pairs(subscription: Subscription, *, by: User, now: datetime, reason: str = "") -> None:
    """Sign with the secret alone from now on. Raises as `rotate` does."""
    access.require(by, Action.SECRET_ROTATE, subscription)
    endpoint = _endpoint(subscription)
    with governed(by=by, now=now, reason=reason):
        endpoints.end_key_pairs(endpoint, now=now)
        signals.secret_rotated.send(Subscription, thing=subscription, by=by, now=now)
        record(
            Action.SECRET_ROTATE,
            subscription,
            after={"public_key": ""},
            related=(subscription.application, endpoint),
        )


def public_keys(subscription: Subscription, *, now: datetime) -> list[str]:
    """Return what a receiver verifies `v1a` signatures with, the newest first; mostly none."""
    endpoint = subscription.endpoint
    return endpoints.public_keys(endpoint, now=now) if endpoint else []


def _endpoint(subscription: Subscription) -> Endpoint:
    if subscription.endpoint is None:
        raise ValidationError(
            {"mode": _("A feed is not signed: whoever reads it proves who they are by their key.")}
        )
    return subscription.endpoint
