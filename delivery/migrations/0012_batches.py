"""Batches: what a subscription wants of them, and which delivery goes in which."""

from __future__ import annotations

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("delivery", "0011_events_that_share_a_subject"),
    ]

    operations = [
        migrations.AddField(
            model_name="attempt",
            name="batch_id",
            field=models.UUIDField(blank=True, null=True, verbose_name="batch"),
        ),
        migrations.AddField(
            model_name="historicalsubscription",
            name="batch_max_bytes",
            field=models.PositiveIntegerField(
                default=1000000,
                help_text="Or so much data.",
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(5000000),
                ],
                verbose_name="data in a batch, bytes",
            ),
        ),
        migrations.AddField(
            model_name="historicalsubscription",
            name="batch_max_events",
            field=models.PositiveIntegerField(
                default=100,
                help_text="A batch goes out as soon as it has so many.",
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(1000),
                ],
                verbose_name="events in a batch",
            ),
        ),
        migrations.AddField(
            model_name="historicalsubscription",
            name="batch_max_wait_seconds",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="Or when its first event has waited so long. Empty: a minute, or the clock.",
                null=True,
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(604800),
                ],
                verbose_name="longest wait, seconds",
            ),
        ),
        migrations.AddField(
            model_name="historicalsubscription",
            name="batching",
            field=models.CharField(
                choices=[
                    ("topic", "As the topic says"),
                    ("each", "Each event at once"),
                    ("batches", "In batches"),
                ],
                default="topic",
                max_length=10,
                verbose_name="one by one or together",
            ),
        ),
        migrations.AddField(
            model_name="queuerow",
            name="batch_id",
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name="subscription",
            name="batch_max_bytes",
            field=models.PositiveIntegerField(
                default=1000000,
                help_text="Or so much data.",
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(5000000),
                ],
                verbose_name="data in a batch, bytes",
            ),
        ),
        migrations.AddField(
            model_name="subscription",
            name="batch_max_events",
            field=models.PositiveIntegerField(
                default=100,
                help_text="A batch goes out as soon as it has so many.",
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(1000),
                ],
                verbose_name="events in a batch",
            ),
        ),
        migrations.AddField(
            model_name="subscription",
            name="batch_max_wait_seconds",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="Or when its first event has waited so long. Empty: a minute, or the clock.",
                null=True,
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(604800),
                ],
                verbose_name="longest wait, seconds",
            ),
        ),
        migrations.AddField(
            model_name="subscription",
            name="batching",
            field=models.CharField(
                choices=[
                    ("topic", "As the topic says"),
                    ("each", "Each event at once"),
                    ("batches", "In batches"),
                ],
                default="topic",
                max_length=10,
                verbose_name="one by one or together",
            ),
        ),
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(
                condition=models.Q(("batch_id__isnull", False)),
                fields=["batch_id"],
                name="attempt_by_batch",
            ),
        ),
        migrations.AddIndex(
            model_name="queuerow",
            index=models.Index(
                condition=models.Q(("batch_id__isnull", False)),
                fields=["subscription_id", "batch_id", "delivery_id"],
                name="queue_by_batch",
            ),
        ),
    ]
