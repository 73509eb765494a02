"""What most teams would build: a Celery task for each delivery, the ORM, and `requests`.

It signs, sends, writes the attempt and the state, and retries by Celery. Nothing else is checked.
"""

from __future__ import annotations

import django
import requests
from celery import shared_task
from django.db import transaction
from django.utils import timezone

from config.celery import app

django.setup()

from delivery import endpoints, signing  # noqa: E402 - models need the apps
from delivery.models import Attempt, Delivery, Payload, QueueRow  # noqa: E402 - see above

__all__ = ["app", "deliver"]


@shared_task(name="bench.deliver", bind=True, ignore_result=True, acks_late=True)
def deliver(self: object, delivery_id: str) -> None:
    """Send one delivery and write down how it went."""
    del self
    delivery = Delivery.objects.select_related(
        "event", "event__type", "subscription", "subscription__endpoint"
    ).get(pk=delivery_id)
    endpoint = delivery.subscription.endpoint
    assert endpoint is not None
    now = timezone.now()
    body = Payload.objects.get(event_id=delivery.event_id).data.encode()
    message_id = signing.message_id(str(delivery.event_id))
    secrets = endpoints.signing_secrets(endpoint, now=now)
    stamp = int(now.timestamp())
    answer = requests.post(
        endpoint.url,
        data=body,
        headers={
            "content-type": "application/json",
            "ce-specversion": "1.0",
            "ce-id": delivery.event.event_id,
            "ce-source": delivery.event.source,
            "ce-type": delivery.event.type.name,
            "webhook-id": message_id,
            "webhook-timestamp": str(stamp),
            "webhook-signature": signing.sign(secrets, message_id, stamp, body),
        },
        timeout=15,
    )
    answer.raise_for_status()
    with transaction.atomic():
        Attempt.objects.create(
            delivery=delivery,
            subscription_id=delivery.subscription_id,
            number=1,
            started_at=now,
            duration_ms=round(answer.elapsed.total_seconds() * 1_000),
            outcome="delivered",
            status_code=answer.status_code,
            response_excerpt=answer.text[:500],
            url=endpoint.url,
        )
        delivery.status, delivery.ended_at = "delivered", timezone.now()
        delivery.save(update_fields=["status", "ended_at"])
        QueueRow.objects.filter(pk=delivery.pk).delete()
