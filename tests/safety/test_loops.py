"""Loops, with a real Postfix and Dovecot: robots answer whatever we write, and it ends at once.

Each robot looks into its mailbox and answers every mail it finds as such software does; Postfix carries
the answers, and what cannot be delivered comes back to the watched mailbox. At most one mail a person and
cause, at most one outgoing mail a stimulus.
"""

import json
import smtplib
from collections.abc import Callable
from email import message_from_bytes
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.endtoend.test_whole_way import ALICE, BOB, bounce_watch, run_once, write_config
from tests.servers.dovecot import WATCHED
from tests.servers.kept import Keep
from tests.servers.world import MailWorld

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("world"), pytest.mark.timeout(300)]

ROUNDS = 3
ADMIN = "admin@contoso.example"
GONE = "nouser@fabrikam.example"
Robot = Callable[[bytes], tuple[str, str, bytes] | None]


def written(mail: bytes) -> str:
    """Return the address that a robot answers: Reply-To, else From."""
    message = message_from_bytes(mail)
    return str(message["Reply-To"] or message["From"]).rpartition("<")[2].strip("> ")


def letter(sender: str, recipient: str, subject: str, **fields: str) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, recipient, subject
    for name, value in fields.items():
        mail[name.replace("_", "-")] = value
    mail.set_content("I am away.")
    return mail.as_bytes().replace(b"\n", b"\r\n")


def vacation(mail: bytes) -> tuple[str, str, bytes] | None:
    """Answer with a null reverse path and the marks that RFC 3834 wants."""
    to = written(mail)
    return "", to, letter(ALICE, to, "Out of office", Auto_Submitted="auto-replied", Precedence="bulk")


def rude_responder(mail: bytes) -> tuple[str, str, bytes] | None:
    """Answer everything, without any mark."""
    to = written(mail)
    return ALICE, to, letter(ALICE, to, "Re: " + str(message_from_bytes(mail)["Subject"])[:50])


def ticket_robot(mail: bytes) -> tuple[str, str, bytes] | None:
    """Open a ticket for everything and quote the mail with all its header fields."""
    to = written(mail)
    content = letter(ALICE, to, "[Ticket #4711] received", Message_ID="<4711@contoso.example>")
    return ALICE, to, content + b"\r\n" + mail


def bouncing_robot(mail: bytes) -> tuple[str, str, bytes] | None:
    """Answer with a home-made bounce about the mail, as some filters do."""
    to = written(mail)
    head = letter("MAILER-DAEMON@contoso.example", to, "Undeliverable: your mail")
    return "", to, head + b"\r\n550 5.1.1 " + ALICE.encode() + b" user unknown\r\n\r\n" + mail


def forwarder(mail: bytes) -> tuple[str, str, bytes] | None:
    """Send everything back to where it came from: a forwarding cycle."""
    return ALICE, WATCHED, b"Resent-From: " + ALICE.encode() + b"\r\n" + mail


def mailing_list(mail: bytes) -> tuple[str, str, bytes] | None:
    """Distribute the mail to its members, of which we are one."""
    return "list-bounces@contoso.example", WATCHED, b"List-Id: <all.contoso.example>\r\n" + mail


ROBOTS: list[Robot] = [vacation, rude_responder, ticket_robot, bouncing_robot, forwarder, mailing_list]


def hand_in(world: MailWorld, sender: str, recipient: str, content: bytes) -> None:
    with smtplib.SMTP("127.0.0.1", world.postfix.port, timeout=10) as client:
        client.sendmail(sender, [recipient], content)


def play(world: MailWorld, config: Path, robot: Robot) -> None:
    """Let us look and the robot answer, in turn, for several rounds."""
    answered = 0
    for _ in range(ROUNDS):
        run_once(config)
        world.postfix.wait_until_idle()
        letters = world.dovecot.contents(ALICE)
        for mail in letters[answered:]:
            answer = robot(mail)
            if answer is not None:
                hand_in(world, *answer)
        answered = len(letters)
        world.postfix.wait_until_idle()
    run_once(config)


@pytest.mark.parametrize("robot", ROBOTS, ids=lambda robot: robot.__name__)
def test_a_robot_that_answers_gets_one_mail(
    mail_world: MailWorld, tmp_path: Path, robot: Robot, keep: Keep
) -> None:
    mail_world.send(ALICE, "nouser@fabrikam.example")
    mail_world.dovecot.wait_for(1, WATCHED)
    config = write_config(mail_world, tmp_path, keep)
    play(mail_world, config, robot)
    assert len(mail_world.dovecot.contents(ALICE)) == 1
    sent = bounce_watch(config, "outbox", "list", "--json").stdout.splitlines()
    assert len(sent) == 1


def test_two_responders_that_answer_each_other_through_us_get_one_mail_each(
    mail_world: MailWorld, tmp_path: Path, keep: Keep
) -> None:
    """Both send a mail that bounces; each answers everything, also to the other."""
    for sender in (ALICE, BOB):
        mail_world.send(sender, "nouser@fabrikam.example")
    mail_world.dovecot.wait_for(2, WATCHED)
    config = write_config(mail_world, tmp_path, keep)
    for _ in range(ROUNDS):
        run_once(config)
        mail_world.postfix.wait_until_idle()
        for sender, other in ((ALICE, BOB), (BOB, ALICE)):
            ours = [mail for mail in mail_world.dovecot.contents(sender) if b"X-Bounce-Watch-ID" in mail]
            assert len(ours) == 1
            hand_in(mail_world, sender, WATCHED, letter(sender, WATCHED, "Re: yours"))
            hand_in(mail_world, sender, other, letter(sender, other, "Re: yours"))
    run_once(config)
    assert len(bounce_watch(config, "outbox", "list", "--json").stdout.splitlines()) == 2


def test_programs_that_reply_in_the_thread_without_a_mark_end_at_support(
    mail_world: MailWorld, tmp_path: Path, keep: Keep
) -> None:
    """They pass for people: support gets one message, and its own reply to us does nothing."""
    mail_world.send(ALICE, "nouser@fabrikam.example")
    mail_world.dovecot.wait_for(1, WATCHED)
    config = write_config(mail_world, tmp_path, keep)
    answered = {ALICE: 0, ADMIN: 0}
    for _ in range(ROUNDS):
        run_once(config)
        mail_world.postfix.wait_until_idle()
        for person in answered:
            found = mail_world.dovecot.contents(person)
            for mail in found[answered[person] :]:
                thread = str(message_from_bytes(mail)["Message-ID"])
                hand_in(mail_world, person, WATCHED, letter(person, WATCHED, "Re: yours", In_Reply_To=thread))
            answered[person] = len(found)
        mail_world.postfix.wait_until_idle()
    run_once(config)
    sent = [json.loads(line) for line in bounce_watch(config, "outbox", "list", "--json").stdout.splitlines()]
    assert sorted(mail["kind"] for mail in sent) == ["question", "reply"]
    assert answered == {ALICE: 1, ADMIN: 1}


def ours_is_fabrikam_too(config: Path) -> Path:
    """Accept the domain whose server refuses: what we write to GONE comes back."""
    text = config.read_text().replace('["contoso.example"]', '["contoso.example", "fabrikam.example"]')
    config.write_text(text)
    return config


def test_guidance_that_bounces_is_counted_and_not_answered(
    mail_world: MailWorld, tmp_path: Path, keep: Keep
) -> None:
    """The sender's own mailbox is gone: Postfix returns our notice to the watched mailbox."""
    mail_world.send(GONE, "nocode@fabrikam.example")
    mail_world.dovecot.wait_for(1, WATCHED)
    config = ours_is_fabrikam_too(write_config(mail_world, tmp_path, keep))
    assert run_once(config)["delivered"]["sent"] == 1  # type: ignore[index]
    (returned,) = mail_world.dovecot.wait_for(1, WATCHED)
    assert b"X-Bounce-Watch-ID" in returned
    for _ in range(ROUNDS):
        assert run_once(config)["delivered"]["sent"] == 0  # type: ignore[index]
    assert len(bounce_watch(config, "outbox", "list", "--json").stdout.splitlines()) == 1
    assert mail_world.dovecot.contents(WATCHED) == []


def test_a_digest_that_bounces_is_not_answered_and_makes_no_other(
    mail_world: MailWorld, tmp_path: Path, keep: Keep
) -> None:
    config = ours_is_fabrikam_too(write_config(mail_world, tmp_path, keep, digest_at="00:00:00"))
    config.write_text(config.read_text().replace("admin@contoso.example", GONE))
    assert run_once(config)["digest"] is True
    mail_world.dovecot.wait_for(1, WATCHED)
    for _ in range(ROUNDS):
        assert run_once(config)["delivered"]["sent"] == 0  # type: ignore[index]
        mail_world.postfix.wait_until_idle()
    assert len(bounce_watch(config, "outbox", "list", "--json").stdout.splitlines()) == 1


OWNED = """
[[owners]]
senders = ["scan-*@contoso.example", "*@contoso.example"]
to = ["{}"]
every = "at_once"
"""
QUOTING = [ticket_robot, bouncing_robot]
"""Those that send our mark back; the others take their turn in the proof."""


@pytest.mark.parametrize(
    "robot",
    [pytest.param(robot, marks=() if robot in QUOTING else pytest.mark.proof) for robot in ROBOTS],
    ids=lambda robot: robot.__name__,
)
def test_an_owner_that_is_a_robot_gets_one_mail(
    mail_world: MailWorld, tmp_path: Path, robot: Robot, keep: Keep
) -> None:
    """Whatever it answers, also with a bounce of a sender whose owner it is."""
    mail_world.send("scan-3@contoso.example", "nouser@fabrikam.example")
    mail_world.dovecot.wait_for(1, WATCHED)
    config = write_config(mail_world, tmp_path, keep)
    config.write_text(config.read_text() + OWNED.format(ALICE))
    play(mail_world, config, robot)
    assert len(mail_world.dovecot.contents(ALICE)) == 1
    assert len(bounce_watch(config, "outbox", "list", "--json").stdout.splitlines()) == 1


def test_an_owners_letter_that_bounces_is_not_answered_and_makes_no_other(
    mail_world: MailWorld, tmp_path: Path, keep: Keep
) -> None:
    """The owner's mailbox is gone, and the owner's address has an owner too, who is gone as well."""
    mail_world.send("scan-3@contoso.example", "nouser@fabrikam.example")
    mail_world.dovecot.wait_for(1, WATCHED)
    config = ours_is_fabrikam_too(write_config(mail_world, tmp_path, keep))
    config.write_text(config.read_text() + OWNED.format(GONE).replace('"*@contoso', '"*@fabrikam'))
    assert run_once(config)["delivered"]["sent"] == 1  # type: ignore[index]
    (returned,) = mail_world.dovecot.wait_for(1, WATCHED)
    assert b"X-Bounce-Watch-Kind: owner" in returned
    for _ in range(ROUNDS):
        assert run_once(config)["delivered"]["sent"] == 0  # type: ignore[index]
    assert len(bounce_watch(config, "outbox", "list", "--json").stdout.splitlines()) == 1
