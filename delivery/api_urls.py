"""The API of `delivery` under /api/v1/ (design, section 6)."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver

app_name = "delivery-api"

urlpatterns: list[URLPattern | URLResolver] = []
