"""Files, folders and standard input, and how a path is recognised."""

import io
import os
from pathlib import Path

import pytest

from bounce_watch.source import MAX_MESSAGE, Message, MissingFolder, open_path
from bounce_watch.source.local.files import FilesSource, StandardInput
from bounce_watch.source.local.maildir import MaildirSource
from bounce_watch.source.local.mbox import MboxSource
from tests.source import samples


def read(path: Path) -> list[bytes]:
    with open_path(path) as source:
        return [message.raw for message in source.messages()]


def test_a_single_file_is_one_message_whatever_its_name(tmp_path: Path) -> None:
    """What an admin saved from a mail program."""
    path = tmp_path / "NDR for Bob.msg.saved"
    path.write_bytes(samples.REPORT)
    assert read(path) == [samples.REPORT]


def test_a_folder_is_read_sorted_with_its_subfolders_and_without_other_files(tmp_path: Path) -> None:
    """Pictures, hidden files and version control are no mail."""
    for name in (
        "b/2.eml",
        "a.EML",
        "b/1.eml",
        "c.txt",
        "plain",
        ".git/x.eml",
        "b/.x.eml",
        "logo.png",
        "README.md",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"Subject: " + name.encode() + b"\r\n\r\n")
    with open_path(tmp_path) as source:
        found = [message.location.uid for message in source.messages()]
        assert source.count() == 5
    assert found == ["a.EML", "c.txt", "plain", "b/1.eml", "b/2.eml"]


def test_a_file_has_the_same_locator_alone_and_in_its_folder(tmp_path: Path) -> None:
    """`ingest FILE` after `ingest FOLDER` is nothing new."""
    (tmp_path / "1.eml").write_bytes(samples.REPORT)
    with open_path(tmp_path) as folder, open_path(tmp_path / "1.eml") as file:
        assert [m.location for m in folder.messages()] == [m.location for m in file.messages()]


def test_links_and_pipes_inside_a_folder_are_skipped_and_named(tmp_path: Path) -> None:
    """A link could name any file of this machine; a file that a person names may be a link."""
    (tmp_path / "mail").mkdir()
    (tmp_path / "target.eml").write_bytes(samples.REPORT)
    (tmp_path / "mail" / "1.eml").symlink_to(tmp_path / "target.eml")
    os.mkfifo(tmp_path / "mail" / "2.eml")
    (tmp_path / "mail" / "3.eml").write_bytes(samples.ACCENTS)
    source = FilesSource(tmp_path / "mail")
    with source:
        assert [message.raw for message in source.messages()] == [samples.ACCENTS]
    assert [uid for uid, _ in source.skipped] == ["1.eml", "2.eml"]
    assert read(tmp_path / "mail" / "1.eml") == [samples.REPORT]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        pytest.param(b"From ann@x Mon Sep 21 14:13:20 2026\nA: 1\n\none\n", MboxSource, id="mbox"),
        pytest.param(samples.REPORT, FilesSource, id="message"),
        pytest.param(b"From here on\r\n\r\n", FilesSource, id="a message that begins with From"),
        pytest.param(b"", FilesSource, id="empty"),
    ],
)
def test_a_file_is_recognised_by_its_first_line(tmp_path: Path, content: bytes, kind: type) -> None:
    """A name says little."""
    (tmp_path / "mail").write_bytes(content)
    assert isinstance(open_path(tmp_path / "mail"), kind)


def test_a_maildir_is_recognised_and_nothing_in_it_is_moved(tmp_path: Path) -> None:
    """`parse` and `ingest` look; only the configured source files."""
    for name in ("cur", "new", "tmp"):
        (tmp_path / name).mkdir()
    (tmp_path / "new" / "1.host").write_bytes(samples.REPORT)
    source = open_path(tmp_path)
    assert isinstance(source, MaildirSource)
    with source:
        (message,) = source.messages()
        source.file(message.location)
        source.quarantine(message.location)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["1.host", "cur", "new", "tmp"]


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A typing error on the command line."""
    source = open_path(tmp_path / "absent")
    with pytest.raises(MissingFolder, match="absent"), source:
        pass
    assert [check.state for check in source.diagnose()] == ["failure"]


def test_a_dash_is_standard_input() -> None:
    """`... | bounce-watch parse -`"""
    assert isinstance(open_path(Path("-")), StandardInput)


def test_standard_input_is_one_message_known_by_its_content() -> None:
    """Cut at the limit, hashed to the end; nothing piped in is no message."""
    long = b"Subject: long\r\n\r\n" + b"x" * MAX_MESSAGE

    def walk(content: bytes) -> list[Message]:
        with StandardInput(lambda: io.BytesIO(content)) as source:
            return list(source.messages())

    (first,), (second,), (third,) = walk(long), walk(long), walk(long + b"y")
    assert (first.raw, first.size) == (long[:MAX_MESSAGE], len(long))
    assert first.location == second.location != third.location
    assert walk(b"") == []
