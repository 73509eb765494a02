"""`/metrics` for Prometheus: what `delivery.gauges` reads, in the text format.

Open to whoever reaches it, as `/readyz` is: counts only, no names. Keep it behind the proxy.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from delivery import gauges

CACHE_KEY = "signalbox:metrics"
# Counting a long queue costs as much as it is long: many scrapers, or an eager one, share it.
CACHE_SECONDS = 5


class Database(Collector):
    """Reads every family from the database: whichever process is asked, the answer is the same."""

    def collect(self) -> Iterator[Metric]:
        """Yield the families in the client library's words."""
        for one in gauges.gauges(now=timezone.now()):
            if one.is_histogram:
                yield _histogram(one)
                continue
            family = CounterMetricFamily if one.is_total else GaugeMetricFamily
            metric = family(one.name, one.help, labels=one.labels)
            for labels, value in one.values.items():
                metric.add_metric(labels, value)
            yield metric


def _histogram(gauge: gauges.Gauge) -> Metric:
    metric = HistogramMetricFamily(gauge.name, gauge.help, labels=gauge.labels[:-1])
    buckets: dict[tuple[str, ...], list[tuple[str, float]]] = {}
    for values, value in gauge.values.items():
        buckets.setdefault(values[:-1], []).append((values[-1], value))
    for labels, reached in buckets.items():
        # Roll-ups keep classes and no sum: quantiles need no more.
        metric.add_metric(labels, reached, sum_value=None)
    return metric


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer a scrape, with what was read at most `CACHE_SECONDS` ago."""
    del request
    text = cache.get(CACHE_KEY)
    if text is None:
        registry = CollectorRegistry(auto_describe=False)
        registry.register(Database())
        text = generate_latest(registry)
        cache.set(CACHE_KEY, text, CACHE_SECONDS)
    return HttpResponse(text, content_type=CONTENT_TYPE_LATEST)
