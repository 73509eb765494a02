from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from catalog.models import User
from catalog.words import UserKind
from config.demo import history, live, seed
from delivery import rollups, values
from governance import reviews
from governance.models import ChangeRequest
from governance.states import ChangeState


class Command(BaseCommand):
    """Build the demo shop in an empty database."""

    help = "Build the demo shop: people, contracts, grants, subscriptions and a day of traffic."

    def handle(self, *args: Any, **options: Any) -> None:
        if User.objects.filter(kind=UserKind.PERSON).exists():
            raise CommandError("The database has people in it: the demo goes into an empty one.")
        now = timezone.now()
        shown = seed.seed(
            receiver_url=settings.DEMO_RECEIVER_URL, data_dir=settings.DATA_DIR, now=now
        )
        history.lay(now=now)
        live.publish(now=timezone.now())
        for change in ChangeRequest.objects.filter(state=ChangeState.OPEN):
            # It was proposed before there was traffic; its page is to say what traffic says.
            reviews.recheck(change, by=change.proposed_by, now=now)
        # Charts and search show the day at once, and the first minutes of the workers are theirs.
        rollups.catch_up(now=now)
        while values.fill(now=now):
            pass
        self.stdout.write(f"The demo shop is built; {len(shown['users'])} logins in demo.json.")
