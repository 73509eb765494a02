"""Publishes a few fresh events in the shop's name, so that the engine itself has work at once.

The healthy subscriber gets them, the slow and the flaky take their time, and the circuits of the
two that are broken open by what the engine meets, not by what a seed wrote.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import uuid4

from catalog.models import Application
from catalog.words import Environment
from config.demo import content
from delivery import cloudevents, knowledge, publishing
from delivery.known import Publisher

EVENTS_EACH = 6
IN_STAGING = 3


def publish(*, now: datetime) -> int:
    """Publish through the edge, as the applications would; return how many events."""
    knowledge.refresh()
    count = 0
    for environment, number in (
        (Environment.PRODUCTION, EVENTS_EACH),
        (Environment.STAGING, IN_STAGING),
    ):
        for slug, members in _events(number):
            application = Application.objects.get(slug=slug)
            publisher = Publisher(application_id=application.pk, environment=environment)
            envelope = cloudevents.from_members(members, json.dumps(members["data"]).encode())
            publishing.publish(envelope, publisher=publisher, now=now)
            count += 1
    return count


def _events(number: int) -> Iterator[tuple[str, dict[str, Any]]]:
    senders = {topic: slug for slug, verb, topic in content.GRANTS if verb == "publish"}
    for contract in content.CONTRACTS:
        if contract.topic == "sales.payments":  # restricted: staging would need a grant of its own
            continue
        _number, _schema, sample, _changes = contract.versions[-1]
        for index in range(number):
            data = json.loads(json.dumps(sample))
            subject = str(data.get("order_id") or data.get("customer_id") or data.get("sku"))
            yield (
                senders[contract.topic],
                {
                    "specversion": "1.0",
                    "id": str(uuid4()),
                    "source": f"/{senders[contract.topic]}",
                    "type": contract.name,
                    "subject": f"{subject}-{index}",
                    "partitionkey": subject,
                    "data": data,
                },
            )
