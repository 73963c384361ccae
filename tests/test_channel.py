"""Messages between two of the grader's processes: whole, in order, in time."""

import os
import socket
import threading

import pytest

from autograder.channel import AHEAD, HEADER, SMALL, STOPPED, Channel, Closed, TooLate


def test_messages_of_all_sizes_arrive_whole_and_in_order() -> None:
    one, other = Channel.pair()
    sizes = (0, 1, AHEAD - HEADER.size, AHEAD, AHEAD + 1, SMALL - 1, SMALL, 5 * 2**20, 3)
    messages = [bytes([number]) * size for number, size in enumerate(sizes)]
    for seconds in (None, 10.0):
        sender = threading.Thread(target=lambda t=seconds: [one.send(m, t) for m in messages])
        sender.start()
        assert [other.receive(seconds) for _ in messages] == messages
        sender.join()


def test_what_was_read_ahead_is_the_next_message_however_it_is_received() -> None:
    one, other = Channel.pair()
    for message in (b"first", b"second", b"third"):
        one.send(message)
    assert other.receive() == b"first"
    assert other.receive_with_files() == (b"second", [])
    assert other.receive_with_sender(1.0)[0] == b"third"


def test_open_files_come_with_their_own_message() -> None:
    one, other = Channel.pair()
    ends = [os.pipe() for _ in range(2)]
    one.send(b"nothing")
    for reader, writer in ends:
        one.send(b"take", files=(reader,))
        os.write(writer, b"%d" % writer)
    assert other.receive_with_files(1.0) == (b"nothing", [])
    for reader, writer in ends:
        data, files = other.receive_with_files(1.0)
        assert data == b"take" and len(files) == 1
        assert os.read(files[0], 9) == b"%d" % writer
        for file in (*files, reader, writer):
            os.close(file)


def test_a_deadline_is_for_the_whole_message() -> None:
    one, other = Channel.pair()
    with pytest.raises(TooLate):
        other.receive(0.05)
    with pytest.raises(TooLate):
        other.receive(-1.0)
    stop = threading.Event()

    def drip() -> None:
        one.sock.sendall(HEADER.pack(1000))
        while not stop.wait(0.02):
            one.sock.send(b"x")

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        with pytest.raises(TooLate):
            other.receive(0.3)
    finally:
        stop.set()
        thread.join()


def test_nobody_waits_for_ever_for_a_reader() -> None:
    one, _other = Channel.pair()
    with pytest.raises(TooLate):
        one.send(bytes(5 * 2**20), 0.2)


@pytest.mark.parametrize("seconds", [None, 1.0])
def test_an_end_that_is_closed(seconds: float | None) -> None:
    one, other = Channel.pair()
    other.close()
    with pytest.raises(Closed):
        one.receive(seconds)
    with pytest.raises(Closed):
        one.send(b"x", seconds)
    one.close()
    with pytest.raises(Closed):
        one.receive(seconds)
    with pytest.raises(Closed):
        one.send(b"x", seconds)


def test_the_socket_of_another_process_with_its_own_deadlines() -> None:
    """A tester is lent the grader's way to an answer process; neither sets the other's clock."""
    one, other = Channel.pair()
    lent = Channel(socket.socket(fileno=os.dup(one.fileno())))
    with pytest.raises(TooLate):
        one.receive(0.01)
    threading.Timer(0.2, other.send, [b"late"]).start()
    assert lent.receive() == b"late"  # without a deadline it waits


@pytest.mark.parametrize(
    ("data", "words"), [(STOPPED + bytes([24]), "too much processor time"), (STOPPED + b"hm", "")]
)
def test_a_last_word_is_ours(data: bytes, words: str) -> None:
    one, other = Channel.pair()
    one.send(data)
    with pytest.raises(Closed) as closed:
        other.receive()
    assert str(closed.value).endswith(words) and (words or not str(closed.value))
