"""What governance does by itself, as wake-ups: each is safe to run twice."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from governance import deprecations, grants


@shared_task(name="governance.tidy", ignore_result=True, acks_late=True)
def tidy() -> None:
    """Close what has run out."""
    grants.expire(now=timezone.now())


@shared_task(name="governance.remind", ignore_result=True, acks_late=True)
def remind() -> None:
    """Tell people of what is about to end."""
    now = timezone.now()
    grants.remind(now=now)
    deprecations.remind(now=now)
