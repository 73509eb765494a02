"""Collects each snapshot for the ledger entry of the transaction that took it."""

from __future__ import annotations

from django.db import models
from django.dispatch import receiver
from simple_history.signals import post_create_historical_record

from catalog import history


@receiver(post_create_historical_record, dispatch_uid="catalog.collect_snapshot")
def collect_snapshot(history_instance: models.Model, **_: object) -> None:
    """Remember the row, so that the chain covers it."""
    who = history.acting()
    if who is not None:
        who.snapshots.append(history_instance)
