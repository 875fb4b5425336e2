"""Bounces of addresses that no person reads: their owner is told, in one letter, rarely, and nobody else."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from bounce_watch.model import Edition, LetterKind, OutboxState
from bounce_watch.pipeline.digest import gather
from bounce_watch.pipeline.maintenance import forget
from bounce_watch.store import OutboxEntry
from bounce_watch.store.privacy.identity import PersonIdentity
from tests.pipeline.conftest import START, Home, Refusal, every_text, ndr

SCANNER, OWNER = "scan-3@larkfield.example", "facilities@larkfield.example"
FULL: Refusal = {"reply": "552 5.2.2 mailbox full", "status": "5.2.2"}
ENTRY = f"""
[[owners]]
name = "Scanners"
senders = ["scan-*@larkfield.example", "noreply-*@larkfield.example"]
to = ["{OWNER}"]
every = "at_once"
"""
OPEN = Callable[..., Home]


def owned(open_home: OPEN, *changes: tuple[str, str], entry: str = ENTRY) -> Home:
    return open_home(('at = "23:30:00"\n', f'at = "23:30:00"\n{entry}'), *changes)


def letters(home: Home) -> list[OutboxEntry]:
    """Return the letters to owners, oldest first."""
    return sorted(
        (one for one in home.context.store.outbox.list() if one.kind is LetterKind.OWNER),
        key=lambda one: one.id,
    )


def reasons(home: Home) -> dict[str, int]:
    withheld = gather(home.config, home.context.store, home.clock.now).withheld
    return {count.label: count.now for count in withheld}


def words(entry: OutboxEntry) -> str:
    return " ".join(entry.preview.split())


def test_an_owner_is_told_in_one_letter_what_failed_and_what_to_do(open_home: OPEN) -> None:
    home = owned(open_home)
    home.deliver(ndr(SCANNER, "archive@fabrikam.example", **FULL), "1")
    home.deliver(ndr("noreply-shop@larkfield.example", "nobody@fabrikam.example", number=2), "2")
    assert home.look().delivered.sent == 1
    (letter,) = letters(home)
    assert letter.recipient == OWNER
    assert letter.subject == "2 emails from scan-3@larkfield.example and one more weren't delivered"
    for part in (SCANNER, "archive@fabrikam.example", "“Offer”", "the mailbox is full", "Tell the person"):
        assert part in words(letter), words(letter)
    assert "nobody@fabrikam.example" in words(letter)
    assert reasons(home) == {"owner_told": 2}
    (sent,) = home.sent()
    assert b"To: " + OWNER.encode() in sent
    assert b"Auto-Submitted: auto-generated" in sent
    assert b"X-Bounce-Watch-Kind: owner" in sent


def test_a_flood_gives_at_most_a_letter_an_hour(open_home: OPEN) -> None:
    """The proof below has ten thousand bounces in a day."""
    home = owned(open_home)
    assert flood(home, bounces=24, hours=4) == 4
    assert [letter.subject[:2] for letter in letters(home)] == ["2 ", "6 ", "6 ", "6 "]


def flood(home: Home, *, bounces: int, hours: int) -> int:
    """Let one robot's mail bounce evenly over some hours, a look each 20 minutes; return the letters."""
    looks = hours * 3
    for look in range(looks):
        for number in range(bounces * look // looks, bounces * (look + 1) // looks):
            to = f"customer{number}@firm{number % 40}.example"
            home.deliver(ndr(SCANNER, to, number=number, at=home.clock.now), f"{number:05}")
        home.look()
        home.clock.now += timedelta(minutes=20)
    return len(letters(home))


@pytest.mark.proof
def test_ten_thousand_bounces_of_a_robot_in_a_day(open_home: OPEN) -> None:
    home = owned(open_home)
    assert 20 <= flood(home, bounces=10_000, hours=24) <= 24


def test_an_owner_of_the_hour_or_the_day_waits(open_home: OPEN) -> None:
    home = owned(open_home, entry=ENTRY.replace("at_once", "day"))
    home.deliver(ndr(SCANNER), "1")
    home.look()
    home.clock.now = START.replace(hour=23, minute=29)
    home.look()
    assert letters(home) == []
    home.clock.now += timedelta(minutes=2)
    home.look()
    assert len(letters(home)) == 1


def test_an_hourly_owner_is_told_an_hour_after_the_first(open_home: OPEN) -> None:
    home = owned(open_home, entry=ENTRY.replace("at_once", "hour"))
    home.deliver(ndr(SCANNER), "1")
    home.look()
    home.clock.now += timedelta(minutes=40)
    home.deliver(ndr(SCANNER, "b@fabrikam.example", number=2, at=home.clock.now), "2")
    home.look()
    assert letters(home) == []
    home.clock.now += timedelta(minutes=20)
    home.look()
    (letter,) = letters(home)
    assert "b@fabrikam.example" in letter.preview
    assert letter.subject.startswith("2 emails")


def test_in_preview_one_letter_is_held_and_a_release_sends_one(open_home: OPEN) -> None:
    home = owned(open_home, ('mode = "on"', 'mode = "preview"'))
    assert flood(home, bounces=6, hours=2) == 1
    (held,) = letters(home)
    assert held.state is OutboxState.HELD
    with home.context.store.transaction() as tx:
        tx.outbox.release(None, home.clock.now)
    assert home.look().delivered.sent == 1
    home.clock.now += timedelta(minutes=59)
    home.look()
    assert len(letters(home)) == 1
    home.clock.now += timedelta(minutes=2)
    home.look()
    assert [letter.state for letter in letters(home)] == [OutboxState.SENT, OutboxState.HELD]


def test_a_bounced_letter_to_an_owner_ends_there(open_home: OPEN) -> None:
    """Its own owner is a sender with an owner: even so nothing more is written."""
    home = owned(open_home, entry=ENTRY.replace(f'to = ["{OWNER}"]', 'to = ["gone@larkfield.example"]'))
    home.deliver(ndr(SCANNER), "1")
    home.look()
    (sent,) = home.sent()
    mark = sent.split(b"X-Bounce-Watch-ID: ")[1].split(b"\r\n")[0]
    for number in (2, 3):
        raw = ndr("noreply-x@larkfield.example", "gone@larkfield.example", number=number)
        home.deliver(
            raw.replace(b"Subject: Offer\r\n", b"Subject: Offer\r\nX-Bounce-Watch-ID: " + mark + b"\r\n"),
            str(number),
        )
    home.clock.now += timedelta(hours=2)
    home.look()
    assert len(letters(home)) == 1
    assert reasons(home)["own_bounce"] == 2


def test_a_forged_an_old_or_a_self_addressed_bounce_reaches_no_owner(open_home: OPEN) -> None:
    home = owned(open_home)
    home.deliver(ndr(SCANNER, authority="Anonymous"), "1")
    home.deliver(ndr(SCANNER, number=2, at=START - timedelta(days=3)), "2")
    home.deliver(ndr(SCANNER, SCANNER, number=3), "3")
    home.look()
    assert letters(home) == []
    assert reasons(home).keys() == {"evidence", "robot"}


def test_replies_that_are_off_are_off_for_owners(open_home: OPEN) -> None:
    home = owned(open_home, ('mode = "on"', 'mode = "off"'))
    home.deliver(ndr(SCANNER), "1")
    home.look()
    assert home.context.store.outbox.list() == ()


def test_a_fallback_pattern_gets_what_nobody_reads_and_no_persons_bounce(open_home: OPEN) -> None:
    home = owned(open_home, entry=ENTRY.replace("scan-*@", "*@"))
    home.deliver(ndr("lena@larkfield.example"), "1")
    home.deliver(ndr("webmaster@larkfield.example", number=2), "2")
    home.look()
    kinds = {entry.kind: entry.recipient for entry in home.context.store.outbox.list()}
    assert kinds == {LetterKind.REPLY: "lena@larkfield.example", LetterKind.OWNER: OWNER}


def test_the_digest_names_senders_without_an_owner(open_home: OPEN) -> None:
    home = owned(open_home)
    for number in (1, 2):
        home.deliver(
            ndr("webmaster@larkfield.example", f"r{number}@fabrikam.example", number=number), str(number)
        )
    home.deliver(ndr(SCANNER, number=3), "3")
    home.look()
    digest = gather(home.config, home.context.store, home.clock.now)
    assert [(count.label, count.now) for count in digest.unowned] == [("webmaster@larkfield.example", 2)]
    letter = home.context.composer.digest(digest, event_key="x", to="mailadmin@larkfield.example")
    assert "webmaster@larkfield.example (2)" in " ".join(letter.text.split())
    assert "owners missing" in letter.text


def test_too_many_letters_to_owners_trip_the_breaker(open_home: OPEN) -> None:
    entries = "".join(
        ENTRY.replace("scan-*", f"scan-{n}").replace(OWNER, f"o{n}@larkfield.example") for n in range(5)
    )
    home = owned(open_home, ("settle_seconds = 0", "settle_seconds = 0\nper_minute = 3"), entry=entries)
    for number in range(5):
        home.deliver(ndr(f"scan-{number}@larkfield.example", number=number), str(number))
    home.look()
    states = [letter.state for letter in letters(home)]
    assert states.count(OutboxState.SENT) == 3
    assert states.count(OutboxState.HELD) == 2
    assert home.context.store.state.breaker_latched_at() is not None


CSV = "name,senders,to,every\nScanners,scan-*@larkfield.example,{},at_once\n"


def test_a_csv_is_read_again_and_a_broken_one_keeps_the_rows_before(open_home: OPEN, tmp_path: Path) -> None:
    table = tmp_path / "owners.csv"
    table.write_text(CSV.format("one@larkfield.example"))
    home = owned(open_home, entry='[[owners]]\ncsv = "owners.csv"\n')

    def recipient(number: int) -> str:
        home.clock.now += timedelta(hours=2)
        home.deliver(
            ndr(SCANNER, f"r{number}@fabrikam.example", number=number, at=home.clock.now), str(number)
        )
        home.look()
        return letters(home)[-1].recipient

    assert recipient(1) == "one@larkfield.example"
    table.write_text(CSV.format("two@larkfield.example"))
    assert recipient(2) == "two@larkfield.example"
    table.write_text(CSV.format("evil@fabrikam.example"))
    assert recipient(3) == "two@larkfield.example"
    assert "evil@fabrikam.example must lie in" in home.context.owner_files[table].fault
    table.unlink()
    assert recipient(4) == "two@larkfield.example"
    table.write_text(CSV.format("six@larkfield.example"))
    assert recipient(5) == "six@larkfield.example"
    assert home.context.owner_files[table].fault == ""


def test_the_monthly_digest_names_the_dead_addresses_with_the_most_bounces(open_home: OPEN) -> None:
    home = open_home(("[digest]", "[digest]\nmonthly = true"))
    for number in range(5):
        home.clock.now = START + timedelta(days=number + 1)
        to = "gone@fabrikam.example" if number < 3 else f"r{number}@fabrikam.example"
        home.deliver(ndr(f"p{number}@larkfield.example", to, number=number, at=home.clock.now), str(number))
        home.look()
    digest = gather(home.config, home.context.store, home.clock.now, edition=Edition.MONTHLY)
    first = digest.dead[0]
    assert (first.address, first.messages, first.is_sure) == ("gone@fabrikam.example", 3, True)
    assert len(digest.dead) == 3
    letter = home.context.composer.digest(digest, event_key="x", to="mailadmin@larkfield.example")
    assert "DEAD ADDRESSES WITH THE MOST BOUNCES" in letter.text
    assert "gone@fabrikam.example" in letter.html
    assert gather(home.config, home.context.store, home.clock.now).dead == ()


def take_out(home: Home, address: str) -> None:
    """Forget a person, as `privacy forget` does."""
    store, person = home.context.store, PersonIdentity(address)
    forget(store, person, store.privacy.search(person), by="me", now=home.clock.now)


def test_a_forgotten_recipient_is_in_no_letter_to_an_owner(open_home: OPEN) -> None:
    home = owned(open_home, ('mode = "on"', 'mode = "preview"'))
    home.deliver(ndr(SCANNER, "jo.doe@fabrikam.example"), "1")
    home.look()
    take_out(home, "jo.doe@fabrikam.example")
    (letter,) = letters(home)
    assert letter.state is OutboxState.HELD
    assert "forgotten-1@forgotten.invalid" in words(letter)
    assert b"jo.doe" not in home.context.store.outbox.show(letter.id)[1]


def test_a_forgotten_owner_stands_nowhere_in_the_store(open_home: OPEN) -> None:
    home = owned(open_home)
    home.deliver(ndr(SCANNER), "1")
    home.look()
    take_out(home, OWNER)
    (letter,) = letters(home)
    assert letter.recipient == "forgotten-1@forgotten.invalid"
    assert home.context.store.outbox.show(letter.id)[1] == b""
    assert not any(OWNER in text for text in every_text(home))
