"""Settings of the hot tables, the first partitions, and append-only history."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import migrations

from delivery import partitions
from governance import immutability

HISTORY = [
    "delivery_historicalendpoint",
    "delivery_historicalendpointsecret",
    "delivery_historicalfailuregroup",
    "delivery_historicalreplay",
    "delivery_historicalsubscription",
]
# Those that there are at this point.
TABLES = ("delivery_event", "delivery_payload", "delivery_delivery", "delivery_attempt")


def make_partitions(apps: object, schema_editor: object) -> None:
    """Make the partitions of the coming days."""
    partitions.ensure(datetime.now(tz=UTC), tables=TABLES)


class Migration(migrations.Migration):
    dependencies = [("delivery", "0001_initial"), ("governance", "0002_immutable")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE delivery_queue SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, "
            "autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0)",
            "ALTER TABLE delivery_queue RESET (fillfactor, autovacuum_vacuum_scale_factor, "
            "autovacuum_vacuum_threshold, autovacuum_vacuum_cost_delay)",
        ),
        migrations.RunPython(make_partitions, migrations.RunPython.noop),
        *[immutability.guard(table) for table in HISTORY],
    ]
