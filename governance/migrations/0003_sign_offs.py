"""Teams of subscribers that a change breaks can say whether they agree."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0001_initial"),
        ("governance", "0002_immutable"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="review",
            name="one_standing_review_per_person",
        ),
        migrations.AddField(
            model_name="historicalreview",
            name="application",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="catalog.application",
                verbose_name="for the subscriber",
            ),
        ),
        migrations.AddField(
            model_name="review",
            name="application",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="catalog.application",
                verbose_name="for the subscriber",
            ),
        ),
        migrations.AlterField(
            model_name="historicalreview",
            name="decision",
            field=models.CharField(
                choices=[
                    ("approve", "Approved"),
                    ("reject", "Rejected"),
                    ("request_changes", "Sent back"),
                    ("consent", "Agreed, as a subscriber"),
                    ("object", "Objected, as a subscriber"),
                ],
                max_length=20,
                verbose_name="decision",
            ),
        ),
        migrations.AlterField(
            model_name="review",
            name="decision",
            field=models.CharField(
                choices=[
                    ("approve", "Approved"),
                    ("reject", "Rejected"),
                    ("request_changes", "Sent back"),
                    ("consent", "Agreed, as a subscriber"),
                    ("object", "Objected, as a subscriber"),
                ],
                max_length=20,
                verbose_name="decision",
            ),
        ),
        migrations.AddConstraint(
            model_name="review",
            constraint=models.UniqueConstraint(
                condition=models.Q(("application__isnull", True), ("voided_at__isnull", True)),
                fields=("change_request", "reviewer"),
                name="one_standing_review_per_person",
            ),
        ),
        migrations.AddConstraint(
            model_name="review",
            constraint=models.UniqueConstraint(
                condition=models.Q(("application__isnull", False), ("voided_at__isnull", True)),
                fields=("change_request", "application"),
                name="one_standing_review_per_subscriber",
            ),
        ),
    ]
