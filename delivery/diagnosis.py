"""What a failure means, in plain sentences: what happened, what it usually means, what to do now.

Pure: from an error class, a status and the kind of application to words. The sentences are lazy, so
each reader gets their own language.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from catalog.words import ApplicationKind
from delivery.retrying import Limit
from delivery.states import DisableReason, SkipReason
from delivery.transports import ErrorClass

if TYPE_CHECKING:
    # Only the stubs know that a lazy text is text.
    from django.utils.functional import _StrPromise

Text: TypeAlias = "str | _StrPromise"


@dataclass(frozen=True, kw_only=True, slots=True)
class Diagnosis:
    """Three sentences about one failure."""

    what: Text
    means: Text
    do: Text

    @property
    def sentence(self) -> Text:
        """What happened and what it means, as one line of a list."""
        return format_lazy("{} {}", self.what, self.means)


def explain(
    error_class: str, status: int | None = None, *, kind: str = ApplicationKind.SERVICE
) -> Diagnosis:
    """Return what a failed attempt means; the receiver is named by its kind where that helps."""
    who = _who(kind)
    if error_class in (ErrorClass.HTTP_STATUS, ErrorClass.REDIRECT) and status is not None:
        return _of_status(status, kind, who)
    found = _BY_CLASS.get(error_class, _UNKNOWN)
    return _naming(found, who)


def kinds() -> list[tuple[str, Text]]:
    """Return every kind of failure with the sentence that says what happened."""
    who = _who(ApplicationKind.SERVICE)
    return [(str(kind), format_lazy(found.what, who=who)) for kind, found in _BY_CLASS.items()]


def explain_skip(reason: str) -> Text:
    """Return why a rule ended a delivery before it was made."""
    return _SKIPPED.get(reason, reason)


def explain_limit(limit: str) -> Text:
    """Return which limit ran out when a delivery died."""
    return _LIMITS.get(limit, limit)


def explain_disabled(reason: str) -> Text:
    """Return why Signalbox stopped sending for a subscription."""
    return _DISABLED.get(reason, reason)


def _of_status(status: int, kind: str, who: Text) -> Diagnosis:
    special = _BY_KIND.get((kind, status))
    if special is not None:
        return special
    found = _BY_STATUS.get(status)
    if found is None:
        family = 500 if status >= 500 else 300 if 300 <= status < 400 else 400
        found = _BY_FAMILY[family]
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


def _says(what: Text, means: Text, do: Text) -> Diagnosis:
    return Diagnosis(what=what, means=means, do=do)


_UNKNOWN = _says(
    _("{who} could not be reached."),
    _("The attempt failed in a way that has no name here yet."),
    _("Read the message of the last try, and send a test to see whether it still fails."),
)

_BY_CLASS: Mapping[str, Diagnosis] = {
    ErrorClass.DNS: _says(
        _("The name in the address leads nowhere."),
        _("The host was renamed or switched off, or the address has a typing error."),
        _("Compare the address with the one that the receiver shows, and correct it."),
    ),
    ErrorClass.PARTIAL: _says(
        _("{who} took the batch, but not this event."),
        _("Its answer names the event among those that it refused."),
        _("Read its reason below. The others of the batch have arrived and are not sent again."),
    ),
    ErrorClass.BATCH_ANSWER: _says(
        _("{who} names refused events of the batch in a way that nobody can read."),
        _("Which events arrived is not known, so the whole batch is tried again."),
        _("Let it answer as Help says under “Receive”, or with an empty body if it took all."),
    ),
    ErrorClass.REFUSED: _says(
        _("{who} refuses the connection."),
        _("The machine is there, and nothing listens on that port: the service is down."),
        _("Ask its owner to start it. Deliveries go on by themselves when it answers."),
    ),
    ErrorClass.UNREACHABLE: _says(
        _("There is no way to {who}."),
        _("A network or firewall in between is down or does not let us through."),
        _("Ask the network's owner whether our address may reach that port."),
    ),
    ErrorClass.CONNECT_TIMEOUT: _says(
        _("{who} does not take the connection in time."),
        _("A firewall drops it in silence, or the machine is overloaded or off."),
        _("Check that the address can be reached from here; then send a test."),
    ),
    ErrorClass.READ_TIMEOUT: _says(
        _("{who} takes the event and does not answer in time."),
        _("The flow works while we wait. It may have done its work, so it may get it twice."),
        _("Let the flow answer at once and work afterwards, or raise the time-out."),
    ),
    ErrorClass.TLS_EXPIRED: _says(
        _("{who}'s certificate has expired."),
        _("It was not renewed. Nothing can be sent safely until it is."),
        _("Ask its owner to renew the certificate; then send a test."),
    ),
    ErrorClass.TLS_NAME: _says(
        _("{who}'s certificate is for another name."),
        _("The address points at the wrong machine, or the certificate lacks this name."),
        _("Use the name that the certificate is for, or have it issued for this one."),
    ),
    ErrorClass.TLS_UNTRUSTED: _says(
        _("{who}'s certificate is signed by nobody we know."),
        _("It is self-signed, or its authority is your own, or it sends an incomplete chain."),
        _("Add your authority's certificate to the endpoint, or have the chain completed."),
    ),
    ErrorClass.TLS_OTHER: _says(
        _("No secure connection to {who} comes about."),
        _("It speaks only old protocols, asks for a client certificate, or speaks no TLS there."),
        _("Check the port and whether the address should start with http:// or https://."),
    ),
    ErrorClass.RESET: _says(
        _("{who} breaks the connection off."),
        _("It was restarted in the middle, or something in between cuts it."),
        _("This mends itself as a rule. If it stays, look at the receiver's own log."),
    ),
    ErrorClass.BLOCKED_ADDRESS: _says(
        _("The address leads into a network that must not be called."),
        _("It is private or this machine's own. Nothing was sent."),
        _("Use a public address, or let an admin allow the network (DELIVERY_ALLOWED_NETWORKS)."),
    ),
    ErrorClass.REDIRECT: _says(
        _("{who} sends us on to another address."),
        _("Redirects are not followed, since a signed event must not go where nobody chose."),
        _("Put the new address into the subscription."),
    ),
    # Where many tries are summed up; of a single one the status says more.
    ErrorClass.HTTP_STATUS: _says(
        _("{who} answers with an error."),
        _("It was reached, and said no or failed itself; the status tells which."),
        _("Open the failure: it names the status and what helps."),
    ),
    ErrorClass.BODY_TOO_LARGE: _says(
        _("{who} answers without end."),
        _("The address is probably a page or a download, not a webhook."),
        _("Check the address."),
    ),
    ErrorClass.PROTOCOL: _says(
        _("{who} answers something that is not HTTP."),
        _("Another kind of service listens on that port."),
        _("Check the port and the address."),
    ),
    ErrorClass.BAD_URL: _says(
        _("The address cannot be used."),
        _("It is not a complete http or https address."),
        _("Correct the address of the subscription."),
    ),
    ErrorClass.BAD_SETTINGS: _says(
        _("The request could not be made."),
        _("The subscription's mapping, certificate or credentials do not fit."),
        _("Read the message, mend the subscription, and replay."),
    ),
    ErrorClass.TRANSLATION: _says(
        _("The event could not be converted to the version that {who} asked for."),
        _("The conversion between the two versions does not fit this event. Nothing was sent."),
        _("Ask the event's owner to mend the conversion; once that is approved, replay."),
    ),
    ErrorClass.TOKEN: _says(
        _("No access token could be had for {who}."),
        _("The token server refused the client or did not answer."),
        _("Check the client's id and secret in the endpoint's credentials."),
    ),
    ErrorClass.INTERRUPTED: _says(
        _("Our worker was stopped in the middle of the request."),
        _("That uses no retry; the event may arrive twice with the same webhook-id."),
        _("There is nothing to do."),
    ),
}

_BY_STATUS: Mapping[int, Diagnosis] = {
    400: _says(
        _("{who} answers 400: it cannot read the request."),
        _("It expects another body, such as the data alone instead of the whole event."),
        _("Compare the request with what it expects, and change the body or the mapping."),
    ),
    401: _says(
        _("{who} answers 401: it does not know us."),
        _("A password, key or token is missing or was changed."),
        _("Enter the credentials again, send a test, then replay."),
    ),
    403: _says(
        _("{who} answers 403: it knows us and does not let us in."),
        _("A right was taken away, an address list lacks ours, or the signature does not match."),
        _("Ask its owner; after a new secret, both sides must have it."),
    ),
    404: _says(
        _("{who} answers 404: nothing is at this address."),
        _("The flow was deleted or moved, or the address has a typing error."),
        _("Copy the address from the receiver again, then replay."),
    ),
    405: _says(
        _("{who} answers 405: the address takes no POST."),
        _("It is the address of a page, or the flow waits for another method."),
        _("Let the receiver accept POST, or correct the address."),
    ),
    408: _says(
        _("{who} answers 408: our request came too slowly for it."),
        _("It is overloaded, or something between us is slow."),
        _("It is tried again. If it stays, ask its owner."),
    ),
    410: _says(
        _("{who} answers 410: this webhook is gone for good."),
        _("It was unsubscribed. Signalbox stopped sending and keeps what waits."),
        _("Connect the flow again, or end the subscription."),
    ),
    413: _says(
        _("{who} answers 413: the event is too large for it."),
        _("Its limit for a request is smaller than the event."),
        _("Raise its limit, or send less by a mapping."),
    ),
    415: _says(
        _("{who} answers 415: it does not take this kind of body."),
        _("It expects plain JSON, and gets a CloudEvent, or the other way round."),
        _("Choose another body in the subscription."),
    ),
    422: _says(
        _("{who} answers 422: it reads the event and refuses what it says."),
        _("A field is missing, unknown or out of its range there; often after a new version."),
        _("Look at its message and at what changed last, mend it, then replay."),
    ),
    429: _says(
        _("{who} answers 429: too many requests."),
        _("More events come than it may take at once. None is lost; they go slower."),
        _("Set a rate for the subscription that it can keep up with."),
    ),
    500: _says(
        _("{who} answers 500: it failed while it worked on the event."),
        _("Usually an error in the flow or in something that the flow calls."),
        _("Look at the failed run in the receiver, mend it, then replay."),
    ),
    502: _says(
        _("{who}'s gateway answers 502: nobody behind it answers."),
        _("The service behind it is restarting or down."),
        _("It is tried again. If it stays, ask its owner."),
    ),
    503: _says(
        _("{who} answers 503: it cannot take anything now."),
        _("It is overloaded or under maintenance."),
        _("It is tried again, more slowly. There is nothing to do at first."),
    ),
    504: _says(
        _("{who}'s gateway answers 504: what is behind it takes too long."),
        _("The flow works while its gateway waits, and the gateway gives up."),
        _("Let the flow answer at once and work afterwards."),
    ),
}

_BY_FAMILY: Mapping[int, Diagnosis] = {
    300: _BY_CLASS[ErrorClass.REDIRECT],
    400: _says(
        _("{who} answers {status}: it refuses the request."),
        _("Something about the request does not suit it."),
        _("Read its answer, and compare the request with what it expects."),
    ),
    500: _says(
        _("{who} answers {status}: it failed by itself."),
        _("The fault is on its side."),
        _("It is tried again. If it stays, ask its owner."),
    ),
}

# What the builders mean by a status, where it is not what the status says.
_BY_KIND: Mapping[tuple[str, int], Diagnosis] = {
    (ApplicationKind.N8N, 404): _says(
        _("n8n answers 404: the webhook is not registered."),
        _("The flow was probably switched off, or its test address was used."),
        _("Activate the workflow and use the production URL of its Webhook node; then replay."),
    ),
    (ApplicationKind.N8N, 500): _says(
        _("n8n answers 500: the workflow could not be started, or failed."),
        _("Its error stands in n8n under Executions."),
        _("Open the failed execution in n8n, mend the node, then replay."),
    ),
    (ApplicationKind.ZAPIER, 404): _says(
        _("Zapier answers 404: the hook does not exist."),
        _("The Zap was deleted, or switched off and on again with a new address."),
        _("Turn the Zap on and copy the address of its trigger again; then replay."),
    ),
    (ApplicationKind.ZAPIER, 410): _says(
        _("Zapier answers 410: the Zap was switched off."),
        _("Zapier unsubscribes so. Signalbox stopped sending."),
        _("Turn the Zap on: it subscribes again by itself."),
    ),
    (ApplicationKind.ZAPIER, 429): _says(
        _("Zapier answers 429, too many requests."),
        _("A hook takes about 30 a second. None is lost; they go slower."),
        _("Set a rate below that for the subscription."),
    ),
    (ApplicationKind.MAKE, 400): _says(
        _("Make answers 400: the scenario's queue is full, or it is not active."),
        _("Make keeps only so many events for a scenario that does not run."),
        _("Activate the scenario, or raise its queue; then replay."),
    ),
    (ApplicationKind.MAKE, 404): _says(
        _("Make answers 404: the webhook does not exist."),
        _("It was deleted, or belongs to another zone of Make."),
        _("Copy the address of the webhook again; then replay."),
    ),
    (ApplicationKind.MAKE, 410): _says(
        _("Make answers 410: the webhook is not attached to a scenario."),
        _("It was unused for days, and Make switched it off."),
        _("Attach it to a scenario and activate that; then resume."),
    ),
    (ApplicationKind.POWER_AUTOMATE, 401): _says(
        _("Power Automate answers 401: the signature in the address is not valid."),
        _("The address was cut off when it was copied, or the flow was made anew."),
        _("Copy the whole address with its sig= part from the trigger; then replay."),
    ),
    (ApplicationKind.POWER_AUTOMATE, 404): _says(
        _("Power Automate answers 404: the flow is switched off or deleted."),
        _("Flows are switched off when they fail for two weeks."),
        _("Turn the flow on and compare its address; then replay."),
    ),
    (ApplicationKind.NODE_RED, 404): _says(
        _("Node-RED answers 404: no http-in node listens at this path."),
        _("The flow was changed and not deployed, or the path differs."),
        _("Deploy the flow, compare the path of its http-in node; then replay."),
    ),
}

_SKIPPED: Mapping[str, Text] = {
    SkipReason.NO_GRANT: _("The application has no grant for this topic, so nothing was sent."),
    SkipReason.RESIDENCY: _("The event is bound to other regions than the endpoint's."),
    SkipReason.EXPIRED: _("The event was too old, or its payload is no longer kept."),
    SkipReason.HOP_LIMIT: _("Too many flows stand before this event: they may call each other."),
    SkipReason.FILTERED: _("The subscription's filter no longer matches this event."),
    SkipReason.NOT_CONCERNED: _(
        "It has the event that this one corrects, and only those that lack it were to get this."
    ),
    SkipReason.RULE: _("A routing rule keeps this event away from it."),
}

_LIMITS: Mapping[str, Text] = {
    Limit.ATTEMPTS: _("All tries are used up."),
    Limit.AGE: _("The age limit was reached before the tries were used up."),
    Limit.PERMANENT: _("Trying the same again cannot help, so it was not tried again."),
    Limit.ABORTED: _("The receiver asked us to give this event up."),
}

_DISABLED: Mapping[str, Text] = {
    DisableReason.FAILING: _("Nothing has arrived for five days. What waits is kept."),
    DisableReason.GONE: _("The receiver answered that it is gone. What waits is kept."),
    DisableReason.NO_GRANT: _("Its application may no longer subscribe to the topic."),
}
