"""Pages of events, deliveries, routing rules and operations, routing, search and notifications."""

from __future__ import annotations

from django.urls import path

from delivery.pages import (
    copies,
    corrections,
    dashboards,
    deliveries,
    events,
    expunging,
    notifications,
    operations,
    routing,
    search,
)

urlpatterns = [
    path("events/", events.event_list, name="event-list"),
    path("events/<uuid:pk>/", events.event_detail, name="event-detail"),
    path("events/<uuid:pk>/expunge/", expunging.event_expunge, name="event-expunge"),
    path("events/<uuid:pk>/correct/", corrections.event_correct, name="event-correct"),
    path("events/<uuid:pk>/copy/", copies.event_copy, name="event-copy"),
    path("deliveries/<uuid:pk>/", deliveries.delivery_detail, name="delivery-detail"),
    path("deliveries/<uuid:pk>/discard/", deliveries.delivery_discard, name="delivery-discard"),
    path("routing/", routing.rule_list, name="rule-list"),
    path("routing/new/", routing.rule_new, name="rule-new"),
    path("routing/<int:number>/", routing.rule_detail, name="rule-detail"),
    path("operations/", operations.operations, name="operations"),
    path("catalog/topics/<str:name>/traffic/", dashboards.topic_traffic, name="topic-traffic"),
    path(
        "applications/<slug:slug>/traffic/",
        dashboards.application_traffic,
        name="application-traffic",
    ),
    path(
        "subscriptions/<int:number>/traffic/",
        dashboards.subscription_traffic,
        name="subscription-traffic",
    ),
    path("search/", search.search, name="search"),
    path("notifications/", notifications.notification_list, name="notification-list"),
    path("notifications/read/", notifications.notifications_read, name="notifications-read"),
    path("notifications/choices/", notifications.notification_choices, name="notification-choices"),
    path(
        "notifications/<uuid:pk>/read/", notifications.notification_read, name="notification-read"
    ),
]
