"""Routing rules with their append-only history, and what they decide, partitioned by day."""

from __future__ import annotations

from datetime import UTC, datetime

import django.contrib.postgres.fields
import django.db.models.deletion
import simple_history.models
from django.db import migrations, models

import catalog.fields
import catalog.ids
from delivery import partitions
from governance import immutability


def make_partitions(apps: object, schema_editor: object) -> None:
    """Make the partitions of the coming days."""
    partitions.ensure(datetime.now(tz=UTC), tables=("delivery_routingdecision",))


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0001_initial"),
        ("delivery", "0012_batches"),
        ("governance", "0003_sign_offs"),
    ]

    operations = [
        migrations.RunSQL(
            "CREATE SEQUENCE delivery_routing_rule_number",
            "DROP SEQUENCE delivery_routing_rule_number",
        ),
        migrations.CreateModel(
            name="HistoricalRoutingRule",
            fields=[
                ("id", models.UUIDField(db_index=True, default=catalog.ids.uuid7, editable=False)),
                ("history_user_name", models.CharField(default="", editable=False, max_length=200)),
                (
                    "number",
                    models.BigIntegerField(
                        db_default=catalog.fields.NextNumber("delivery_routing_rule_number"),
                        db_index=True,
                        editable=False,
                    ),
                ),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                (
                    "environment",
                    models.CharField(
                        choices=[("production", "Production"), ("staging", "Staging")],
                        max_length=10,
                        verbose_name="environment",
                    ),
                ),
                ("position", models.PositiveIntegerField(verbose_name="position")),
                ("version", models.PositiveIntegerField(default=1, verbose_name="version")),
                ("is_active", models.BooleanField(default=True, verbose_name="in force")),
                (
                    "action",
                    models.CharField(
                        choices=[
                            ("allow", "Let it pass"),
                            ("deny", "Keep it away"),
                            ("send_also", "Send it also to"),
                            ("send_instead", "Send it instead to"),
                        ],
                        max_length=12,
                        verbose_name="what it does",
                    ),
                ),
                (
                    "event_types",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=200),
                        blank=True,
                        default=list,
                        size=None,
                        verbose_name="event types",
                    ),
                ),
                (
                    "regions",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=20),
                        blank=True,
                        default=list,
                        size=None,
                        verbose_name="bound to",
                    ),
                ),
                ("filter", models.JSONField(blank=True, default=dict, verbose_name="filter")),
                (
                    "condition",
                    models.TextField(blank=True, verbose_name="condition on the data, JMESPath"),
                ),
                ("changed_at", models.DateTimeField(verbose_name="since")),
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
                        verbose_name="change request",
                    ),
                ),
                (
                    "concerns_application",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="catalog.application",
                        verbose_name="concerns the application",
                    ),
                ),
                (
                    "concerns_subscription",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="delivery.subscription",
                        verbose_name="concerns the subscription",
                    ),
                ),
                (
                    "to_application",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="catalog.application",
                        verbose_name="sends to the application",
                    ),
                ),
                (
                    "to_subscription",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="delivery.subscription",
                        verbose_name="sends to the subscription",
                    ),
                ),
                (
                    "topic",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="catalog.topic",
                        verbose_name="topic",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical routing rule",
                "verbose_name_plural": "historical routing rules",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="RoutingRule",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "number",
                    models.BigIntegerField(
                        db_default=catalog.fields.NextNumber("delivery_routing_rule_number"),
                        editable=False,
                        unique=True,
                    ),
                ),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                (
                    "environment",
                    models.CharField(
                        choices=[("production", "Production"), ("staging", "Staging")],
                        max_length=10,
                        verbose_name="environment",
                    ),
                ),
                ("position", models.PositiveIntegerField(verbose_name="position")),
                ("version", models.PositiveIntegerField(default=1, verbose_name="version")),
                ("is_active", models.BooleanField(default=True, verbose_name="in force")),
                (
                    "action",
                    models.CharField(
                        choices=[
                            ("allow", "Let it pass"),
                            ("deny", "Keep it away"),
                            ("send_also", "Send it also to"),
                            ("send_instead", "Send it instead to"),
                        ],
                        max_length=12,
                        verbose_name="what it does",
                    ),
                ),
                (
                    "event_types",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=200),
                        blank=True,
                        default=list,
                        size=None,
                        verbose_name="event types",
                    ),
                ),
                (
                    "regions",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=20),
                        blank=True,
                        default=list,
                        size=None,
                        verbose_name="bound to",
                    ),
                ),
                ("filter", models.JSONField(blank=True, default=dict, verbose_name="filter")),
                (
                    "condition",
                    models.TextField(blank=True, verbose_name="condition on the data, JMESPath"),
                ),
                ("changed_at", models.DateTimeField(verbose_name="since")),
                (
                    "change_request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="routing_rules",
                        to="governance.changerequest",
                        verbose_name="change request",
                    ),
                ),
                (
                    "concerns_application",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="catalog.application",
                        verbose_name="concerns the application",
                    ),
                ),
                (
                    "concerns_subscription",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="delivery.subscription",
                        verbose_name="concerns the subscription",
                    ),
                ),
                (
                    "to_application",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="catalog.application",
                        verbose_name="sends to the application",
                    ),
                ),
                (
                    "to_subscription",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="delivery.subscription",
                        verbose_name="sends to the subscription",
                    ),
                ),
                (
                    "topic",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="routing_rules",
                        to="catalog.topic",
                        verbose_name="topic",
                    ),
                ),
            ],
            options={
                "verbose_name": "routing rule",
                "verbose_name_plural": "routing rules",
                "ordering": ["topic", "environment", "position", "number"],
            },
        ),
        partitions.CreatePartitioned(
            name="RoutingDecision",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("rule_version", models.PositiveIntegerField(verbose_name="version")),
                (
                    "effect",
                    models.CharField(
                        choices=[
                            ("allowed", "Let through"),
                            ("denied", "Kept away"),
                            ("added", "Added"),
                            ("replaced", "Sent elsewhere"),
                        ],
                        max_length=10,
                        verbose_name="what it decided",
                    ),
                ),
                (
                    "event",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="routing_decisions",
                        to="delivery.event",
                        verbose_name="event",
                    ),
                ),
                (
                    "subscription",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="delivery.subscription",
                        verbose_name="subscription",
                    ),
                ),
                (
                    "rule",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="decisions",
                        to="delivery.routingrule",
                        verbose_name="rule",
                    ),
                ),
            ],
            options={
                "verbose_name": "routing decision",
                "verbose_name_plural": "routing decisions",
                "ordering": ["-id"],
            },
        ),
        migrations.AddConstraint(
            model_name="routingrule",
            constraint=models.CheckConstraint(
                condition=models.Q(("action__in", ["allow", "deny", "send_also", "send_instead"])),
                name="routing_rule_action_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="routingrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("concerns_application", None), ("concerns_subscription", None), _connector="OR"
                ),
                name="routing_rule_concerns_one",
            ),
        ),
        migrations.AddConstraint(
            model_name="routingrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("action__in", ("send_also", "send_instead")),
                        ("to_application", None),
                        ("to_subscription__isnull", False),
                    ),
                    models.Q(
                        ("action__in", ("send_also", "send_instead")),
                        ("to_application__isnull", False),
                        ("to_subscription", None),
                    ),
                    models.Q(
                        models.Q(("action__in", ("send_also", "send_instead")), _negated=True),
                        ("to_application", None),
                        ("to_subscription", None),
                    ),
                    _connector="OR",
                ),
                name="routing_rule_sends_to_one",
            ),
        ),
        migrations.RunPython(make_partitions, migrations.RunPython.noop),
        immutability.guard("delivery_historicalroutingrule"),
    ]
