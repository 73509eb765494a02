"""Deploy marks: a pipeline says that an application went live."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api.doors import Door, Instant, read
from catalog.models import Application
from catalog.words import Environment
from governance import deploys
from governance.actions import Action


class DeployWish(serializers.Serializer[Any]):
    """What went live; a key marks in its own environment."""

    what = serializers.CharField(
        max_length=deploys.MOST_CHARACTERS, help_text="A version, a commit, a sentence."
    )
    environment = serializers.ChoiceField(choices=Environment.choices, required=False)
    note = serializers.CharField(required=False, allow_blank=True, default="", max_length=400)


class DeployMade(serializers.Serializer[Any]):
    """The mark, as the ledger has it."""

    application = serializers.SlugField()
    what = serializers.CharField()
    environment = serializers.ChoiceField(choices=Environment.choices)
    at = Instant()
    ledger_entry = serializers.IntegerField(help_text="Its number in the ledger.")


class Deploys(Door[Application]):
    """Marking deploys."""

    queryset = Application.objects.select_related("team")
    serializer_class = DeployMade
    sees = Action.APPLICATION_VIEW
    lookup_field = "slug"

    @extend_schema(request=DeployWish, responses={201: DeployMade})
    def post(self, request: Request, slug: str) -> Response:
        """Mark that the application went live now; failures that begin after it name it."""
        application, wish = self.get_object(), read(DeployWish, request.data)
        environment = self.environment(wish.get("environment", ""))
        entry = deploys.mark(
            application,
            what=wish["what"],
            environment=environment,
            note=wish["note"],
            by=self.person,
            now=timezone.now(),
        )
        answer = {
            "application": application.slug,
            "what": entry.after["what"],
            "environment": environment,
            "at": entry.at,
            "ledger_entry": entry.number,
        }
        return Response(DeployMade(answer).data, status=201)
