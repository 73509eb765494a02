"""Subscribers may say which fields they read."""

from __future__ import annotations

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("delivery", "0022_quarter_rollups"),
    ]

    operations = [
        migrations.AddField(
            model_name="historicalsubscription",
            name="reads",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=200),
                blank=True,
                default=list,
                help_text="Empty means everything, unless a mapping tells.",
                size=None,
                verbose_name="fields that it reads",
            ),
        ),
        migrations.AddField(
            model_name="subscription",
            name="reads",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=200),
                blank=True,
                default=list,
                help_text="Empty means everything, unless a mapping tells.",
                size=None,
                verbose_name="fields that it reads",
            ),
        ),
    ]
