"""The ledger and every historical row refuse UPDATE, DELETE and TRUNCATE in the database itself."""

from __future__ import annotations

from django.db import migrations

from governance import immutability

TABLES = [
    "governance_ledgerentry",
    "catalog_historicalapplication",
    "catalog_historicaldomain",
    "catalog_historicaleventtype",
    "catalog_historicalregion",
    "catalog_historicalrelease",
    "catalog_historicalschemaversion",
    "catalog_historicalteam",
    "catalog_historicaltopic",
    "catalog_historicaluser",
    "governance_historicalaccessrequest",
    "governance_historicalapikey",
    "governance_historicalchangerequest",
    "governance_historicalcomment",
    "governance_historicalgrant",
    "governance_historicalreview",
]


class Migration(migrations.Migration):
    dependencies = [("governance", "0001_initial"), ("catalog", "0001_initial")]

    operations = [
        migrations.RunSQL(immutability.CREATE_FUNCTION, immutability.DROP_FUNCTION),
        *[immutability.guard(table) for table in TABLES],
        migrations.RunSQL(
            "INSERT INTO governance_ledgerhead (id, number, hash) VALUES (1, 0, repeat('0', 64)) "
            "ON CONFLICT DO NOTHING",
            migrations.RunSQL.noop,
        ),
    ]
