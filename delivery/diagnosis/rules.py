"""Why something was not sent, or is not sent now: rules, limits and circuits."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from delivery.diagnosis.sentences import Diagnosis, Text, says
from delivery.retrying import Limit
from delivery.states import DisableReason, SkipReason

SKIPPED: Mapping[str, Diagnosis] = {
    SkipReason.NO_GRANT: says(
        _("The application has no grant for this topic, so nothing was sent."),
        _("A grant ended by its date, was revoked, or was never given in this environment."),
        _("Ask for access on the topic's page; once it is granted, replay what was skipped."),
    ),
    SkipReason.RESIDENCY: says(
        _("The event is bound to other regions than the endpoint's."),
        _("Its topic, or the event itself, may be delivered to some regions only."),
        _("If the endpoint stands there after all, correct the region of its application."),
    ),
    SkipReason.EXPIRED: says(
        _("The event was too old, or its payload is no longer kept."),
        _("It waited longer than the topic keeps its data."),
        _("It cannot be sent any more. Ask its publisher to send a new one if it matters."),
    ),
    SkipReason.HOP_LIMIT: says(
        _("Too many flows stand before this event: they may call each other."),
        _("Each flow made an event of the one before, more often than any chain should."),
        _("Follow the causes on the event's page, and let one of the flows stop."),
    ),
    SkipReason.FILTERED: says(
        _("The subscription's filter no longer matches this event."),
        _("The filter was changed after the event came."),
        _("If it should match, correct the filter, then replay."),
    ),
    SkipReason.NOT_CONCERNED: says(
        _("It has the event that this one corrects, and only those that lack it were to get this."),
        _("Who edited it chose so."),
        _("To give it to everyone, edit and replay the old event for all its subscribers."),
    ),
    SkipReason.RULE: says(
        _("A routing rule keeps this event away from it."),
        _("Somebody decided that such events do not go there."),
        _("If that is wrong, propose to change the rule on the topic's page."),
    ),
    SkipReason.HANDED_OVER: says(
        _("It was handed to the subscription that stands in for this one."),
        _("The circuit was open, or the tries were used up; nothing is lost."),
        _("Follow “Repeated” to see how it fares there. Replay it to send it here after all."),
    ),
}

CIRCUIT_OPEN = says(
    _("It failed too often, so deliveries wait."),
    _("Its circuit is open: nothing is lost, and no try is used up."),
    _("A probe goes out by itself and lets everything through when it arrives."),
)

CONTRACT_CHANGED = says(
    _("The contract changed shortly before this began."),
    _("The receiver may not know the new version yet, or reads a field that is gone."),
    _("Compare the versions; pin the subscription to the old one until the flow can read both."),
)

LIMITS: Mapping[str, Text] = {
    Limit.ATTEMPTS: _("All tries are used up."),
    Limit.AGE: _("The age limit was reached before the tries were used up."),
    Limit.PERMANENT: _("Trying the same again cannot help, so it was not tried again."),
    Limit.ABORTED: _("The receiver asked us to give this event up."),
}

DISABLED: Mapping[str, Text] = {
    DisableReason.FAILING: _("Nothing has arrived for five days. What waits is kept."),
    DisableReason.GONE: _("The receiver answered that it is gone. What waits is kept."),
    DisableReason.NO_GRANT: _(
        "Its application may no longer subscribe to the topic. It goes on when it may again."
    ),
}
