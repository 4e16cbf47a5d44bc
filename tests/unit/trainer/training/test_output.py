"""The lines of a program."""

import subprocess
import sys
from pathlib import Path

import pytest

from support.patience import PATIENCE
from tuningsweep_trainer.training import output as module
from tuningsweep_trainer.training.output import Output


def started(program: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)


def read(process: subprocess.Popen[bytes]) -> list[str]:
    with process:
        return list(Output(process, lambda: None).lines())


PIECEMEAL = """
import os
for byte in %r:
    os.write(1, bytes([byte]))
"""


@pytest.mark.parametrize(
    ("written", "lines"),
    [
        ("ä\r\n50 %\r100 %\n\u2028\n".encode(), ["ä\n", "50 %\n", "100 %\n", "\u2028\n"]),
        (b"\xff\nno newline\xc3", ["\ufffd\n", "no newline\ufffd"]),
        (b"\n\n", ["\n", "\n"]),
        (b"", []),
    ],
)
def test_lines_are_told_apart_however_they_come(written: bytes, lines: list[str]) -> None:
    assert read(started(PIECEMEAL % written)) == lines


def test_a_line_without_end_comes_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_LINE", 100)
    pieces = read(started("print('x' * 950, end='')"))
    assert "".join(pieces) == "x" * 950
    assert len(pieces) > 4


def test_all_that_a_program_has_written_is_read_though_another_holds_its_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "QUIET_SECONDS", 0.0)
    monkeypatch.setattr(module, "MAX_LINE", 50)
    holder = f"import os, time\nwhile not os.path.exists({str(tmp_path / 'told')!r}): time.sleep(0.01)"
    process = started(
        f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {holder!r}]); print('word ' * 300)"
    )
    try:
        process.wait(PATIENCE)
        assert "".join(read(process)) == "word " * 300 + "\n"
    finally:
        (tmp_path / "told").touch()


def test_a_program_that_closes_its_output_has_not_ended(tmp_path: Path) -> None:
    told, ended = tmp_path / "told", []
    process = started(f"import os, time\nos.close(1)\nwhile not os.path.exists({str(told)!r}): time.sleep(0.01)")
    with process:
        try:
            assert list(Output(process, lambda: ended.append(True)).lines()) == []
            assert not ended
        finally:
            told.touch()
