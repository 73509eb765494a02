"""The fields that a subscriber says it reads: written as on the event's page, such as lines[].sku.

A filter and a mapping tell by themselves. Who takes the data as it is can say so here; who says
nothing counts as a reader of everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.utils.translation import gettext as _

from catalog import referring, schemas
from catalog.models import SchemaVersion, Topic
from delivery.strict_json import escape

MAX_READS = 200
MAX_CHARACTERS = 200


def parse(text: str) -> list[str]:
    """Return the fields that someone typed, by commas, spaces or lines; each once."""
    return list(dict.fromkeys(text.replace(",", " ").split()))


def pointer(path: str) -> str:
    """Return a field's place in the data as a JSON pointer, `*` for every entry of a list."""
    steps = path.replace("[]", ".*").split(".")
    return "".join(f"/{escape(step)}" for step in steps if step)


def faults(reads: Iterable[str], topic: Topic, event_types: Iterable[str]) -> Iterator[str]:
    """Yield a sentence for each field that no version of the events has."""
    wanted = list(reads)
    if len(wanted) > MAX_READS:
        yield _("Name at most %(most)s fields.") % {"most": MAX_READS}
        return
    if not wanted:
        return
    versions = SchemaVersion.objects.filter(event_type__topic=topic)
    names = list(event_types)
    if names:
        versions = versions.filter(event_type__name__in=names)
    known = {
        field.path
        for document in versions.values_list("document", flat=True)
        for field in schemas.fields(document, resolve=referring.resolve)
    }
    for path in wanted:
        if path not in known:
            yield _("%(path)s is no field of these events.") % {"path": path[:MAX_CHARACTERS]}
