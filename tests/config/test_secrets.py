"""Secrets come from five places, in a fixed order, and never show."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from bounce_watch.config.accounts import ImapSettings, OAuth
from bounce_watch.config.load import ConfigError, load_config, read_config
from bounce_watch.config.models import Store
from bounce_watch.config.secrets import SecretError, SecretLookup, login_lookup, store_lookup


def places(**given: object) -> SecretLookup:
    values: dict[str, object] = {
        "name": "imap-password",
        "key": "password",
        "literal": None,
        "command": None,
        "file": None,
        "environ": {},
    }
    return SecretLookup(**{**values, **given})  # type: ignore[arg-type]


def test_a_command_wins_over_everything(tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("from file")
    found = places(
        command="echo 'from command'",
        file=tmp_path / "pw",
        environ={"BOUNCE_WATCH_IMAP_PASSWORD": "from env"},
    )
    assert found.read() == "from command"


def test_a_file_wins_over_the_environment(tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("from file\n")
    assert places(file=tmp_path / "pw", environ={"BOUNCE_WATCH_IMAP_PASSWORD": "x"}).read() == "from file"


def test_the_environment_wins_over_systemd(tmp_path: Path) -> None:
    (tmp_path / "imap-password").write_text("from systemd")
    systemd = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert places(environ={**systemd, "BOUNCE_WATCH_IMAP_PASSWORD": "from env"}).read() == "from env"
    assert places(environ=systemd, literal=SecretStr("literal")).read() == "from systemd"


def test_the_literal_is_the_last_place() -> None:
    assert places(literal=SecretStr("literal")).read() == "literal"


def test_nothing_set_says_where_it_could_come_from() -> None:
    with pytest.raises(SecretError) as caught:
        places().read()
    assert "BOUNCE_WATCH_IMAP_PASSWORD" in caught.value.repair
    assert "password_command" in caught.value.repair


@pytest.mark.parametrize("command", ["sh -c 'echo canary-secret; exit 3'", "no-such-program canary-secret"])
def test_a_failing_command_shows_neither_output_nor_arguments(command: str) -> None:
    with pytest.raises(SecretError) as caught:
        places(command=command).read()
    assert "canary" not in f"{caught.value} {caught.value.repair}"
    assert caught.value.__cause__ is None


def test_a_mailbox_with_a_name_has_its_own_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """The password of one mailbox must never be tried at the server of another."""
    monkeypatch.setenv("BOUNCE_WATCH_IMAP_PASSWORD", "of the unnamed one")
    mailbox = ImapSettings(name="north-america", user="b@larkfield.example")
    with pytest.raises(SecretError) as caught:
        login_lookup(mailbox, "imap").read()
    assert "password_command" in caught.value.repair
    monkeypatch.setenv("BOUNCE_WATCH_NORTH_AMERICA_IMAP_PASSWORD", "its own")
    assert login_lookup(mailbox, "imap").read() == "its own"


def test_mailboxes_may_share_the_client_secret_of_one_application(monkeypatch: pytest.MonkeyPatch) -> None:
    oauth = OAuth(tenant="t", client_id="c")
    mailbox = ImapSettings(name="asia", user="b@larkfield.example", auth="xoauth2", oauth=oauth)
    monkeypatch.setenv("BOUNCE_WATCH_IMAP_CLIENT_SECRET", "of all")
    assert login_lookup(mailbox, "imap").read() == "of all"
    monkeypatch.setenv("BOUNCE_WATCH_ASIA_IMAP_CLIENT_SECRET", "its own")
    assert login_lookup(mailbox, "imap").read() == "its own"


def test_the_database_has_a_password_or_needs_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    url = SecretStr("postgresql://bounce@db.example/watch")
    assert store_lookup(Store(url=url)).read() == ""
    monkeypatch.setenv("BOUNCE_WATCH_STORE_PASSWORD", "from env")
    assert store_lookup(Store(url=url)).read() == "from env"
    (tmp_path / "pw").write_text("from file\n")
    assert store_lookup(Store(url=url, password_file=tmp_path / "pw")).read() == "from file"


@pytest.mark.parametrize("store", ['url = "postgresql://bounce:geheim@db/watch"', 'password = "geheim"'])
def test_a_password_of_the_database_makes_the_file_private(store: str, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(f"{HOUSE}\n[store]\n{store}\n")
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="holds a password"):
        load_config(path)
    path.chmod(0o600)
    assert "geheim" not in repr(load_config(path))


def test_an_address_of_another_kind_of_database_is_refused(tmp_path: Path) -> None:
    content = f'{HOUSE}\n[store]\nurl = "mysql://bounce@db/watch"\n'.encode()
    with pytest.raises(ConfigError, match="write postgresql://user@host/database"):
        read_config(content, tmp_path / "config.toml")


HOUSE = """
[organisation]
name = "Contoso"
accepted_domains = ["contoso.example"]
support = "phone 4455"
admins = ["admin@contoso.example"]
[source]
type = "maildir"
path = "mailbox"
[send]
type = "folder"
path = "sent"
[reply]
from_address = "bounces@contoso.example"
"""
