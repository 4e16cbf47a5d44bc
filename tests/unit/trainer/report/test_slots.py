"""Rows of the timeline: no overlap, as few as possible."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from tuningsweep_trainer.report.slots import assign_slots

intervals = st.lists(
    st.tuples(st.integers(0, 30), st.integers(1, 10)).map(lambda pair: (float(pair[0]), float(sum(pair)))), max_size=25
)


@given(intervals)
def test_trials_in_a_row_do_not_overlap_and_no_row_is_wasted(spans: list[tuple[float, float]]) -> None:
    slots = assign_slots(spans)
    for row in set(slots):
        inside = sorted(span for span, slot in zip(spans, slots, strict=True) if slot == row)
        assert all(first[1] <= second[0] for first, second in itertools.pairwise(inside))
    most = max((sum(start <= at < end for start, end in spans) for at, _ in spans), default=0)
    assert len(set(slots)) == most


def test_one_after_another_share_the_first_row() -> None:
    assert assign_slots([(0.0, 1.0), (1.0, 2.0), (0.5, 3.0)]) == [0, 0, 1]


def test_a_span_without_length_takes_no_row_for_good() -> None:
    assert assign_slots([(1.0, 1.0), (1.0, 2.0)]) == [0, 0]
