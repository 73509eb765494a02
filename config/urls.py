"""Where every door of Signalbox hangs."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from catalog.api.doors import Unknown
from config import health, metrics

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
    path("", include("delivery.urls")),
    path("", include("catalog.urls")),
    path("", include("governance.urls")),
    path("api/v1/", include("catalog.api_urls")),
    path("api/v1/", include("governance.api_urls")),
    path("api/v1/", include("delivery.api_urls")),
    path("api/schema", SpectacularAPIView.as_view(), name="api-schema"),
    path("api/docs", SpectacularSwaggerView.as_view(url_name="api-schema"), name="api-docs"),
    re_path(r"^api(?:/.*)?$", Unknown.as_view()),
    path("admin/", admin.site.urls),
]
