"""A server that defers some mails, or answers slowly, holds up nobody else's."""

import time

import pytest

from bounce_watch.config.accounts import SmtpSettings
from bounce_watch.model import OutboxState
from bounce_watch.pipeline import CycleResult, check_mailbox
from bounce_watch.pipeline.outbox import deliver as delivering
from bounce_watch.pipeline.outbox.deliver import deliver
from bounce_watch.send.smtp.sender import SmtpSender
from bounce_watch.source.local.maildir import MaildirSource
from tests.pipeline.conftest import Home, ndr
from tests.servers.scripted_smtp import ScriptedSmtp, SmtpScript


def replies_wait(home: Home, count: int) -> None:
    for number in range(count):
        sender, recipient = f"person{number}@larkfield.example", f"nobody{number}@fabrikam.example"
        home.deliver(ndr(sender, recipient, number=number), str(number))
    with MaildirSource(home.folder / "mailbox", filed_folder="Filed") as source:
        check_mailbox(home.context, source, CycleResult())


def sender_for(server: ScriptedSmtp) -> SmtpSender:
    account = {"host": "127.0.0.1", "port": server.port, "security": "none", "auth": "none"}
    return SmtpSender(SmtpSettings.model_validate(account), lambda: "", "bounces@larkfield.example")


def test_greylisted_mails_hold_up_no_others(home: Home) -> None:
    """Three in a row ended the round, however many others were due."""
    replies_wait(home, 7)

    def greylist(_: SmtpScript, line: str) -> str:
        return "450 4.2.0 Greylisted for 300 seconds" if "person6" not in line else "250 ok"

    with ScriptedSmtp(SmtpScript(replies={"RCPT": greylist})) as server, sender_for(server) as sender:
        done = deliver(home.context, sender)
    assert (done.sent, done.later) == (1, 6)


def test_a_server_that_defers_everything_ends_the_round(home: Home) -> None:
    replies_wait(home, 7)
    script = SmtpScript(replies={"MAIL": "451 4.3.0 not now"})
    with ScriptedSmtp(script) as server, sender_for(server) as sender:
        assert deliver(home.context, sender).later == delivering.LATER_IN_A_ROW
    assert len(home.context.store.outbox.list({OutboxState.PENDING})) == 7


def test_a_slow_server_does_not_keep_us_from_reading(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tarpit answers each command just in time; the rest is sent in the next round."""
    monkeypatch.setattr(delivering, "LONGEST_ROUND", 0.5)
    replies_wait(home, 7)

    def slow(_: SmtpScript, __: str) -> str:
        time.sleep(0.3)
        return "250 ok"

    with ScriptedSmtp(SmtpScript(replies={"RCPT": slow})) as server, sender_for(server) as sender:
        first = deliver(home.context, sender)
        assert 1 <= first.sent <= 3
        monkeypatch.setattr(delivering, "LONGEST_ROUND", 30.0)
        assert first.sent + deliver(home.context, sender).sent == 7
