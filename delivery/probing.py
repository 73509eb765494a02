"""Asking an endpoint behind an open circuit now, instead of when its cool-down is over."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from catalog.models import User
from catalog.moves import IllegalMove
from delivery import breaker, circuits, signals
from delivery.models import Circuit, Subscription
from delivery.states import SubscriptionState
from governance import access
from governance.actions import Action
from governance.governed import governed, record

PROBED = "subscription:probe"


def probe_now(subscription: Subscription, *, by: User, now: datetime) -> None:
    """Let the next delivery go out as a probe at once; the circuit closes if it arrives.

    Raises PermissionDenied, and IllegalMove where nothing is sent anyway or the circuit is closed.
    """
    access.require(by, Action.SUBSCRIPTION_TEST, subscription)
    if subscription.state != SubscriptionState.ACTIVE:
        raise IllegalMove(_("It is paused or disabled: resume it."), current=subscription.state)
    with governed(by=by, now=now):
        row = Circuit.objects.select_for_update(no_key=True).filter(pk=subscription.pk).first()
        state = breaker.from_json(row.breaker) if row else breaker.CLOSED
        if row is None or state.position is breaker.Position.CLOSED:
            raise IllegalMove(_("Its circuit is closed: deliveries go out."), current="closed")
        circuits.store(row, breaker.hasten(state, now=now))
        row.save(update_fields=["state", "breaker", "next_probe_at"])
        record(
            PROBED,
            subscription,
            after={"next_probe": now},
            related=(subscription.application, subscription.topic),
        )
        transaction.on_commit(
            lambda: signals.work_waits.send(None, subscription_ids={subscription.pk}), robust=True
        )
