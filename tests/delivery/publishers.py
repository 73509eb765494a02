"""A topic with a contract and who may publish to it, for tests that start behind the HTTP door."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from django.utils import timezone

from catalog.models import Application, EventType, SchemaVersion, Topic
from catalog.words import Environment
from delivery import knowledge, publishing
from delivery.cloudevents import Envelope, ExtensionValue
from delivery.known import Knowledge, Publisher
from delivery.recording import Prepared, Recorded
from governance.models import Grant
from governance.states import Verb
from tests import factories

SOURCE = "/shop"
DATA: dict[str, object] = {"order_id": "A-1001", "amount": 59.9}
_SAME: object = object()


@dataclass(frozen=True, kw_only=True)
class Shop:
    """Who publishes what, where."""

    topic: Topic
    event_type: EventType
    version: SchemaVersion
    application: Application
    grant: Grant
    publisher: Publisher

    def envelope(
        self,
        *,
        id: str = "",
        data: object = _SAME,
        extensions: dict[str, ExtensionValue] | None = None,
        **attributes: str,
    ) -> Envelope:
        """Return an event that passes unless told otherwise."""
        held = DATA if data is _SAME else data
        given = {"source": SOURCE, "type": self.event_type.name, **attributes}
        return Envelope(
            id=id or str(uuid4()),
            data=held,
            data_raw=json.dumps(held).encode(),
            extensions=extensions or {},
            **given,  # type: ignore[arg-type]  # text attributes by name
        )

    def prepare(self, envelope: Envelope, *, known: Knowledge | None = None) -> Prepared:
        """Let an event through the edge and route it."""
        return publishing.prepare(
            known or knowledge.refresh(), self.publisher, envelope, timezone.now()
        )

    def publish(self, envelope: Envelope | None = None, *, now: datetime | None = None) -> Recorded:
        """Publish an event."""
        return publishing.publish(
            envelope or self.envelope(), publisher=self.publisher, now=now or timezone.now()
        )


def make_shop(*, environment: str = Environment.PRODUCTION, **topic_fields: object) -> Shop:
    """Return a publisher with all that it needs; keywords go to its topic."""
    topic = factories.make_topic(**topic_fields)  # type: ignore[arg-type]  # columns by name
    event_type = factories.make_event_type(topic=topic)
    version = factories.make_version(event_type=event_type)
    application = factories.make_application()
    grant = factories.make_grant(
        application, topic=topic, verb=Verb.PUBLISH, environment=environment
    )
    return Shop(
        topic=topic,
        event_type=event_type,
        version=version,
        application=application,
        grant=grant,
        publisher=Publisher(application_id=application.pk, environment=environment),
    )
