"""One more kind of change: a conversion between versions."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("governance", "0003_sign_offs"),
    ]

    operations = [
        migrations.AlterField(
            model_name="changerequest",
            name="kind",
            field=models.CharField(
                choices=[
                    ("new_event_type", "New event type"),
                    ("schema_version", "Schema version"),
                    ("promotion", "Promotion to production"),
                    ("deprecation", "Deprecation"),
                    ("retirement", "Retirement"),
                    ("topic_policy", "Topic policy"),
                    ("routing_rule", "Routing rule"),
                    ("translation", "Conversion between versions"),
                ],
                max_length=20,
                verbose_name="kind",
            ),
        ),
        migrations.AlterField(
            model_name="historicalchangerequest",
            name="kind",
            field=models.CharField(
                choices=[
                    ("new_event_type", "New event type"),
                    ("schema_version", "Schema version"),
                    ("promotion", "Promotion to production"),
                    ("deprecation", "Deprecation"),
                    ("retirement", "Retirement"),
                    ("topic_policy", "Topic policy"),
                    ("routing_rule", "Routing rule"),
                    ("translation", "Conversion between versions"),
                ],
                max_length=20,
                verbose_name="kind",
            ),
        ),
    ]
