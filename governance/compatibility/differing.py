"""Walk two schemas side by side and compare them subject by subject, as they are written."""

from __future__ import annotations

from collections.abc import Iterator

from governance.compatibility import form_changes, object_changes, value_changes
from governance.compatibility.apartness import signature
from governance.compatibility.changes import Change, Compare, Labels
from governance.compatibility.compiling import Compiler
from governance.compatibility.documents import Located
from governance.compatibility.spots import Spot

# In the order in which a reader is told.
SUBJECTS: tuple[Compare, ...] = (
    value_changes.whether,
    value_changes.types,
    value_changes.listed_values,
    value_changes.bounds,
    value_changes.sizes,
    value_changes.named,
    value_changes.multiples,
    value_changes.flags,
    value_changes.content_form,
    object_changes.required,
    object_changes.properties,
    object_changes.by_pattern,
    object_changes.others,
    object_changes.dependencies,
    form_changes.entries,
    form_changes.unions,
    form_changes.wholes,
    form_changes.conditions,
    value_changes.remarks,
)


class Differ:
    """Walks two schemas side by side; each pair of places is looked at once."""

    def __init__(self, old: Compiler, new: Compiler) -> None:
        self.old = old
        self.new = new
        self._seen: set[tuple[Located | None, Located | None]] = set()

    def changes(self) -> Iterator[Change]:
        """Yield every change, from the outside in."""
        yield from self.pair(self.old.library.document.root, self.new.library.document.root, ())

    def pair(
        self, old_node: Located | None, new_node: Located | None, labels: Labels
    ) -> Iterator[Change]:
        """Yield what changes between two schemas at the same place; ``labels`` lead there."""
        if (old_node, new_node) in self._seen:
            return
        self._seen.add((old_node, new_node))
        if self.are_alike(old_node, new_node):
            return
        old, new = Spot(old_node, self.old), Spot(new_node, self.new)
        for compare in SUBJECTS:
            yield from compare(self, old, new, labels)

    def are_alike(self, old: Located | None, new: Located | None) -> bool:
        """Return whether a schema stayed the same, with everything that it refers to."""
        return old is not None and new is not None and self.new.canonical(new) is old

    def are_same_form(self, old: Located, new: Located) -> bool:
        """Return whether two alternatives have a title, or types and marks, in common."""
        titles = Spot(old, self.old).title(), Spot(new, self.new).title()
        if titles[0] and titles[1]:
            return titles[0] == titles[1]
        return signature(self.old, old) == signature(self.new, new)

    def labelled(
        self, labels: Labels, name: str, old_node: Located | None, new_node: Located | None
    ) -> Labels:
        """Return the labels down to a field: its newest title, else its name."""
        new, old = Spot(new_node, self.new), Spot(old_node, self.old)
        return (*labels, new.title() or old.title() or name)
