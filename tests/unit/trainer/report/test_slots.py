"""Rows of the timeline: a worker's trials together, no overlap, as few as possible."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from tuningsweep_trainer.report.slots import assign_slots

interval = st.tuples(st.integers(0, 30), st.integers(1, 10)).map(lambda pair: (float(pair[0]), float(sum(pair))))
placed = st.lists(st.tuples(interval, st.sampled_from([None, "a", "b", "c"])), max_size=25)


@given(placed)
def test_trials_in_a_row_do_not_overlap(trials: list[tuple[tuple[float, float], str | None]]) -> None:
    spans = [span for span, _ in trials]
    slots = assign_slots(spans, [worker for _, worker in trials])
    for row in set(slots):
        inside = sorted(span for span, slot in zip(spans, slots, strict=True) if slot == row)
        assert all(first[1] <= second[0] for first, second in itertools.pairwise(inside))


@given(st.lists(interval, max_size=25))
def test_where_no_worker_is_known_no_row_is_wasted(spans: list[tuple[float, float]]) -> None:
    most = max((sum(start <= at < end for start, end in spans) for at, _ in spans), default=0)
    assert len(set(assign_slots(spans, [None] * len(spans)))) == most


def test_one_after_another_share_the_first_row() -> None:
    assert assign_slots([(0.0, 1.0), (1.0, 2.0), (0.5, 3.0)], [None] * 3) == [0, 0, 1]


def test_a_span_without_length_takes_no_row_for_good() -> None:
    assert assign_slots([(1.0, 1.0), (1.0, 2.0)], [None] * 2) == [0, 0]


def test_a_worker_keeps_its_row_though_a_lower_one_is_free() -> None:
    trials = [(0.0, 2.0), (0.0, 1.0), (2.0, 3.0), (2.0, 4.0)]
    assert assign_slots(trials, ["b", "a", "a", "b"]) == [1, 0, 0, 1]


def test_the_row_of_a_worker_that_died_is_taken_by_the_next() -> None:
    assert assign_slots([(0.0, 1.0), (0.0, 5.0), (2.0, 3.0)], ["a", "b", "c"]) == [0, 1, 0]


def test_a_trial_that_began_while_its_worker_had_another_has_a_row_of_its_own() -> None:
    assert assign_slots([(0.0, 2.0), (1.0, 3.0)], ["a", "a"]) == [0, 1]
