"""The API of `delivery` under /api/v1/ (design, sections 6.2 and 6.4).

`POST events` does not come here: `config.asgi` hands it to the publish path.
"""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from delivery.api import (
    conversions,
    copies,
    corrections,
    deliveries,
    events,
    expunging,
    feeds,
    hooks,
    keys,
    news,
    replays,
    routing,
    runbooks,
    simulations,
    subscriptions,
)

app_name = "delivery-api"

urlpatterns: list[URLPattern | URLResolver] = [
    path("hooks", hooks.Hooks.as_view(), name="hooks"),
    path("hooks/sample", hooks.Samples.as_view(), name="hook-sample"),
    path("hooks/<uuid:pk>", hooks.Hook.as_view(), name="hook"),
    path("subscriptions", subscriptions.Subscriptions.as_view(), name="subscriptions"),
    path("subscriptions/try-out", subscriptions.TryOut.as_view(), name="try-out"),
    path("subscriptions/<uuid:pk>", subscriptions.OneSubscription.as_view(), name="subscription"),
    path("subscriptions/<uuid:pk>/pause", subscriptions.Pause.as_view(), name="pause"),
    path("subscriptions/<uuid:pk>/resume", subscriptions.Resume.as_view(), name="resume"),
    path("subscriptions/<uuid:pk>/ping", subscriptions.Ping.as_view(), name="ping"),
    path(
        "subscriptions/<uuid:pk>/rotate-secret",
        subscriptions.RotateSecret.as_view(),
        name="rotate-secret",
    ),
    path("subscriptions/<uuid:pk>/key-pair", subscriptions.KeyPair.as_view(), name="key-pair"),
    path("subscriptions/<uuid:pk>/keys", keys.ParkedKeys.as_view(), name="parked-keys"),
    path(
        "subscriptions/<uuid:pk>/keys/<uuid:key>/release",
        keys.Release.as_view(),
        name="parked-key-release",
    ),
    path(
        "subscriptions/<uuid:pk>/keys/<uuid:key>/discard",
        keys.DiscardKey.as_view(),
        name="parked-key-discard",
    ),
    path("subscriptions/<uuid:pk>/events", feeds.Feed.as_view(), name="feed"),
    path("subscriptions/<uuid:pk>/events/ack", feeds.Ack.as_view(), name="events-ack"),
    path("subscriptions/<uuid:pk>/ack", feeds.Ack.as_view(), name="ack"),
    path("subscriptions/<uuid:pk>/stream", feeds.Stream.as_view(), name="stream"),
    path("events", events.Events.as_view(), name="events"),
    path("events/<uuid:pk>", events.OneEvent.as_view(), name="event"),
    path("events/<uuid:pk>/routing", events.Routing.as_view(), name="event-routing"),
    path("events/<uuid:pk>/expunge", expunging.Expunge.as_view(), name="event-expunge"),
    path("events/<uuid:pk>/correct", corrections.Correct.as_view(), name="event-correct"),
    path("events/<uuid:pk>/copy", copies.Copy.as_view(), name="event-copy"),
    path("deliveries", deliveries.Deliveries.as_view(), name="deliveries"),
    path("deliveries/<uuid:pk>", deliveries.OneDelivery.as_view(), name="delivery"),
    path("deliveries/<uuid:pk>/attempts", deliveries.Attempts.as_view(), name="attempts"),
    path("deliveries/<uuid:pk>/replay", deliveries.ReplayOne.as_view(), name="delivery-replay"),
    path("deliveries/<uuid:pk>/discard", deliveries.DiscardOne.as_view(), name="discard"),
    path("runbooks", runbooks.Runbooks.as_view(), name="runbooks"),
    path("runbooks/<uuid:pk>", runbooks.OneRunbook.as_view(), name="runbook"),
    path("routing-rules", routing.RoutingRules.as_view(), name="routing-rules"),
    path("routing-rules/<uuid:pk>", routing.OneRoutingRule.as_view(), name="routing-rule"),
    path("conversions", conversions.Conversions.as_view(), name="conversions"),
    path("conversions/<uuid:pk>", conversions.OneConversion.as_view(), name="conversion"),
    path(
        "change-requests/<uuid:pk>/simulate", simulations.Simulate.as_view(), name="change-simulate"
    ),
    path("replays", replays.Replays.as_view(), name="replays"),
    path("replays/<uuid:pk>", replays.OneReplay.as_view(), name="replay"),
    path("replays/<uuid:pk>/cancel", replays.Cancel.as_view(), name="replay-cancel"),
    path("notifications", news.News.as_view(), name="notifications"),
    path("notifications/choices", news.Choices.as_view(), name="notification-choices"),
    path("notifications/<uuid:pk>/read", news.Read.as_view(), name="notification-read"),
    path("replays/<uuid:pk>/approve", replays.Approve.as_view(), name="replay-approve"),
]
