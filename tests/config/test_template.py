"""The file that `init` writes is complete, commented and can be read back."""

from pathlib import Path

from bounce_watch.config.accounts import ImapSettings
from bounce_watch.config.load import read_config
from bounce_watch.config.models import Config
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


def test_every_key_stands_in_the_file_with_its_description() -> None:
    text = render(ANSWERS)
    for name, field in Config.model_fields.items():
        assert f"[{name}]" in text, name
        model = field.annotation
        for key in getattr(model, "model_fields", {}):
            assert f"{key} = " in text, f"{name}.{key}"


def test_the_commented_defaults_are_the_real_ones() -> None:
    """Uncommenting every default that has a value changes nothing."""
    text = render(ANSWERS)
    lines = [
        line.removeprefix("# ")
        if line.startswith("# ") and " = " in line and not line.endswith('= ""') and not line.endswith(".")
        else line
        for line in text.splitlines()
    ]
    assert read_config("\n".join(lines).encode(), Path("/etc/c.toml")) == read_config(
        text.encode(), Path("/etc/c.toml")
    )
