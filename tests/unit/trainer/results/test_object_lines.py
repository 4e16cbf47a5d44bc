"""Lines in object storage, an object each: none is lost to another writer or a gap, whichever release wrote them."""

import re
from pathlib import Path

import pytest
from pyarrow import fs

from tuningsweep_trainer.results.store import OBJECT_SUFFIX, ObjectStore

FILE = "trials.jsonl"
FOLDER = FILE + OBJECT_SUFFIX


@pytest.fixture
def writers(tmp_path: Path) -> tuple[ObjectStore, ObjectStore]:
    """Of one and the same results."""
    return ObjectStore(fs.LocalFileSystem(), str(tmp_path)), ObjectStore(fs.LocalFileSystem(), str(tmp_path))


def append(store: ObjectStore, *lines: bytes) -> None:
    for line in lines:
        store.append(FILE, line)


def append_as_before(store: ObjectStore, line: bytes) -> None:
    """As drivers did that named a line's object by its number alone."""
    store.write(f"{FOLDER}/{len(store.names(FOLDER)):08d}", line)


def test_two_writers_at_once_take_no_line_from_each_other(writers: tuple[ObjectStore, ObjectStore]) -> None:
    first, second = writers
    append(first, b"0")
    append(second, b"1")  # and both know now what number is next
    append(first, b"2 of first", b"3 of first")
    append(second, b"2 of second")
    lines = list(first.lines(FILE))
    assert lines[:1] == [b"0"]
    assert sorted(lines) == [b"0", b"1", b"2 of first", b"2 of second", b"3 of first"]
    of_first = [line for line in lines if line in (b"0", b"2 of first", b"3 of first")]
    assert of_first == sorted(of_first)


def test_after_an_object_was_lost_lines_go_on_behind_the_last(writers: tuple[ObjectStore, ObjectStore]) -> None:
    first, second = writers
    append(first, b"0", b"1", b"2")
    first.delete(f"{FOLDER}/{first.names(FOLDER)[0]}")
    append(second, b"3", b"4")
    assert list(first.lines(FILE)) == [b"1", b"2", b"3", b"4"]


def test_what_is_no_line_is_not_counted(writers: tuple[ObjectStore, ObjectStore]) -> None:
    first, _ = writers
    first.write(f"{FOLDER}/notes", b"by hand")
    append(first, b"0")
    assert re.fullmatch(r"00000000-[0-9a-f]{8}", first.names(FOLDER)[0])


def test_a_driver_of_before_and_one_of_now_go_on_after_each_other(writers: tuple[ObjectStore, ObjectStore]) -> None:
    upgraded, again = writers
    append_as_before(upgraded, b"0")
    append_as_before(upgraded, b"1")
    append(upgraded, b"2", b"3")
    append_as_before(again, b"4")
    append(again, b"5")
    assert list(again.lines(FILE)) == [b"0", b"1", b"2", b"3", b"4", b"5"]
