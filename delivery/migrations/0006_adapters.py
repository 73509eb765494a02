"""Inbound adapters, with their append-only history."""

from __future__ import annotations

import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models

import catalog.ids
from governance import immutability


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0001_initial"),
        ("delivery", "0005_event_search"),
        ("governance", "0002_immutable"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="HistoricalAdapter",
            fields=[
                ("id", models.UUIDField(db_index=True, default=catalog.ids.uuid7, editable=False)),
                ("history_user_name", models.CharField(default="", editable=False, max_length=200)),
                ("slug", models.SlugField(max_length=80, verbose_name="address")),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                (
                    "environment",
                    models.CharField(
                        choices=[("production", "Production"), ("staging", "Staging")],
                        max_length=10,
                        verbose_name="environment",
                    ),
                ),
                (
                    "secret_kind",
                    models.CharField(
                        choices=[
                            ("header", "in a header"),
                            ("basic", "user and password"),
                            ("query", "in the address"),
                            ("hmac", "signature of the body"),
                        ],
                        default="header",
                        max_length=10,
                        verbose_name="secret",
                    ),
                ),
                ("secret_name", models.CharField(max_length=80, verbose_name="name of the secret")),
                (
                    "before_until",
                    models.DateTimeField(
                        blank=True, null=True, verbose_name="old secret valid until"
                    ),
                ),
                (
                    "id_path",
                    models.TextField(
                        blank=True,
                        help_text="Empty: told apart by the whole body, for a while.",
                        verbose_name="id",
                    ),
                ),
                ("source_path", models.TextField(blank=True, verbose_name="source")),
                ("subject_path", models.TextField(blank=True, verbose_name="subject")),
                ("time_path", models.TextField(blank=True, verbose_name="time")),
                ("key_path", models.TextField(blank=True, verbose_name="partition key")),
                (
                    "data_path",
                    models.TextField(
                        blank=True, help_text="Empty: the whole body.", verbose_name="data"
                    ),
                ),
                (
                    "window_seconds",
                    models.PositiveIntegerField(
                        default=86400, verbose_name="equal bodies are one event for, seconds"
                    ),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
                ("created_at", models.DateTimeField(verbose_name="created")),
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
                    "application",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="catalog.application",
                        verbose_name="application",
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
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
                "verbose_name": "historical inbound adapter",
                "verbose_name_plural": "historical inbound adapters",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="Adapter",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("slug", models.SlugField(max_length=80, unique=True, verbose_name="address")),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                (
                    "environment",
                    models.CharField(
                        choices=[("production", "Production"), ("staging", "Staging")],
                        max_length=10,
                        verbose_name="environment",
                    ),
                ),
                (
                    "secret_kind",
                    models.CharField(
                        choices=[
                            ("header", "in a header"),
                            ("basic", "user and password"),
                            ("query", "in the address"),
                            ("hmac", "signature of the body"),
                        ],
                        default="header",
                        max_length=10,
                        verbose_name="secret",
                    ),
                ),
                ("secret_name", models.CharField(max_length=80, verbose_name="name of the secret")),
                ("sealed", models.TextField(editable=False)),
                ("sealed_before", models.TextField(blank=True, editable=False)),
                (
                    "before_until",
                    models.DateTimeField(
                        blank=True, null=True, verbose_name="old secret valid until"
                    ),
                ),
                (
                    "id_path",
                    models.TextField(
                        blank=True,
                        help_text="Empty: told apart by the whole body, for a while.",
                        verbose_name="id",
                    ),
                ),
                ("source_path", models.TextField(blank=True, verbose_name="source")),
                ("subject_path", models.TextField(blank=True, verbose_name="subject")),
                ("time_path", models.TextField(blank=True, verbose_name="time")),
                ("key_path", models.TextField(blank=True, verbose_name="partition key")),
                (
                    "data_path",
                    models.TextField(
                        blank=True, help_text="Empty: the whole body.", verbose_name="data"
                    ),
                ),
                (
                    "window_seconds",
                    models.PositiveIntegerField(
                        default=86400, verbose_name="equal bodies are one event for, seconds"
                    ),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
                ("created_at", models.DateTimeField(verbose_name="created")),
                (
                    "application",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="adapters",
                        to="catalog.application",
                        verbose_name="application",
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "event_type",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="adapters",
                        to="catalog.eventtype",
                        verbose_name="event type",
                    ),
                ),
            ],
            options={
                "verbose_name": "inbound adapter",
                "verbose_name_plural": "inbound adapters",
                "ordering": ["name"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("secret_kind__in", ["header", "basic", "query", "hmac"])
                        ),
                        name="adapter_secret_kind_known",
                    )
                ],
            },
        ),
        immutability.guard("delivery_historicaladapter"),
    ]
