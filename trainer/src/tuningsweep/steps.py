"""`step`: times the steps of a user's training code, as a block or around an iterable."""

from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import TypeVar, overload

from tuningsweep_trainer.training.session import current

Item = TypeVar("Item")


class _StepBlock:
    """The block form; one object serves all steps of a process, since steps do not nest."""

    __slots__ = ()

    def __enter__(self) -> None:
        current().clock.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        current().clock.finish()


_BLOCK = _StepBlock()


@overload
def step() -> _StepBlock: ...


@overload
def step(items: Iterable[Item]) -> Iterator[Item]: ...


def step(items: Iterable[Item] | None = None) -> "_StepBlock | Iterator[Item]":
    """Mark steps: `with step(): ...` times the block, `for batch in step(batches): ...` times each round of the loop.

    A step is one optimiser update. Time spent in fetching the next item is not part of a step, and neither is waiting in
    `report`. Steps do not nest.
    """
    return _BLOCK if items is None else _timed(items)


def _timed(items: Iterable[Item]) -> Iterator[Item]:
    clock = current().clock
    for item in items:
        clock.start()
        try:
            yield item
        finally:
            clock.finish()
