"""A scrape names what waits, what fails and what was counted."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from delivery.models import QueueRow, Rollup
from delivery.models.counts import Grain
from tests import factories


def _values(client: Client) -> dict[tuple[str, tuple[str, ...]], float]:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


@pytest.mark.django_db
def test_scrape_of_an_empty_copy_is_all_zero(client: Client) -> None:
    values = _values(client)
    assert values["signalbox_deliveries_owed", ("owed",)] == 0
    assert values["signalbox_oldest_owed_seconds", ()] == 0
    assert values["signalbox_published_total", ("production",)] == 0


@pytest.mark.django_db
def test_scrape_counts_what_is_owed_and_what_was_published(client: Client) -> None:
    delivery = factories.make_delivery()
    QueueRow.objects.update_or_create(
        delivery_id=delivery.pk,
        defaults={
            "subscription_id": delivery.subscription_id,
            "event_id": delivery.event_id,
            "due_at": timezone.now(),
            "attempts": 2,
        },
    )
    Rollup.objects.create(
        grain=Grain.DAY,
        at=timezone.now().replace(hour=0, minute=0, second=0, microsecond=0),
        environment="production",
        topic_id=delivery.subscription.topic_id,
        published=7,
    )
    values = _values(client)
    assert values["signalbox_deliveries_owed", ("owed",)] == 1
    assert values["signalbox_deliveries_owed", ("retrying",)] == 1
    assert values["signalbox_published_total", ("production",)] == 7
