"""What people do about failures: take them, note, resolve, ignore and reopen them; discard."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from catalog.models import User
from catalog.moves import IllegalMove
from delivery import signals
from delivery.dead_letters import REOPENED, RESOLVED
from delivery.models import DeadLetter, Delivery, FailureGroup, QueueRow
from delivery.states import DeliveryStatus, FailureGroupState
from delivery.transports import ErrorClass
from governance import access
from governance.actions import Action
from governance.governed import governed, record
from governance.ledger import reference
from governance.models import Grant, LedgerEntry
from governance.states import Verb

ASSIGNED = "failure:assign"
IGNORED = "failure:ignore"
NOTED = "failure:note"

_UNSETTLED = (FailureGroupState.OPEN, FailureGroupState.ASSIGNED)
SHOWN_CHANGES = 8
SHORTLY = timedelta(days=2)
# Kinds of failure that a new version of the contract can cause.
_BY_CONTRACT = (ErrorClass.MAPPING, ErrorClass.TRANSLATION)
_OF_CONTRACT = ("topic:", "event-type:", "version:")


def assign(group: FailureGroup, *, to: User | None, by: User, now: datetime) -> FailureGroup:
    """Put a person's name on the group, or with None take it off.

    Raises PermissionDenied, and IllegalMove when the group is resolved or ignored.
    """
    access.require(by, Action.FAILURE_HANDLE, group)
    target = FailureGroupState.ASSIGNED if to else FailureGroupState.OPEN
    sources = _UNSETTLED if to else (FailureGroupState.ASSIGNED,)
    with governed(by=by, now=now):
        moved = FailureGroup.objects.move(group.pk, sources, target, assignee=to)
        signals.failure_assigned.send(FailureGroup, thing=moved, by=by, now=now)
        _record(
            ASSIGNED,
            moved,
            before={"assignee": group.assignee_id},
            after={"assignee": to.pk if to else None},
        )
    return moved


def note(group: FailureGroup, *, text: str, by: User, now: datetime) -> None:
    """Keep what someone found out; the ledger holds it, so it stays as it was written.

    Raises PermissionDenied, and ValidationError for an empty note.
    """
    access.require(by, Action.FAILURE_HANDLE, group)
    text = _required(text, "text", _("Write what you found out."))
    with governed(by=by, now=now, reason=text):
        _record(NOTED, group)


def resolve(group: FailureGroup, *, how: str, by: User, now: datetime) -> FailureGroup:
    """Close the group with what was done; letters that are still open are closed with it.

    Raises PermissionDenied, ValidationError for an empty text, and IllegalMove when it is closed.
    """
    access.require(by, Action.FAILURE_HANDLE, group)
    how = _required(how, "how", _("Say what was done: it helps whoever meets this next."))
    with governed(by=by, now=now, reason=how):
        moved = FailureGroup.objects.move(
            group.pk, _UNSETTLED, FailureGroupState.RESOLVED, resolution=how, resolved_at=now
        )
        closed = DeadLetter.objects.filter(failure_group=group, resolved_at__isnull=True).update(
            resolved_at=now, resolution=_("Closed with its group")
        )
        FailureGroup.objects.filter(pk=group.pk).update(open_count=0)
        moved.open_count = 0
        signals.failure_resolved.send(FailureGroup, thing=moved, by=by, now=now)
        _record(
            RESOLVED,
            moved,
            before={"state": group.state},
            after={"state": moved.state, "letters_closed": closed},
        )
    return moved


def ignore(
    group: FailureGroup, *, until: datetime | None, reason: str, by: User, now: datetime
) -> FailureGroup:
    """Stop counting the group among what needs someone, until a date or for good.

    Raises PermissionDenied, ValidationError without a reason or with a past date, IllegalMove.
    """
    access.require(by, Action.FAILURE_HANDLE, group)
    reason = _required(reason, "reason", _("Say why this may be ignored."))
    if until is not None and until <= now:
        raise ValidationError({"until": _("Choose a date in the future.")})
    with governed(by=by, now=now, reason=reason):
        moved = FailureGroup.objects.move(
            group.pk, _UNSETTLED, FailureGroupState.IGNORED, ignored_until=until
        )
        _record(IGNORED, moved, before={"state": group.state}, after={"until": until})
    return moved


def reopen(group: FailureGroup, *, reason: str, by: User, now: datetime) -> FailureGroup:
    """Open a resolved or ignored group again. Raises PermissionDenied and IllegalMove."""
    access.require(by, Action.FAILURE_HANDLE, group)
    closed = (FailureGroupState.RESOLVED, FailureGroupState.IGNORED)
    with governed(by=by, now=now, reason=reason):
        moved = FailureGroup.objects.move(
            group.pk,
            closed,
            FailureGroupState.OPEN,
            assignee=None,
            resolved_at=None,
            ignored_until=None,
        )
        signals.failure_reopened.send(FailureGroup, thing=moved, by=by, now=now)
        _record(REOPENED, moved, before={"state": group.state}, after={"state": moved.state})
    return moved


def discard(delivery: Delivery, *, reason: str, by: User, now: datetime) -> Delivery:
    """End a delivery that is owed or dead: it will not be made, because a person says so.

    A request that is under way at this moment may still arrive. Raises PermissionDenied,
    ValidationError without a reason, and IllegalMove when it has ended in another way.
    """
    access.require(by, Action.DELIVERY_DISCARD, delivery)
    reason = _required(reason, "reason", _("Say why it is not needed: the reason is kept."))
    with governed(by=by, now=now, reason=reason):
        ended = Delivery.objects.filter(
            pk=delivery.pk, status__in=[DeliveryStatus.PENDING, DeliveryStatus.DEAD]
        ).update(status=DeliveryStatus.DISCARDED, reason=reason[:200], ended_at=now)
        if not ended:
            raise IllegalMove(
                _("This delivery has ended in another way meanwhile."), current=delivery.status
            )
        QueueRow.objects.filter(delivery_id=delivery.pk).delete()
        _close_letter(delivery.pk, reason, now)
        delivery.refresh_from_db()
        subscription = delivery.subscription
        record(
            Action.DELIVERY_DISCARD,
            delivery,
            after={"status": delivery.status},
            related=(subscription, subscription.application, subscription.topic),
        )
    return delivery


def discard_all(
    deliveries: Sequence[Delivery], *, reason: str, by: User, now: datetime
) -> list[Delivery]:
    """Discard each of these, or none."""
    with governed(by=by, now=now, reason=reason):
        return [discard(one, reason=reason, by=by, now=now) for one in deliveries]


def notes(group: FailureGroup) -> QuerySet[LedgerEntry]:
    """Return what people wrote about the group, the newest first."""
    return LedgerEntry.objects.about(group).filter(action=NOTED).order_by("-number")


def known_resolutions(
    group: FailureGroup, *, viewer: User, limit: int = 3
) -> QuerySet[FailureGroup]:
    """Return how failures of the same kind, that the viewer may see, were mended before.

    The newest first.
    """
    return (
        access.restrict(FailureGroup.objects.all(), viewer, Action.FAILURE_VIEW)
        .filter(
            state=FailureGroupState.RESOLVED,
            error_class=group.error_class,
            status_code=group.status_code,
            environment=group.environment,
        )
        .exclude(pk=group.pk)
        .exclude(resolution="")
        .with_names()
        .order_by("-resolved_at")[:limit]
    )


def changes_before(group: FailureGroup) -> QuerySet[LedgerEntry]:
    """Return what changed last before the failure began, the newest first.

    Of the subscription, its endpoint and application, of the topic's contracts, and deploys of who
    publishes to it; needs `with_names()`.
    """
    subscription = group.subscription
    things = [subscription, subscription.application]
    if subscription.endpoint is not None:
        things.append(subscription.endpoint)
    own = Q(related__has_any_keys=[reference(thing) for thing in things])
    # Of the topic only what reaches every subscriber: the grants of others are no cause of this.
    contract = reduce(or_, [Q(action__startswith=one) for one in _OF_CONTRACT])
    return (
        LedgerEntry.objects.filter(
            own
            | (Q(related__has_key=reference(subscription.topic)) & contract)
            | (Q(action=Action.APPLICATION_DEPLOY) & _about_publishers(group)),
            at__lte=group.first_seen_at,
        )
        .exclude(action__startswith="failure:")
        .exclude(action__startswith="secret:view")
        .exclude(Q(action=Action.APPLICATION_DEPLOY) & ~Q(after__environment=group.environment))
        .order_by("-number")[:SHOWN_CHANGES]
    )


def contract_change(group: FailureGroup, changes: Sequence[LedgerEntry]) -> LedgerEntry | None:
    """Return the change of contract that may be the cause: shortly before, and it fits the kind."""
    fits = group.error_class in _BY_CONTRACT or group.status_code in (400, 422)
    if not fits:
        return None
    for entry in changes:
        is_close = group.first_seen_at - entry.at <= SHORTLY
        if entry.action.startswith("version:") and is_close:
            return entry
    return None


def _about_publishers(group: FailureGroup) -> Q:
    """Match entries about applications that might publish to the topic when the failure began."""
    grants = Grant.objects.in_force(group.first_seen_at).filter(
        topic=group.subscription.topic,
        verb=Verb.PUBLISH,
        environment=group.environment,
        application__isnull=False,
    )
    publishers = [one.application for one in grants.select_related("application")[:50]]
    return Q(related__has_any_keys=[reference(one) for one in publishers if one])


def _close_letter(delivery_id: UUID, reason: str, now: datetime) -> None:
    letter = DeadLetter.objects.filter(pk=delivery_id, resolved_at__isnull=True).first()
    if letter is None:
        return
    DeadLetter.objects.filter(pk=letter.pk).update(
        resolved_at=now, resolution=_("Discarded: %(reason)s")[:200] % {"reason": reason[:180]}
    )
    FailureGroup.objects.filter(pk=letter.failure_group_id).update(open_count=F("open_count") - 1)
    group = FailureGroup.objects.get(pk=letter.failure_group_id)
    if group.open_count == 0 and group.state in _UNSETTLED:
        how = _("Every event of it was discarded")
        moved = FailureGroup.objects.move(
            group.pk, _UNSETTLED, FailureGroupState.RESOLVED, resolution=how, resolved_at=now
        )
        _record(RESOLVED, moved, before={"state": group.state}, after={"state": moved.state})


def _record(
    action: str,
    group: FailureGroup,
    *,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
) -> None:
    subscription = group.subscription
    record(
        action,
        group,
        before=before,
        after=after,
        related=(subscription, subscription.application, subscription.topic),
    )


def _required(text: str, field: str, otherwise: str) -> str:
    text = text.strip()
    if not text:
        raise ValidationError({field: otherwise})
    return text
