"""What a subscription may ask for: each wish checked, each fault at its field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TypedDict
from urllib.parse import urlsplit
from uuid import UUID

from django.utils.translation import gettext as _

from catalog import collecting
from catalog.models import Application, EventType, Region, SchemaVersion, Topic
from catalog.words import TopicKind
from delivery import addresses, configuration, declared_reads, filters, mapping
from delivery.endpoints import Credentials
from delivery.states import Batching, BodyMode, DeliveryMode, Poison

MAX_CONCURRENCY = 200
MAX_TIMEOUT_SECONDS = 120
MAX_TRIES = 20
MAX_AGE_SECONDS = 14 * 24 * 3600
MAX_WAIT_SECONDS = 7 * 24 * 3600
MAX_RATE_PER_SECOND = 10_000


class Wishes(TypedDict, total=False):
    """What a verb takes; what is left out keeps its value, or its default at first."""

    name: str
    event_types: Sequence[str]
    filter: object
    reads: Sequence[str]
    version_pin: int | None
    mode: str
    body: str
    mapping: str
    endpoint_url: str
    endpoint_region: str
    fallback_url: str
    fallback_subscription: UUID | None
    credentials: Credentials
    custom_ca: str
    batching: str
    batch_max_events: int
    batch_max_bytes: int
    batch_max_wait_seconds: int | None
    is_ordered: bool
    poison: str
    is_idempotent: bool
    concurrency: int
    rate_per_second: int | None
    timeout_seconds: int
    retry_waits_seconds: Sequence[int] | None
    max_age_seconds: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """Everything that one subscription asks for."""

    name: str = ""
    event_types: tuple[str, ...] = ()
    filter: object = None
    reads: tuple[str, ...] = ()
    version_pin: int | None = None
    mode: str = DeliveryMode.WEBHOOK
    body: str = BodyMode.BINARY
    mapping: str = ""
    endpoint_url: str = ""
    endpoint_region: str = ""
    fallback_url: str = ""
    fallback_subscription: UUID | None = None
    batching: str = Batching.TOPIC
    batch_max_events: int = collecting.DEFAULT_EVENTS
    batch_max_bytes: int = collecting.DEFAULT_BYTES
    batch_max_wait_seconds: int | None = None
    is_ordered: bool = False
    poison: str = Poison.SKIP
    is_idempotent: bool = False
    concurrency: int = 16
    rate_per_second: int | None = None
    timeout_seconds: int = 15
    retry_waits_seconds: tuple[int, ...] | None = None
    max_age_seconds: int = 48 * 3600

    @classmethod
    def of(cls, wishes: Mapping[str, object], *, standing: Order | None = None) -> Order:
        """Return `standing` (else the defaults) with the wishes put over it."""
        base = {f.name: getattr(standing, f.name) for f in fields(cls)} if standing else {}
        given = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in wishes.items()
            if name in _NAMES
        }
        # JSON keeps lists: the filter is a document, not a tuple of values.
        if "filter" in wishes:
            given["filter"] = wishes["filter"]
        return cls(**{**base, **given})


_NAMES = frozenset(field.name for field in fields(Order))


Faults = Iterator[tuple[str, str]]


def faults(order: Order, *, application: Application, topic: Topic, environment: str) -> Faults:
    """Yield every fault of the order, each with its field."""
    yield from _filter_faults(order)
    yield from _type_faults(order, topic)
    for message in declared_reads.faults(order.reads, topic, order.event_types):
        yield "reads", message
    yield from _pin_faults(order, topic, environment)
    yield from _number_faults(order)
    yield from _batch_faults(order, topic)
    if order.mode not in DeliveryMode.values:
        yield "mode", _("Choose webhook or pull.")
    if order.poison not in Poison.values:
        yield "poison", _("Choose skip, block or park.")
    if order.body not in BodyMode.values:
        yield "body", _("Choose binary, structured, data or mapped.")
    if order.mode == DeliveryMode.WEBHOOK:
        yield from _url_faults("endpoint_url", order.endpoint_url)
        if order.fallback_url:
            yield from _url_faults("fallback_url", order.fallback_url)
    yield from _region_faults(order, application, topic)


def advice(order: Order) -> list[str]:
    """Return what will probably not work as it is, in sentences; nothing is refused for it."""
    url = urlsplit(order.endpoint_url)
    found = []
    if "/webhook-test/" in url.path:
        found.append(
            _(
                "This is n8n's test address: it listens only while the editor waits for one call. "
                "Take the production URL of the Webhook node and activate the workflow."
            )
        )
    if url.scheme == "http" and order.endpoint_url:
        found.append(_("This address is not encrypted: prefer one that starts with https://."))
    if order.body == BodyMode.STRUCTURED and "/webhook" in url.path:
        found.append(
            _(
                "Some builders hand an empty body to the flow for application/cloudevents+json. "
                "If yours does, choose “the data, attributes as headers”."
            )
        )
    return found


def _filter_faults(order: Order) -> Faults:
    try:
        filters.compile(order.filter)
    except filters.InvalidFilter as error:
        at = f"{error.pointer}: " if error.pointer else ""
        yield "filter", f"{at}{error.message}"
    if order.body == BodyMode.MAPPED or order.mapping:
        try:
            mapping.compile(order.mapping)
        except mapping.InvalidMapping as error:
            yield "mapping", str(error)


def _type_faults(order: Order, topic: Topic) -> Faults:
    known = set(EventType.objects.filter(topic=topic).values_list("name", flat=True))
    for name in order.event_types:
        if name not in known:
            yield (
                "event_types",
                _("%(type)s is not an event of %(topic)s.") % {"type": name, "topic": topic.name},
            )


def _pin_faults(order: Order, topic: Topic, environment: str) -> Faults:
    if order.version_pin is None:
        return
    accepted = SchemaVersion.objects.accepted_in(environment).filter(event_type__topic=topic)
    if order.event_types:
        accepted = accepted.filter(event_type__name__in=order.event_types)
    majors = sorted(set(accepted.values_list("major", flat=True)))
    if order.version_pin not in majors:
        live = ", ".join(str(major) for major in majors) or _("none")
        yield (
            "version_pin",
            _("Version %(pin)s is not live here. Live major versions: %(live)s.")
            % {"pin": order.version_pin, "live": live},
        )


def _number_faults(order: Order) -> Faults:
    for name, value, most in (
        ("concurrency", order.concurrency, MAX_CONCURRENCY),
        ("rate_per_second", order.rate_per_second, MAX_RATE_PER_SECOND),
        ("timeout_seconds", order.timeout_seconds, MAX_TIMEOUT_SECONDS),
        ("max_age_seconds", order.max_age_seconds, MAX_AGE_SECONDS),
        ("batch_max_events", order.batch_max_events, collecting.MAX_EVENTS),
        ("batch_max_bytes", order.batch_max_bytes, collecting.MAX_BYTES),
        ("batch_max_wait_seconds", order.batch_max_wait_seconds, collecting.MAX_WAIT_SECONDS),
    ):
        if value is not None and not 1 <= value <= most:
            yield name, _("Give a number from 1 to %(most)s.") % {"most": most}
    waits = order.retry_waits_seconds
    if waits is not None and (
        len(waits) > MAX_TRIES or not all(0 <= wait <= MAX_WAIT_SECONDS for wait in waits)
    ):
        yield (
            "retry_waits_seconds",
            _("Give at most %(tries)s waits, each up to a week.") % {"tries": MAX_TRIES},
        )


def comes_in_batches(order: Order, topic: Topic) -> bool:
    """Tell whether its events go out together."""
    if order.mode == DeliveryMode.PULL or order.batching == Batching.EACH:
        return False
    return order.batching == Batching.BATCHES or topic.kind == TopicKind.BATCHED


def _batch_faults(order: Order, topic: Topic) -> Faults:
    if order.batching not in Batching.values:
        yield "batching", _("Choose topic, each or batches.")
    elif order.batching == Batching.BATCHES and order.mode == DeliveryMode.PULL:
        yield "batching", _("A feed has no batches: whoever reads it says how many at once.")
    elif comes_in_batches(order, topic) and order.body == BodyMode.MAPPED:
        yield (
            "body",
            _("A batch holds whole CloudEvents. Take each event at once, or do without a mapping."),
        )


def _url_faults(name: str, url: str) -> Faults:
    if not url:
        yield name, _("Give the address that events are sent to.")
        return
    reason = addresses.check_url(url, allowed_networks=configuration.allowed_networks())
    if reason:
        yield name, reason


def _region_faults(order: Order, application: Application, topic: Topic) -> Faults:
    code = order.endpoint_region or application.region_id
    if order.endpoint_region and not Region.objects.filter(code=code).exists():
        yield "endpoint_region", _("There is no region %(code)s.") % {"code": code}
    elif topic.regions and code not in topic.regions:
        names = dict(Region.objects.values_list("code", "name"))
        words = {
            "topic": topic.name,
            "regions": ", ".join(names.get(one, one) for one in topic.regions),
            "own": names.get(code, code),
            "application": application.name,
        }
        if order.endpoint_region:
            message = _("Events of %(topic)s stay in %(regions)s; this endpoint is in %(own)s.")
            yield "endpoint_region", message % words
        else:
            message = _(
                "Events of %(topic)s stay in %(regions)s; %(application)s runs in %(own)s. Choose "
                "an application there, or correct its region."
            )
            yield "application", message % words
