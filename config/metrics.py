"""`/metrics` for Prometheus: what `delivery.gauges` reads, in the text format.

Open to whoever reaches it, as `/readyz` is: counts only, no names. Keep it behind the proxy.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from delivery import gauges


class Database(Collector):
    """Reads every family afresh at each scrape."""

    def collect(self) -> Iterator[Metric]:
        """Yield the families in the client library's words."""
        for one in gauges.gauges(now=timezone.now()):
            family = CounterMetricFamily if one.is_total else GaugeMetricFamily
            metric = family(one.name, one.help, labels=one.labels)
            for labels, value in one.values.items():
                metric.add_metric(labels, value)
            yield metric


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer a scrape."""
    del request
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Database())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
