"""Tables partitioned by day through the time in their UUIDv7 key.

A default partition catches what no daily one covers, so an insert never fails for want of one.
"""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db import IntegrityError, OperationalError, connection, migrations, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import ProjectState

from catalog.ids import first_of

TABLES = ("delivery_event", "delivery_payload", "delivery_delivery", "delivery_attempt")
DAYS_AHEAD = 7
# The new partition needs its table for itself; who waits longer for that holds up publishing.
LOCK_MILLISECONDS = 500

logger = logging.getLogger(__name__)


class CreatePartitioned(migrations.CreateModel):
    """`CreateModel` whose table is partitioned by range of its key, with a default partition."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        model = to_state.apps.get_model(app_label, self.name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        sql, params = schema_editor.table_sql(model)
        key = schema_editor.quote_name(model._meta.pk.column)
        table = model._meta.db_table
        schema_editor.execute(f"{sql} PARTITION BY RANGE ({key})", params or None)
        default = schema_editor.quote_name(f"{table}_default")
        schema_editor.execute(
            f"CREATE TABLE {default} PARTITION OF {schema_editor.quote_name(table)} DEFAULT"
        )
        editor: Any = schema_editor
        editor.deferred_sql.extend(editor._model_indexes_sql(model))


def ensure(now: datetime, *, days_ahead: int = DAYS_AHEAD) -> list[str]:
    """Make the daily partitions from today on; return the names of those made.

    A day whose rows already stand in the default partition is left there. Where a table is busy
    for longer than a moment the rest is left to the next run: days ahead are in no hurry, and all
    who publish would wait behind us.
    """
    today = now.astimezone(UTC).date()
    made: list[str] = []
    for offset in range(days_ahead + 1):
        day = today + timedelta(days=offset)
        for table in TABLES:
            try:
                name = _ensure_day(table, day)
            except (OperationalError, IntegrityError) as error:
                logger.warning("%s of %s is made later: %s", table, day, error)
                return made
            made += [name] if name else []
    return made


def _ensure_day(table: str, day: date) -> str | None:
    name = f"{table}_{day:%Y%m%d}"
    start = first_of(datetime.combine(day, time.min, tzinfo=UTC))
    end = first_of(datetime.combine(day + timedelta(days=1), time.min, tzinfo=UTC))
    key = "event_id" if table == "delivery_payload" else "id"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [name])
        if cursor.fetchone()[0]:
            return None
        cursor.execute(
            f"SELECT EXISTS (SELECT 1 FROM {table}_default WHERE {key} >= %s AND {key} < %s)",  # noqa: S608 - our own names
            [start, end],
        )
        if cursor.fetchone()[0]:
            return None
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_MILLISECONDS}ms'")
        cursor.execute(
            f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF {table} "
            f"FOR VALUES FROM ('{start}') TO ('{end}')"
        )
        cursor.execute("SET LOCAL lock_timeout TO DEFAULT")  # a migration goes on behind us
    return name


def drop_before(day: date) -> list[str]:
    """Drop the daily partitions of days before `day` (UTC); return their names."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT child.relname FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid "
            "JOIN pg_class parent ON parent.oid = inhparent WHERE parent.relname = ANY(%s)",
            [list(TABLES)],
        )
        names = sorted(name for (name,) in cursor.fetchall() if _day_of(name, before=day))
        for name in names:
            cursor.execute(f'DROP TABLE "{name}"')
    return names


def _day_of(name: str, *, before: date) -> bool:
    stamp = name.rsplit("_", 1)[-1]
    return stamp.isdigit() and stamp < f"{before:%Y%m%d}"
