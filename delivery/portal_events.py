"""What Signalbox says of itself on `portal.operations`, so that a flow can react.

The fact's transaction writes a row; a worker publishes it afterwards through the same edge, route
and record as any event. It cannot run in circles: what happens to subscriptions of this very
topic is told to people only, and a key is said once.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime

from django.db import transaction

from catalog.models import Application
from delivery import configuration, portal_contracts, publishing
from delivery.cloudevents import Envelope
from delivery.edge import Refused
from delivery.known import Publisher
from delivery.models import PortalEvent, Subscription
from delivery.portal_contracts import PortalEventType
from governance import portal_topic

SOURCE = "/signalbox"
AT_A_TIME = 10  # and then what else waits for a worker has its turn

logger = logging.getLogger(__name__)


def note(
    type_: PortalEventType,
    *,
    key: str,
    environment: str,
    data: Mapping[str, object],
    path: str,
    subject: str = "",
    now: datetime,
) -> None:
    """Have the event published after this transaction, once for each `key`.

    `path` is the page of the portal that it is about. Put the hour or the day into the key to say
    it once in that time.
    """
    PortalEvent.objects.bulk_create(
        [
            PortalEvent(
                key=f"{type_.removeprefix(portal_topic.NAME + '.')}:{key}"[:200],
                type=type_.value,
                environment=environment,
                subject=subject,
                data={**data, "page": configuration.public_url() + path},
                happened_at=now,
            )
        ],
        ignore_conflicts=True,
    )


def note_about(
    subscription: Subscription,
    type_: PortalEventType,
    *,
    key: str,
    path: str,
    now: datetime,
    **data: object,
) -> None:
    """Have an event about a subscription published, unless it would come back to itself."""
    if subscription.topic.name == portal_topic.NAME:
        return
    about = {
        "number": subscription.number,
        "name": subscription.name,
        "application": subscription.application.slug,
        "topic": subscription.topic.name,
    }
    note(
        type_,
        key=key,
        environment=subscription.environment,
        data={"subscription": about, **data},
        path=path,
        subject=f"subscriptions/{subscription.number}",
        now=now,
    )


def is_any_waiting() -> bool:
    """Tell whether something is to be published: one look at an index."""
    return PortalEvent.objects.filter(ended_at=None).exists()


def publish_waiting(*, now: datetime) -> int:
    """Publish what waits, oldest first; return how many were.

    Each is published and marked in one transaction, so a killed worker publishes none twice.
    """
    if not is_any_waiting():
        return 0
    publisher = ensure_topic(now=now)
    published = 0
    with transaction.atomic():
        waiting = PortalEvent.objects.filter(ended_at=None).order_by("pk")
        for one in waiting.select_for_update(skip_locked=True)[:AT_A_TIME]:
            published += _publish(one, publisher, now)
    return published


def ensure_topic(*, now: datetime) -> Application:
    """Make the topic and its contracts where they are missing; return who publishes."""
    return portal_topic.ensure(portal_contracts.contracts(), now=now)


def _publish(one: PortalEvent, publisher: Application, now: datetime) -> bool:
    raw = json.dumps(one.data).encode()
    at = one.happened_at.astimezone(UTC)
    envelope = Envelope(
        id=one.key,
        source=SOURCE,
        type=one.type,
        subject=one.subject or None,
        time=at,
        time_text=at.isoformat().replace("+00:00", "Z"),
        datacontenttype="application/json",
        data_raw=raw,
        data=one.data,
    )
    sender = Publisher(application_id=publisher.pk, environment=one.environment)
    try:
        publishing.publish(envelope, publisher=sender, now=now)
    except Refused as refused:
        # Its grant was revoked, or its contract changed: saying it again would not help.
        logger.warning("An event of the portal was refused: %s", refused.kind)
        one.refusal = f"{refused.kind}: {refused.detail}"
    one.ended_at = now
    one.save(update_fields=["ended_at", "refusal"])
    return not one.refusal
