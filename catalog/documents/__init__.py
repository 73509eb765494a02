"""Documents about the catalog: AsyncAPI 3.0, changelogs and feeds.

`asyncapi.py` and `atom.py` build them from plain values and know no database; `reading.py` fetches
those values. Whoever asks passes querysets that are restricted to what they may see.
"""

from catalog.documents.asyncapi import EventDoc, ServerDoc, TopicDoc, VersionDoc, build
from catalog.documents.atom import CONTENT_TYPE as ATOM_TYPE
from catalog.documents.atom import Entry, Feed, atom
from catalog.documents.reading import as_json, as_yaml, asyncapi, feed

__all__ = [
    "ATOM_TYPE",
    "Entry",
    "EventDoc",
    "Feed",
    "ServerDoc",
    "TopicDoc",
    "VersionDoc",
    "as_json",
    "as_yaml",
    "asyncapi",
    "atom",
    "build",
    "feed",
]
