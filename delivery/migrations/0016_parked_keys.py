"""What an ordered subscription does with an event that fails for good; keys that wait."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

import catalog.ids


class Migration(migrations.Migration):
    dependencies = [
        ("delivery", "0015_backlog_history"),
    ]

    operations = [
        migrations.CreateModel(
            name="ParkedKey",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("order_key", models.TextField(verbose_name="key")),
                ("delivery_id", models.UUIDField(verbose_name="failed delivery")),
                ("parked_at", models.DateTimeField(verbose_name="parked")),
            ],
            options={
                "verbose_name": "parked key",
                "verbose_name_plural": "parked keys",
                "ordering": ["parked_at"],
            },
        ),
        migrations.AddField(
            model_name="historicalsubscription",
            name="poison",
            field=models.CharField(
                choices=[
                    ("skip", "Give it up as a dead letter and go on with its key"),
                    ("block", "Keep trying; later events of its key wait"),
                    (
                        "park",
                        "Give it up and park its key: later events wait until someone decides",
                    ),
                ],
                default="skip",
                max_length=10,
                verbose_name="if an event of a key fails for good",
            ),
        ),
        migrations.AddField(
            model_name="subscription",
            name="poison",
            field=models.CharField(
                choices=[
                    ("skip", "Give it up as a dead letter and go on with its key"),
                    ("block", "Keep trying; later events of its key wait"),
                    (
                        "park",
                        "Give it up and park its key: later events wait until someone decides",
                    ),
                ],
                default="skip",
                max_length=10,
                verbose_name="if an event of a key fails for good",
            ),
        ),
        migrations.AddIndex(
            model_name="queuerow",
            index=models.Index(
                condition=models.Q(("lease__isnull", False), ("order_key__isnull", False)),
                fields=["subscription_id", "order_key"],
                name="queue_out_of_key",
            ),
        ),
        migrations.AddField(
            model_name="parkedkey",
            name="subscription",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="parked_keys",
                to="delivery.subscription",
                verbose_name="subscription",
            ),
        ),
        migrations.AddConstraint(
            model_name="parkedkey",
            constraint=models.UniqueConstraint(
                fields=("subscription", "order_key"), name="parked_once_a_subscription"
            ),
        ),
    ]
