"""What people, and the engine, do with subscriptions."""

from __future__ import annotations

from datetime import datetime
from typing import Unpack

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from catalog.models import Application, Topic, User
from catalog.moves import IllegalMove
from delivery import backlogs, batching, parking, signals, standing_orders
from delivery.models import Circuit, Subscription
from delivery.orders import Order, Wishes
from delivery.pings import PingResult, ping
from delivery.states import CircuitState, DisableReason, Poison, SubscriptionState
from governance import access
from governance.actions import Action
from governance.governed import governed, record

# A verb of its own module, named here because this is where people look for it.
__all__ = [
    "PingResult",
    "change",
    "create",
    "disable",
    "enable",
    "end",
    "pause",
    "ping",
    "resume",
]


def create(
    *,
    application: Application,
    topic: Topic,
    environment: str,
    by: User,
    now: datetime,
    reason: str = "",
    is_hook: bool = False,
    **wishes: Unpack[Wishes],
) -> tuple[Subscription, str]:
    """Make a standing order; return it with its signing secret in plain (empty for a feed).

    Raises PermissionDenied, and ValidationError by field: also where the application may not
    subscribe to the topic in this environment.
    """
    access.require(by, Action.SUBSCRIPTION_CREATE, application)
    _require_grant(application, topic, environment)
    order = Order.of(wishes)
    standing_orders.check(order, application=application, topic=topic, environment=environment)
    with governed(by=by, now=now, reason=reason):
        endpoint, secret = standing_orders.endpoint_for(application, order, wishes, now=now)
        subscription = Subscription(
            application=application,
            topic=topic,
            environment=environment,
            endpoint=endpoint,
            fallback_endpoint=standing_orders.fallback_for(application, order, None, now=now),
            state_since=now,
            is_hook=is_hook,
            created_by=by,
            created_at=now,
        )
        standing_orders.write(order, subscription)
        subscription.refresh_from_db(fields=["number"])
        Circuit.objects.create(subscription=subscription)
        signals.subscription_created.send(Subscription, thing=subscription, by=by, now=now)
        record(
            Action.SUBSCRIPTION_CREATE,
            subscription,
            after={**standing_orders.facts(order), "environment": environment},
            related=(application, topic),
        )
    return subscription, secret


def change(
    subscription: Subscription,
    *,
    by: User,
    now: datetime,
    reason: str = "",
    **wishes: Unpack[Wishes],
) -> Subscription:
    """Put the wishes over what the subscription asks for; its backlog goes by the new order.

    A new address is the endpoint's: other subscriptions of that endpoint move with it.
    Raises PermissionDenied, ValidationError by field, and IllegalMove when it was ended.
    """
    access.require(by, Action.SUBSCRIPTION_CHANGE, subscription)
    with governed(by=by, now=now, reason=reason):
        subscription = _standing(subscription)
        before = standing_orders.order_of(subscription)
        order = Order.of(wishes, standing=before)
        if order.mode != before.mode:
            raise ValidationError(
                {"mode": _("A webhook cannot become a feed: make a new subscription for it.")}
            )
        standing_orders.check(
            order,
            application=subscription.application,
            topic=subscription.topic,
            environment=subscription.environment,
            itself=subscription.pk,
        )
        if standing_orders.touches_endpoint(before, order, wishes):
            access.require(by, Action.ENDPOINT_CHANGE, subscription)
            standing_orders.change_endpoint(subscription, order, wishes, now=now)
        subscription.fallback_endpoint = standing_orders.fallback_for(
            subscription.application, order, subscription.fallback_endpoint, now=now
        )
        rule = subscription.collecting_rule
        standing_orders.write(order, subscription)
        if subscription.collecting_rule != rule:
            batching.follow(subscription, now=now)
        if not (subscription.is_ordered and subscription.poison == Poison.PARK):
            parking.let_all_go(subscription)
        signals.subscription_changed.send(Subscription, thing=subscription, by=by, now=now)
        _record_change(subscription, before, order)
    return subscription


def pause(subscription: Subscription, *, by: User, now: datetime, reason: str = "") -> Subscription:
    """Stop sending; what arrives meanwhile is kept. Raises PermissionDenied and IllegalMove."""
    access.require(by, Action.SUBSCRIPTION_PAUSE, subscription)
    with governed(by=by, now=now, reason=reason):
        moved = _move(subscription, SubscriptionState.ACTIVE, SubscriptionState.PAUSED, now=now)
        signals.subscription_paused.send(Subscription, thing=moved, by=by, now=now)
        _record_state(Action.SUBSCRIPTION_PAUSE, moved, before=SubscriptionState.ACTIVE)
    return moved


def resume(
    subscription: Subscription, *, by: User, now: datetime, reason: str = ""
) -> Subscription:
    """Send again, the backlog first (see `backlogs.of_one`); the circuit starts closed.

    Raises PermissionDenied, IllegalMove, and ValidationError when the application may no longer
    subscribe here.
    """
    access.require(by, Action.SUBSCRIPTION_RESUME, subscription)
    _require_grant(subscription.application, subscription.topic, subscription.environment)
    sources = [SubscriptionState.PAUSED, SubscriptionState.DISABLED]
    with governed(by=by, now=now, reason=reason):
        return _go_on(subscription, sources, by=by, now=now)


def enable(subscription: Subscription, *, now: datetime) -> Subscription:
    """Go on by itself with what was disabled for want of a grant, now that there is one again.

    Raises IllegalMove when it is not disabled.
    """
    with governed(by=None, now=now, reason=_("Its application may subscribe again.")):
        return _go_on(subscription, [SubscriptionState.DISABLED], by=None, now=now)


def disable(
    subscription: Subscription,
    *,
    because: DisableReason,
    now: datetime,
    by: User | None = None,
    reason: str = "",
) -> Subscription:
    """Stop sending because the engine, or with `by` a person, says so; the backlog is kept.

    Raises IllegalMove when it is disabled already.
    """
    if by is not None:
        access.require(by, Action.SUBSCRIPTION_DISABLE, subscription)
    sources = [SubscriptionState.ACTIVE, SubscriptionState.PAUSED]
    with governed(by=by, now=now, reason=reason or str(because.label)):
        moved = _move(subscription, sources, SubscriptionState.DISABLED, now=now, because=because)
        signals.subscription_disabled.send(Subscription, thing=moved, by=by, now=now)
        _record_state(Action.SUBSCRIPTION_DISABLE, moved, before=subscription.state)
    return moved


def end(
    subscription: Subscription, *, by: User | None, now: datetime, reason: str = ""
) -> Subscription:
    """End it for good; what it is still owed is discarded, and says so.

    `by` is None when a REST hook's receiver answered that it is gone. Raises PermissionDenied, and
    IllegalMove when it has ended before.
    """
    if by is not None:
        access.require(by, Action.SUBSCRIPTION_END, subscription)
    with governed(by=by, now=now, reason=reason):
        subscription = _standing(subscription)
        subscription.ended_at = now
        subscription.save(update_fields=["ended_at"])
        discarded = backlogs.discard(
            subscription, because=_("The subscription was ended."), now=now
        )
        signals.subscription_ended.send(Subscription, thing=subscription, by=by, now=now)
        record(
            Action.SUBSCRIPTION_END,
            subscription,
            after={"ended_at": now, "discarded": discarded},
            related=(subscription.application, subscription.topic),
        )
    return subscription


def _require_grant(application: Application, topic: Topic, environment: str) -> None:
    account = application.service_account
    if not access.allows(account, Action.TOPIC_SUBSCRIBE, topic, environment=environment):
        raise ValidationError(
            {
                "topic": _(
                    "%(application)s may not subscribe to %(topic)s in %(environment)s. "
                    "Ask for access on the topic's page; once it is granted, come back."
                )
                % {
                    "application": application.name,
                    "topic": topic.title or topic.name,
                    "environment": environment,
                }
            }
        )


def _standing(subscription: Subscription) -> Subscription:
    """Lock and return the subscription as it stands; raises IllegalMove when it was ended."""
    row = (
        Subscription.objects.select_for_update(of=("self",))
        .with_names()
        .select_related("fallback_endpoint")
        .get(pk=subscription.pk)
    )
    if row.ended_at is not None:
        raise IllegalMove(_("This subscription has ended."), current="ended")
    return row


def _move(
    subscription: Subscription,
    sources: str | list[SubscriptionState],
    target: SubscriptionState,
    *,
    now: datetime,
    because: str = "",
) -> Subscription:
    named = [sources] if isinstance(sources, str) else list(sources)
    return Subscription.objects.standing().move(
        subscription.pk, named, target, state_reason=because, state_since=now
    )


def _go_on(
    subscription: Subscription, sources: list[SubscriptionState], *, by: User | None, now: datetime
) -> Subscription:
    backlogs.lengthen_age(subscription, now=now)
    moved = _move(subscription, sources, SubscriptionState.ACTIVE, now=now)
    Circuit.objects.update_or_create(
        subscription=moved,
        defaults={
            "state": CircuitState.CLOSED,
            "breaker": {},
            "opened_at": None,
            "next_probe_at": None,
            "failing_since": None,
            "warned_percent": 0,
        },
    )
    signals.subscription_resumed.send(Subscription, thing=moved, by=by, now=now)
    _record_state(Action.SUBSCRIPTION_RESUME, moved, before=subscription.state)
    return moved


def _record_change(subscription: Subscription, before: Order, order: Order) -> None:
    old, new = standing_orders.facts(before), standing_orders.facts(order)
    record(
        Action.SUBSCRIPTION_CHANGE,
        subscription,
        before={name: old[name] for name in old if old[name] != new[name]},
        after={name: new[name] for name in new if old[name] != new[name]},
        related=(subscription.application, subscription.topic),
    )


def _record_state(action: Action, subscription: Subscription, *, before: str) -> None:
    record(
        action,
        subscription,
        before={"state": str(before)},
        after={"state": subscription.state, "reason": subscription.state_reason},
        related=(subscription.application, subscription.topic),
    )
