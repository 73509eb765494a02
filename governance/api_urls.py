"""The API of `governance` under /api/v1/ (design, section 6)."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver

app_name = "governance-api"

urlpatterns: list[URLPattern | URLResolver] = []
