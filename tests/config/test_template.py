"""The file that `init` writes is short, says where to read on, and can be read back."""

from pathlib import Path

from bounce_watch.config.accounts import ImapSettings
from bounce_watch.config.load import read_config
from bounce_watch.config.template import Answers, render

ANSWERS: Answers = {
    "organisation": {
        "name": 'Larkfield "Instruments"\n',
        "accepted_domains": ["larkfield.example"],
        "support": "4455",
        "admins": ["mailadmin@larkfield.example"],
    },
    "source": {
        "type": "imap",
        "user": "bounces@larkfield.example",
        "auth": "xoauth2",
        "oauth": {"tenant": "t", "client_id": "c"},
    },
    "send": {"type": "folder", "path": Path("/out")},
    "reply": {"from_address": "bounces@larkfield.example"},
}


def test_what_is_written_can_be_read_back() -> None:
    config = read_config(render(ANSWERS).encode(), Path("/etc/config.toml"))
    assert config.organisation.name == 'Larkfield "Instruments"\n'
    assert isinstance(config.source[0], ImapSettings)
    assert config.source[0].oauth is not None


def test_only_what_was_answered_stands_in_the_file_with_where_to_read_on() -> None:
    text = render(ANSWERS)
    assert text.count("\n") < 30
    assert "docs/configuration.md" in text
    assert "client_secret_file" in text
    assert "poll_seconds" not in text
