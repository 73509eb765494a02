"""The endpoint that most teams would build: an API view, a serializer, a transaction a request."""

from __future__ import annotations

import json
import os
from datetime import datetime
from hashlib import blake2b
from typing import Any

import jsonschema
from django.core.wsgi import get_wsgi_application
from django.db import IntegrityError, transaction
from django.urls import path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()

from django.conf import settings  # noqa: E402 - models exist only now
from django.utils import timezone  # noqa: E402
from rest_framework import serializers, status  # noqa: E402
from rest_framework.exceptions import NotAuthenticated, PermissionDenied  # noqa: E402
from rest_framework.request import Request  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402

from catalog.models import EventType, SchemaVersion  # noqa: E402
from delivery.models import (  # noqa: E402
    Delivery,
    Event,
    EventIdentity,
    Payload,
    QueueRow,
    Subscription,
)
from governance import access, keys  # noqa: E402
from governance.actions import Action  # noqa: E402
from governance.models import ApiKey  # noqa: E402

settings.ROOT_URLCONF = __name__


class EventSerializer(serializers.Serializer[dict[str, object]]):
    """The attributes that an event must have."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return the fields; `source` and `data` are words of the base class too."""
        return {
            "id": serializers.CharField(max_length=1024),
            "source": serializers.CharField(max_length=1024),
            "type": serializers.CharField(max_length=200),
            "time": serializers.CharField(required=False),
            "data": serializers.JSONField(),
        }


class Publish(APIView):
    """Take one structured event."""

    authentication_classes = ()
    permission_classes = ()

    def post(self, request: Request) -> Response:
        """Check key, grant and contract, then store event and deliveries."""
        now = timezone.now()
        key = keys.identify(request.headers.get("X-API-Key", ""), now)
        if key is None:
            raise NotAuthenticated
        serializer = EventSerializer(data=json.loads(request.body))
        serializer.is_valid(raise_exception=True)
        given = serializer.validated_data
        event_type = EventType.objects.select_related("topic").get(name=given["type"])
        account = key.application.service_account
        if not access.allows(
            account, Action.TOPIC_PUBLISH, event_type.topic, environment=key.environment
        ):
            raise PermissionDenied
        version = event_type.versions.live_in(key.environment).newest_first().first()
        assert version is not None
        jsonschema.Draft202012Validator(json.loads(version.document)).validate(given["data"])
        try:
            with transaction.atomic():
                count = self._store(key, event_type, version, given, now)
        except IntegrityError:
            return Response({"status": "duplicate"}, status=status.HTTP_202_ACCEPTED)
        return Response({"status": "accepted", "deliveries": count}, status=202)

    def _store(
        self,
        key: ApiKey,
        event_type: EventType,
        version: SchemaVersion,
        given: dict[str, Any],
        now: datetime,
    ) -> int:
        event = Event.objects.create(
            environment=key.environment,
            source=given["source"],
            event_id=given["id"],
            type=event_type,
            version=version,
            application=key.application,
            received_at=now,
            correlation_id="",
            trace_parent="",
            size_bytes=len(json.dumps(given["data"])),
        )
        name = f"{key.environment}\0{given['source']}\0{given['id']}".encode()
        digest = blake2b(name, digest_size=16).digest()
        EventIdentity.objects.create(digest=digest, event_id=event.pk, content_digest=digest)
        Payload.objects.create(
            event_id=event.pk, topic_id=event_type.topic_id, data=json.dumps(given["data"])
        )
        standing = Subscription.objects.standing().filter(
            topic=event_type.topic, environment=key.environment
        )
        count = 0
        for subscription in standing:
            delivery = Delivery.objects.create(
                event=event, subscription=subscription, environment=key.environment
            )
            QueueRow.objects.create(
                delivery_id=delivery.pk,
                subscription_id=subscription.pk,
                event_id=event.pk,
                due_at=now,
            )
            count += 1
        return count


urlpatterns = [path("api/v1/events", Publish.as_view())]
