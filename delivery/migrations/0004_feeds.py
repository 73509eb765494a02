"""Feeds: what was handed out to whom, and what waits to be."""

from __future__ import annotations

import datetime

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("delivery", "0003_queue_order"),
    ]

    operations = [
        migrations.CreateModel(
            name="FeedPosition",
            fields=[
                (
                    "subscription",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="feed",
                        serialize=False,
                        to="delivery.subscription",
                    ),
                ),
                (
                    "handed_out",
                    models.PositiveBigIntegerField(default=0, verbose_name="handed out"),
                ),
                (
                    "acknowledged",
                    models.PositiveBigIntegerField(default=0, verbose_name="acknowledged"),
                ),
                ("read_at", models.DateTimeField(blank=True, null=True, verbose_name="last read")),
            ],
            options={
                "verbose_name": "feed position",
                "verbose_name_plural": "feed positions",
            },
        ),
        migrations.AddField(
            model_name="queuerow",
            name="position",
            field=models.PositiveBigIntegerField(null=True),
        ),
        migrations.AddIndex(
            model_name="queuerow",
            index=models.Index(
                condition=models.Q(("position__isnull", False)),
                fields=["subscription_id", "position"],
                name="queue_handed_out",
            ),
        ),
        migrations.AddIndex(
            model_name="queuerow",
            index=models.Index(
                condition=models.Q(
                    ("due_at__gte", datetime.datetime(9999, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("position__isnull", True),
                ),
                fields=["subscription_id", "delivery_id"],
                name="queue_not_handed_out",
            ),
        ),
    ]
