"""A recording IMAP server hears every command: no text of a mail is among them, whatever the field.

mail-parser and the header decoders give text with line breaks; IMAPClient writes what it is given
(mjs/imapclient#657). The first line of defence is that no text of a mail is ever an argument.
"""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from bounce_watch.config.accounts import ImapSettings
from bounce_watch.model import OutboxState
from bounce_watch.pipeline import run_cycle
from bounce_watch.send import Delivery, Outcome
from bounce_watch.source import open_source
from bounce_watch.source.imap.sent_items import SentItems
from tests.pipeline.conftest import Home
from tests.safety.test_edges import HOSTILE, MARK, TOGETHER, poisoned
from tests.servers.scripted_imap import Script, ScriptedImap

COMMANDS = re.compile(
    r"""CAPABILITY | LOGOUT | NAMESPACE | LOGIN\ "?bounces@larkfield\.example"?\ "secret"
    | SELECT\ "?INBOX"? | EXAMINE\ "Sent\ Items" | LIST\ ""\ ("(INBOX/)?Bounces/(Filed|Quarantine)"|"")
    | (CREATE|SUBSCRIBE)\ "Bounces/(Filed|Quarantine)"
    | UID\ FETCH\ [0-9,:*]+\ \([A-Z0-9 .]+(\[\]<0\.[0-9]+>)?\)
    | UID\ MOVE\ [0-9,:]+\ "Bounces/(Filed|Quarantine)"
    | STATUS\ "Bounces/(Filed|Quarantine)"\ \(MESSAGES\ UIDNEXT\)
    | UID\ SEARCH\ HEADER\ "?X-Bounce-Watch-ID"?\ "?bw\.[0-9a-f]{16}\.[0-9a-f]{24}"?
    """,
    re.VERBOSE,
)


class CutSender:
    """A way out whose connection ends after the content: each mail is looked for later."""

    name = "cut"

    def __init__(self) -> None:
        self.tried = 0

    def send(self, recipient: str, content: bytes) -> Delivery:
        self.tried += 1
        return Delivery(outcome=Outcome.UNKNOWN, reply="the connection ended")


def listed(mails: list[bytes]) -> bytes:
    lines = (
        b'* %d FETCH (UID %d RFC822.SIZE %d INTERNALDATE "23-Nov-2026 09:00:00 +0000")\r\n'
        % (number, number, len(mail))
        for number, mail in enumerate(mails, 1)
    )
    return b"".join(lines) + b"@ OK done\r\n"


def fetched(mails: list[bytes]) -> bytes:
    answers = (
        b"* %d FETCH (UID %d BODY[]<0> {%d}\r\n%b)\r\n" % (number, number, len(mail), mail)
        for number, mail in enumerate(mails, 1)
    )
    return b"".join(answers) + b"@ OK done\r\n"


@pytest.mark.slow
def test_no_text_of_a_mail_is_part_of_a_command(open_home: Callable[..., Home]) -> None:
    home = open_home(
        (
            "settle_seconds = 0",
            "settle_seconds = 0\nper_minute = 999\nper_hour = 999\nhold_backlog_over = 99",
        ),
        ("[digest]", "[run]\nisolate = false\n[digest]"),
    )
    mails = [
        poisoned(TOGETHER[number // len(HOSTILE)], number) for number in range(len(HOSTILE) * len(TOGETHER))
    ]
    script = Script(
        answers={
            "SELECT": b"* %d EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT %d] ok\r\n@ OK done\r\n"
            % (len(mails), len(mails) + 1),
            "EXAMINE": b"* 0 EXISTS\r\n* OK [UIDVALIDITY 8] ok\r\n@ OK [READ-ONLY] done\r\n",
            "UID FETCH": [listed(mails), fetched(mails), b"@ OK done\r\n"],
            "UID SEARCH": b"* SEARCH\r\n@ OK done\r\n",
        },
    )
    with ScriptedImap(script) as server:
        settings = ImapSettings(
            host="127.0.0.1", port=server.port, security="none", user="bounces@larkfield.example"
        )
        sender, sent_lookup = CutSender(), SentItems(settings, lambda: "secret", "Sent Items")
        with open_source(settings, lambda: "secret") as source:
            result = run_cycle(home.context, source, sender, sent_lookup)  # type: ignore[arg-type]
            home.clock.now += timedelta(minutes=11)
            run_cycle(home.context, source, sender, sent_lookup)  # type: ignore[arg-type]
    heard = script.heard
    assert result.messages == len(mails)
    assert sender.tried > len(HOSTILE)
    assert home.context.store.outbox.list([OutboxState.ABANDONED])
    count = {verb: sum(line.startswith(verb) for line in heard) for verb in ("UID MOVE", "UID SEARCH")}
    print(f"{len(mails)} mails, {len(heard)} commands heard: {count}")
    assert count["UID MOVE"] >= 1
    assert count["UID SEARCH"] > len(HOSTILE)
    assert not [line for line in heard if MARK in line or "STORE" in line or "EXPUNGE" in line]
    assert not [line for line in heard if COMMANDS.fullmatch(line) is None]
