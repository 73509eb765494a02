"""Who took an event's payload away, and why."""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("delivery", "0018_key_pairs"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Expunction",
            fields=[
                ("event_id", models.UUIDField(primary_key=True, serialize=False)),
                ("reason", models.TextField(verbose_name="reason")),
                ("expunged_at", models.DateTimeField(verbose_name="expunged")),
                (
                    "expunged_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="expunged by",
                    ),
                ),
            ],
            options={
                "verbose_name": "expunction",
                "verbose_name_plural": "expunctions",
                "ordering": ["-expunged_at"],
            },
        ),
    ]
