"""Sixteen faults of the network on IMAP and on SMTP: nothing lost, nothing doubled, soon back at work.

Every case runs the real service loop through the fault; what arrives while it lasts and after its end
must be filed and answered within five seconds of the end.
"""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults.world import FaultWorld
from tests.servers.chaos import Act, ChaosProxy, Fault, When

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("network faults")]

BACK_AT_WORK = 5.0
RECOVERY: dict[str, float] = {}
BODY = rb"BODY\[\]<0> \{"
CLIENT, SERVER = When.CLIENT, When.SERVER

LONG_LINE = b"* OK " + b"A" * 900 + b"\r\n"

IMAP = [
    Fault(name="away", when=When.CONNECT, act=Act.CUT),
    Fault(name="cut at the greeting", when=SERVER, act=Act.CUT, words=rb"\* OK", keep=3),
    Fault(name="cut in the TLS handshake", when=When.TLS, act=Act.CUT),
    Fault(name="cut at the sign-in", when=CLIENT, act=Act.CUT, words=rb"AUTHENTICATE"),
    Fault(name="cut at the answer to the sign-in", when=SERVER, act=Act.CUT, words=rb"Logged in"),
    Fault(name="cut in the middle of a literal", when=SERVER, act=Act.CUT, words=BODY, keep=200),
    Fault(name="cut in the middle of IDLE", when=SERVER, act=Act.CUT, words=rb"\+ idling\r\n", keep=100),
    Fault(name="stall in the middle of IDLE", when=SERVER, act=Act.STALL, words=rb"\+ idling\r\n", keep=100),
    Fault(
        name="cut before the answer to MOVE", strikes=1, when=SERVER, act=Act.CUT, words=rb"\* OK \[COPYUID"
    ),
    Fault(name="reset", when=CLIENT, act=Act.RESET, words=rb"UID FETCH"),
    Fault(name="stall", when=SERVER, act=Act.STALL, words=BODY, keep=200),
    Fault(name="one byte a second", when=SERVER, act=Act.DRIP, words=BODY),
    Fault(name="wrong name", when=When.TLS, act=Act.CERTIFICATE, certificate="wrong name"),
    Fault(name="expired", when=When.TLS, act=Act.CERTIFICATE, certificate="expired"),
    Fault(name="self-signed", when=When.TLS, act=Act.CERTIFICATE, certificate="self-signed"),
    Fault(name="STARTTLS stripped", when=SERVER, act=Act.STRIP, words=rb"STARTTLS ?"),
    Fault(
        name="oversized literal", when=SERVER, act=Act.SAY, words=BODY, keep=11, text=b"{99999999999}\r\nx"
    ),
    Fault(name="endless line", when=SERVER, act=Act.ENDLESS, words=BODY, keep=11, text=b"A" * 100),
    Fault(name="endless answers", when=SERVER, act=Act.ENDLESS, words=rb"\* \d+ FETCH", text=LONG_LINE),
    Fault(name="BYE", when=SERVER, act=Act.SAY, words=BODY, text=b")\r\n* BYE Session invalidated\r\n"),
]
SMTP = [
    Fault(name="away", when=When.CONNECT, act=Act.CUT),
    Fault(name="cut at the greeting", when=SERVER, act=Act.CUT, words=rb"220 mail", keep=3),
    Fault(name="cut in the TLS handshake", when=When.TLS, act=Act.CUT),
    Fault(name="cut at the sign-in", when=CLIENT, act=Act.CUT, words=rb"AUTH "),
    Fault(name="cut at MAIL", when=CLIENT, act=Act.CUT, words=rb"MAIL FROM"),
    Fault(name="cut at the answer to RCPT", when=SERVER, act=Act.CUT, words=rb"250 2\.1\.5"),
    Fault(name="cut after 354", strikes=1, when=SERVER, act=Act.CUT, words=rb"354 .*\r\n", keep=100),
    Fault(
        name="cut in the middle of the content",
        strikes=1,
        when=CLIENT,
        act=Act.CUT,
        words=rb"X-Bounce-Watch",
        keep=300,
    ),
    Fault(
        name="cut after the final dot", strikes=1, when=SERVER, act=Act.CUT, words=rb"250 2\.0\.0 Ok: queued"
    ),
    Fault(
        name="stall after the final dot",
        strikes=1,
        when=SERVER,
        act=Act.STALL,
        words=rb"250 2\.0\.0 Ok: queued",
    ),
    Fault(name="stall at MAIL", when=CLIENT, act=Act.STALL, words=rb"MAIL FROM"),
    Fault(name="one byte a second", when=SERVER, act=Act.DRIP, words=rb"250-mail"),
    Fault(name="reset", when=CLIENT, act=Act.RESET, words=rb"DATA"),
    Fault(name="wrong name", when=When.TLS, act=Act.CERTIFICATE, certificate="wrong name"),
    Fault(name="expired", when=When.TLS, act=Act.CERTIFICATE, certificate="expired"),
    Fault(name="self-signed", when=When.TLS, act=Act.CERTIFICATE, certificate="self-signed"),
    Fault(name="STARTTLS stripped", when=SERVER, act=Act.STRIP, words=rb"250-STARTTLS\r\n"),
    Fault(name="endless line", when=SERVER, act=Act.ENDLESS, words=rb"250-mail", keep=4, text=b"A" * 100),
    Fault(name="endless answers", when=SERVER, act=Act.ENDLESS, words=rb"250-mail", text=b"250-MORE\r\n"),
    Fault(name="421", when=SERVER, act=Act.SAY, words=rb"220 mail", text=b"421 4.3.2 closing\r\n"),
]


EVERY_DAY = {
    "IMAP": {
        "cut in the middle of a literal",
        "cut in the middle of IDLE",
        "one byte a second",
        "expired",
        "STARTTLS stripped",
    },
    "SMTP": {"cut in the middle of the content", "cut after the final dot", "STARTTLS stripped"},
}
"""The cases of the normal run; `make proof` runs the others."""


def cases(kind: str, faults: list[Fault]) -> list[Any]:
    return [
        pytest.param(fault, id=fault.name, marks=[] if fault.name in EVERY_DAY[kind] else [pytest.mark.proof])
        for fault in faults
    ]


@pytest.fixture(scope="module", autouse=True)
def in_the_end(world: FaultWorld) -> Iterator[None]:
    """Look again after all faults, when what a server held back has had time to become a second copy."""
    yield
    time.sleep(0.5)
    world.assert_whole()
    for name, seconds in RECOVERY.items():
        print(f"{seconds:6.2f} s  {name}")


def go_through(world: FaultWorld, proxy: ChaosProxy, name: str, fault: Fault) -> None:
    """Work, break, let mail arrive, wait until it struck, end it, and measure until all is done."""
    with world.serving(starttls=proxy is world.imap_starttls) as service:
        world.wait_until_done(world.deliver(1), service)
        proxy.break_with(fault)
        during = world.deliver(2)
        proxy.wait_for_strikes(fault.strikes)
        proxy.heal()
        end = time.monotonic()
        world.wait_until_done(during + world.deliver(1), service)
        RECOVERY[name] = time.monotonic() - end
    world.assert_whole()
    assert RECOVERY[name] <= BACK_AT_WORK


@pytest.mark.parametrize("fault", cases("IMAP", IMAP))
def test_a_fault_on_the_way_to_the_mailbox_ends_and_all_is_done(world: FaultWorld, fault: Fault) -> None:
    """Messages are read once, filed once, and answered once."""
    proxy = world.imap_starttls if fault.act is Act.STRIP else world.imap
    go_through(world, proxy, f"IMAP: {fault.name}", fault)


@pytest.mark.parametrize("fault", cases("SMTP", SMTP))
def test_a_fault_on_the_way_out_ends_and_every_answer_arrives_once(world: FaultWorld, fault: Fault) -> None:
    """What may have left is looked for in the sent folder before it is sent again."""
    go_through(world, world.smtp, f"SMTP: {fault.name}", fault)
    if "after the final dot" in fault.name:
        assert world.found_in_sent_folder()
