"""What the requests of kopf's watches tell about them: that they are alive, have listed, and what a new list left out.

A watch that starts anew (its version expired, the API server was away) lists what is there and never says what has gone
meanwhile. Pure; fed by `handlers.py`, read by `missed.py` and `health.py`.
"""

import math
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final

Name = tuple[str, str]
"""Namespace and name of an object."""

QUIET_SECONDS: Final = 450.0
"""A watch asks anew after 330 s at the latest, even when nothing happens, and a list may take a while."""


@dataclass
class _Collection:
    """One kind in one namespace, or in all."""

    asked_at: float
    lists: int = 0
    listing: bool = False
    listed: bool = False


@dataclass
class Watches:
    """The watches of one process; time is an argument. Kinds are plurals, as in paths."""

    _collections: dict[tuple[str, str | None], _Collection] = field(default_factory=dict)
    _shown: dict[str, dict[Name, int]] = field(default_factory=lambda: defaultdict(dict))
    _lists: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def asked(self, kind: str, namespace: str | None, *, watch: bool, now: float) -> bool:
        """Take in a request for a list or a watch; whether with it a list has come to its end."""
        collection = self._collections.setdefault((kind, namespace), _Collection(now))
        collection.asked_at = now
        if not watch:
            if not collection.listing:
                self._lists[kind] += 1
                collection.lists, collection.listing = self._lists[kind], True
            return False
        ended, collection.listing, collection.listed = collection.listing, False, True
        return ended

    def unwatched(self, kind: str) -> None:
        """A kind is not watched any more, for its CRD is gone: it is not asked for until it is back."""
        for (plural, _), collection in self._collections.items():
            if plural == kind:
                collection.asked_at = math.inf

    def shown(self, kind: str, name: Name) -> None:
        """An object was shown, by a list or by an event."""
        self._shown[kind][name] = self._lists[kind]

    def gone(self, kind: str, name: Name) -> None:
        """An object is known to be gone."""
        self._shown[kind].pop(name, None)

    def missing(self, kind: str, namespace: str | None) -> list[Name]:
        """Objects that were shown before the last list of this collection began, and not since."""
        collection = self._collections.get((kind, namespace))
        began = 0 if collection is None else collection.lists
        ours = (item for item in self._shown[kind].items() if namespace in (None, item[0][0]))
        return [name for name, lists in ours if lists < began]

    def listed(self, kind: str) -> bool:
        """Whether what is there of a kind has been read, in every namespace that is watched."""
        found = [collection.listed for (plural, _), collection in self._collections.items() if plural == kind]
        return bool(found) and all(found)

    def longest_quiet(self, now: float) -> float:
        """Seconds since the request of the watch that has asked for nothing the longest; a stuck one never does again."""
        return max([0.0, *(now - collection.asked_at for collection in self._collections.values())])
