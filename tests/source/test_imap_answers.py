"""What a server lists is read by a way of our own where it is plain, and by imapclient's where it is not."""

from datetime import UTC, datetime

import pytest
from imapclient.response_parser import parse_fetch_response

from bounce_watch.source.imap.responses import read_listing
from bounce_watch.source.imap.windows import listed

PLAIN = (
    b'1 (UID 7 RFC822.SIZE 120 INTERNALDATE "28-Nov-2026 01:13:07 +0000")',
    b'2 (INTERNALDATE " 1-Mar-2026 23:59:59 -0730" UID 8 RFC822.SIZE 99999999999)',
    b"3 (UID 4294967295)",
)


def test_a_plain_answer_is_read_as_imapclient_reads_it() -> None:
    ours = read_listing(PLAIN)
    theirs = parse_fetch_response(list(PLAIN), normalise_times=False, uid_is_key=False)
    assert ours is not None
    assert [listed(0, entry) for entry in ours] == [listed(0, entry) for entry in theirs.values()]
    assert [entry.get(b"UID") for entry in ours] == [entry.get(b"UID") for entry in theirs.values()]


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"1 (UID 7 FLAGS (\\Seen))", id="flags"),
        pytest.param((b"1 (UID 7 BODY[] {5}", b"hello"), id="a literal"),
        pytest.param(b"1 (UID 7 )", id="a space too many"),
        pytest.param(b"1 (UID -7)", id="no number"),
        pytest.param(b"1 ()", id="nothing"),
        pytest.param(b"1 (UID 7) (UID 8)", id="two in one"),
        pytest.param(b"1 (UID " + b"7" * 5000 + b")", id="a number without end"),
        pytest.param(None, id="no answer"),
    ],
)
def test_what_holds_more_is_left_to_imapclient(line: object) -> None:
    assert read_listing([PLAIN[0], line]) is None


@pytest.mark.parametrize(
    ("date", "moment"),
    [
        (b" 1-Mar-2026 23:59:59 -0730", datetime(2026, 3, 2, 7, 29, 59, tzinfo=UTC)),
        (b"31-Feb-2026 01:02:03 +0000", None),
        (b"yesterday", None),
        (b"28-Nov-2026 01:13:07 -0000", None),
        (b"31-Dec-9999 23:59:59 -0800", None),
        (b"\xff\xfe", None),
    ],
)
def test_a_date_that_is_none_is_no_arrival(date: bytes, moment: datetime | None) -> None:
    assert listed(7, {b"INTERNALDATE": date}).received_at == moment
