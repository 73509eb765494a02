"""Identities belong to the application that published: their digests say so from here on."""

from __future__ import annotations

from typing import Any

import django.contrib.postgres.indexes
from django.db import migrations

from delivery.cloudevents import dedup_key

BATCH = 5_000


def name_applications(apps: Any, schema_editor: Any) -> None:
    """Give every identity whose event is kept the digest that a repeat of it has now."""
    event = apps.get_model("delivery", "Event")
    after = None
    while True:
        rows = event.objects.order_by("pk")
        batch = list(
            (rows.filter(pk__gt=after) if after else rows).values_list(
                "pk", "environment", "application_id", "source", "event_id"
            )[:BATCH]
        )
        if not batch:
            return
        after = batch[-1][0]
        digests = {pk: dedup_key(*parts) for pk, *parts in batch}
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(
                "UPDATE delivery_eventidentity i SET digest = named.digest "
                "FROM unnest(%s::uuid[], %s::bytea[]) AS named(event_id, digest) "
                "WHERE i.event_id = named.event_id",
                [list(digests), list(digests.values())],
            )


class Migration(migrations.Migration):
    dependencies = [("delivery", "0007_news_choices")]

    operations = [
        migrations.AddIndex(
            model_name="eventidentity",
            index=django.contrib.postgres.indexes.BrinIndex(
                autosummarize=True, fields=["event_id"], name="identity_by_age"
            ),
        ),
        # Backwards, what is repeated across the change is stored twice; nothing is lost.
        migrations.RunPython(name_applications, migrations.RunPython.noop),
    ]
