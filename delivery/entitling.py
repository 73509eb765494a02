"""What the end of a grant, and a new one, make of subscriptions.

Sending and routing ask for themselves whether an application may subscribe; here it becomes what
people read: a subscription that nothing is sent to says so, and goes on by itself when it may.
"""

from __future__ import annotations

import contextlib
from datetime import datetime

from django.db.models import QuerySet

from catalog.moves import IllegalMove
from delivery import subscriptions
from delivery.models import Subscription
from delivery.states import DisableReason, SubscriptionState
from governance import access
from governance.models import Grant
from governance.states import Verb


def stop(grant: Grant, *, now: datetime) -> int:
    """Disable what may no longer subscribe since the grant has ended; return how many.

    What a person paused stays so: it cannot be resumed without a grant.
    """
    active = list(_of(grant).filter(state=SubscriptionState.ACTIVE))
    held = access.entitlements(now) if active else None
    return sum(_disable(one, now) for one in active if held and not _may(one, held, now))


def go_on(grant: Grant, *, now: datetime) -> int:
    """Enable what was disabled for want of a grant and may subscribe again; return how many."""
    why = DisableReason.NO_GRANT
    stopped = list(_of(grant).filter(state=SubscriptionState.DISABLED, state_reason=why))
    held = access.entitlements(now) if stopped else None
    return sum(_enable(one, now) for one in stopped if held and _may(one, held, now))


def _of(grant: Grant) -> QuerySet[Subscription]:
    """Return the standing subscriptions that may go by this grant."""
    standing = (
        Subscription.objects.standing()
        .with_names()
        .filter(topic=grant.topic, environment=grant.environment)
    )
    if grant.verb != Verb.SUBSCRIBE:
        return standing.none()
    if grant.team_id is not None:
        return standing.filter(application__team=grant.team_id)
    return standing.filter(application=grant.application_id)


def _may(subscription: Subscription, held: access.Entitlements, now: datetime) -> bool:
    return held.allows(
        subscription.application_id,
        Verb.SUBSCRIBE,
        subscription.topic_id,
        subscription.environment,
        now,
    )


def _disable(subscription: Subscription, now: datetime) -> bool:
    with contextlib.suppress(IllegalMove):  # a person was faster
        subscriptions.disable(subscription, because=DisableReason.NO_GRANT, now=now)
        return True
    return False


def _enable(subscription: Subscription, now: datetime) -> bool:
    with contextlib.suppress(IllegalMove):
        subscriptions.enable(subscription, now=now)
        return True
    return False
