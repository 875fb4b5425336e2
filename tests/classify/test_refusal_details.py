"""Evidence in a refusal: the address, list, size, domain or rule that it names."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from bounce_watch.classify.refusal_details import BLOCKLISTS, find_details, sizes_in
from bounce_watch.model import Cause, Details
from tests.classify.reports import refused

MB = 1024**2


@pytest.mark.parametrize(
    ("text", "cause", "known"),
    [
        pytest.param(
            "host mx.partner.example[203.0.113.5] said: 554 5.7.1 Service unavailable; Client host "
            "[192.0.2.7] blocked using zen.spamhaus.org",
            Cause.BLOCKED_REPUTATION,
            {"blocked_ip": "192.0.2.7", "blocklist": "Spamhaus"},
            id="our address, not the host that said so",
        ),
        pytest.param(
            "550 5.7.1 Mail from [192.0.2.33] was not taken: a part of that network is on our list (S3140).",
            Cause.BLOCKED_REPUTATION,
            {"blocked_ip": "192.0.2.33", "blocklist": "Microsoft (S3140)"},
            id="Microsoft's list",
        ),
        pytest.param(
            "550 5.7.25 The sending IP 2001:DB8:0:0::9 has no PTR record",
            Cause.MISSING_REVERSE_DNS,
            {"blocked_ip": "2001:db8::9"},
            id="IPv6 in its usual notation",
        ),
        pytest.param(
            "552 5.3.4 message size 35651584 exceeds size limit 20971520",
            Cause.MESSAGE_TOO_LARGE,
            {"size_limit": 20 * MB, "message_size": 34 * MB},
            id="both sizes",
        ),
        pytest.param(
            "550 5.7.23 Remote server returned SPF violation -> 550 5.7.1 SPF check failed: 192.0.2.9 is not "
            "allowed to send mail from larkfield.example",
            Cause.SPF_FAILED,
            {"spf_result": "fail", "spf_ip": "192.0.2.9", "spf_domain": "larkfield.example"},
            id="SPF",
        ),
        pytest.param(
            "550-5.7.26 SPF [larkfield.example] with ip: [192.0.2.9] = did not pass",
            Cause.SPF_FAILED,
            {"spf_result": "fail", "spf_ip": "192.0.2.9", "spf_domain": "larkfield.example"},
            id="SPF as Gmail writes it",
        ),
        pytest.param(
            "550 5.7.509 Access denied, sending domain Larkfield.Example does not pass DMARC verification",
            Cause.DMARC_FAILED,
            {"dmarc_domain": "larkfield.example"},
            id="DMARC",
        ),
        pytest.param(
            "450 4.4.316 Connection refused [LastAttemptedServerName=mx.partner.example] "
            "[LastAttemptedIP=192.0.2.4:25]",
            Cause.NETWORK_ERROR,
            {"last_attempted_ip": "192.0.2.4", "last_attempted_host": "mx.partner.example"},
            id="last attempt",
        ),
        pytest.param(
            "550 5.7.1 TRANSPORT.RULES.RejectMessage; the message was rejected by organization policy. "
            "No payslips outside",
            Cause.POLICY_REJECTED,
            {"rule": "No payslips outside"},
            id="rule",
        ),
        pytest.param(
            "550 5.1.8 bad outbound sender AS(42004)", Cause.SENDER_BLOCKED, {"as_number": "42004"}, id="AS"
        ),
    ],
)
def test_a_refusal_names_its_evidence(text: str, cause: Cause, known: dict[str, Any]) -> None:
    details = find_details(text, cause)
    assert details is not None
    assert details.as_mapping() == known
    assert Details.from_mapping(details.as_mapping()) == details


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        pytest.param(None, Cause.UNKNOWN, id="no text"),
        pytest.param("550 5.1.1 User unknown", Cause.RECIPIENT_UNKNOWN, id="nothing more"),
        pytest.param("550 5.7.1 refused by 999.1.2.3", Cause.BLOCKED_REPUTATION, id="no IP address"),
        pytest.param("550 5.7.1 version 1.2.3.4.5", Cause.BLOCKED_REPUTATION, id="a version"),
        pytest.param("550 LastAttemptedServerName=-x", Cause.NETWORK_ERROR, id="no host name"),
        pytest.param("550 DMARC: sending domain a_b", Cause.DMARC_FAILED, id="no domain"),
        pytest.param(
            "552 5.2.2 quota of 20971520 used", Cause.MAILBOX_FULL, id="a quota is no limit of size"
        ),
        pytest.param("TRANSPORT.RULES.RejectMessage; <script>", Cause.POLICY_REJECTED, id="markup"),
    ],
)
def test_what_passes_no_check_is_not_told(text: str | None, cause: Cause) -> None:
    assert find_details(text, cause) is None


@pytest.mark.parametrize(
    ("words", "limit", "size"),
    [
        pytest.param("exceeds fixed limit (20 MB)", 20 * MB, None, id="a limit alone"),
        pytest.param("your message of 34MB is too large", None, 34 * MB, id="a size alone"),
        pytest.param("too large (34.5 MB > 20,5 MB)", int(20.5 * MB), int(34.5 * MB), id="with fractions"),
        pytest.param("552 5.3.4 message too large", None, None, id="codes are no sizes"),
        pytest.param("size 51200000 bytes, maximum 50000 KB", 50000 * 1024, None, id="two equal ones"),
        pytest.param("maximum is 99999999999 GB", None, None, id="nonsense"),
    ],
)
def test_sizes_are_read_in_bytes(words: str, limit: int | None, size: int | None) -> None:
    assert sizes_in(words) == (limit, size)


@pytest.mark.parametrize(("sign", "name"), BLOCKLISTS.items(), ids=BLOCKLISTS)
def test_a_list_is_named(sign: str, name: str) -> None:
    details = find_details(f"554 5.7.1 192.0.2.1 listed by {sign.upper()}", Cause.BLOCKED_REPUTATION)
    assert details is not None
    assert details.blocklist == name


def test_the_date_of_the_last_try_is_the_report_s_own() -> None:
    until = datetime(2026, 11, 25, tzinfo=UTC)
    details = find_details("450 4.2.0 greylisted", Cause.GREYLISTED, until)
    assert details is not None
    assert details.retry_until == until
    assert Details.from_mapping(details.as_mapping()).retry_until == until


def test_a_judged_bounce_carries_its_evidence() -> None:
    bounce = refused("554 5.7.1 Client host [192.0.2.7] blocked using bl.spamcop.net", status="5.7.1")
    assert bounce.details == Details(blocked_ip="192.0.2.7", blocklist="SpamCop")


@pytest.mark.parametrize(
    "unit",
    [
        "1.1.1.1",
        "SPF [a.",
        "::1",
        "9 MB ",
        "domain a.a.",
        "LastAttemptedIP=:",
        "TRANSPORT.RULES.RejectMessage;",
        "a.",
    ],
)
def test_a_hostile_text_costs_little(unit: str) -> None:
    """64 KiB of a unit that every pattern begins to match: only the first 2,000 characters are searched."""
    text = (unit * 65536)[:65536]
    began = time.perf_counter()
    for cause in (Cause.BLOCKED_REPUTATION, Cause.MESSAGE_TOO_LARGE):
        find_details(text, cause)
        find_details(f"SPF dmarc spamhaus {text}", cause)
    assert time.perf_counter() - began < 0.5
