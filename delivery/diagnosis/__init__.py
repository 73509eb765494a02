"""What a failure means, in plain sentences: what happened, what it usually means, what to do now.

Lives here: words for error classes, statuses, rules and limits. Pure, and lazy, so each reader gets
their own language.
Does not: find out what failed (`delivery.transports`), or decide what follows (`retrying`).
Start reading below; `faults.py`, `answers.py` and `rules.py` hold the sentences, `names.py` short
names.
"""

from __future__ import annotations

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from catalog.words import ApplicationKind
from delivery.diagnosis.answers import BY_FAMILY, BY_KIND, BY_STATUS
from delivery.diagnosis.faults import BY_CLASS, UNKNOWN
from delivery.diagnosis.names import NAMES
from delivery.diagnosis.rules import CIRCUIT_OPEN, CONTRACT_CHANGED, DISABLED, LIMITS, SKIPPED
from delivery.diagnosis.sentences import Diagnosis, Text
from delivery.states import DeliveryStatus
from delivery.transports import ErrorClass

__all__ = [
    "CIRCUIT_OPEN",
    "CONTRACT_CHANGED",
    "Diagnosis",
    "Text",
    "explain",
    "explain_disabled",
    "explain_end",
    "explain_limit",
    "explain_skip",
    "kinds",
    "name_of",
    "of_skip",
]


def explain(
    error_class: str, status: int | None = None, *, kind: str = ApplicationKind.SERVICE
) -> Diagnosis:
    """Return what a failed attempt means; the receiver is named by its kind where that helps."""
    who = _who(kind)
    if error_class in (ErrorClass.HTTP_STATUS, ErrorClass.REDIRECT) and status is not None:
        return _of_status(status, kind, who)
    found = BY_CLASS.get(error_class, UNKNOWN)
    return _naming(found, who)


def kinds() -> list[tuple[str, Text]]:
    """Return every kind of failure with the sentence that says what happened."""
    who = _who(ApplicationKind.SERVICE)
    return [(str(kind), format_lazy(found.what, who=who)) for kind, found in BY_CLASS.items()]


def name_of(error_class: str) -> Text:
    """Return a kind of failure in two or three words; one unknown here by its own name."""
    return NAMES.get(error_class) or error_class.replace("_", " ").capitalize()


def explain_end(status: str, reason: str) -> Text:
    """Return why a delivery ended: the rule, the limit, or what a person wrote; else empty."""
    if status == DeliveryStatus.SKIPPED:
        return explain_skip(reason)
    return explain_limit(reason) if status == DeliveryStatus.DEAD else reason


def explain_skip(reason: str) -> Text:
    """Return why a rule ended a delivery before it was made."""
    found = SKIPPED.get(reason)
    return found.what if found else reason


def of_skip(reason: str) -> Diagnosis | None:
    """Return what a rule's decision means and what helps; None for a reason unknown here."""
    return SKIPPED.get(reason)


def explain_limit(limit: str) -> Text:
    """Return which limit ran out when a delivery died."""
    return LIMITS.get(limit, limit)


def explain_disabled(reason: str) -> Text:
    """Return why Signalbox stopped sending for a subscription."""
    return DISABLED.get(reason, reason)


def _of_status(status: int, kind: str, who: Text) -> Diagnosis:
    special = BY_KIND.get((kind, status))
    if special is not None:
        return special
    found = BY_STATUS.get(status)
    if found is None:
        family = 500 if status >= 500 else 300 if 300 <= status < 400 else 400
        found = BY_FAMILY[family]
    return _naming(found, who, status)


def _naming(found: Diagnosis, who: Text, status: int | None = None) -> Diagnosis:
    return Diagnosis(
        what=format_lazy(found.what, who=who, status=status),
        means=format_lazy(found.means, who=who, status=status),
        do=format_lazy(found.do, who=who, status=status),
    )


def _who(kind: str) -> Text:
    if kind in ApplicationKind.values and kind != ApplicationKind.SERVICE:
        return str(ApplicationKind(kind).label)
    return _("The receiver")
