"""Codes whose numbers other systems use with another meaning."""

import pytest

from bounce_watch.classify import explain
from bounce_watch.model import Cause
from tests.classify.reports import CATALOGUE

SAID = [
    ("550-5.7.27 SPF check did not pass for the MAIL FROM domain. gsmtp", Cause.SPF_FAILED),
    ("421 4.7.27 limited because SPF authentication did not pass. gsmtp", Cause.SPF_FAILED),
    ("550 5.7.27 sender domain publishes a null MX", Cause.SENDER_REJECTED),
    ("421-4.7.30 DKIM authentication did not pass. gsmtp", Cause.DKIM_FAILED),
    (
        "550 5.7.30 Basic authentication is not supported",
        Cause.CLIENT_NOT_AUTHENTICATED,
    ),
    ("421 4.7.29 limited because it was not sent over a TLS connection. gsmtp", Cause.TLS_FAILURE),
    ("421 4.7.23 The sending IP address has no PTR record. gsmtp", Cause.MISSING_REVERSE_DNS),
    ("421 4.7.32 The From header does not align with SPF or DKIM. gsmtp", Cause.DMARC_FAILED),
    ("421 4.7.40 The sending domain has no DMARC record. gsmtp", Cause.DMARC_FAILED),
    (
        "552-5.7.0 its content presents a potential security issue. gsmtp",
        Cause.CONTENT_REJECTED,
    ),
    ("535 5.7.139 Authentication unsuccessful", Cause.CLIENT_NOT_AUTHENTICATED),
    ("554 5.6.211 Invalid MIME Content", Cause.MESSAGE_MALFORMED),
    ("550 5.7.1 TenantAttribution; Relay Access Denied", Cause.RELAY_DENIED),
]


@pytest.mark.parametrize(("reply", "cause"), SAID)
def test_a_code_is_read_with_the_words_beside_it(reply: str, cause: Cause) -> None:
    assert explain(CATALOGUE, reply)[0].cause is cause
