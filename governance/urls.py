"""Pages of `governance`."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

app_name = "governance"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("governance.session_urls")),
]
