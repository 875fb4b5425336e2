"""The mbox source: where a message begins and ends (RFC 4155), and files larger than memory."""

import mailbox
import resource
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bounce_watch.source import MAX_MESSAGE, MissingFolder
from bounce_watch.source.local.mbox import MboxSource
from tests.source import samples

FROM = b"From ann@fabrikam.example Mon Sep 21 14:13:20 2026\n"


def read(tmp_path: Path, content: bytes) -> list[bytes]:
    path = tmp_path / "archive"
    path.write_bytes(content)
    with MboxSource(path) as source:
        return [message.raw for message in source.messages()]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(b"", [], id="empty file"),
        pytest.param(b"no mailbox\n", [], id="no From_ line"),
        pytest.param(FROM + b"A: 1\n\none\n", [b"A: 1\n\none\n"], id="one message, no empty line at the end"),
        pytest.param(
            FROM + b"A: 1\n\none\n\n", [b"A: 1\n\none\n"], id="the empty line at the end is no content"
        ),
        pytest.param(
            FROM + b"A: 1\n\none\n\n\n", [b"A: 1\n\none\n\n"], id="only one empty line is taken off"
        ),
        pytest.param(
            FROM + b"A: 1\n\none\n\n" + FROM + b"B: 2\n\ntwo\n",
            [b"A: 1\n\none\n", b"B: 2\n\ntwo\n"],
            id="two messages",
        ),
        pytest.param(
            FROM + b"A: 1\n\nDear all,\n\nFrom here on it works.\n",
            [b"A: 1\n\nDear all,\n\nFrom here on it works.\n"],
            id="a body line that begins with From",
        ),
        pytest.param(
            FROM + b"A: 1\n\n>From x\n>>From y\n> From z\n",
            [b"A: 1\n\nFrom x\n>From y\n> From z\n"],
            id="quoting",
        ),
        pytest.param(
            FROM + b"A: 1\n\none\n" + FROM + b"B: 2\n",
            [b"A: 1\n\none\n" + FROM + b"B: 2\n"],
            id="no empty line before",
        ),
        pytest.param(FROM + b"A: 1\n\nno end", [b"A: 1\n\nno end"], id="no line end at the end"),
        pytest.param(
            FROM + b"A: 1\n\n" + b"x" * 200_000 + b"\n\n" + FROM + b"B: 2\n",
            [b"A: 1\n\n" + b"x" * 200_000 + b"\n", b"B: 2\n"],
            id="a line longer than the buffer",
        ),
        pytest.param(
            FROM + b"A: 1\r\n\r\none\r\n\r\n" + FROM[:-1] + b"\r\nB: 2\r\n",
            [b"A: 1\r\n\r\none\r\n", b"B: 2\r\n"],
            id="CRLF",
        ),
    ],
)
def test_messages_begin_and_end_where_they_should(
    tmp_path: Path, content: bytes, expected: list[bytes]
) -> None:
    """Each row is one habit of a program that writes mbox files."""
    assert read(tmp_path, content) == expected


def test_a_file_that_the_standard_library_wrote_is_read(tmp_path: Path) -> None:
    """Another implementation's idea of the format."""
    archive = mailbox.mbox(tmp_path / "archive")
    for content in samples.ALL:
        archive.add(content)
    archive.close()
    with MboxSource(tmp_path / "archive") as source:
        found = [message.raw for message in source.messages()]
    plain = [raw.replace(b"\r\n", b"\n").replace(b"\n>From", b"\nFrom") for raw in found]
    assert plain == [raw.replace(b"\r\n", b"\n").replace(b"\n>From", b"\nFrom") for raw in samples.ALL]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"From x Mon Sep 21 14:13:20 2026\n", datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC)),
        (b"From x@y Tue Sep  1 04:03 2026\n", datetime(2026, 9, 1, 4, 3, tzinfo=UTC)),
        (b"From - Mon Sep 21 14:13:20 UTC 2026\n", datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC)),
        (b"From MAILER-DAEMON Mon Feb 31 14:13:20 2026\n", None),
    ],
    ids=["asctime", "no seconds", "zone", "no such day"],
)
def test_the_date_of_arrival_is_that_of_the_from_line(
    tmp_path: Path, line: bytes, expected: datetime | None
) -> None:
    """It is UTC by the RFC; a wrong one is no date, not a fault."""
    (tmp_path / "archive").write_bytes(line + b"A: 1\n\none\n")
    with MboxSource(tmp_path / "archive") as source:
        (message,) = source.messages()
    assert message.received_at == expected


def test_equal_messages_share_a_locator_and_new_ones_do_not_change_the_old(tmp_path: Path) -> None:
    """Mail programs rewrite the file; what was read stays known."""
    path = tmp_path / "archive"
    path.write_bytes(FROM + b"A: 1\n\none\n\n")
    with MboxSource(path) as source:
        (old,) = source.messages()
        path.write_bytes(FROM + b"B: 2\n\ntwo\n\n" + FROM + b"A: 1\n\none\n\n")
        assert [message.location for message in source.messages()][1] == old.location


@pytest.mark.slow
def test_a_large_file_is_read_in_bounded_memory_and_never_changed(tmp_path: Path) -> None:
    """Sixty megabytes, one message beyond the limit among them."""
    path = tmp_path / "archive"
    body = b"A: 1\n\n" + (b"x" * 99 + b"\n") * 10_000 + b"\n"
    with path.open("wb") as stream:
        for number in range(40):
            stream.write(FROM + b"N: %d\n" % number + body)
        stream.write(FROM + (b"y" * 99 + b"\n") * 200_000)
    before = path.stat()
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with MboxSource(path) as source:
        sizes = [(len(message.raw), message.size) for message in source.messages()]
    assert sizes[-1] == (MAX_MESSAGE, 20_000_000)
    assert len(sizes) == 41
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - used < 24 * 1024
    assert path.stat().st_mtime_ns == before.st_mtime_ns


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A typing error in the path."""
    source = MboxSource(tmp_path / "absent")
    with pytest.raises(MissingFolder, match="absent"), source:
        pass
    assert [check.state for check in source.diagnose()] == ["failure"]
