"""What beat wakes is there, and what people must be reminded of is among it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from config.celery import app
from delivery.models import Notification
from governance import tasks
from tests import factories

WOKEN = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}


def test_every_task_that_beat_wakes_exists() -> None:
    app.loader.import_default_modules()
    assert set(app.tasks) >= WOKEN


def test_reminders_are_woken() -> None:
    assert {"governance.remind", "delivery.remind_of_changes"} <= WOKEN


@pytest.mark.django_db
def test_who_uses_what_ends_soon_is_reminded() -> None:
    soon = timezone.now() + timedelta(days=6)
    version = factories.make_version(live_in=(), deprecated_in=["production"], sunset_at=soon)
    topic = version.event_type.topic
    pinned = factories.make_subscription(topic=topic, version_pin=version.major)
    owner = factories.make_person(team=pinned.application.team)
    tasks.remind()
    tasks.remind()
    assert Notification.objects.filter(user=owner, kind="sunset").count() == 1
