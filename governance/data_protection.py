"""The check of what a contract says about people: marks that vanish, and where the data may go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from django.utils.translation import gettext as _

from catalog import referring, schemas
from catalog.models import Topic
from catalog.schemas import Field
from catalog.schemas.inferring import looks_personal
from governance import checks, proposals, versions
from governance.checks import Answer, Weight
from governance.models import ChangeRequest
from governance.states import ChangeKind, Outcome

DATA_PROTECTION = "data_protection"
_BAD, _ADVICE = "error", "advice"


def check(change: ChangeRequest, now: datetime) -> Answer | None:
    """Compare the sensitive fields of the proposal with those of the newest live version."""
    del now
    proposal = proposals.schema_of(change)
    if proposal is None:
        return None
    live = versions.live(change.event_type) if change.event_type else []
    old = _fields(schemas.read(live[-1].document)) if live else {}
    found = list(findings(old, _fields(proposal.schema), change.topic))
    shown: list[dict[str, object]] = [
        {"severity": severity, "pointer": pointer, "message": message}
        for severity, pointer, message in found
    ]
    errors = [message for severity, _pointer, message in found if severity == _BAD]
    if errors:
        return Answer(outcome=Outcome.FAILED, summary=errors[0], findings=shown)
    if found:
        summary = _("Sensitive data: %(n)s things to know.") % {"n": len(found)}
        return Answer(outcome=Outcome.ADVICE, summary=summary, findings=shown)
    return Answer(outcome=Outcome.PASSED, summary=_("It says nothing new about people."))


def _fields(schema: schemas.Schema) -> Mapping[str, Field]:
    return {field.path: field for field in schemas.fields(schema, resolve=referring.resolve)}


def findings(
    old: Mapping[str, Field], new: Mapping[str, Field], topic: Topic
) -> Iterator[tuple[str, str, str]]:
    """Yield (severity, pointer, sentence) for each field that someone should think about."""
    for path, field in new.items():
        was = old[path].sensitive if path in old else ""
        words = {"title": field.title, "class": was or field.sensitive}
        if was and not field.sensitive:
            message = _("%(title)s is %(class)s data and would be shown to everybody from now on.")
            yield _BAD, field.pointer, message % words
        elif field.sensitive and not was:
            yield _ADVICE, field.pointer, _("%(title)s holds %(class)s data.") % words
        elif not field.sensitive and path not in old and looks_personal(field.name):
            message = _("%(title)s looks like personal data: mark it as sensitive.")
            yield _ADVICE, field.pointer, message % words
    if any(field.sensitive for field in new.values()) and not topic.regions:
        message = _("Sensitive data in a topic that may go anywhere: bind the topic to regions.")
        yield _ADVICE, "", message


checks.register(
    DATA_PROTECTION,
    check,
    kinds=(ChangeKind.SCHEMA_VERSION, ChangeKind.NEW_EVENT_TYPE),
    weight=Weight.ACCEPTED,
    order=25,
)
