"""No chain of layers makes an outsider's report believed, and every genuine one in the same layers is.

The loudest report there is, a blocked account, lies in journal reports, relayed, forwarded and redirected
messages, up to three around it. The whole product runs as a proof, a part of it always.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from bounce_watch.classify import assess_evidence
from bounce_watch.model import Authority, Evidence, Report, Site
from bounce_watch.parse import read
from tests.pipeline.conftest import Home
from tests.safety.layers import (
    ANONYMOUS,
    ARCHIVE,
    CEO,
    DOMAIN,
    EVE,
    LENA,
    SIGNED,
    Layer,
    Layers,
    at_the_archive,
    build,
    forgeries,
    genuine,
    ours,
)

SITE = Site(organisation="Larkfield", accepted_domains=frozenset({DOMAIN}), tenant="our-tenant")
ARCHIVED = replace(SITE, authority=Authority.AUTHENTICATION_RESULTS, authserv_ids=frozenset({ARCHIVE}))
TRUSTED = replace(SITE, authority=Authority.MAILBOX)
SIGNED_ON_ARRIVAL = Layer("", "", (), SIGNED)
UNMARKED = Layer("", "", ())
SITES = ((SITE, None), (ARCHIVED, SIGNED_ON_ARRIVAL), (TRUSTED, UNMARKED))

A_PART = [pytest.param(37, id="a part", marks=pytest.mark.slow)]
PARTS = [*A_PART, pytest.param(1, id="all", marks=[pytest.mark.proof, pytest.mark.timeout(1_800)])]


def forged() -> Iterator[tuple[Site, Layers]]:
    for site, outermost in SITES:
        yield from ((site, layers) for layers in forgeries(outermost))
    yield from ((ARCHIVED, layers) for layers in at_the_archive())


def tiers(site: Site, layers: Layers, about: str, number: int) -> list[Evidence]:
    """Return the tiers of all reports in a message."""
    found = (one for one in read(build(layers, about, number)) if isinstance(one, Report))
    return [assess_evidence(one, site).evidence for one in found]


@pytest.mark.parametrize("step", PARTS)
def test_no_layered_forgery_is_believed(step: int) -> None:
    checked = 0
    for number, (site, layers) in enumerate(islice(forged(), 0, None, step)):
        believed = set(tiers(site, layers, CEO, number)) & site.accepted_evidence
        assert not believed, (site.authority, layers)
        checked += 1
    print(f"{checked} forgeries, 0 believed")
    assert checked * step >= 2_000


@pytest.mark.parametrize("step", PARTS)
def test_every_genuine_report_in_the_same_layers_is_believed(step: int) -> None:
    """By a member it is her own report; by a listed forwarder, anyone's."""
    checked = 0
    for (site, outermost), forwarders in (
        (one, names) for one in SITES for names in (frozenset(), frozenset({LENA}))
    ):
        listing = replace(site, forwarders=frozenset(forwarders))
        for number, layers in enumerate(islice(genuine(outermost), 0, None, step)):
            is_own = any(layer.kind == "member" for layer in layers) and not forwarders
            expected = Evidence.MEMBER if is_own else Evidence.INTERNAL
            found = tiers(listing, layers, LENA if is_own else CEO, number)
            assert found == [expected], (listing.authority, layers)
            checked += 1
    print(f"{checked} genuine reports, all believed")
    assert checked * step >= 2_000


IN_A_JOURNAL = {
    "an outsider's message that brings its own journal report": Layer("journal", EVE, (ANONYMOUS,)),
    "the same, and our Exchange's mark was lost": Layer("journal", EVE, ()),
    "an outsider's relay that hands on a report": Layer(
        "daemon", "MAILER-DAEMON@mx.evil.example", (ANONYMOUS,)
    ),
    "an outsider who forwards a report": Layer("member", EVE, (ANONYMOUS,)),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", IN_A_JOURNAL)
def test_what_an_outsider_sent_to_a_journaled_colleague_has_no_effect(home: Home, name: str) -> None:
    """Our Exchange wrote the journal report around it, and not a word of what is inside."""
    brought = IN_A_JOURNAL[name]
    home.deliver(build((ours("journal"), brought, ours("report")), CEO, 1), "1.mail")
    result = home.look()
    assert (result.letters, result.opened, home.sent()) == (0, [], [])
    (row,) = home.context.store.history.find()
    assert row.bounce.evidence is Evidence.UNVERIFIED
    decided = dict(home.context.store.history.show(row.id).report.tests)["decided by"]
    assert decided.startswith("the journaled message (")
    assert decided.endswith("so nothing inside it counts")


SHARED = sorted((Path(__file__).parents[3] / "shared" / "cases" / "forged").glob("*journal*.eml"))


@pytest.mark.skipif(not SHARED, reason="the shared cases are not on this machine")
def test_no_shared_forgery_in_a_journal_is_believed() -> None:
    for mail in SHARED:
        reports = [one for one in read(mail.read_bytes()) if isinstance(one, Report)]
        believed = {assess_evidence(one, SITE).evidence for one in reports} & SITE.accepted_evidence
        assert reports, mail.name
        assert not believed, mail.name


def delivered(home: Home, mails: Iterable[bytes]) -> int:
    """Deliver messages in groups and return how many were read, with what they opened and caused asserted."""
    waiting, count = iter(mails), 0
    while group := list(islice(waiting, 500)):
        for mail in group:
            home.deliver(mail, f"{count}.mail")
            count += 1
        result = home.look()
        assert (result.messages, result.letters, result.opened) == (len(group), 0, [])
    return count


@pytest.mark.parametrize("step", [pytest.param(97, id="a part", marks=pytest.mark.slow), PARTS[-1]])
def test_layered_forgeries_write_to_nobody_and_open_nothing(
    open_home: Callable[..., Home], step: int
) -> None:
    """Through the whole pipeline, with replies on and the default trust, in one store."""
    home = open_home(("[digest]", '[trust]\ntenant_id = "our-tenant"\n[digest]'))
    chosen = islice(forgeries(), 0, None, step)
    count = delivered(home, (build(layers, CEO, number) for number, layers in enumerate(chosen)))
    print(f"{count} forgeries, 0 letters, 0 incidents")
    assert home.sent() == []
    assert home.context.store.incidents.list() == ()
    assert count * step >= 2_000
