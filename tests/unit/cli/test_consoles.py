"""A console whose reader goes away: `tuningsweep run FILE | head` must not end a sweep."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import sys
from tuningsweep_cli.consoles import console
screen = console(lasting=sys.argv[1] == "lasting")
sys.stdin.readline()  # until nobody reads
screen.print("a line")
screen.print("another")
print("done", file=sys.stderr)
"""


@pytest.mark.parametrize(("kind", "code", "said"), [("lasting", 0, "done\n"), ("plain", 1, "")])
def test_a_reader_that_has_gone(kind: str, code: int, said: str) -> None:
    reader, writer = os.pipe()
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, kind], stdin=subprocess.PIPE, stdout=writer, stderr=subprocess.PIPE, text=True
    ) as process:
        os.close(writer)
        os.close(reader)
        _, errors = process.communicate("go\n", timeout=60)
    assert (process.returncode, errors) == (code, said)
