"""The whole catalog as files, so that it can live in git: one YAML file a thing, schemas verbatim.

`archives.py` packs and unpacks them (zip or folder), `writing.py` makes them of rows, `reading.py`
reads them back into plain values. What they would change here is `governance.imports`.

    regions.yaml
    house-rules.yaml                           what rules weigh in the whole portal
    teams/<short name>.yaml
    domains/<short name>.yaml
    topics/<name>.yaml
    applications/<short name>.yaml
    event-types/<name>/event-type.yaml         words, mode, and where each version stands
    event-types/<name>/<version>.schema.json   as it is stored, byte by byte
    event-types/<name>/<version>.example.json
"""

from catalog.files.archives import Unreadable, pack, read_folder, unpack, write_folder
from catalog.files.reading import Described, read
from catalog.files.writing import write

__all__ = [
    "Described",
    "Unreadable",
    "pack",
    "read",
    "read_folder",
    "unpack",
    "write",
    "write_folder",
]
