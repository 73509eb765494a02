"""An event under a version that is not approved yet, sent for real to a staging subscription.

It is stored nowhere but in the ledger, counts neither for nor against the endpoint, and goes only
where staging events go: what production uses too is refused.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime

import orjson
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from catalog import referring, schemas
from catalog.models import User
from catalog.words import Environment
from delivery import configuration, pings
from delivery.cloudevents import Envelope
from delivery.models import Endpoint, Event, Payload, Subscription
from delivery.pings import PingResult
from delivery.states import DeliveryMode
from governance import access, proposals, workflow
from governance.actions import Action
from governance.governed import governed, record
from governance.models import ChangeRequest
from governance.proposals import NewEventType, SchemaProposal

SOURCE = "/signalbox/changes"
LATEST = 10


def subscriptions(change: ChangeRequest, *, by: User) -> QuerySet[Subscription]:
    """Return the staging webhooks of the topic to which the person may send a test."""
    if not _is_open(change):
        return Subscription.objects.none()
    found = Subscription.objects.standing().filter(
        topic=change.topic, environment=Environment.STAGING, mode=DeliveryMode.WEBHOOK
    )
    if change.event_type is not None:
        found = found.wanting(change.event_type)
    return access.restrict(found, by, Action.SUBSCRIPTION_TEST).order_by("name")


def events(change: ChangeRequest, *, by: User) -> Sequence[Event]:
    """Return the latest recorded staging events whose data the person may see."""
    if change.event_type is None:
        return []
    found = Event.objects.filter(type=change.event_type, environment=Environment.STAGING)
    seen = access.restrict(found, by, Action.PAYLOAD_VIEW)
    return list(seen.order_by("-id")[:LATEST])


def simulate(
    change: ChangeRequest,
    subscription: Subscription,
    *,
    event: Event | None = None,
    by: User,
    now: datetime,
) -> PingResult:
    """Send the proposal's sample, or a recorded staging event, as the draft version would go.

    Raises PermissionDenied, and ValidationError for what is no staging webhook, for an address that
    production uses too, and for a request that is decided or proposes no contract.
    """
    access.require(by, Action.CHANGE_VIEW, change, now=now)
    access.require(by, Action.SUBSCRIPTION_TEST, subscription, now=now)
    if event is not None:
        access.require(by, Action.PAYLOAD_VIEW, event, now=now)
    proposal = _proposal(change)
    endpoint = _staging_endpoint(change, subscription, now)
    _refuse_elsewhere(change, endpoint, event)
    data = _recorded(event) if event is not None else _sample(proposal)
    result = pings.send(subscription, endpoint, _envelope(change, proposal, data, now), now=now)
    with governed(by=by, now=now):
        record(
            Action.SUBSCRIPTION_TEST,
            subscription,
            after={
                "change": str(change),
                "version": proposal.version,
                "proposal_sha256": change.proposal_sha256,
                "event": str(event.pk) if event is not None else "sample",
                "ok": result.ok,
                "status": result.status,
                "error_class": result.error_class,
            },
            related=(change, subscription.application, subscription.topic),
        )
    return result


def breaches(change: ChangeRequest, event: Event | None) -> list[str]:
    """Return in sentences where the data breaks the draft: it was sent all the same."""
    proposal = _proposal(change)
    data = _recorded(event) if event is not None else _sample(proposal)
    found = schemas.validator_for(proposal.document, resolve=referring.resolve).iter_errors(data)
    return [f"{one.pointer} {one.message}".strip() for one in found][:LATEST]


def _is_open(change: ChangeRequest) -> bool:
    return change.state in workflow.UNFINISHED and bool(proposals.schema_of(change))


def _proposal(change: ChangeRequest) -> SchemaProposal:
    proposal = proposals.schema_of(change)
    if proposal is None or change.state not in workflow.UNFINISHED:
        raise ValidationError(_("There is no draft of a contract to try here any more."))
    if schemas.problems(proposal.document, resolve=referring.resolve):
        raise ValidationError(_("The draft is no usable schema yet: finish it first."))
    return proposal


def _staging_endpoint(change: ChangeRequest, subscription: Subscription, now: datetime) -> Endpoint:
    endpoint = subscription.endpoint
    is_staging = subscription.environment == Environment.STAGING
    if endpoint is None or not is_staging or subscription.topic_id != change.topic_id:
        raise ValidationError(_("Choose a staging webhook of this topic."))
    account, topic = subscription.application.service_account, subscription.topic
    environment = Environment.STAGING
    if not access.allows(account, Action.TOPIC_SUBSCRIBE, topic, environment=environment, now=now):
        raise ValidationError(_("Its application may not subscribe to this topic in staging."))
    in_production = Subscription.objects.standing().filter(
        environment=Environment.PRODUCTION, endpoint__url=endpoint.url
    )
    if in_production.exists():
        raise ValidationError(_("Production sends to this address too, so nothing is tried there."))
    return endpoint


def _refuse_elsewhere(change: ChangeRequest, endpoint: Endpoint, event: Event | None) -> None:
    """Raise ValidationError where the data may not go, as for any delivery."""
    for regions in (change.topic.regions, event.regions if event is not None else []):
        if regions and endpoint.region_id not in regions:
            raise ValidationError(_("The events are bound to other regions than this endpoint's."))


def _sample(proposal: SchemaProposal) -> object:
    if proposal.example:
        return json.loads(proposal.example)
    return schemas.sample(proposal.schema, resolve=referring.resolve)


def _recorded(event: Event) -> object:
    if event.environment != Environment.STAGING:
        raise ValidationError(_("Only events of staging are tried in staging."))
    text = Payload.objects.filter(event_id=event.pk).values_list("data", flat=True).first()
    if text is None:
        raise ValidationError(_("The event's data is no longer kept."))
    return orjson.loads(text or "null")


def _envelope(
    change: ChangeRequest, proposal: SchemaProposal, data: object, now: datetime
) -> Envelope:
    name = change.event_type.name if change.event_type else ""
    if isinstance(proposal, NewEventType):
        name = proposal.name
    digits = secrets.token_hex(24)
    path = referring.schema_path(name, proposal.version)
    return Envelope(
        id=f"simulation-{secrets.token_hex(8)}",
        source=f"{SOURCE}/{change.number}",
        type=name,
        time=now,
        time_text=now.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        datacontenttype="application/json",
        dataschema=f"{configuration.public_url()}{path}",
        extensions={"traceparent": f"00-{digits[:32]}-{digits[32:]}-01", "test": True},
        data_raw=orjson.dumps(data),
        data=data,
    )
