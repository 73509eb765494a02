"""What the house's rules weighed before can not be rewritten."""

from __future__ import annotations

from django.db import migrations

from governance import immutability


class Migration(migrations.Migration):
    dependencies = [("governance", "0004_translations"), ("catalog", "0003_house_rules")]

    operations = [immutability.guard("catalog_historicalruleweight")]
