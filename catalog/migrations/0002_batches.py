"""When the events of a batched topic go out together."""

from __future__ import annotations

import django.contrib.postgres.fields
import django.core.validators
from django.db import migrations, models

import catalog.models.topics


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="historicaltopic",
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
            model_name="historicaltopic",
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
            model_name="historicaltopic",
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
            model_name="historicaltopic",
            name="batch_time_zone",
            field=models.CharField(
                default="UTC",
                max_length=64,
                validators=[catalog.models.topics.check_time_zone],
                verbose_name="in the time zone",
            ),
        ),
        migrations.AddField(
            model_name="historicaltopic",
            name="batch_times",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    max_length=5, validators=[catalog.models.topics.check_time_of_day]
                ),
                blank=True,
                default=list,
                help_text="For batched topics: times of day such as 02:00, by commas. Empty: no time.",
                size=24,
                verbose_name="batches go out at",
            ),
        ),
        migrations.AddField(
            model_name="topic",
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
            model_name="topic",
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
            model_name="topic",
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
            model_name="topic",
            name="batch_time_zone",
            field=models.CharField(
                default="UTC",
                max_length=64,
                validators=[catalog.models.topics.check_time_zone],
                verbose_name="in the time zone",
            ),
        ),
        migrations.AddField(
            model_name="topic",
            name="batch_times",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    max_length=5, validators=[catalog.models.topics.check_time_of_day]
                ),
                blank=True,
                default=list,
                help_text="For batched topics: times of day such as 02:00, by commas. Empty: no time.",
                size=24,
                verbose_name="batches go out at",
            ),
        ),
    ]
