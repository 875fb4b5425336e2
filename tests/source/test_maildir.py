"""The Maildir source: names, races with mail programs, and files that are no messages."""

import os
from pathlib import Path

import pytest

from bounce_watch.config.accounts import MaildirSettings
from bounce_watch.model.message_location import MessageLocation
from bounce_watch.source import MissingFolder, Refused, open_source
from bounce_watch.source.local.maildir import MaildirSource
from tests.source import samples
from tests.source.ordinary_user import as_ordinary_user


def make(folder: Path) -> Path:
    for name in ("cur", "new", "tmp"):
        (folder / "Maildir" / name).mkdir(parents=True)
    return folder / "Maildir"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make(tmp_path)


def source(root: Path, **wishes: str) -> MaildirSource:
    opened = open_source(MaildirSettings.model_validate({"path": root, **wishes}), str)
    assert isinstance(opened, MaildirSource)
    return opened


def first(of: MaildirSource) -> MessageLocation:
    return next(of.messages()).location


def test_a_message_that_a_mail_program_reads_meanwhile_keeps_its_locator(root: Path) -> None:
    """It moves from new/ to cur/ and gets flags; it is still found and filed, flags included."""
    (root / "new" / "1.host").write_bytes(samples.REPORT)
    with source(root) as mail:
        before = first(mail)
        (root / "new" / "1.host").rename(root / "cur" / "1.host:2,FS")
        assert first(mail) == before
        (root / "cur" / "1.host:2,FS").rename(root / "cur" / "1.host:2,RS")
        mail.file(before)
    assert [path.name for path in (root / ".Filed" / "cur").iterdir()] == ["1.host:2,RS"]


def test_a_message_is_never_filed_over_another(root: Path) -> None:
    """The same name in the filed folder, from a restored backup."""
    for content in (samples.REPORT, samples.ACCENTS):
        (root / "new" / "1.host").write_bytes(content)
        with source(root) as mail:
            mail.file(first(mail))
    filed = {path.read_bytes() for path in (root / ".Filed" / "cur").iterdir()}
    assert filed == {samples.REPORT, samples.ACCENTS}


def test_the_filed_folder_is_a_maildir_that_mail_programs_show(root: Path) -> None:
    """Maildir++: a dot, cur, new, tmp and a mark; nested names are joined by dots."""
    (root / "new" / "1.host").write_bytes(samples.REPORT)
    with source(root, filed_folder="Bounces/Filed") as mail:
        mail.file(first(mail))
    assert sorted(path.name for path in (root / ".Bounces.Filed").iterdir()) == [
        "cur",
        "maildirfolder",
        "new",
        "tmp",
    ]


@pytest.mark.parametrize(
    "name", ["../../escape", ".hidden", "a//b", "/absolute", "a\0b", "a.b", "", "a/../b"]
)
def test_a_folder_name_cannot_lead_outside(root: Path, name: str) -> None:
    """The name comes from a configuration that may be wrong; nothing is moved or made."""
    (root / "new" / "1.host").write_bytes(samples.REPORT)
    with source(root, filed_folder=name) as mail, pytest.raises(MissingFolder) as caught:
        mail.file(first(mail))
    assert caught.value.repair
    assert sorted(path.name for path in root.iterdir()) == ["cur", "new", "tmp"]
    assert (root / "new" / "1.host").exists()


@pytest.mark.parametrize("uid", ["../../etc/passwd", "..", "", "1.host\0", "/etc/passwd"])
def test_a_locator_with_tricks_moves_nothing(root: Path, uid: str) -> None:
    """Only names that a walk found are ever looked up."""
    (root / "new" / "1.host").write_bytes(samples.REPORT)
    with source(root) as mail:
        mail.file(MessageLocation(mailbox=mail.name, validity=0, uid=uid))
    assert (root / "new" / "1.host").exists()
    assert not (root / ".Filed").exists()


def test_links_pipes_folders_and_hidden_files_are_no_messages(root: Path, tmp_path: Path) -> None:
    """A link could name any file of this machine, a pipe would block for ever."""
    (tmp_path / "secret").write_bytes(b"Subject: secret\r\n\r\n")
    (root / "new" / "1.link").symlink_to(tmp_path / "secret")
    os.mkfifo(root / "new" / "2.pipe")
    (root / "cur" / "3.folder").mkdir()
    (root / "cur" / ".4.hidden").write_bytes(samples.REPORT)
    (root / "cur" / "5.host:2,").write_bytes(samples.ACCENTS)
    with source(root) as mail:
        assert [message.raw for message in mail.messages()] == [samples.ACCENTS]


def test_names_of_any_bytes_give_locators_that_can_be_stored_and_filed(root: Path) -> None:
    """A file system takes what UTF-8 does not."""
    (root / "new" / os.fsdecode(b"1\xff\n.host")).write_bytes(samples.REPORT)
    with source(root) as mail:
        location = first(mail)
        location.uid.encode("utf-8")
        mail.file(location)
        assert mail.count() == 0


def test_a_message_that_may_not_be_read_is_skipped_and_named() -> None:
    """The rest is read; the caller learns which one was not."""
    with as_ordinary_user() as folder:
        mail = source(make(folder))
        for name, content in (("1.host", samples.REPORT), ("2.host", samples.ACCENTS)):
            (folder / "Maildir" / "new" / name).write_bytes(content)
        (folder / "Maildir" / "new" / "1.host").chmod(0)
        with mail:
            assert [message.raw for message in mail.messages()] == [samples.ACCENTS]
    assert mail.skipped == [("1.host", "Permission denied")]


def test_a_maildir_that_may_only_be_read_is_read() -> None:
    """Nothing is moved and nothing fails; the probe warns."""
    with as_ordinary_user() as folder:
        mail = source(make(folder))
        (folder / "Maildir" / "new" / "1.host").write_bytes(samples.REPORT)
        for locked in (folder / "Maildir" / "new", folder / "Maildir"):
            locked.chmod(0o555)
        with mail:
            mail.file(first(mail))
            assert mail.count() == 1
        assert [check.state for check in mail.diagnose()] == ["ok", "warning"]


def test_a_maildir_that_may_not_be_read_is_refused_with_the_repair() -> None:
    """The service runs as another user than the mail server."""
    with as_ordinary_user() as folder:
        mail = source(make(folder))
        (folder / "Maildir" / "new").chmod(0)
        with mail, pytest.raises(Refused) as caught:
            mail.count()
    assert "service's user" in caught.value.repair


def test_a_folder_that_is_no_maildir_is_named(tmp_path: Path) -> None:
    """A typing error in the path."""
    mail = source(tmp_path)
    with pytest.raises(MissingFolder, match="no Maildir"), mail:
        pass
    assert [check.state for check in mail.diagnose()] == ["failure"]
