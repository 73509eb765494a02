"""The API of `catalog` under /api/v1/ (design, section 6.3)."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from catalog.api import asyncapi, contracts, deploys, feeds, places

app_name = "catalog-api"

_TYPE = "event-types/<str:name>"
_VERSION = f"{_TYPE}/versions/<str:version>"

urlpatterns: list[URLPattern | URLResolver] = [
    path("domains", places.Domains.as_view(), name="domains"),
    path("domains/<str:slug>", places.OneDomain.as_view(), name="domain"),
    path("topics", places.Topics.as_view(), name="topics"),
    path("topics/<str:name>", places.OneTopic.as_view(), name="topic"),
    path("topics/<str:name>/asyncapi", asyncapi.OfTopic.as_view(), name="topic-asyncapi"),
    path("feed", feeds.OfEverything.as_view(), name="feed"),
    path("domains/<str:slug>/feed", feeds.OfDomain.as_view(), name="domain-feed"),
    path(f"{_TYPE}/feed", feeds.OfEventType.as_view(), name="event-type-feed"),
    path("asyncapi", asyncapi.Everything.as_view(), name="asyncapi"),
    path("applications", places.Applications.as_view(), name="applications"),
    path("applications/<str:slug>/deploys", deploys.Deploys.as_view(), name="deploys"),
    path("applications/<str:slug>", places.OneApplication.as_view(), name="application"),
    path("teams", places.Teams.as_view(), name="teams"),
    path("teams/<str:slug>", places.OneTeam.as_view(), name="team"),
    path("event-types", contracts.EventTypes.as_view(), name="event-types"),
    path(_TYPE, contracts.OneEventType.as_view(), name="event-type"),
    path(f"{_TYPE}/example", contracts.Example.as_view(), name="event-type-example"),
    path(f"{_TYPE}/validate", contracts.Validate.as_view(), name="validate"),
    path(f"{_TYPE}/versions", contracts.Versions.as_view(), name="versions"),
    path(_VERSION, contracts.OneVersion.as_view(), name="version"),
    path(f"{_VERSION}/schema", contracts.RawSchema.as_view(), name="schema"),
    path(f"{_VERSION}/example", contracts.VersionExample.as_view(), name="example"),
]
