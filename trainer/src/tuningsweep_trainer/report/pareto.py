"""The trials that no other beats in both memory and objective; pure, for the figure objective against memory."""

from collections.abc import Sequence


def front(points: Sequence[tuple[float, float]]) -> list[int]:
    """Indices of the points for which no other is at most as high in both coordinates and lower in one, by the first.

    Both coordinates are better when lower. Of equal points the first one counts.
    """
    best = float("inf")
    found: list[int] = []
    for index in sorted(range(len(points)), key=lambda i: (points[i], i)):
        if points[index][1] < best:
            best = points[index][1]
            found.append(index)
    return found
