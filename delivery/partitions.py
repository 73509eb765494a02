"""Tables partitioned by day through the time in their UUIDv7 key.

A default partition catches what no daily one covers, so an insert never fails for want of one.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, OperationalError, connection, migrations, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.utils import CursorWrapper
from django.db.migrations.state import ProjectState

from catalog.ids import first_of
from delivery import holding

TABLES = (
    "delivery_event",
    "delivery_payload",
    "delivery_delivery",
    "delivery_attempt",
    "delivery_routingdecision",
)
DAYS_AHEAD = 7
# The new partition needs its table for itself; who waits longer for that holds up publishing.
LOCK_MILLISECONDS = 500
# So many rows of a day may move while publishers wait for its drop: about a tenth of a second.
MOST_MOVED = 5_000

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


def ensure(
    now: datetime, *, days_ahead: int = DAYS_AHEAD, tables: Sequence[str] = TABLES
) -> list[str]:
    """Make the daily partitions from today on; return the names of those made.

    A day whose rows already stand in the default partition is left there. Where a table is busy
    for longer than a moment the rest is left to the next run: days ahead are in no hurry, and all
    who publish would wait behind us.
    """
    today = now.astimezone(UTC).date()
    made: list[str] = []
    for offset in range(days_ahead + 1):
        day = today + timedelta(days=offset)
        for table in tables:
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
    key = _key(table)
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
    """Drop the daily partitions of days before `day` (UTC); return their names.

    What is held of them (see `holding`) moves to the default partitions first. A day of which more
    than `MOST_MOVED` rows are held stays whole until less of it is. Where a table is busy for
    longer than a moment the rest is left to the next run.
    """
    dropped: list[str] = []
    for stamp in sorted({name.rsplit("_", 1)[-1] for name in _daily() if _is_of(name, before=day)}):
        try:
            dropped += _drop_day(stamp)
        except _Held as held:
            logger.warning("The day %s stays: %s rows of it are still owed.", stamp, held)
        except OperationalError as error:
            logger.warning("The day %s is dropped later: %s", stamp, error)
            return dropped
    return dropped


def sweep_default(before: datetime) -> int:
    """Delete what the default partitions have from before an instant and nothing holds any more.

    That is what `drop_before` moved there, and days that came when nobody made partitions. Returns
    how many rows that were.
    """
    total = 0
    bound = first_of(before)
    with transaction.atomic(), connection.cursor() as cursor:
        _hold(cursor, bound)
        # Attempts first: which of them are held, their deliveries say.
        for table in reversed(TABLES):
            cursor.execute(
                f"DELETE FROM {table}_default one WHERE one.{_key(table)} < %s "  # noqa: S608 - our own names
                f"AND NOT ({holding.BELONGS[table].format(rows='one')})",
                [bound],
            )
            total += cursor.rowcount
    return total


def warnings(now: datetime, *, kept_since: datetime) -> list[str]:
    """Say what is wrong with the partitions, in sentences; none when all is well.

    Rows from after `kept_since` in a default partition stand there for want of a daily one; older
    ones are held.
    """
    unseen = {table: _in_default(table, kept_since) for table in TABLES}
    found = [
        f"{table}_default has {count} rows for want of daily partitions."
        for table, count in unseen.items()
        if count
    ]
    names, tomorrow = _daily(), now.astimezone(UTC).date() + timedelta(days=1)
    if any(f"{table}_{tomorrow:%Y%m%d}" not in names for table in TABLES):
        found.append("No partitions are made for tomorrow: see whether beat and a worker run.")
    return found


class _Held(Exception):
    """Too much of the day is owed still to be moved while publishers wait."""


def _drop_day(stamp: str) -> list[str]:
    """Drop a day's partitions and move what is held of them, in one transaction."""
    end = first_of(datetime.strptime(stamp, "%Y%m%d").replace(tzinfo=UTC) + timedelta(days=1))
    names = _daily()
    there = [table for table in TABLES if f"{table}_{stamp}" in names]
    with transaction.atomic(), connection.cursor() as cursor:
        _hold(cursor, end)
        moved = 0
        for table in there:
            cursor.execute(
                f"CREATE TEMP TABLE kept_{table} ON COMMIT DROP AS "  # noqa: S608 - our own names
                f"SELECT one.* FROM {table}_{stamp} one "
                f"WHERE {holding.BELONGS[table].format(rows='one')}"
            )
            moved += cursor.rowcount
        if moved > MOST_MOVED:
            raise _Held(moved)
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_MILLISECONDS}ms'")
        for table in there:
            cursor.execute(f"DROP TABLE {table}_{stamp}")
        for table in there:
            cursor.execute(f"INSERT INTO {table} SELECT * FROM kept_{table}")  # noqa: S608 - our own names
    return [f"{table}_{stamp}" for table in there]


def _hold(cursor: CursorWrapper, before: UUID) -> None:
    """Make the table `held` of this transaction: the held events from before a key."""
    cursor.execute("DROP TABLE IF EXISTS pg_temp.held")
    cursor.execute(
        f"CREATE TEMP TABLE held ON COMMIT DROP AS {holding.EVENTS}",
        {"before": before, "over": list(holding.OVER)},
    )
    cursor.execute("ANALYZE held")


def _in_default(table: str, since: datetime) -> int:
    """Count the rows from an instant on in the default partition, up to 1,000."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM (SELECT FROM {table}_default "  # noqa: S608 - our own names
            f"WHERE {_key(table)} >= %s LIMIT 1000) AS found",
            [first_of(since)],
        )
        return int(cursor.fetchone()[0])


def _daily() -> set[str]:
    """Return the names of all daily partitions."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT child.relname FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid "
            "WHERE inhparent = ANY(%s::regclass[])",
            [list(TABLES)],
        )
        return {name for (name,) in cursor.fetchall() if name.rsplit("_", 1)[-1].isdigit()}


def _is_of(name: str, *, before: date) -> bool:
    return name.rsplit("_", 1)[-1] < f"{before:%Y%m%d}"


def _key(table: str) -> str:
    return "event_id" if table == "delivery_payload" else "id"
