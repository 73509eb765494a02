"""Runbooks: written, changed, taken out of use, and found for a failure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from catalog.models import Topic, User
from catalog.moves import IllegalMove
from delivery import runbook_steps
from delivery.models import FailureGroup, Runbook, Subscription
from delivery.transports import ErrorClass
from governance import access
from governance.actions import Action
from governance.governed import governed, record

WRITTEN = "runbook:write"
RETIRED = "runbook:retire"
RESTORED = "runbook:restore"
MOST_CHARACTERS = 20_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Content:
    """What somebody writes: the text, and which failures it is for."""

    title: str
    text: str
    error_class: str = ""
    status_code: int | None = None
    topic: Topic | None = None
    subscription: Subscription | None = None


def write(content: Content, *, by: User, now: datetime) -> Runbook:
    """Put a new runbook into use.

    What it is bound to decides who may. Raises PermissionDenied, and ValidationError by field.
    """
    _require_sound(content)
    with governed(by=by, now=now):
        made = Runbook(**_columns(content), changed_by=by, changed_at=now)
        made.save()
        made.refresh_from_db(fields=["number"])
        access.require(by, Action.RUNBOOK_CHANGE, made)
        _record(WRITTEN, made, before={})
    return made


def change(
    runbook: Runbook, content: Content, *, version: int, by: User, now: datetime, reason: str = ""
) -> Runbook:
    """Save another version of the text or its bindings.

    `version` is the one that the text was written upon. Raises PermissionDenied, ValidationError by
    field, and IllegalMove when somebody saved another version meanwhile.
    """
    access.require(by, Action.RUNBOOK_CHANGE, runbook)
    _require_sound(content)
    with governed(by=by, now=now, reason=reason):
        row = Runbook.objects.select_for_update(no_key=True).get(pk=runbook.pk)
        if row.version != version:
            raise IllegalMove(
                _("Somebody saved another version meanwhile. Compare it with yours."),
                current=str(row.version),
            )
        before = _told(row)
        for name, value in _columns(content).items():
            setattr(row, name, value)
        row.version, row.changed_by, row.changed_at = version + 1, by, now
        row.save()
        access.require(by, Action.RUNBOOK_CHANGE, row)  # of what it is bound to now, too
        _record(WRITTEN, row, before=before)
    return row


def retire(runbook: Runbook, *, by: User, now: datetime, reason: str = "") -> Runbook:
    """Show it on no failure any more; it and its versions are kept. Raises as `restore` does."""
    return _switch(runbook, RETIRED, is_active=False, by=by, now=now, reason=reason)


def restore(runbook: Runbook, *, by: User, now: datetime, reason: str = "") -> Runbook:
    """Show it again. Raises PermissionDenied, and IllegalMove when it is shown already."""
    return _switch(runbook, RESTORED, is_active=True, by=by, now=now, reason=reason)


def for_failure(group: FailureGroup) -> QuerySet[Runbook]:
    """Return the runbooks that fit a failure, the one that says most about it first.

    Whoever may see the failure may read them.
    """
    subscription = group.subscription
    return Runbook.objects.filter(
        Q(error_class="") | Q(error_class=group.error_class),
        Q(status_code__isnull=True) | Q(status_code=group.status_code),
        Q(topic__isnull=True) | Q(topic=subscription.topic_id),
        Q(subscription__isnull=True) | Q(subscription=subscription),
        is_active=True,
    ).order_by(
        F("subscription").asc(nulls_last=True),
        F("topic").asc(nulls_last=True),
        F("status_code").asc(nulls_last=True),
        "title",
    )


def _switch(
    runbook: Runbook, action: str, *, is_active: bool, by: User, now: datetime, reason: str
) -> Runbook:
    access.require(by, Action.RUNBOOK_CHANGE, runbook)
    with governed(by=by, now=now, reason=reason):
        row = Runbook.objects.select_for_update(no_key=True).get(pk=runbook.pk)
        if row.is_active == is_active:
            raise IllegalMove(_("Somebody did this already."), current=str(row.is_active))
        row.is_active, row.changed_by, row.changed_at = is_active, by, now
        row.save()
        _record(action, row, before={"shown": not is_active})
    return row


def _require_sound(content: Content) -> None:
    faults = {**_faults_of_text(content), **_faults_of_bindings(content)}
    if faults:
        raise ValidationError(faults)


def _faults_of_text(content: Content) -> dict[str, str]:
    faults: dict[str, str] = {}
    unknown = runbook_steps.unknown_deeds(content.text)
    if not content.title.strip():
        faults["title"] = _("Name what it is for.")
    if not content.text.strip():
        faults["text"] = _("Write at least one step.")
    elif len(content.text) > MOST_CHARACTERS:
        faults["text"] = _("Keep it under 20,000 characters: somebody reads it in a hurry.")
    elif len(runbook_steps.steps(content.text)) > runbook_steps.MOST_STEPS:
        faults["text"] = _("Keep it to 20 steps.")
    elif unknown:
        faults["text"] = _("No button does “%(verb)s”. There are: %(verbs)s.") % {
            "verb": unknown[0][:40],
            "verbs": ", ".join(runbook_steps.Deed),
        }
    return faults


def _faults_of_bindings(content: Content) -> dict[str, str]:
    faults: dict[str, str] = {}
    if content.error_class and content.error_class not in list(ErrorClass):
        faults["error_class"] = _("There is no such kind of failure.")
    if not (content.error_class or content.topic or content.subscription):
        faults["error_class"] = _("Say which failures it is for: a kind, a topic, a subscription.")
    if content.status_code is None:
        return faults
    if content.error_class != ErrorClass.HTTP_STATUS:
        faults["status_code"] = _("Only the kind “answers with an error” has a status.")
    elif not 100 <= content.status_code <= 599:
        faults["status_code"] = _("A status is a number from 100 to 599.")
    return faults


def _columns(content: Content) -> dict[str, object]:
    given = {name: getattr(content, name) for name in content.__slots__}
    return {**given, "title": content.title.strip()}


def _told(row: Runbook) -> Mapping[str, object]:
    return {
        "version": row.version,
        "kind": row.error_class,
        "status": row.status_code,
        "topic": row.topic_id,
        "subscription": row.subscription_id,
    }


def _record(action: str, row: Runbook, *, before: Mapping[str, object]) -> None:
    subscription = row.subscription
    related = [row.topic, subscription, subscription.application if subscription else None]
    record(
        action,
        row,
        before=before,
        after={**_told(row), "shown": row.is_active},
        related=tuple(one for one in related if one is not None),
    )
