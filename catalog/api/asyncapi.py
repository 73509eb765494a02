"""AsyncAPI 3.0 of one topic, or of all that the person may see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request

from catalog import documents
from catalog.api.conditional import document
from catalog.api.doors import Door
from catalog.api.shapes import TopicShape
from catalog.models import Topic
from governance.actions import Action

YAML_TYPE = "application/yaml"


class YamlRenderer(BaseRenderer):
    """Writes YAML, members in their order."""

    media_type = YAML_TYPE
    format = "yaml"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """Return the document as UTF-8."""
        return documents.as_yaml(data)


class TextYamlRenderer(YamlRenderer):
    """The name that YAML went by before RFC 9512."""

    media_type = "text/yaml"


_ANSWERS = {(200, "application/json"): OpenApiTypes.OBJECT, (200, YAML_TYPE): OpenApiTypes.OBJECT}


class _Document(Door[Topic]):
    queryset = Topic.objects.all()
    serializer_class = TopicShape
    sees = Action.TOPIC_VIEW
    lookup_field = "name"
    renderer_classes = (JSONRenderer, YamlRenderer, TextYamlRenderer)

    def written(self, request: Request, value: Mapping[str, Any]) -> HttpResponseBase:
        """Answer with the document in the form that was asked for."""
        form = request.accepted_renderer
        written = form.render(value)
        body = written.encode() if isinstance(written, str) else written
        return document(request, body, content_type=form.media_type)


class Everything(_Document):
    """All topics in one document."""

    @extend_schema(responses=_ANSWERS, operation_id="asyncapi_retrieve")
    def get(self, request: Request) -> HttpResponseBase:
        """Return AsyncAPI of every topic that the person may see, as JSON or YAML by Accept."""
        return self.written(request, documents.asyncapi(self.get_queryset(), title=_("Events")))


class OfTopic(_Document):
    """One topic in a document."""

    def narrowed(self, rows: QuerySet[Topic]) -> QuerySet[Topic]:
        """Keep the one that the address names."""
        return rows.filter(name=self.kwargs.get("name", ""))

    @extend_schema(responses=_ANSWERS)
    def get(self, request: Request, name: str) -> HttpResponseBase:
        """Return AsyncAPI of the topic, as JSON or YAML by Accept."""
        topic = self.get_object()
        return self.written(request, documents.asyncapi(self.get_queryset(), title=topic.title))
