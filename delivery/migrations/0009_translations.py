"""Conversions between major versions, with their append-only history."""

from __future__ import annotations

import django.db.models.deletion
import simple_history.models
from django.db import migrations, models

import catalog.ids
from governance import immutability


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0001_initial"),
        ("delivery", "0008_identities_by_application"),
        ("governance", "0004_translations"),
    ]

    operations = [
        migrations.CreateModel(
            name="HistoricalTranslation",
            fields=[
                ("id", models.UUIDField(db_index=True, default=catalog.ids.uuid7, editable=False)),
                ("history_user_name", models.CharField(default="", editable=False, max_length=200)),
                ("from_major", models.PositiveIntegerField(verbose_name="from major version")),
                ("to_major", models.PositiveIntegerField(verbose_name="to major version")),
                ("mapping", models.TextField(verbose_name="mapping, JMESPath")),
                ("since", models.DateTimeField(verbose_name="since")),
                ("history_change_reason", models.TextField(null=True)),
                ("history_user_id", models.UUIDField(null=True)),
                (
                    "history_id",
                    models.UUIDField(
                        default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("history_date", models.DateTimeField(db_index=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "change_request",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="governance.changerequest",
                        verbose_name="approved in",
                    ),
                ),
                (
                    "event_type",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="catalog.eventtype",
                        verbose_name="event type",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical conversion between versions",
                "verbose_name_plural": "historical conversions between versions",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="Translation",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("from_major", models.PositiveIntegerField(verbose_name="from major version")),
                ("to_major", models.PositiveIntegerField(verbose_name="to major version")),
                ("mapping", models.TextField(verbose_name="mapping, JMESPath")),
                ("since", models.DateTimeField(verbose_name="since")),
                (
                    "change_request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="translations",
                        to="governance.changerequest",
                        verbose_name="approved in",
                    ),
                ),
                (
                    "event_type",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="translations",
                        to="catalog.eventtype",
                        verbose_name="event type",
                    ),
                ),
            ],
            options={
                "verbose_name": "conversion between versions",
                "verbose_name_plural": "conversions between versions",
                "ordering": ["event_type", "-from_major", "to_major"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("event_type", "from_major", "to_major"),
                        name="one_translation_of_a_way",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("from_major", models.F("to_major")), _negated=True),
                        name="translation_goes_somewhere",
                    ),
                ],
            },
        ),
        immutability.guard("delivery_historicaltranslation"),
    ]
