"""Find events by subject, by trace and by what was made of them, each by an index of its own."""

from __future__ import annotations

import django.contrib.postgres.indexes
import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("delivery", "0004_feeds")]

    operations = [
        migrations.AddIndex(
            model_name="event",
            index=django.contrib.postgres.indexes.HashIndex(
                condition=models.Q(("subject__isnull", False)),
                fields=["subject"],
                name="event_by_subject",
            ),
        ),
        migrations.AddIndex(
            model_name="event",
            index=django.contrib.postgres.indexes.HashIndex(
                django.db.models.functions.text.Substr("trace_parent", 4, 32),
                name="event_by_trace",
            ),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(
                condition=models.Q(("origin_id__isnull", False)),
                fields=["origin_id"],
                name="event_by_origin",
            ),
        ),
    ]
