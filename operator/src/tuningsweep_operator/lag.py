"""How far a watch is behind what calls of ours returned: a watch that never shows a write of ours is dead or was never there.

Kept by the store for each kind; read by the reconciler (which then asks the API server itself) and by /healthz.
"""

from tuningsweep_operator.resources import Key


class Lag:
    """Versions that a watch has shown, and those it still has to show; time is an argument."""

    def __init__(self) -> None:
        self._shown: dict[Key, int] = {}
        self._awaited: dict[Key, tuple[int, float]] = {}

    def shown(self, key: Key, version: int, now: float) -> None:
        """The watch has shown this version of an object."""
        self._shown[key] = version
        awaited, _ = self._awaited.pop(key, (0, 0.0))
        if awaited > version:  # alive, though not up to date yet
            self._awaited[key] = (awaited, now)

    def returned(self, key: Key, version: int, now: float) -> None:
        """A call of ours returned this version: the watch has to show it, or a later one, soon."""
        if version > self._shown.get(key, 0):
            _, since = self._awaited.get(key, (0, now))
            self._awaited[key] = (version, since)

    def forget(self, key: Key) -> None:
        """The object is gone."""
        self._shown.pop(key, None)
        self._awaited.pop(key, None)

    def of(self, key: Key, now: float) -> float:
        """Seconds that the watch has owed an object's version; 0 where it is up to date."""
        return now - self._awaited[key][1] if key in self._awaited else 0.0

    def longest(self, now: float) -> float:
        """Seconds that the watch has owed the version it owes longest."""
        return max((now - since for _, since in self._awaited.values()), default=0.0)
