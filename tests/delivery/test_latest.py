"""The sample that an event type's page shows."""

from __future__ import annotations

import pytest

from delivery import latest
from delivery.models import Payload
from governance import roles
from tests import factories


@pytest.mark.django_db
def test_sample_of_an_event_without_data_is_the_versions_example() -> None:
    event = factories.make_event()
    Payload.objects.filter(event_id=event.pk).update(data="")
    viewer = factories.make_person(role=roles.ADMIN)
    shown = latest.sample(event.type, event.version, environment=event.environment, viewer=viewer)
    assert shown.at is None


@pytest.mark.django_db
def test_sample_is_the_newest_event_for_those_who_may_see_it() -> None:
    event = factories.make_event(data={"order_id": "A-1"})
    admin = factories.make_person(role=roles.ADMIN)
    stranger = factories.make_person(team=factories.make_team("elsewhere"))
    where = {"environment": event.environment}
    assert latest.sample(event.type, event.version, viewer=admin, **where).data == {
        "order_id": "A-1"
    }
    assert latest.sample(event.type, event.version, viewer=stranger, **where).at is None
