"""Whom a routing rule names, as people and proposals write it, and which rows that is.

""                          everybody
"application:shop-sheet"    all subscriptions of that application, of the topic and environment
"subscription:12"           that one
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.utils.translation import gettext as _

from catalog.models import Application, Topic
from delivery.models import RoutingRule, Subscription

_FORM = re.compile(r"(?P<kind>application|subscription):(?P<name>[-\w]{1,80})", re.ASCII)
MOST_DIGITS = 18  # of a number that the database can hold


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """The row that is named; neither for everybody."""

    application: Application | None = None
    subscription: Subscription | None = None


EVERYBODY = Named()


def is_well_formed(text: str) -> bool:
    """Tell whether a text names somebody, whoever that is, or everybody."""
    return not text or _parts(text) is not None


def find(text: str, *, topic: Topic, environment: str) -> Named | None:
    """Return whom a text names, None for nobody: a subscription has to stand in that place.

    An application is found whether or not it subscribes there: it may do so later.
    """
    if not text:
        return EVERYBODY
    parts = _parts(text)
    if parts is None:
        return None
    kind, name = parts
    if kind == "application":
        application = Application.objects.active().filter(slug=name).first()
        return Named(application=application) if application else None
    standing = Subscription.objects.standing().select_related("application")
    found = standing.filter(number=int(name), topic=topic, environment=environment).first()
    return Named(subscription=found) if found else None


def written(application: Application | None, subscription: Subscription | None) -> str:
    """Return what names the row."""
    if subscription is not None:
        return f"subscription:{subscription.number}"
    return f"application:{application.slug}" if application is not None else ""


def concerns(rule: RoutingRule) -> str:
    """Return whom a rule concerns, as a proposal writes it."""
    return written(rule.concerns_application, rule.concerns_subscription)


def sends_to(rule: RoutingRule) -> str:
    """Return where a rule sends, as a proposal writes it."""
    return written(rule.to_application, rule.to_subscription)


def in_words(application: Application | None, subscription: Subscription | None) -> str:
    """Return whom people understand by it; "" for everybody."""
    if subscription is not None:
        words = {"name": subscription.name, "application": subscription.application.name}
        if subscription.name == subscription.application.name:
            return subscription.name
        return _("%(name)s of %(application)s") % words
    return application.name if application is not None else ""


def _parts(text: str) -> tuple[str, str] | None:
    found = _FORM.fullmatch(text)
    if found is None:
        return None
    kind, name = found["kind"], found["name"]
    if kind == "subscription" and not (name.isdigit() and len(name) <= MOST_DIGITS):
        return None
    return kind, name
