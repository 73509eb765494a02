"""One more kind of news: changes that break subscriptions."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("delivery", "0016_parked_keys"),
    ]

    operations = [
        migrations.AlterField(
            model_name="newschoice",
            name="kind",
            field=models.CharField(
                choices=[
                    ("failure", "Events do not arrive, for a cause that is new or has come back"),
                    ("circuit", "An endpoint no longer answers and its circuit opens"),
                    ("recovered", "An endpoint answers again"),
                    ("failing", "One event has failed four times"),
                    ("failing-for-days", "An endpoint has failed for days"),
                    ("disabled", "Signalbox stops sending to a subscription"),
                    ("grant-ending", "A grant is about to end"),
                    ("grant-ended", "A grant has ended"),
                    ("sunset", "A version that you use is about to end"),
                    ("access-requested", "Somebody asks for access that you decide on"),
                    ("access-decided", "Your request for access is decided"),
                    ("sign-off", "A change breaks subscriptions: they are asked, and answer"),
                    ("review", "A change waits for your review"),
                    ("review-decided", "Your change is decided"),
                    ("replay-approval", "A large replay waits for a second person"),
                    ("replay-held", "A replay of yours waits"),
                    ("replay-ended", "A replay of yours has ended"),
                ],
                max_length=40,
                verbose_name="kind",
            ),
        ),
    ]
