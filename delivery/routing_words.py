"""Why a subscription gets an event, or does not, in sentences."""

from __future__ import annotations

from django.utils.translation import gettext as _

from delivery.edge import Accepted
from delivery.states import RuleEffect, SkipReason
from delivery.translating import Translation
from delivery.verdicts import Judged, Verdict


def sentence(event: Accepted, one: Judged, translation: Translation | None) -> str:
    """Return why a subscription gets the event, or does not; `translation` is what converts it."""
    ruling = one.ruling
    if one.reason in (SkipReason.RESIDENCY, SkipReason.NO_GRANT):
        return _forbidden(event, one)
    if ruling is not None:
        return ruling_in_words(
            ruling.effect,
            number=ruling.rule.number,
            name=ruling.rule.name,
            version=ruling.rule.version,
        )
    return _own(event, one, translation)


def _forbidden(event: Accepted, one: Judged) -> str:
    if one.reason == SkipReason.NO_GRANT:
        words = {"topic": event.topic.name}
        return _("Its application may not subscribe to %(topic)s here.") % words
    bound = sorted(event.regions or event.topic.regions)
    return _("The event stays in %(regions)s; this endpoint is in %(region)s.") % {
        "regions": ", ".join(bound),
        "region": one.subscription.region,
    }


def _own(event: Accepted, one: Judged, translation: Translation | None) -> str:
    """Say what the subscription itself asks for."""
    subscription = one.subscription
    match one.verdict:
        case Verdict.OTHER_TYPE:
            return _("It did not ask for %(type)s.") % {"type": event.event_type.name}
        case Verdict.OTHER_VERSION:
            return _(
                "It is pinned to version %(pin)s; this event is of version %(major)s, "
                "and there is no conversion between the two."
            ) % {"pin": subscription.version_pin, "major": event.version.major}
        case Verdict.FILTERED if subscription.filter is not None:
            data = event.envelope.data
            if translation is not None:
                data = translation.convert(data)  # it held for the filter a moment ago
            explained = subscription.filter.explain(event.attributes(), data)
            return _("Its filter leaves the event out. %(why)s") % {"why": explained.sentence}
    return _of_delivery(translation)


def _of_delivery(translation: Translation | None) -> str:
    if translation is None:
        return _("It wants this event, and nothing stands against it.")
    return _("It wants this event, converted from %(source)s to %(target)s.") % {
        "source": translation.source,
        "target": translation.target,
    }


def ruling_in_words(effect: str, *, number: int, name: str, version: int) -> str:
    """Return what a rule decided for a subscription, and in which version."""
    words = {"rule": f"RR-{number}", "name": name, "version": version}
    match RuleEffect(effect):
        case RuleEffect.ALLOWED:
            return _("Rule %(rule)s “%(name)s”, version %(version)s, lets it pass.") % words
        case RuleEffect.DENIED:
            return _("Rule %(rule)s “%(name)s”, version %(version)s, keeps it away.") % words
        case RuleEffect.ADDED:
            return _("Rule %(rule)s “%(name)s”, version %(version)s, sends it here.") % words
    return _("Rule %(rule)s “%(name)s”, version %(version)s, sends it elsewhere.") % words
