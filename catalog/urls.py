"""Pages of the catalog."""

from __future__ import annotations

from django.urls import path

from catalog.pages import applications, event_types, topics

app_name = "catalog"

urlpatterns = [
    path("catalog/", event_types.event_type_list, name="event-type-list"),
    path("catalog/domains/<slug:slug>/", topics.domain_detail, name="domain-detail"),
    path("catalog/topics/<str:name>/", topics.topic_detail, name="topic-detail"),
    path("catalog/events/<str:name>/", event_types.event_type_detail, name="event-type-detail"),
    path(
        "catalog/events/<str:name>/versions/",
        event_types.event_type_versions,
        name="event-type-versions",
    ),
    path(
        "catalog/events/<str:name>/latest/", event_types.event_type_events, name="event-type-events"
    ),
    path(
        "catalog/events/<str:name>/changes/",
        event_types.event_type_changes,
        name="event-type-changes",
    ),
    path(
        "catalog/events/<str:name>/developers/",
        event_types.event_type_developers,
        name="event-type-developers",
    ),
    path("applications/", applications.application_list, name="application-list"),
    path("applications/new/", applications.application_new, name="application-new"),
    path("applications/<slug:slug>/", applications.application_detail, name="application-detail"),
    path("applications/<slug:slug>/edit/", applications.application_edit, name="application-edit"),
    path(
        "applications/<slug:slug>/deployed/",
        applications.application_deployed,
        name="application-deployed",
    ),
    path("applications/<slug:slug>/keys/new/", applications.key_new, name="key-new"),
    path(
        "applications/<slug:slug>/keys/<uuid:pk>/revoke/",
        applications.key_revoke,
        name="key-revoke",
    ),
]
