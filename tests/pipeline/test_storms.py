"""What one message, or one bad hour, can set off: few mails, which together name each incident."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from email import message_from_bytes

import pytest

from bounce_watch.model import LetterKind, OutboxState
from bounce_watch.pipeline.health import Level, Line, judge_health
from bounce_watch.store import OutboxEntry
from tests.pipeline.conftest import Home, ndr

BLOCKED = "550 5.1.8 Access denied, bad outbound sender AS(42004)"
MARK = "X-MS-Exchange-Organization-AuthAs: Internal"
HELP_DESK = "helpdesk@larkfield.example"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def blocked(number: int) -> bytes:
    """Return our Exchange's report that another account is blocked."""
    sender = f"user{number}@larkfield.example"
    return ndr(
        sender, f"x@partner{number}.example", number=number, reply=BLOCKED, status="5.1.8", remote=None
    )


def unreachable(domain: str, number: int) -> bytes:
    sender = f"user{number}@larkfield.example"
    said = "550 5.4.310 DNS domain does not exist"
    return ndr(sender, f"x@{domain}", number=number, reply=said, status="5.4.310", remote=None)


def forward(author: str, reports: Iterable[bytes]) -> bytes:
    """Return one message of a member with all these reports attached."""
    head = [f"From: {author}", "To: bounces@larkfield.example", "Subject: FW: all of these", MARK]
    head += ["MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=w", ""]
    parts = [b"\r\n".join((b"--w", b"Content-Type: message/rfc822", b"", report)) for report in reports]
    return b"\r\n".join(["\r\n".join(head).encode(), *parts, b"--w--", b""])


def alerts(home: Home) -> list[OutboxEntry]:
    entries = home.context.store.outbox.list([OutboxState.PENDING, OutboxState.SENT])
    return sorted((one for one in entries if one.kind is LetterKind.ALERT), key=lambda one: one.id)


def named(entries: Iterable[OutboxEntry]) -> set[str]:
    """Return the incidents that these alerts tell of."""
    words = " ".join(entry.preview for entry in entries).replace(":", " ").split()
    return {word for word in words if word.startswith("INC-")}


def everything(home: Home) -> set[str]:
    return {incident.name for incident in home.context.store.incidents.list()}


@pytest.mark.slow
@pytest.mark.parametrize("settle", [0, 60])
def test_one_message_with_150_reports_causes_three_mails_at_most(
    open_home: Callable[..., Home], settle: int
) -> None:
    """The help desk is believed about anybody: forty incidents, one alert to each team, one reply."""
    changes = (
        ("settle_seconds = 0", f"settle_seconds = {settle}"),
        (
            "[digest]",
            f'[trust]\nforwarders = ["{HELP_DESK}"]\n[digest]',
        ),
    )
    home = open_home(*changes)
    # Only so many reports of one message are read: both kinds must be among them.
    kinds = [(blocked(n), unreachable("gone1.example", 200 + n)) for n in range(75)]
    reports = [report for pair in kinds for report in pair]
    home.deliver(forward(HELP_DESK, reports), "1.mail")
    opened = home.look().opened
    for _ in range(30):
        home.clock.now += 2 * MINUTE
        home.look()
    sent = [message_from_bytes(content)["To"] for content in home.sent()]
    print(f"{len(opened)} incidents, {len(sent)} mails: {sorted(sent)}")
    assert len(opened) > 10
    assert len(sent) <= 3
    assert named(alerts(home)) == everything(home)


def test_a_member_sets_off_one_reply_about_all_that_it_forwards(home: Home) -> None:
    own = [ndr("lena@larkfield.example", f"x{n}@partner{n}.example", number=n) for n in range(5)]
    home.deliver(forward("lena@larkfield.example", own), "1.mail")
    result = home.look()
    assert (result.letters, result.withheld, len(home.sent())) == (1, 4, 1)


def test_the_hourly_limit_holds_for_critical_incidents_too_and_the_last_alert_lists_the_rest(
    open_home: Callable[..., Home],
) -> None:
    home = open_home(("[digest]", "[alerts]\nper_hour = 3\n[digest]"), ('mode = "on"', 'mode = "off"'))
    for number in range(12):
        home.deliver(blocked(number), f"{number}.mail")
        home.look()
        home.clock.now += MINUTE
    for _ in range(5):
        home.clock.now += MINUTE
        home.look()
    subjects = [entry.subject.partition(":")[0] for entry in alerts(home)]
    assert subjects[:2] == ["[Critical] INC-1", "[Critical] INC-2"]
    assert len(subjects) == 3
    home.clock.now += HOUR
    home.look()
    assert named(alerts(home)) == everything(home)


def test_critical_incidents_are_told_first_and_lesser_ones_never_use_up_their_limit(
    open_home: Callable[..., Home],
) -> None:
    """Both kinds go to the same admin, because no security team is configured."""
    alone = ('security = ["security@larkfield.example"]\n', ""), ('mode = "on"', 'mode = "off"')
    home = open_home(("[digest]", "[alerts]\nper_hour = 2\n[digest]"), *alone)
    for number in range(12):
        home.deliver(unreachable(f"gone{number // 3}.example", number), f"{number}.mail")
    home.look()
    home.clock.now += 2 * MINUTE
    home.look()
    assert [entry.subject.partition(":")[0] for entry in alerts(home)] == [
        "[Medium] INC-1",
        "[Medium] INC-2 and 2 more",
    ]
    for number in range(20, 23):
        home.deliver(blocked(number), f"{number}.mail")
    home.look()
    home.clock.now += 2 * MINUTE
    home.look()
    assert [entry.subject.partition(":")[0] for entry in alerts(home)[2:]] == [
        "[Critical] INC-5",
        "[Critical] INC-6 and one more",
    ]
    assert named(alerts(home)) == everything(home)


def test_what_an_alert_lists_has_a_line_with_severity_and_title(home: Home) -> None:
    home.deliver(
        forward("x@evil.example", [blocked(1)]).replace(b"Internal\r\nMIME", b"Anonymous\r\nMIME"), "0.mail"
    )
    assert home.look().opened == []
    for number in range(12):
        home.deliver(blocked(number), f"{number}.mail")
    home.look()
    home.clock.now += 2 * MINUTE
    home.look()
    last = alerts(home)[-1]
    text = " ".join(last.preview.split())
    assert len(alerts(home)) == home.config.alerts.per_hour
    assert "ALSO IN THIS ALERT - [Critical] INC-" in text
    assert "What to do about each: bounce-watch incidents show NUMBER" in text


def test_five_critical_incidents_without_an_acknowledgement_are_critical_and_all_listed(home: Home) -> None:
    def judged() -> tuple[Level, str]:
        (line,) = [line for line in judge(home) if line.name == "incidents"]
        return line.level, line.text

    for number in range(7):
        home.deliver(blocked(number), f"{number}.mail")
    home.look()
    names = [f"INC-{number}" for number in range(1, 8)]
    assert judged()[0] is Level.CRITICAL
    assert all(name in judged()[1] for name in names)
    with home.context.store.transaction() as tx:
        for number in (1, 2, 3):
            tx.incidents.acknowledge(number, home.clock.now, by="kim")
    assert judged()[0] is Level.WARNING


def judge(home: Home) -> tuple[Line, ...]:
    return judge_health(home.context.store, home.config, home.clock.now, sources={}, workers=None)
