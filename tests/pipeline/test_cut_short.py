"""A mail that was being sent when a round was cut short does not stay so until the next start."""

import time
from datetime import timedelta
from threading import Thread

from bounce_watch.daemon import Ending, Stopper
from bounce_watch.daemon.reload import ServiceRunner
from bounce_watch.model import LetterKind, OutboxState
from bounce_watch.pipeline import CycleResult, check_mailbox
from bounce_watch.pipeline.outbox.deliver import deliver
from bounce_watch.send import FolderSender
from bounce_watch.send.interface import Delivery, Outcome
from bounce_watch.source.local.maildir import MaildirSource
from bounce_watch.store import OutboxEntry, open_store, store_location
from bounce_watch.store.outbox.outcomes import GRACE
from tests.pipeline.conftest import Home, ndr


def being_sent(home: Home) -> int:
    """Read a report and lease its answer, as is done before a mail's first byte leaves."""
    home.deliver(ndr(), "1")
    with MaildirSource(home.folder / "mailbox", filed_folder="Filed") as source:
        check_mailbox(home.context, source, CycleResult())
    (mail,) = home.context.store.outbox.due(home.clock(), 9)
    assert home.context.store.claim(mail.id, home.context.store.worker.owner, home.clock()) is not None
    return mail.id


def the_mail(home: Home) -> OutboxEntry:
    (entry,) = [one for one in home.context.store.outbox.list() if one.kind is LetterKind.REPLY]
    return entry


def test_what_a_fault_cut_short_is_looked_for_and_sent_once(home: Home) -> None:
    being_sent(home)
    with FolderSender(home.folder / "sent") as sender:
        deliver(home.context, sender, sender)
        assert the_mail(home).state is OutboxState.UNKNOWN
        assert home.sent() == []
        home.clock.now += GRACE + timedelta(seconds=1)
        deliver(home.context, sender, sender)
        home.clock.now += GRACE + timedelta(seconds=1)
        deliver(home.context, sender, sender)
    assert the_mail(home).state is OutboxState.SENT
    assert len(home.sent()) == 1


def test_a_reload_forgets_nothing_of_what_became_of_mails(home: Home) -> None:
    """The store could not take it down, as on a full disk, and an admin who mends it may reload."""
    stopper = Stopper()
    runner = ServiceRunner(None, home.config, home.context.store, stopper)
    runner.unrecorded[being_sent(home)] = Delivery(outcome=Outcome.SENT, reply="250 taken")

    def stop_when_settled() -> None:
        with open_store(store_location(home.config.store), read_only=True) as store:
            while store.outbox.list({OutboxState.SENDING}):
                time.sleep(0.01)
        stopper.set()

    watching = Thread(target=stop_when_settled)
    watching.start()
    assert runner.run() is Ending.STOP
    watching.join()
    assert the_mail(home).state is OutboxState.SENT
    # The service uses the real time, at which a digest of this old store may be due.
    assert [mail for mail in home.sent() if b"Subject: Bounce digest" not in mail] == []
