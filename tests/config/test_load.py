"""The configuration file: what is wrong with it is said in plain sentences."""

from pathlib import Path

import pytest

from bounce_watch.config.accounts import MaildirSettings
from bounce_watch.config.load import ConfigError, candidates, find_config, load_config, read_config

GOOD = """
[organisation]
name = "Larkfield"
accepted_domains = ["Larkfield.example", "bücher.example"]
support = "4455"
admins = ["mailadmin@larkfield.example"]
time_zone = "Europe/Berlin"
[source]
type = "maildir"
path = "inbox"
[send]
type = "folder"
path = "/out"
[reply]
from_address = "bounces@larkfield.example"
"""
FOLDER = Path("/etc/bounce-watch")


def problems_of(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read_config(text.encode(), FOLDER / "config.toml")
    return caught.value.problems


def test_a_good_file_gives_our_site_with_domains_as_a_labels() -> None:
    config = read_config(GOOD.encode(), FOLDER / "config.toml")
    assert config.site.accepted_domains == {"larkfield.example", "xn--bcher-kva.example"}
    assert config.reply.mode == "preview"
    assert config.digest_to == ["mailadmin@larkfield.example"]


def test_the_american_name_of_the_section_is_the_same_section() -> None:
    config = read_config(GOOD.replace("[organisation]", "[organization]").encode(), FOLDER / "config.toml")
    assert config.organisation.name == "Larkfield"
    both = f"{GOOD}[organization]\nname = 'Other'\n"
    assert "unknown key organization; did you mean organisation?" in problems_of(both)


IMAP = 'type = "imap"\nuser = "{user}"\npassword_command = "pass"'


@pytest.mark.parametrize(
    ("source", "reply_to", "expected"),
    [
        ('type = "maildir"\npath = "inbox"', None, None),
        ('type = "maildir"\npath = "inbox"', "watch@larkfield.example", "watch@larkfield.example"),
        (IMAP.format(user="watch@larkfield.example"), None, "watch@larkfield.example"),
        (IMAP.format(user="watch@archive.example"), None, None),
        (IMAP.format(user="watcher"), None, None),
        (IMAP.format(user="watch@larkfield.example"), "none", None),
    ],
    ids=["unknown", "given", "by IMAP", "elsewhere", "no address", "switched off"],
)
def test_replies_go_to_the_watched_mailbox_if_it_is_known(
    source: str, reply_to: str | None, expected: str | None
) -> None:
    text = GOOD.replace('type = "maildir"\npath = "inbox"', source)
    text += f'reply_to = "{reply_to}"\n' if reply_to else ""
    config = read_config(text.encode(), FOLDER / "config.toml")
    assert config.reply_to == expected
    assert config.profile.reads_replies is (expected is not None)


@pytest.mark.parametrize(
    ("support", "expected"),
    [
        ("phone 4455", "mailadmin@larkfield.example"),
        ("Help desk <help@larkfield.example>, 4455", "help@larkfield.example"),
        ("help@elsewhere.example", "mailadmin@larkfield.example"),
        ("bounces@larkfield.example", "mailadmin@larkfield.example"),
    ],
    ids=["a phone", "an address", "outside", "our own mailbox"],
)
def test_support_gets_the_words_of_colleagues_if_it_is_an_address_of_ours(
    support: str, expected: str
) -> None:
    config = read_config(GOOD.replace('"4455"', f'"{support}"').encode(), FOLDER / "config.toml")
    assert config.support_to == [expected]


@pytest.mark.parametrize("reply_to", ["watch@elsewhere.example", "watch", "a@b@larkfield.example"])
def test_replies_cannot_leave_our_domains(reply_to: str) -> None:
    (problem,) = problems_of(GOOD + f'reply_to = "{reply_to}"\n')
    assert "reply" in problem


def test_relative_paths_start_at_the_files_folder() -> None:
    config = read_config(GOOD.encode(), FOLDER / "config.toml")
    assert isinstance(config.source[0], MaildirSettings)
    assert config.source[0].path == FOLDER / "inbox"


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        pytest.param(
            "support =", "suport =", "unknown key organisation.suport; did you mean support?", id="typo"
        ),
        pytest.param(
            'path = "inbox"', 'pth = "i"', "unknown key source.pth; did you mean path?", id="in-a-choice"
        ),
        pytest.param("[reply]", "[digst]\n[reply]", "unknown key digst; did you mean digest?", id="section"),
        pytest.param('name = "Larkfield"', "", "organisation.name is missing", id="missing"),
        pytest.param("Europe/Berlin", "Berlin", "use a name such as Europe/Berlin", id="zone"),
        pytest.param("bounces@larkfield", "bounces@elsewhere", "must lie in one of", id="foreign-from"),
        pytest.param("mailadmin@", "mail admin@", "is not a plain e-mail address", id="admin"),
        pytest.param("domains = [", "domains = ['*.larkfield.example',", "is no domain", id="pattern"),
        pytest.param("domains = [", "domains = ['',", "is no domain", id="no-domain"),
    ],
)
def test_a_fault_is_one_sentence_that_names_the_place(old: str, new: str, sentence: str) -> None:
    assert any(sentence in problem for problem in problems_of(GOOD.replace(old, new)))


def test_a_byte_order_mark_of_a_windows_editor_is_no_fault() -> None:
    assert read_config(GOOD.encode("utf-8-sig"), FOLDER / "config.toml").organisation.name == "Larkfield"


def test_toml_faults_name_the_line() -> None:
    assert "line 2" in problems_of("[organisation]\nname = \n")[0]


def test_a_secret_never_stands_in_an_error() -> None:
    text = GOOD.replace('type = "maildir"', 'type = "imap"\npassword = ["canary-secret"]')
    assert "canary" not in " ".join(problems_of(text))


def test_the_places_are_looked_at_in_order(tmp_path: Path) -> None:
    assert candidates(tmp_path / "x.toml", {}) == [tmp_path / "x.toml"]
    assert candidates(None, {"BOUNCE_WATCH_CONFIG": "/y.toml"}) == [Path("/y.toml")]
    assert candidates(None, {})[-1] == Path("/etc/bounce-watch/config.toml")
    assert find_config(tmp_path / "x.toml", {}) is None


def test_a_missing_file_says_where_we_looked_and_what_writes_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"x\.toml") as caught:
        load_config(tmp_path / "x.toml", {})
    assert "init" in caught.value.repair


def test_a_password_in_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(
        GOOD.replace('type = "maildir"\npath = "inbox"', 'type = "imap"\nuser = "u"\npassword = "x"')
    )
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="others may read it"):
        load_config(path, {})
    path.chmod(0o600)
    assert load_config(path, {}).source[0].type == "imap"


TWO = """
[[source]]
name = "europe"
type = "imap"
user = "bounces@larkfield.example"
[[source]]
type = "maildir"
path = "inbox"
"""


def several(more: str = "") -> str:
    return GOOD.replace('[source]\ntype = "maildir"\npath = "inbox"\n', TWO + more)


def test_several_mailboxes_stand_in_tables_of_their_own() -> None:
    config = read_config(several().encode(), FOLDER / "config.toml")
    assert [settings.label for settings in config.source] == ["europe", str(FOLDER / "inbox")]
    assert "bounces@larkfield.example" in config.site.own_addresses


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        pytest.param(
            '[[source]]\ntype = "imap"\nname = "europe"\nuser = "b"\n', "europe is there twice", id="name"
        ),
        pytest.param(
            '[[source]]\ntype = "mbox"\nname = "x"\npath = "inbox"\n', "inbox is there twice", id="place"
        ),
        pytest.param(
            '[[source]]\ntype = "mbox"\npth = "x"\n',
            "unknown key source.2.pth; did you mean path?",
            id="typo",
        ),
        pytest.param('[[source]]\ntype = "mbox"\nname = "A b"\npath = "x"\n', "source.2.name", id="bad-name"),
    ],
)
def test_a_fault_in_one_of_several_mailboxes_names_it(more: str, sentence: str) -> None:
    assert any(sentence in problem for problem in problems_of(several(more)))


@pytest.mark.parametrize("spelling", ["inbox/../inbox", "./inbox/", "link", "link/../inbox"])
def test_a_mailbox_is_the_same_however_its_path_is_spelled(tmp_path: Path, spelling: str) -> None:
    (tmp_path / "inbox").mkdir()
    (tmp_path / "link").symlink_to("inbox")
    text = several(f'[[source]]\ntype = "maildir"\nname = "again"\npath = "{spelling}"\n')
    with pytest.raises(ConfigError, match="inbox is there twice"):
        read_config(text.encode(), tmp_path / "config.toml")


@pytest.mark.parametrize("folder", ["inbox", "Inbox"])
def test_an_account_is_the_same_however_its_host_and_folder_are_spelled(folder: str) -> None:
    one = '[[source]]\ntype = "imap"\nname = "one"\nuser = "ndr"\nhost = "mail.example"\n'
    two = '[[source]]\ntype = "imap"\nname = "two"\nuser = "NDR"\nhost = "Mail.Example."\n'
    two += f'folder = "{folder}"\n'
    assert any("ndr@mail.example is there twice" in problem for problem in problems_of(several(one + two)))


def test_sent_mail_is_looked_for_in_the_mailbox_that_we_send_as() -> None:
    other = (
        '[[source]]\ntype = "imap"\nuser = "svc@larkfield.example"\nmailbox = "second@larkfield.example"\n'
    )
    config = read_config(several(other).encode(), FOLDER / "config.toml")
    assert config.sent_account is config.source[0]
    text = several(other).replace('from_address = "bounces@', 'from_address = "second@')
    config = read_config(text.encode(), FOLDER / "config.toml")
    assert config.sent_account is config.source[2]
    assert {"svc@larkfield.example", "second@larkfield.example"} <= config.site.own_addresses
