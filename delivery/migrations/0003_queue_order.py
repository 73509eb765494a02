"""Find the first delivery of a key, and replays behind an open circuit, without reading the rest."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("delivery", "0002_tables")]

    operations = [
        migrations.RemoveIndex(model_name="queuerow", name="queue_by_key"),
        migrations.AddIndex(
            model_name="queuerow",
            index=models.Index(
                condition=models.Q(("order_key__isnull", False)),
                fields=["subscription_id", "order_key", "delivery_id"],
                name="queue_by_key",
            ),
        ),
        migrations.AddIndex(
            model_name="queuerow",
            index=models.Index(
                condition=models.Q(("is_replay", True)),
                fields=["subscription_id", "due_at"],
                name="queue_replays",
            ),
        ),
    ]
