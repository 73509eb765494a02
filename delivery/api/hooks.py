"""REST hooks, as Zapier, n8n and Make speak them."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api.doors import Asking, EnvironmentDoor, Nothing, pointing, read
from catalog.models import EventType
from delivery import hooks
from delivery.api.asking import application_of
from delivery.api.shapes import HookMade, HookWish, SampleQuery
from delivery.models import Subscription
from governance.actions import Action

_MEMBERS = {"endpoint_url": "target_url", "topic": "event_type", "event_types": "event_type"}


class Hooks(Asking):
    """Subscribing by a hook."""

    @extend_schema(request=HookWish, responses={201: HookMade})
    def post(self, request: Request) -> Response:
        """Send the events of a type to an address, signed with the secret that is answered."""
        wish = read(HookWish, request.data)
        try:
            with pointing(_MEMBERS):
                made, secret = hooks.subscribe(
                    application=application_of(self, wish.get("application", "")),
                    environment=self.environment(),
                    target_url=wish["target_url"],
                    event_type=wish["event_type"],
                    filter=wish.get("filter"),
                    by=self.person,
                    now=timezone.now(),
                )
        except EventType.DoesNotExist:
            raise _no_such_type(wish["event_type"]) from None
        return Response(HookMade({"id": made.pk, "secret": secret}).data, status=201)


class Hook(EnvironmentDoor[Subscription]):
    """One hook."""

    queryset = Subscription.objects.standing().filter(is_hook=True).with_names()
    serializer_class = Nothing
    sees = Action.SUBSCRIPTION_VIEW

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: str) -> Response:
        """Stop sending, for good."""
        hooks.unsubscribe(self.get_object(), by=self.person, now=timezone.now())
        return Response(status=204)


class Samples(Asking):
    """What a builder's field picker is made of."""

    query_class = SampleQuery

    @extend_schema(responses={200: OpenApiTypes.ANY})
    def get(self, request: Request) -> Response:
        """Return a list of the latest events of a type whole, else one made of its example."""
        asked = self.asked
        environment = self.environment(asked.get("environment", ""))
        try:
            found = hooks.sample(asked["event_type"], environment=environment, by=self.person)
        except EventType.DoesNotExist:
            raise _no_such_type(asked["event_type"]) from None
        return Response(found)


def _no_such_type(name: str) -> NotFound:
    return NotFound(_("There is no event type %(name)s here.") % {"name": name})
