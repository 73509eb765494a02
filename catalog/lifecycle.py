"""Where an event type stands in an environment, judged by its versions."""

from __future__ import annotations

from django.db.models import Case, CharField, Exists, OuterRef, Value, When

from catalog.models import Release
from catalog.querysets import EventTypeQuerySet
from catalog.words import Environment, ReleaseState

PROPOSED = "proposed"
ORDER = (ReleaseState.LIVE, ReleaseState.DEPRECATED, ReleaseState.STAGED, ReleaseState.RETIRED)


def with_lifecycle(types: EventTypeQuerySet, environment: str) -> EventTypeQuerySet:
    """Annotate `lifecycle`: live if any version is, else deprecated, staged, retired, proposed."""
    releases = Release.objects.filter(version__event_type=OuterRef("pk"), environment=environment)
    cases = [When(Exists(releases.filter(state=state)), then=Value(str(state))) for state in ORDER]
    if environment == Environment.STAGING:
        cases = [case for case, state in zip(cases, ORDER, strict=True) if state != "staged"]
    return types.annotate(lifecycle=Case(*cases, default=Value(PROPOSED), output_field=CharField()))
