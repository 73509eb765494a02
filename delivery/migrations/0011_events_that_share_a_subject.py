"""Index subjects and traces so that a value which many events share costs no more than another."""

from __future__ import annotations

import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("delivery", "0010_portal_events")]

    operations = [
        migrations.RemoveIndex(model_name="event", name="event_by_subject"),
        migrations.RemoveIndex(model_name="event", name="event_by_trace"),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(
                condition=models.Q(("subject__isnull", False)),
                fields=["subject"],
                name="event_by_subject",
            ),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(
                django.db.models.functions.text.Substr("trace_parent", 4, 32),
                name="event_by_trace",
            ),
        ),
    ]
