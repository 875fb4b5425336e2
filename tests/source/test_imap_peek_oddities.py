"""Looks before downloading at servers that refuse, break off or tell tales: all is fetched whole then."""

import re
from collections.abc import Sequence

import pytest

from bounce_watch.source.imap.source import ImapSource
from tests.servers.scripted_imap import SELECTED, Script
from tests.source.test_imap_oddities import Open, open_imap
from tests.source.wrapping import attachment, mixed, text

__all__ = ["open_imap"]

MAIL = mixed(text(b"hello"), attachment())
OCTETS = len(attachment().partition(b"\r\n\r\n")[2])
UIDS = tuple(range(1, 31))


def structure(octets: int = OCTETS, more: str = "") -> str:
    return (
        f'(("text" "plain" NIL NIL NIL "7bit" 5 0 NIL NIL NIL NIL)("application" "pdf" ("name" "offer.pdf") '
        f'NIL NIL "base64" {octets} NIL NIL NIL NIL) "mixed" ("boundary" "=_around"{more}) NIL NIL NIL)'
    )


def told(uids: Sequence[int], items: str) -> bytes:
    lines = "".join(f"* {uid} FETCH (UID {uid} {items})\r\n" for uid in uids)
    return lines.encode() + b"@ OK done\r\n"


def content(uids: Sequence[int], length: int = len(MAIL)) -> bytes:
    head = MAIL[:length]
    answers = (b"* %d FETCH (UID %d BODY[]<0> {%d}\r\n%b)\r\n" % (uid, uid, len(head), head) for uid in uids)
    return b"".join(answers) + b"@ OK done\r\n"


LISTED = told([1], f"RFC822.SIZE {len(MAIL)}")
WHOLE = content([1])


def look(source: ImapSource) -> list[tuple[bytes, bool]]:
    return [(message.raw, message.is_partial) for message in source.partial_messages()]


def asked(script: Script) -> list[str]:
    return [line for line in script.heard if line.startswith("UID FETCH")]


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param([b"@ BAD what is that\r\n", WHOLE], id="knows no structures"),
        pytest.param([b"@ NO [SERVERBUG] sorry\r\n", WHOLE], id="cannot tell the structure"),
        pytest.param([b"@ OK done\r\n", WHOLE], id="tells none"),
        pytest.param([told([1], "BODYSTRUCTURE (((("), WHOLE], id="tells nonsense"),
        pytest.param([told([2], f"BODYSTRUCTURE {structure()}"), WHOLE], id="tells that of another"),
        pytest.param([b"", LISTED, WHOLE], id="hangs up"),
        pytest.param(
            [told([1], "BODYSTRUCTURE " + "(" * 1_100_000), LISTED, WHOLE], id="a line of a megabyte"
        ),
        pytest.param([told([1], f"BODYSTRUCTURE {structure(OCTETS - 20000)}"), content([1], 30000), WHOLE],
                     id="hides a part"),
        pytest.param([told([1], f"BODYSTRUCTURE {structure()}"), content([1], 100), WHOLE], id="cuts it"),
        pytest.param([told([1], f"BODYSTRUCTURE {structure()}"), b"@ OK done\r\n", WHOLE], id="no content"),
    ],
)  # fmt: skip
def test_a_server_that_is_no_help_gives_the_whole_mail(open_imap: Open, answers: list[bytes]) -> None:
    """It costs a command or two; nothing is missed, and a break does not come again at each try."""
    script = Script(answers={"UID FETCH": [LISTED, *answers]})
    with open_imap(script) as source:
        assert look(source) == [(MAIL, False)]
    assert len(asked(script)) == 1 + len(answers)


def test_an_honest_server_is_asked_for_the_head_alone(open_imap: Open) -> None:
    """The counterpart of the lies above."""
    script = Script(
        answers={"UID FETCH": [LISTED, told([1], f"BODYSTRUCTURE {structure()}"), content([1], 2000)]}
    )
    with open_imap(script) as source:
        ((head, is_partial),) = look(source)
    assert is_partial
    assert MAIL.startswith(head)
    assert len(head) < 500


def test_a_connection_lost_at_a_head_is_no_reason_to_stop_looking(open_imap: Open) -> None:
    """Networks break; only what breaks at a structure may break there again."""
    once = [LISTED, told([1], f"BODYSTRUCTURE {structure()}")]
    script = Script(answers={"UID FETCH": [*once, b"", *once, content([1], 2000)]})
    with open_imap(script) as source:
        ((_, is_partial),) = look(source)
    assert is_partial
    assert script.connections == 2


def test_no_word_of_a_mail_reaches_a_command(open_imap: Open) -> None:
    """Names and boundaries come from the mail; what is asked for is numbers and our own words."""
    tale = structure(more=' "name" "x)\\" BODY[] (\\"{3}"')
    script = Script(
        answers={"UID FETCH": [LISTED, told([1], f"BODYSTRUCTURE {tale}"), content([1], 2000), WHOLE]}
    )
    with open_imap(script) as source:
        (message,) = source.partial_messages()
        assert message.is_partial
        assert source.fetch_whole(message)
    command = (
        r"UID FETCH [\d,:]+ \((?:UID|RFC822\.SIZE|INTERNALDATE|BODYSTRUCTURE|BODY\.PEEK\[\]<0\.\d+>| )+\)"
    )
    assert len(asked(script)) == 4
    assert all(re.fullmatch(command, line) for line in asked(script))


def test_a_server_whose_structures_are_wrong_is_not_asked_again(open_imap: Open) -> None:
    """Some rebuild each mail when asked for it: what they tell fits none of them."""
    listed = told(UIDS, f"RFC822.SIZE {len(MAIL)}")
    tale = told(UIDS, f"BODYSTRUCTURE {structure(OCTETS - 9000)}")
    script = Script(
        answers={
            "SELECT": SELECTED.replace(b"UIDNEXT 3", b"UIDNEXT 31") + b"@ OK [READ-WRITE] selected\r\n",
            "UID FETCH": [listed, tale, content(UIDS, 20000), content(UIDS), listed, content(UIDS)],
        }
    )
    with open_imap(script) as source:
        for _ in range(2):
            assert look(source) == [(MAIL, False)] * len(UIDS)
    assert sum("BODYSTRUCTURE" in line for line in asked(script)) == 1
