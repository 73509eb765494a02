"""The demo shop is whole when it is announced."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.utils import timezone

from delivery import rollups, values

pytestmark = pytest.mark.django_db(transaction=True)


def test_charts_and_search_by_value_need_no_worker(settings: LazySettings, tmp_path: Path) -> None:
    settings.DELIVERY_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    settings.DATA_DIR = tmp_path
    call_command("seed_demo", verbosity=0)
    now = timezone.now()
    assert not rollups.is_behind(now=now)
    assert not values.fill(now=now)
