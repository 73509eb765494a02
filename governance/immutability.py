"""SQL that makes a table append-only, for migrations.

The one sanctioned way round is a migration that sets `signalbox.rewriting_history` for its own
transaction and leaves a ledger entry.
"""

from __future__ import annotations

from django.db import migrations

CREATE_FUNCTION = """
CREATE OR REPLACE FUNCTION signalbox_refuse_rewrite() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('signalbox.rewriting_history', true) = 'yes' THEN
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    RAISE EXCEPTION '% on % is refused: history is append-only', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$
"""
DROP_FUNCTION = "DROP FUNCTION IF EXISTS signalbox_refuse_rewrite()"


def guard(table: str) -> migrations.RunSQL:
    """Make `table` refuse UPDATE, DELETE and TRUNCATE."""
    return migrations.RunSQL(
        [
            f"CREATE TRIGGER refuse_rewrite BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION signalbox_refuse_rewrite()",
            f"CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION signalbox_refuse_rewrite()",
        ],
        [
            f"DROP TRIGGER refuse_truncate ON {table}",
            f"DROP TRIGGER refuse_rewrite ON {table}",
        ],
    )
