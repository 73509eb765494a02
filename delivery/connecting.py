"""What someone who connects a flow needs to know: the tool's clicks, versions, permission."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from catalog.models import Application, EventType, Topic
from catalog.words import ApplicationKind
from governance import access
from governance.states import Verb

Text = str | Promise

CLICKS: Mapping[str, Sequence[Text]] = {
    ApplicationKind.N8N: (
        _("Add a Webhook node, method POST, and open its panel."),
        _("Copy the Production URL. The test URL listens only while the editor is open."),
        _("Set Respond to “Immediately”, save, and activate the workflow."),
        _("Paste the URL below."),
    ),
    ApplicationKind.ZAPIER: (
        _("Start a Zap with the trigger “Webhooks by Zapier”, event “Catch Hook”."),
        _("Copy the custom webhook URL that Zapier shows."),
        _("Paste it below; then press “Test trigger” in Zapier after the test event."),
    ),
    ApplicationKind.MAKE: (
        _("Add the module Webhooks, “Custom webhook”, and add a webhook."),
        _("Copy its address and paste it below."),
        _("Press “Redetermine data structure” in Make, then send the test event."),
    ),
    ApplicationKind.POWER_AUTOMATE: (
        _("Start a flow with “When an HTTP request is received”."),
        _("Save it once: the HTTP POST URL appears. Copy it and paste it below."),
        _("Take the sample event as the request body's JSON schema."),
    ),
    ApplicationKind.NODE_RED: (
        _("Add an “http in” node, method POST, and an “http response” node behind it."),
        _("Deploy. The address is your server's, with the path of the node."),
        _("Paste it below."),
    ),
    ApplicationKind.SERVICE: (
        _("Offer an HTTPS address that takes a POST and answers 2xx within 15 seconds."),
        _("Verify the signature and answer a repeated webhook-id as you did the first time."),
        _("Paste the address below."),
    ),
}


def clicks(kind: str) -> Sequence[Text]:
    """Return the steps in the tool, in order."""
    return CLICKS.get(kind, CLICKS[ApplicationKind.SERVICE])


def majors(event_type: EventType, environment: str) -> list[int]:
    """Return the major versions that may be pinned in the environment, newest first."""
    found = event_type.versions.accepted_in(environment).values_list("major", flat=True)
    return sorted(set(found), reverse=True)


def may_subscribe(
    application: Application, topic: Topic, environment: str, *, now: datetime
) -> bool:
    """Tell whether the application may receive the topic's events now."""
    return access.entitlements(now).allows(
        application.pk, Verb.SUBSCRIBE, topic.pk, environment, now
    )
