"""Pages of delivery."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from delivery.api import inbound
from delivery.pages import home

app_name = "delivery"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home_page, name="home"),
    path("", include("delivery.subscription_urls")),
    path("", include("delivery.failure_urls")),
    path("", include("delivery.event_urls")),
    path("in/<slug:slug>", inbound.inbound, name="inbound"),
]
