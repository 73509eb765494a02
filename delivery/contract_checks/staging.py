"""What staging has seen of a version that is to go to production."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.words import Environment
from delivery.models import Delivery, Event
from delivery.states import DeliveryStatus
from governance.checks import Answer
from governance.models import ChangeRequest
from governance.states import Outcome


def check_staging(change: ChangeRequest, now: datetime) -> Answer | None:
    """Say what staging has seen of the version that is to be promoted."""
    del now
    if change.base is None:
        return None
    events = Event.objects.filter(
        type=change.base.event_type_id, version=change.base, environment=Environment.STAGING
    )
    seen = events.count()
    statuses = dict(
        Delivery.objects.filter(event__in=events.values("pk"))
        .order_by()
        .values_list("status")
        .annotate(n=Count("pk"))
    )
    facts = {"events": seen, **statuses}
    if not seen:
        return Answer(
            outcome=Outcome.ADVICE,
            summary=_("No event of this version has come through staging yet."),
            findings=[facts],
        )
    dead = statuses.get(DeliveryStatus.DEAD, 0)
    return Answer(
        outcome=Outcome.ADVICE if dead else Outcome.PASSED,
        summary=_in_words(seen, statuses.get(DeliveryStatus.DELIVERED, 0), dead),
        findings=[facts],
    )


def _in_words(seen: int, delivered: int, dead: int) -> str:
    events = ngettext("Staging took %(n)s event;", "Staging took %(n)s events;", seen)
    arrived = ngettext("%(n)s delivery arrived,", "%(n)s deliveries arrived,", delivered)
    died = ngettext("%(n)s died.", "%(n)s died.", dead) if dead else _("none died.")
    return " ".join([events % {"n": seen}, arrived % {"n": delivered}, died % {"n": dead}])
