"""What breaks a contract is counted, not stored: by version, environment, application and day."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from catalog.ids import uuid7
from delivery import publish_notes, retention
from delivery.edge import Kind, Refused
from delivery.known import Publisher
from delivery.models import ContractBreach

pytestmark = pytest.mark.django_db(transaction=True)

NOW = timezone.now()
SHOP = Publisher(application_id=uuid7(), environment="staging")


@pytest.fixture(autouse=True)
def _nothing_waits() -> None:
    publish_notes.refused.take()


def breaks(version_id: UUID, times: int = 1) -> None:
    refused = Refused(Kind.CONTRACT, "It breaks.", version_id=version_id)
    for _ in range(times):
        publish_notes.refused.add(refused, publisher=SHOP, topic_id=uuid7())


def test_counts_of_a_day_add_up_and_each_is_written_once() -> None:
    version_id = uuid7()
    for times in (2, 3):
        breaks(version_id, times)
        publish_notes.write(now=NOW)
    publish_notes.write(now=NOW)
    breaks(version_id)
    publish_notes.write(now=NOW + timedelta(days=1))
    rows = ContractBreach.objects.filter(version_id=version_id, environment="staging")
    assert list(rows.order_by("day").values_list("count", flat=True)) == [5, 1]


def test_other_refusals_are_not_the_contracts() -> None:
    for kind in (Kind.NO_GRANT, Kind.TOO_LARGE):
        publish_notes.refused.add(Refused(kind, "No."), publisher=SHOP, topic_id=uuid7())
    forbidden, broken = publish_notes.refused.take()
    assert (sum(forbidden.values()), broken) == (1, {})


def test_they_are_kept_as_long_as_usage_looks_back() -> None:
    for days in (1, 100):
        breaks(uuid7())
        publish_notes.write(now=NOW - timedelta(days=days))
    retention.keep(now=NOW)
    assert [row.day for row in ContractBreach.objects.all()] == [(NOW - timedelta(days=1)).date()]
