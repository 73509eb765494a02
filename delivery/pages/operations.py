"""Operations: how much goes through, how much of it arrives, how fast, what waits, and why not."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from celery import current_app
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db import connection
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog import wording
from catalog.models import Topic
from catalog.requests import PortalRequest
from delivery import overview, rollups
from delivery.models import RollupMark
from delivery.pages import dashboards
from delivery.scopes import Scope
from governance import access
from governance.actions import Action
from governance.models import LedgerHead

BROKER_SECONDS = 1
# Workers count every 10 s; so long without it is late, or means that none runs.
LATE, SILENT = timedelta(seconds=60), timedelta(minutes=5)
SLOW_MS = 250


@login_required
def operations(request: PortalRequest) -> HttpResponse:
    """Show the environment's last hour, day, week or month, and what is wrong now."""
    access.require(request.user, Action.OPERATIONS_VIEW)
    now = timezone.now()
    topics = access.restrict(Topic.objects.order_by("name"), request.user, Action.TOPIC_VIEW)
    topic = topics.filter(name=request.GET.get("topic", "")).first()
    scope = Scope(environment=request.environment, topic=topic.pk if topic else None)
    good, all_ = overview.delivering(scope)
    context = {
        **dashboards.context(request, scope, now=now),
        "topics": topics,
        "topic": topic,
        "good": good,
        "all": all_,
        "parts": _parts(now),
    }
    return render(request, "delivery/operations.html", context)


def _parts(now: datetime) -> list[tuple[str, str, str]]:
    """Return (state, word, detail) of each part of Signalbox itself."""
    return [_database(), _broker(), _workers(now), _ledger()]


def _database() -> tuple[str, str, str]:
    begin = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    took = (time.perf_counter() - begin) * 1000
    return (
        "slow" if took > SLOW_MS else "ok",
        _("Database"),
        _("answers in %(time)s") % {"time": wording.duration(took / 1000)},
    )


def _broker() -> tuple[str, str, str]:
    if str(settings.CELERY_BROKER_URL).startswith("filesystem:"):
        return "ok", _("Broker"), _("files of this machine")
    try:
        with current_app.connection_for_write(connect_timeout=BROKER_SECONDS) as broker:
            broker.ensure_connection(max_retries=0, timeout=BROKER_SECONDS)
    except Exception:  # noqa: BLE001 - whatever it is, the page says that the broker is away
        return "down", _("Broker"), _("does not answer; the sweep goes on without it")
    return "ok", _("Broker"), _("answers")


def _workers(now: datetime) -> tuple[str, str, str]:
    mark = RollupMark.objects.filter(name=rollups.MARK).first()
    if mark is None or mark.at is None:
        return "down", _("Workers"), _("have never been heard of")
    silent = max(now - mark.at - timedelta(seconds=rollups.SETTLE_SECONDS), timedelta(0))
    state = "ok" if silent < LATE else "slow" if silent < SILENT else "down"
    heard = _("last heard of %(time)s") % {"time": wording.relative(now - silent, now=now)}
    return state, _("Workers and scheduler"), heard


def _ledger() -> tuple[str, str, str]:
    head = LedgerHead.objects.first()
    count = head.number if head else 0
    return "ok", _("Ledger"), wording.count_of(count, "entry,entries")
