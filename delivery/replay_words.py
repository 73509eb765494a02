"""What a replay is about, in words: for its preview, its page and who is to approve it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.models import Topic
from delivery.models import FailureGroup, Subscription
from delivery.replay_selections import Selection
from delivery.states import DeliveryStatus


def told(selection: Selection, *, to: Subscription | None) -> list[tuple[str, str]]:
    """Return what is selected, and to whom it goes, as pairs of a word and a sentence's part."""
    found = [(_("What"), _what(selection))]
    if selection.event_type:
        found.append((_("Event type"), selection.event_type))
    if selection.since:
        found.append((_("From"), _instant(selection.since)))
        found.append((_("To"), _instant(selection.until) if selection.until else _("now")))
    found.append((_("Sent to"), to.name if to else _("where each was to go")))
    return found


def _what(selection: Selection) -> str:
    if selection.deliveries:
        count = len(selection.deliveries)
        return ngettext("%(n)s delivery, chosen", "%(n)s deliveries, chosen", count) % {"n": count}
    if selection.failure_group is not None:
        number = FailureGroup.objects.filter(pk=selection.failure_group).values_list(
            "number", flat=True
        )
        return _("Everything that died of %(group)s") % {"group": f"F-{number.first()}"}
    if selection.topic is not None:
        words = {"topic": _topic(selection.topic)}
        if selection.never_tried:
            return _("Events of %(topic)s that were never sent there") % words
        return _("Every event of %(topic)s") % words
    words = {"name": _subscription(selection.subscription)}
    if selection.status == DeliveryStatus.DELIVERED:
        return _("What %(name)s has received") % words
    return _("What could not be delivered to %(name)s") % words


def _topic(pk: UUID) -> str:
    return Topic.objects.filter(pk=pk).values_list("name", flat=True).first() or ""


def _subscription(pk: UUID | None) -> str:
    named = Subscription.objects.filter(pk=pk) if pk else Subscription.objects.none()
    return named.values_list("name", flat=True).first() or ""


def _instant(at: datetime) -> str:
    return date_format(timezone.localtime(at), "DATETIME_FORMAT")
