"""What the first address gave up goes to the second, once."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("delivery", "0019_expunctions"),
    ]

    operations = [
        migrations.AddField(
            model_name="queuerow",
            name="goes_second",
            field=models.BooleanField(null=True),
        ),
    ]
