"""Messages arrive whole, in order, however the pipe cuts them; nonsense is refused."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuningsweep_trainer.training import wire


@given(st.lists(st.dictionaries(st.text(max_size=5), st.integers()), max_size=5), st.integers(1, 7))
def test_messages_survive_any_cut(messages: list[dict[str, int]], size: int) -> None:
    read_end, write_end = os.pipe()
    os.set_blocking(read_end, False)
    reader = wire.MessageReader(read_end)
    stream = b"".join(wire.encode(message) for message in messages)
    received: list[wire.Message] = []
    for start in range(0, len(stream), size):
        os.write(write_end, stream[start : start + size])
        received += list(reader.read())
    assert received == messages
    assert not reader.closed
    os.close(write_end)
    assert list(reader.read()) == []
    assert reader.closed
    os.close(read_end)


@pytest.mark.parametrize("content", [b"\xff\xff\xff\xff", b"\x00\x00\x00\x02[]", b"\x00\x00\x00\x01{"])
def test_nonsense_is_refused(content: bytes) -> None:
    read_end, write_end = os.pipe()
    os.set_blocking(read_end, False)
    os.write(write_end, content)
    with pytest.raises(wire.WireError):
        list(wire.MessageReader(read_end).read())
    os.close(read_end)
    os.close(write_end)


def test_a_message_over_the_limit_is_refused_before_it_is_sent() -> None:
    with pytest.raises(wire.WireError, match="over the limit"):
        wire.encode({"x": "y" * wire.MAX_MESSAGE_BYTES})
