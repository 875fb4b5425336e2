"""Whose server refused, with and without a configured site."""

from typing import Any

import pytest

from bounce_watch.classify.side import side_of
from bounce_watch.model import Provenance, Side
from tests.classify.reports import INTERNAL, ORIGINAL, OUR_EXCHANGE, SITE, THEIR_HOST, fields, report

STRANGER = Provenance(from_address="postmaster@partner.example")
OURS, THEIRS = Side.OURS, Side.THEIRS
WRAPPED = "550 5.7.350 Remote server returned spam -> 554 5.7.1 no"
HYBRID = "exchange.contoso.example"

WITH_SITE: list[tuple[str, dict[str, Any], dict[str, Any], Side | None]] = [
    ("our Exchange Online refused itself", {}, {}, OURS),
    ("a remote server refused", {"remote_mta": THEIR_HOST}, {}, THEIRS),
    ("a remote server in a typed field", {"remote_mta": f"dns; {THEIR_HOST}"}, {}, THEIRS),
    ("our own server behind the cloud refused", {"remote_mta": HYBRID}, {}, OURS),
    ("an own host by its ending refused", {"remote_mta": SITE.own_hosts[0]}, {}, OURS),
    ("the remote is the reporter itself", {"remote_mta": OUR_EXCHANGE}, {}, OURS),
    ("a wrapped reply", {"diagnostic_code": WRAPPED}, {}, THEIRS),
    ("a remote status beside the own one", {"remote_status": "5.7.1"}, {}, THEIRS),
    ("the text quotes a host", {"diagnostic_code": f"host {THEIR_HOST}[192.0.2.9] said: 550 no"}, {}, THEIRS),
    (
        "another tenant's Exchange reports",
        {},
        {"provenance": (STRANGER,)},
        THEIRS,
    ),
    ("a foreign reporter", {}, {"reporting_mta": THEIR_HOST, "provenance": (STRANGER,)}, THEIRS),
    (
        "a look-alike of our domain",
        {},
        {"reporting_mta": "mx.notcontoso.example", "provenance": (STRANGER,)},
        THEIRS,
    ),
    ("our own smart host", {}, {"reporting_mta": HYBRID, "provenance": (STRANGER,)}, OURS),
    ("an inside name, but our postmaster", {}, {"reporting_mta": "EX01.corp.local"}, OURS),
    ("nothing names a server", {}, {"reporting_mta": None, "provenance": ()}, None),
    ("no server, foreign postmaster", {}, {"reporting_mta": None, "provenance": (STRANGER,)}, THEIRS),
]


@pytest.mark.parametrize(
    ("entry", "changes", "side"), [row[1:] for row in WITH_SITE], ids=[row[0] for row in WITH_SITE]
)
def test_the_site_tells_our_servers_from_theirs(
    entry: dict[str, Any], changes: dict[str, Any], side: Side | None
) -> None:
    one = fields(**{"text": None, **{("text" if k == "diagnostic_code" else k): v for k, v in entry.items()}})
    assert side_of(report(one, **changes), one, SITE) is side


WITHOUT_SITE: list[tuple[str, dict[str, Any], dict[str, Any], Side | None]] = [
    ("Exchange Online, our sender's domain", {}, {}, OURS),
    ("Exchange Online, another domain's postmaster", {}, {"provenance": (STRANGER,)}, THEIRS),
    ("Exchange Online, nothing else known", {}, {"provenance": ()}, OURS),
    ("remote server", {"remote_mta": THEIR_HOST}, {}, THEIRS),
    ("server of the sender's domain", {"remote_mta": HYBRID}, {}, OURS),
    (
        "reporter of the recipient's domain",
        {},
        {"reporting_mta": THEIR_HOST, "provenance": ()},
        THEIRS,
    ),
    ("reporter of nobody's domain", {}, {"reporting_mta": "relay.example.net", "provenance": ()}, None),
]


@pytest.mark.parametrize(
    ("entry", "changes", "side"), [row[1:] for row in WITHOUT_SITE], ids=[row[0] for row in WITHOUT_SITE]
)
def test_without_a_site_the_report_alone_decides(
    entry: dict[str, Any], changes: dict[str, Any], side: Side | None
) -> None:
    one = fields(**entry)
    assert side_of(report(one, **changes), one, None) is side


def test_the_forwarder_of_an_inline_report_is_not_its_author() -> None:
    """An inline forward has one layer, whose From is the member, not the postmaster."""
    layer = Provenance(from_address="carla@contoso.example", auth_as=("Internal",))
    forwarded = report(
        fields(), provenance=(layer,), forwarded_by="carla@contoso.example", reporting_mta=None
    )
    assert side_of(forwarded, forwarded.recipients[0], SITE) is None
    assert INTERNAL.from_address is not None
    assert ORIGINAL.sender is not None
