"""Replies on real servers: each mail program in each language reaches support, `ack` is done in a minute."""

import json
import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator
from email import message_from_bytes
from itertools import product
from pathlib import Path

import pytest

from tests.endtoend.test_whole_way import bounce_watch, run_once, write_config
from tests.replies import CLIENTS, LANGUAGES, WORDS, Answered, reply
from tests.servers.dovecot import WATCHED, Dovecot
from tests.servers.kept import Keep
from tests.servers.postfix import Postfix
from tests.servers.processes import guard, relieve
from tests.servers.refusing import RefusingServer
from tests.servers.world import MailWorld

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("world"), pytest.mark.timeout(300)]

KINDS = tuple(product(CLIENTS, LANGUAGES))
PEOPLE = tuple(f"{client}.{language}@contoso.example" for client, language in KINDS)
SUPPORT, ADMIN = "helpdesk@contoso.example", "admin@contoso.example"


@pytest.fixture
def world() -> Iterator[MailWorld]:
    """A world in which each mail program and language has a user of its own."""
    with (
        Dovecot(users=(WATCHED, SUPPORT, ADMIN, *PEOPLE)) as dovecot,
        RefusingServer() as outside,
        Postfix(lmtp_port=dovecot.lmtp_port, refusing_port=outside.port) as postfix,
    ):
        yield MailWorld(dovecot=dovecot, postfix=postfix, outside=outside)


def configure(world: MailWorld, folder: Path, keep: Keep) -> Path:
    config = write_config(world, folder, keep)
    text = config.read_text().replace('"the helpdesk, phone 1234"', f'"help desk, {SUPPORT}"')
    fast = 'mode = "on"\nsettle_seconds = 0\nper_minute = 1000\nper_hour = 1000'
    text = text.replace('mode = "on"', fast)
    config.write_text(f"{text}\n[alerts]\nsettle_seconds = 0\n")
    return config


def hand_in(world: MailWorld, author: str, content: bytes) -> None:
    with smtplib.SMTP("127.0.0.1", world.postfix.port, timeout=10) as client:
        client.sendmail(author, [WATCHED], content)


def as_text(mail: bytes) -> str:
    part = next(one for one in message_from_bytes(mail).walk() if one.get_content_type() == "text/plain")
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return " ".join(content.decode().replace("\r\n", "\n").replace("\n> ", "\n").split())


def test_a_reply_of_every_program_in_every_language_reaches_support(
    world: MailWorld, tmp_path: Path, keep: Keep
) -> None:
    for person in PEOPLE:
        world.send(person, "nouser@fabrikam.example")
    world.dovecot.wait_for(len(PEOPLE), WATCHED)
    config = configure(world, tmp_path, keep)
    assert run_once(config)["letters"] == len(PEOPLE)
    for number, ((client, language), person) in enumerate(zip(KINDS, PEOPLE, strict=True)):
        (letter,) = world.dovecot.wait_for(1, person)
        assert f"\nReply-To: {WATCHED}".encode() in letter
        words = f"{number}: {WORDS[language]}"
        hand_in(world, person, reply(Answered.of(letter), client=client, language=language, words=words))
    world.dovecot.wait_for(len(PEOPLE), WATCHED)
    run_once(config)
    told = [as_text(mail) for mail in world.dovecot.wait_for(len(PEOPLE), SUPPORT)]
    assert len(told) == len(PEOPLE)
    wanted = {f"{n}: {' '.join(WORDS[language].split())}": PEOPLE[n] for n, (_, language) in enumerate(KINDS)}
    missing = [who for words, who in wanted.items() if not any(words in one and who in one for one in told)]
    assert missing == []
    assert world.dovecot.contents(WATCHED) == []


def test_ack_is_done_within_a_minute_of_a_running_service(
    world: MailWorld, tmp_path: Path, keep: Keep
) -> None:
    config = configure(world, tmp_path, keep)
    run_once(config)
    service = subprocess.Popen(
        [sys.executable, "-m", "bounce_watch", "-c", str(config), "run"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    watcher = guard(service.pid)
    try:
        for place, sender in enumerate(PEOPLE[:4]):
            world.send(sender, f"spf@partner{place}.example")
        (alert,) = world.dovecot.wait_for(1, ADMIN, seconds=60)
        assert "You can also reply." in as_text(alert)
        began = time.monotonic()
        hand_in(world, ADMIN, reply(Answered.of(alert), client="outlook-phone", words="ack"))
        (_, line) = world.dovecot.wait_for(2, ADMIN, seconds=60)
        assert time.monotonic() - began < 60
        assert "INC-1 is acknowledged; the reminders end." in as_text(line)
    finally:
        service.terminate()
        service.wait(30)
        relieve(watcher)
    (incident,) = map(json.loads, bounce_watch(config, "incidents", "list", "--json").stdout.splitlines())
    assert incident["acknowledged_by"] == ADMIN
