"""The API of `catalog` under /api/v1/ (design, section 6)."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver

app_name = "catalog-api"

urlpatterns: list[URLPattern | URLResolver] = []
