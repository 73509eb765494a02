"""What staging has seen of a version that is to go to production."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Count, Sum
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.models import SchemaVersion
from catalog.words import Environment
from delivery.models import ContractBreach, Delivery, Event
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
    refused = _refused(change.base)
    facts = {"events": seen, **({"refused": refused} if refused else {}), **statuses}
    if not seen and not refused:
        return Answer(
            outcome=Outcome.ADVICE,
            summary=_("No event of this version has come through staging yet."),
            findings=[facts],
        )
    dead = statuses.get(DeliveryStatus.DEAD, 0)
    return Answer(
        outcome=Outcome.ADVICE if dead or refused else Outcome.PASSED,
        summary=_in_words(seen, refused, statuses.get(DeliveryStatus.DELIVERED, 0), dead),
        findings=[facts],
    )


def _refused(version: SchemaVersion) -> int:
    """Return how many events broke the version's contract in staging."""
    rows = ContractBreach.objects.filter(version_id=version.pk, environment=Environment.STAGING)
    found: int = rows.aggregate(n=Sum("count", default=0))["n"]
    return found


def _in_words(seen: int, refused: int, delivered: int, dead: int) -> str:
    events = ngettext("Staging took %(n)s event", "Staging took %(n)s events", seen) % {"n": seen}
    events += " " + _("and refused %(n)s;") % {"n": refused} if refused else ";"
    arrived = ngettext("%(n)s delivery arrived,", "%(n)s deliveries arrived,", delivered)
    died = ngettext("%(n)s died.", "%(n)s died.", dead) if dead else _("none died.")
    return " ".join([events, arrived % {"n": delivered}, died % {"n": dead}])
