"""What answers mean: by status, and by what a builder means with a status."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from catalog.words import ApplicationKind
from delivery.diagnosis.faults import BY_CLASS
from delivery.diagnosis.sentences import Diagnosis, says
from delivery.transports import ErrorClass

BY_STATUS: Mapping[int, Diagnosis] = {
    400: says(
        _("{who} answers 400: it cannot read the request."),
        _("It expects another body, such as the data alone instead of the whole event."),
        _("Compare the request with what it expects, and change the body or the mapping."),
    ),
    401: says(
        _("{who} answers 401: it does not know us."),
        _("A password, key or token is missing or was changed."),
        _("Enter the credentials again, send a test, then replay."),
    ),
    403: says(
        _("{who} answers 403: it knows us and does not let us in."),
        _("A right was taken away, an address list lacks ours, or the signature does not match."),
        _("Ask its owner; after a new secret, both sides must have it."),
    ),
    404: says(
        _("{who} answers 404: nothing is at this address."),
        _("The flow was deleted or moved, or the address has a typing error."),
        _("Copy the address from the receiver again, then replay."),
    ),
    405: says(
        _("{who} answers 405: the address takes no POST."),
        _("It is the address of a page, or the flow waits for another method."),
        _("Let the receiver accept POST, or correct the address."),
    ),
    408: says(
        _("{who} answers 408: our request came too slowly for it."),
        _("It is overloaded, or something between us is slow."),
        _("It is tried again. If it stays, ask its owner."),
    ),
    410: says(
        _("{who} answers 410: this webhook is gone for good."),
        _("It was unsubscribed. Signalbox stopped sending and keeps what waits."),
        _("Connect the flow again, or end the subscription."),
    ),
    413: says(
        _("{who} answers 413: the event is too large for it."),
        _("Its limit for a request is smaller than the event."),
        _("Raise its limit, or send less by a mapping."),
    ),
    415: says(
        _("{who} answers 415: it does not take this kind of body."),
        _("It expects plain JSON, and gets a CloudEvent, or the other way round."),
        _("Choose another body in the subscription."),
    ),
    422: says(
        _("{who} answers 422: it reads the event and refuses what it says."),
        _("A field is missing, unknown or out of its range there; often after a new version."),
        _("Look at its message and at what changed last, mend it, then replay."),
    ),
    429: says(
        _("{who} answers 429: too many requests."),
        _("More events come than it may take at once. None is lost; they go slower."),
        _("Set a rate for the subscription that it can keep up with."),
    ),
    500: says(
        _("{who} answers 500: it failed while it worked on the event."),
        _("Usually an error in the flow or in something that the flow calls."),
        _("Look at the failed run in the receiver, mend it, then replay."),
    ),
    502: says(
        _("{who}'s gateway answers 502: nobody behind it answers."),
        _("The service behind it is restarting or down."),
        _("It is tried again. If it stays, ask its owner."),
    ),
    503: says(
        _("{who} answers 503: it cannot take anything now."),
        _("It is overloaded or under maintenance."),
        _("It is tried again, more slowly. There is nothing to do at first."),
    ),
    504: says(
        _("{who}'s gateway answers 504: what is behind it takes too long."),
        _("The flow works while its gateway waits, and the gateway gives up."),
        _("Let the flow answer at once and work afterwards."),
    ),
}

BY_FAMILY: Mapping[int, Diagnosis] = {
    300: BY_CLASS[ErrorClass.REDIRECT],
    400: says(
        _("{who} answers {status}: it refuses the request."),
        _("Something about the request does not suit it."),
        _("Read its answer, and compare the request with what it expects."),
    ),
    500: says(
        _("{who} answers {status}: it failed by itself."),
        _("The fault is on its side."),
        _("It is tried again. If it stays, ask its owner."),
    ),
}

# What the builders mean by a status, where it is not what the status says.
BY_KIND: Mapping[tuple[str, int], Diagnosis] = {
    (ApplicationKind.N8N, 404): says(
        _("n8n answers 404: the webhook is not registered."),
        _("The flow was probably switched off, or its test address was used."),
        _("Activate the workflow and use the production URL of its Webhook node; then replay."),
    ),
    (ApplicationKind.N8N, 500): says(
        _("n8n answers 500: the workflow could not be started, or failed."),
        _("Its error stands in n8n under Executions."),
        _("Open the failed execution in n8n, mend the node, then replay."),
    ),
    (ApplicationKind.ZAPIER, 404): says(
        _("Zapier answers 404: the hook does not exist."),
        _("The Zap was deleted, or switched off and on again with a new address."),
        _("Turn the Zap on and copy the address of its trigger again; then replay."),
    ),
    (ApplicationKind.ZAPIER, 410): says(
        _("Zapier answers 410: the Zap was switched off."),
        _("Zapier unsubscribes so. Signalbox stopped sending."),
        _("Turn the Zap on: it subscribes again by itself."),
    ),
    (ApplicationKind.ZAPIER, 429): says(
        _("Zapier answers 429, too many requests."),
        _("A hook takes about 30 a second. None is lost; they go slower."),
        _("Set a rate below that for the subscription."),
    ),
    (ApplicationKind.MAKE, 400): says(
        _("Make answers 400: the scenario's queue is full, or it is not active."),
        _("Make keeps only so many events for a scenario that does not run."),
        _("Activate the scenario, or raise its queue; then replay."),
    ),
    (ApplicationKind.MAKE, 404): says(
        _("Make answers 404: the webhook does not exist."),
        _("It was deleted, or belongs to another zone of Make."),
        _("Copy the address of the webhook again; then replay."),
    ),
    (ApplicationKind.MAKE, 410): says(
        _("Make answers 410: the webhook is not attached to a scenario."),
        _("It was unused for days, and Make switched it off."),
        _("Attach it to a scenario and activate that; then resume."),
    ),
    (ApplicationKind.POWER_AUTOMATE, 401): says(
        _("Power Automate answers 401: the signature in the address is not valid."),
        _("The address was cut off when it was copied, or the flow was made anew."),
        _("Copy the whole address with its sig= part from the trigger; then replay."),
    ),
    (ApplicationKind.POWER_AUTOMATE, 404): says(
        _("Power Automate answers 404: the flow is switched off or deleted."),
        _("Flows are switched off when they fail for two weeks."),
        _("Turn the flow on and compare its address; then replay."),
    ),
    (ApplicationKind.NODE_RED, 404): says(
        _("Node-RED answers 404: no http-in node listens at this path."),
        _("The flow was changed and not deployed, or the path differs."),
        _("Deploy the flow, compare the path of its http-in node; then replay."),
    ),
}
