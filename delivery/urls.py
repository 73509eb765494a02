"""Pages of delivery."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

app_name = "delivery"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("delivery.subscription_urls")),
]
