"""The folder sender: numbered .eml files, each whole, nowhere else."""

from pathlib import Path

import pytest

from bounce_watch.config.accounts import FolderSettings
from bounce_watch.send import Outcome, Sender, open_sender
from bounce_watch.send.folder import FolderSender

ALICE = "alice@contoso.example"


def mail(kind: str) -> bytes:
    return f"Subject: x\r\nX-Bounce-Watch-Kind: {kind}\r\n\r\nbody\r\n".encode()


@pytest.fixture
def sender(tmp_path: Path) -> Sender:
    return open_sender(FolderSettings(path=tmp_path / "out"), str, "help@contoso.example")


def names(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "out").iterdir())


def test_mails_are_numbered_in_the_order_of_sending(sender: Sender, tmp_path: Path) -> None:
    """A second run goes on with the next number."""
    with sender:
        first = sender.send(ALICE, mail("reply"))
        sender.send(ALICE, mail("digest"))
    with FolderSender(tmp_path / "out") as again:
        again.send(ALICE, b"Subject: x\r\n\r\nX-Bounce-Watch-Kind: alert\r\n")
    assert names(tmp_path) == ["0001-reply.eml", "0002-digest.eml", "0003-mail.eml"]
    assert first.outcome is Outcome.SENT
    assert (tmp_path / "out" / "0001-reply.eml").read_bytes() == mail("reply")


@pytest.mark.parametrize(
    "kind", ["../../escape", "a/b", "x" * 300, "A\0b"], ids=["parent", "slash", "long", "NUL"]
)
def test_no_header_leads_outside_the_folder(sender: Sender, tmp_path: Path, kind: str) -> None:
    """Only lower-case letters become part of a name."""
    assert sender.send(ALICE, mail(kind)).outcome is Outcome.SENT
    assert names(tmp_path) == ["0001-mail.eml"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_existing_file_is_never_replaced(sender: Sender, tmp_path: Path) -> None:
    """Not even one that appeared after the numbers were looked at."""
    sender.send(ALICE, mail("reply"))
    (tmp_path / "out" / "0002-reply.eml").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine")
    sender.send(ALICE, mail("reply"))
    assert names(tmp_path) == ["0001-reply.eml", "0002-reply.eml", "0003-reply.eml", "notes.txt"]


def test_an_address_with_tricks_is_not_written(sender: Sender, tmp_path: Path) -> None:
    """The same rule as for SMTP, so that trying out shows what will happen."""
    assert (
        sender.send("alice@contoso.example\r\nBcc: eve@evil.example", mail("reply")).outcome is Outcome.FAILED
    )
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_made_means_later(tmp_path: Path) -> None:
    """A full or read-only disk: the mail stays in the outbox, and the probe tells the repair."""
    (tmp_path / "file").write_text("in the way")
    sender = FolderSender(tmp_path / "file" / "out")
    assert sender.send(ALICE, mail("reply")).outcome is Outcome.LATER
    (check,) = sender.diagnose()
    assert (check.state, bool(check.repair)) == ("failure", True)


def test_the_probe_makes_nothing(sender: Sender, tmp_path: Path) -> None:
    """`check` on a fresh configuration is ok before the folder exists."""
    (check,) = sender.diagnose()
    assert check.state == "ok"
    assert not (tmp_path / "out").exists()
