"""Turns traces on where the environment says whither: the standard variables of OpenTelemetry.

`OTEL_EXPORTER_OTLP_ENDPOINT` (or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`) is the one that is needed;
the others (headers, sampler, resource, batch sizes) are read by the library itself.
"""

from __future__ import annotations

import os

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

from delivery import tracing

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

_provider: TracerProvider | None = None


class Ids(RandomIdGenerator):
    """Random, but for spans that others name before they begin (`delivery.tracing`)."""

    def generate_trace_id(self) -> int:
        """Return the trace that is wanted, else a new one."""
        wanted = tracing.wanted_ids.get()
        return wanted[0] if wanted else super().generate_trace_id()

    def generate_span_id(self) -> int:
        """Return the span that is wanted, else a new one."""
        wanted = tracing.wanted_ids.get()
        return wanted[1] if wanted else super().generate_span_id()


def is_wanted() -> bool:
    """Tell whether the environment names a receiver, and nobody switched traces off."""
    is_off = os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    is_off |= os.environ.get("OTEL_TRACES_EXPORTER", "otlp") != "otlp"
    return not is_off and any(os.environ.get(name) for name in ENDPOINTS)


def start() -> None:
    """Begin to trace in this process, if that is wanted; call it after every fork."""
    global _provider  # noqa: PLW0603 - one a process
    if not is_wanted() or _provider is not None:
        return
    name = os.environ.get("OTEL_SERVICE_NAME", "signalbox")
    # `create` puts what the environment says of the resource in.
    _provider = TracerProvider(
        resource=Resource.create({SERVICE_NAME: name}), id_generator=Ids(), shutdown_on_exit=False
    )
    _provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    tracing.use(_provider.get_tracer("signalbox"))


def stop() -> None:
    """Send what waits, then trace no more."""
    global _provider
    tracing.use(None)
    provider, _provider = _provider, None
    if provider is not None:
        provider.shutdown()
