"""The engine as Django looks for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.backends.postgresql import base
from django.db.backends.postgresql.operations import DatabaseOperations as PostgresOperations


class DatabaseOperations(PostgresOperations):
    """PostgreSQL's, with another way to empty all tables."""

    def sql_flush(
        self,
        style: Any,
        tables: Sequence[str],
        *,
        reset_sequences: bool = False,
        allow_cascade: bool = False,
    ) -> list[str]:
        """Return SQL that deletes the rows instead of truncating.

        TRUNCATE makes new files for each table, partition and index, which are 800 here: up to a
        second after every test that commits, for the few rows that it left. The locks are those of
        TRUNCATE, so that what a process of the test still writes is waited for, not overlooked.
        Foreign keys and the triggers that keep history rest meanwhile, for which PostgreSQL wants
        a superuser; as another the tables are truncated.
        """
        if reset_sequences or not tables or not self._is_superuser():
            return super().sql_flush(
                style, tables, reset_sequences=reset_sequences, allow_cascade=allow_cascade
            )
        names = [self.quote_name(table) for table in tables]
        return [
            f"LOCK TABLE {', '.join(names)} IN ACCESS EXCLUSIVE MODE",
            "SET LOCAL session_replication_role = replica",
            "; ".join(f"DELETE FROM {name}" for name in names),
            "SET LOCAL session_replication_role TO DEFAULT",
        ]

    def _is_superuser(self) -> bool:
        self.connection.ensure_connection()
        return bool(self.connection.connection.info.parameter_status("is_superuser") == "on")


class DatabaseWrapper(base.DatabaseWrapper):
    """PostgreSQL's, with those operations."""

    ops_class = DatabaseOperations
