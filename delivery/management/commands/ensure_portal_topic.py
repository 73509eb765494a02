"""`manage.py ensure_portal_topic`: the topic on which Signalbox says what happens to it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from delivery import portal_events


class Command(BaseCommand):
    """Make the topic `portal.operations` with its contracts; safe to repeat."""

    help = "Make the topic portal.operations with its contracts where they are missing."

    def handle(self, *args: Any, **options: Any) -> None:
        """Make what is missing."""
        portal_events.ensure_topic(now=timezone.now())
