"""Pages of delivery."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path, re_path

from delivery.api import inbound
from delivery.pages import adapters, home, simulations

app_name = "delivery"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home_page, name="home"),
    path("", include("delivery.subscription_urls")),
    path("", include("delivery.failure_urls")),
    path("", include("delivery.event_urls")),
    path("applications/<slug:slug>/inbound/new/", adapters.adapter_new, name="adapter-new"),
    path("inbound/<slug:slug>/", adapters.adapter_detail, name="adapter-detail"),
    re_path(
        r"^inbound/(?P<slug>[-\w]+)/(?P<verb>rotate|deactivate)/$",
        adapters.adapter_act,
        name="adapter-act",
    ),
    path("changes/<int:number>/simulate/", simulations.simulate, name="simulate"),
    path("in/<slug:slug>", inbound.inbound, name="inbound"),
]
