"""What rules for contracts weigh: in the portal, and as a promise of a topic."""

from __future__ import annotations

import simple_history.models
from django.db import migrations, models

import catalog.house_rules
import catalog.ids


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0002_batches"),
    ]

    operations = [
        migrations.CreateModel(
            name="HistoricalRuleWeight",
            fields=[
                ("history_user_name", models.CharField(default="", editable=False, max_length=200)),
                (
                    "rule",
                    models.CharField(
                        choices=[
                            ("root_is_object", "The data is an object with named fields"),
                            ("field_has_meaning", "Every field says what it means"),
                            ("identifier_is_text", "Identifiers are text, not numbers"),
                            ("time_has_zone", "Times carry a zone"),
                            ("money_has_currency", "Money stands beside its currency"),
                            ("size_is_bounded", "Texts and lists have a greatest size"),
                            ("name_is_in_case", "Names keep the topic's convention"),
                            (
                                "content_is_stated",
                                "It is said whether unknown fields may come along",
                            ),
                            ("content_is_open", "Unknown fields may come along"),
                            ("searchable_is_value", "What is searched for is a text or a number"),
                            (
                                "searchable_is_harmless",
                                "What says something of a person is not searched for",
                            ),
                        ],
                        db_index=True,
                        max_length=40,
                        verbose_name="rule",
                    ),
                ),
                (
                    "weight",
                    models.CharField(
                        choices=[("error", "Error"), ("advice", "Advice"), ("off", "Off")],
                        max_length=6,
                        verbose_name="weight",
                    ),
                ),
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
            ],
            options={
                "verbose_name": "historical house rule",
                "verbose_name_plural": "historical house rules",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.AddField(
            model_name="historicaltopic",
            name="house_rules",
            field=models.JSONField(
                blank=True,
                default=dict,
                help_text="What rules for contracts weigh here; the others as in the whole portal.",
                validators=[catalog.house_rules.check_weights],
                verbose_name="house rules",
            ),
        ),
        migrations.AddField(
            model_name="topic",
            name="house_rules",
            field=models.JSONField(
                blank=True,
                default=dict,
                help_text="What rules for contracts weigh here; the others as in the whole portal.",
                validators=[catalog.house_rules.check_weights],
                verbose_name="house rules",
            ),
        ),
        migrations.CreateModel(
            name="RuleWeight",
            fields=[
                (
                    "rule",
                    models.CharField(
                        choices=[
                            ("root_is_object", "The data is an object with named fields"),
                            ("field_has_meaning", "Every field says what it means"),
                            ("identifier_is_text", "Identifiers are text, not numbers"),
                            ("time_has_zone", "Times carry a zone"),
                            ("money_has_currency", "Money stands beside its currency"),
                            ("size_is_bounded", "Texts and lists have a greatest size"),
                            ("name_is_in_case", "Names keep the topic's convention"),
                            (
                                "content_is_stated",
                                "It is said whether unknown fields may come along",
                            ),
                            ("content_is_open", "Unknown fields may come along"),
                            ("searchable_is_value", "What is searched for is a text or a number"),
                            (
                                "searchable_is_harmless",
                                "What says something of a person is not searched for",
                            ),
                        ],
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                        verbose_name="rule",
                    ),
                ),
                (
                    "weight",
                    models.CharField(
                        choices=[("error", "Error"), ("advice", "Advice"), ("off", "Off")],
                        max_length=6,
                        verbose_name="weight",
                    ),
                ),
            ],
            options={
                "verbose_name": "house rule",
                "verbose_name_plural": "house rules",
                "ordering": ["rule"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("weight__in", ["error", "advice", "off"])),
                        name="rule_weight_known",
                    )
                ],
            },
        ),
    ]
