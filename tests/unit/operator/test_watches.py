"""What kopf's requests tell: a list that left something out, and a watch that asks for nothing any more."""

from tuningsweep_operator.health import ailment
from tuningsweep_operator.store import Store
from tuningsweep_operator.watches import QUIET_SECONDS, Watches
from tuningsweep_operator.work_queue import WorkQueue

A, B, ELSEWHERE = ("team", "a"), ("team", "b"), ("other", "a")


def listed(watches: Watches, *names: tuple[str, str], namespace: str | None = None) -> bool:
    """A list that shows these, then the watch that follows it."""
    watches.asked("pods", namespace, watch=False, now=0.0)
    for name in names:
        watches.shown("pods", name)
    return watches.asked("pods", namespace, watch=True, now=0.0)


def test_what_a_new_list_leaves_out_is_missing() -> None:
    watches = Watches()
    assert listed(watches, A, B)
    assert watches.missing("pods", None) == []
    assert listed(watches, B)
    assert watches.missing("pods", None) == [A]
    watches.gone("pods", A)
    assert watches.missing("pods", None) == []


def test_an_empty_list_leaves_out_all_and_a_watch_that_goes_on_nothing() -> None:
    watches = Watches()
    listed(watches, A)
    assert not watches.asked("pods", None, watch=True, now=1.0)
    assert watches.missing("pods", None) == []
    listed(watches)
    assert watches.missing("pods", None) == [A]


def test_a_list_that_is_tried_again_is_one() -> None:
    watches = Watches()
    watches.asked("pods", None, watch=False, now=0.0)
    watches.shown("pods", A)
    watches.asked("pods", None, watch=False, now=5.0)
    assert watches.missing("pods", None) == []


def test_a_namespace_is_missing_only_its_own() -> None:
    watches = Watches()
    listed(watches, A, namespace="team")
    listed(watches, ELSEWHERE, namespace="other")
    listed(watches, namespace="team")
    assert watches.missing("pods", "team") == [A]
    assert watches.missing("pods", "other") == []


def test_ready_is_who_has_listed_all_namespaces() -> None:
    watches = Watches()
    assert not watches.listed("pods")
    listed(watches, namespace="team")
    watches.asked("pods", "other", watch=False, now=0.0)
    assert not watches.listed("pods")
    watches.asked("pods", "other", watch=True, now=0.0)
    assert watches.listed("pods")


async def test_a_watch_that_asks_for_nothing_any_more_fails_the_liveness_probe() -> None:
    async def nothing(_: tuple[str, str]) -> None:
        raise AssertionError

    queue, watches = WorkQueue(nothing, 1, lambda: 0.0), Watches()
    watches.asked("pods", None, watch=True, now=queue.last_turn)
    watches.asked("rayjobs", None, watch=True, now=queue.last_turn - QUIET_SECONDS)
    assert ailment(queue.last_turn, queue, Store(), watches) is None
    assert "not asked the API server" in (ailment(queue.last_turn + 1.0, queue, Store(), watches) or "")


def test_a_kind_that_is_not_watched_for_its_crd_is_gone_is_nothing_that_a_restart_would_cure() -> None:
    watches = Watches()
    listed(watches, A)
    watches.asked("rayjobs", None, watch=True, now=100.0)
    watches.unwatched("pods")
    assert watches.longest_quiet(100.0 + QUIET_SECONDS) == QUIET_SECONDS
    watches.asked("pods", None, watch=False, now=200.0)
    assert watches.longest_quiet(1000.0) == 900.0
