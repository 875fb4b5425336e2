"""A redacted sample reads as its original does and holds none of its addresses, names or ids."""

import email
import re
from collections.abc import Iterator
from email import policy
from email.utils import getaddresses
from pathlib import Path

import pytest

from bounce_watch.cli.learn.sample.names import is_public, is_role, names_in
from bounce_watch.cli.learn.sample.redact import facts, redacted
from bounce_watch.model import Report
from bounce_watch.parse import read
from tests.cli.conftest import call

SAMPLES = sorted(Path(__file__).parents[1].joinpath("samples").rglob("*.eml"))
SHARED = Path(__file__).parents[3] / "shared" / "cases" / "mails"
shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the collected mails are not on this machine")
UNLIKE = {"04-bare-carriage-returns", "mdaemon", "vtext", "japanese-sentence"}
"""Samples that are recognized by what a sample leaves out; the command says so before it writes."""

_ADDRESS = re.compile(r"[\w.+=-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,6}")


def leaves(raw: bytes) -> Iterator[str]:
    """Yield the message as it is, and each of its texts decoded by the standard library."""
    yield raw.decode("latin-1")
    for part in email.message_from_bytes(raw, policy=policy.compat32).walk():
        payload = part.get_payload(decode=True)
        if isinstance(payload, bytes):
            yield payload.decode("utf-8", "replace")


def secrets(raw: bytes) -> set[str]:
    """Return what must not be in a sample: addresses, display names, ids of messages."""
    found: set[str] = set()
    for text in leaves(raw):
        addresses = {one.strip(".-=+").lower() for one in _ADDRESS.findall(text)}
        found |= {one for one in addresses if not is_role(one)}
    message = email.message_from_bytes(raw, policy=policy.compat32)
    for part in message.walk():
        people = getaddresses(
            [str(value) for name in ("from", "to", "cc") for value in part.get_all(name, [])]
        )
        found |= {name.lower() for name, address in people if names_in(name) and not is_role(address)}
    subjects = {one.original.subject or "" for one in read(raw) if isinstance(one, Report)}
    return {one for one in found if len(one) > 3} | {one.lower() for one in subjects if len(one) > 11}


def left_in(raw: bytes, content: bytes) -> set[str]:
    text = "\n".join(leaves(content)).lower()
    kept = {one for one in secrets(raw) if re.search(rf"(?<![\w.@-]){re.escape(one)}(?![\w@-]|\.\w)", text)}
    return {one for one in kept if not is_public(one.rpartition("@")[2])} | {
        one for one in kept if is_public(one.rpartition("@")[2]) and not one.startswith("person-")
    }


@shared
@pytest.mark.corpus
def test_a_sample_of_each_collected_mail_reads_the_same_and_names_nobody() -> None:
    paths = sorted(SHARED.glob("*.eml"))
    raws = {path.name: path.read_bytes() for path in paths}
    samples = {name: redacted(raw) for name, raw in raws.items()}
    unlike = {name for name, one in samples.items() if facts(read(one.content)) != facts(read(raws[name]))}
    left = {name: left_in(raws[name], one.content) for name, one in samples.items()}
    print(
        f"{len(paths)} mails, {len(unlike)} read differently, {sum(map(bool, left.values()))} name somebody"
    )
    assert unlike == set()
    assert {name: some for name, some in left.items() if some} == {}
    assert not any(one.left or one.differs for one in samples.values())


def test_a_sample_of_each_of_ours_reads_the_same_and_names_nobody() -> None:
    unlike, left = set(), {}
    for path in SAMPLES[::3]:
        raw = path.read_bytes()
        sample = redacted(raw)
        assert bool(sample.differs) == (facts(read(sample.content)) != facts(read(raw)))
        if sample.differs:
            unlike.add(path.stem)
        if some := left_in(raw, sample.content):
            left[path.name] = some
    assert unlike <= UNLIKE
    assert left == {}


MESSAGE = b"""\
From: MAILER-DAEMON@mx.partner.example
To: Anna Berg <anna.berg@contoso.example>
Subject: Undeliverable: Secret plan
Message-ID: <4f2a1c0@mx.partner.example>
Content-Type: text/plain; charset=iso-8859-1

The parcel office of mx7.partner.example has no room for <bob@partner.example>:
554 5.2.0 the parcel office is closed (id 4F2A1C0B22)

--- Below this line is a copy of the message.

Return-Path: <anna.berg@contoso.example>
Received: from desk.contoso.example by mx.contoso.example
From: Anna Berg <anna.berg@contoso.example>
Subject: Secret plan
To: Bob M\xfcller <bob@partner.example>

Dear Bob M\xfcller, this is the plan.
Yours, Anna
"""


def test_words_and_structure_stay_and_the_body_of_the_original_is_left_out() -> None:
    sample = redacted(MESSAGE)
    text = sample.content.decode()
    assert "554 5.2.0 the parcel office is closed (id token" in text
    assert "mx7.domain-" in text
    assert "Return-Path: <person-" in text
    assert text.count("(subject)") >= 2
    secrets = "anna berg bob ller secret 4f2a1c0 contoso partner."
    assert not [one for one in (*secrets.split(), "this is the plan") if one in text.lower()]
    assert (sample.differs, sample.left) == ((), ())


def test_the_same_name_is_the_same_everywhere() -> None:
    text = redacted(MESSAGE).content.decode()
    (anna,) = re.findall(r"^To: \S+ \S*\s?<(person-\d+@\S+)>", text, re.MULTILINE)[:1]
    assert f"Return-Path: <{anna}>" in text


def test_hostile_bytes_give_a_sample_too() -> None:
    nested = b"".join(b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' % (n, n) for n in range(40))
    open_ended = b"Content-Type: multipart/mixed; boundary=x\n\n"
    for raw in (b"", b"\x00\xff" * 50, nested, b"Subject: \xff\xfe\n\n\xff", open_ended):
        redacted(raw)


CONFIG = """
[organisation]
name = "Contoso"
accepted_domains = ["contoso.example"]
admins = ["m@contoso.example"]
support = "phone 1"
[source]
type = "maildir"
path = "mailbox"
[send]
type = "folder"
path = "sent"
[store]
path = "store.db"
[reply]
from_address = "b@contoso.example"
[overrides]
codes = "codes.toml"
"""


def test_a_sample_is_shown_and_written_for_its_owner_alone(tmp_path: Path) -> None:
    mail, config, out = tmp_path / "bounce.eml", tmp_path / "config.toml", tmp_path / "out"
    mail.write_bytes(MESSAGE)
    config.write_text(CONFIG)
    lesson = ("teach", str(mail), "--cause", "remote_system_error")
    arguments = ("-c", str(config), *lesson, "--sample", str(out))
    call(*arguments, status=2)  # nobody is there to read it
    assert not out.exists()
    done = call(*arguments, "--yes")
    (written,) = out.iterdir()
    assert written.stat().st_mode & 0o777 == 0o600
    assert "554 5.2.0 the parcel office is closed" in done.stdout
    assert written.read_bytes() == redacted(MESSAGE).content
    call(*arguments, "--yes", status=2)  # it is there already
    link = tmp_path / "link"
    link.symlink_to(out)
    call(*arguments[:-1], str(link), "--yes", status=2)
