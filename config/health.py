"""Says whether a process lives (`/healthz`) and whether the copy can work (`/readyz`)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config.celery import app
from delivery import retention

# A load balancer asks every few seconds and gives up after about five.
BROKER_TIMEOUT_SECONDS = 2


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer 200 as long as this process answers at all."""
    del request
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when database, migrations and broker are there, else 503; each is named."""
    del request
    checks = {"database": _database, "migrations": _migrations, "broker": _broker}
    found = {name: _outcome(check) for name, check in checks.items()}
    is_ready = all(outcome == "ok" for outcome in found.values())
    warnings = retention.warnings(now=timezone.now()) if is_ready else []
    return JsonResponse(
        {
            "status": "ready" if is_ready else "not ready",
            "checks": found,
            # It works, and somebody should look before it no longer does.
            **({"warnings": warnings} if warnings else {}),
        },
        status=200 if is_ready else 503,
    )


def _outcome(check: Callable[[], str]) -> str:
    try:
        return check()
    except Exception as error:  # noqa: BLE001 - whatever fails, the answer says so and goes out
        # The class alone: messages of drivers name hosts and users, and this page is public.
        return f"failed: {type(error).__name__}"


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return "ok"


def _migrations() -> str:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return f"{len(missing)} not applied" if missing else "ok"


def _broker() -> str:
    if settings.CELERY_BROKER_URL.startswith("filesystem:"):
        folder = Path(settings.CELERY_BROKER_TRANSPORT_OPTIONS["folder"])
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / "probe"
        probe.touch()
        return "ok"
    url = settings.CELERY_BROKER_URL
    with app.connection_for_write(url, connect_timeout=BROKER_TIMEOUT_SECONDS) as broker:
        broker.ensure_connection(max_retries=1, interval_start=0, timeout=BROKER_TIMEOUT_SECONDS)
    return "ok"
