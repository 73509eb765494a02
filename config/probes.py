"""Answers those who watch a process, by whatever name or address they reach it.

A container's health check, a load balancer and Prometheus ask an address that is no name of the
portal; Django refuses such a host for everything else.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from django.urls import resolve

PATHS = frozenset(("/healthz", "/readyz", "/metrics"))
GetResponse = Callable[[HttpRequest], HttpResponseBase]


def answer_probes(get_response: GetResponse) -> GetResponse:
    """Return the middleware; it stands before all that asks for the host or a session."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.path_info in PATHS:
            answer: HttpResponseBase = resolve(request.path_info).func(request)
            return answer
        return get_response(request)

    return middleware
