"""From the answers of endpoints to their circuits, and to what days of failure lead to."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_noop

from catalog.moves import IllegalMove
from delivery import circuits, signals, subscriptions
from delivery.circuits import Answers, News
from delivery.models import Circuit, Subscription
from delivery.settling import Result, Tried
from delivery.states import DisableReason
from delivery.transports import ErrorClass, Receipt

# Good news may wait: a healthy endpoint's row is written once a second, not with each batch.
REPORT_EVERY = timedelta(seconds=1)
WARN_AT_ATTEMPT = 4  # of one event (design, section 9)
# What we did wrong says nothing of the endpoint.
_OURS = frozenset({ErrorClass.INTERRUPTED, ErrorClass.BAD_SETTINGS, ErrorClass.TRANSLATION})


@dataclass(kw_only=True, slots=True)
class Notes:
    """What one worker process has heard from endpoints and not yet reported."""

    _heard: dict[UUID, tuple[list[bool], str]] = field(default_factory=dict)
    _is_urgent: bool = False
    _reported_at: datetime | None = None

    def add(self, results: Iterable[Result], *, not_closed: Collection[UUID]) -> None:
        """Take in how attempts went; replays and other addresses than the endpoint do not count."""
        for result in results:
            if not isinstance(result, Tried) or not result.is_for_health:
                continue
            answer = result.answer
            is_good = isinstance(answer, Receipt)
            if not isinstance(answer, Receipt) and answer.error_class in _OURS:
                continue
            heard, _status = self._heard.get(result.owed.subscription_id, ([], ""))
            heard.append(is_good)
            kind = "" if isinstance(answer, Receipt) else answer.error_class.value
            status = str(answer.status or kind)
            self._heard[result.owed.subscription_id] = heard, status
            if not is_good or result.owed.subscription_id in not_closed:
                self._is_urgent = True

    def take(self, *, now: datetime) -> Mapping[UUID, Answers]:
        """Return what is to be reported now and forget it; nothing while it may wait."""
        if not self._heard:
            return {}
        may_wait = self._reported_at is not None and now - self._reported_at < REPORT_EVERY
        if may_wait and not self._is_urgent:
            return {}
        taken = {
            pk: Answers(results=results, last_status=status)
            for pk, (results, status) in self._heard.items()
        }
        self._heard, self._is_urgent, self._reported_at = {}, False, now
        return taken


def report(answers: Mapping[UUID, Answers], *, now: datetime) -> Sequence[News]:
    """Store the answers in the circuits and tell who must know; return what changed."""
    if not answers:
        return ()
    with transaction.atomic():
        news = circuits.report(answers, now=now)
        for one in news:
            _tell(one, now)
    for one in news:
        if one.gives_up:
            end_sending(one.subscription_id, because=DisableReason.FAILING, now=now)
    return news


def end_sending(subscription_id: UUID, *, because: DisableReason, now: datetime) -> None:
    """Disable a subscription; end it if it is a builder's hook whose receiver is gone."""
    subscription = Subscription.objects.with_names().get(pk=subscription_id)
    try:
        if subscription.is_hook and because is DisableReason.GONE:
            reason = gettext_noop("The builder's address answered that it is gone.")
            subscriptions.end(subscription, by=None, now=now, reason=reason)
        else:
            subscriptions.disable(subscription, because=because, now=now)
    except IllegalMove:
        return  # another worker, or a person, was faster


def tell_failing(failing: Mapping[UUID, int], *, now: datetime) -> None:
    """Tell of subscriptions where one event has just failed for the fourth time."""
    for subscription_id, attempts in failing.items():
        if attempts == WARN_AT_ATTEMPT:
            subscription = Subscription.objects.with_names().get(pk=subscription_id)
            signals.delivery_failing.send(
                Subscription, thing=subscription, by=None, now=now, attempts=attempts
            )


def _tell(news: News, now: datetime) -> None:
    subscription = Subscription.objects.with_names().get(pk=news.subscription_id)
    if news.opened:
        signals.circuit_opened.send(Circuit, thing=subscription, by=None, now=now)
    if news.closed:
        signals.circuit_closed.send(Circuit, thing=subscription, by=None, now=now)
    if news.warn_percent:
        signals.endpoint_failing.send(
            Circuit, thing=subscription, by=None, now=now, percent=news.warn_percent
        )
