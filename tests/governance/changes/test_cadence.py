"""How promptly changes are decided."""

from __future__ import annotations

from datetime import timedelta

import pytest

from governance import cadence, reviews, workflow
from governance.models import ChangeRequest
from tests.governance.changes.conftest import Scene, with_note

pytestmark = pytest.mark.django_db


def test_what_is_due_first_stands_on_top_and_lateness_is_told(scene: Scene) -> None:
    first = scene.opened(with_note(), "1.1.0")
    second = scene.opened(with_note(), "1.2.0")
    scene.propose(with_note(), "1.3.0")
    changes = ChangeRequest.objects.all()
    assert list(cadence.queue(changes)) == [first, second]
    assert not cadence.late(changes, scene.now).exists()
    after = scene.now + workflow.REVIEW_WITHIN + timedelta(seconds=1)
    assert cadence.late(changes, after).count() == 2


def test_the_time_to_a_decision_is_measured(scene: Scene) -> None:
    for hours, version in [(1, "1.1.0"), (3, "1.2.0"), (8, "1.3.0")]:
        change = scene.opened(with_note(), version)
        decided_at = scene.now + timedelta(hours=hours)
        reviews.reject(change, by=scene.reviewer, note="No.", now=decided_at)
    scene.opened(with_note(), "1.4.0")
    found = cadence.measure(ChangeRequest.objects.all(), now=scene.now + timedelta(hours=9))
    assert (found.waiting, found.late, found.decided) == (1, 0, 3)
    assert found.median_seconds == 3 * 3600
    assert found.slowest_seconds == 8 * 3600
    later = scene.now + timedelta(days=100)
    assert cadence.measure(ChangeRequest.objects.all(), now=later).median_seconds is None
