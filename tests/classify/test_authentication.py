"""Authentication-Results as Exchange Online and others write it, and as forgers wish it were read."""

import pytest

from bounce_watch.classify.authentication import has_failed, read_results

EXCHANGE = (
    "spf=fail (sender IP is 192.0.2.1) smtp.mailfrom=contoso.example; dkim=none (message not signed) "
    "header.d=none;dmarc=fail action=oreject header.from=contoso.example;compauth=none reason=451"
)


@pytest.mark.parametrize(
    ("field", "results"),
    [
        pytest.param(
            EXCHANGE,
            {"spf": "fail", "dkim": "none", "dmarc": "fail", "compauth": "none"},
            id="Exchange Online, no authserv-id",
        ),
        pytest.param(
            "mx.example 1; spf=pass; dkim=pass header.d=a.example", {"spf": "pass", "dkim": "pass"}, id="RFC"
        ),
        pytest.param("mx.example; dkim=fail; dkim=pass", {"dkim": "pass"}, id="one of two signatures passes"),
        pytest.param("mx.example; dkim=pass; dkim=fail", {"dkim": "pass"}, id="in the other order"),
        pytest.param(
            "spf=fail smtp.mailfrom=dmarc=pass@x.example", {"spf": "fail"}, id="a verdict in an address"
        ),
        pytest.param("spf=fail (dmarc=pass)", {"spf": "fail"}, id="a verdict in a comment"),
        pytest.param(
            'spf=fail smtp.mailfrom="x;dkim=pass;\\";dmarc=pass"@x.example; dmarc=fail',
            {"spf": "fail", "dmarc": "fail"},
            id="verdicts in a quoted local part",
        ),
        pytest.param(
            "spf=fail (a (b; dkim=pass) c; dmarc=pass); dmarc=fail",
            {"spf": "fail", "dmarc": "fail"},
            id="verdicts in nested comments",
        ),
        pytest.param('spf=fail "; dkim=pass; dmarc=pass', {"spf": "fail"}, id="a quote that never ends"),
        pytest.param("SPF = Pass", {"spf": "pass"}, id="spaces and capitals"),
        pytest.param("", {}, id="empty"),
        pytest.param(None, {}, id="absent"),
        pytest.param(";;;=;" * 5000, {}, id="long nonsense"),
    ],
)
def test_a_field_is_read_tolerantly(field: str | None, results: dict[str, str]) -> None:
    assert read_results(field) == results


@pytest.mark.parametrize(
    ("field", "failed"),
    [
        pytest.param(EXCHANGE, True, id="dmarc fails"),
        pytest.param(
            "spf=pass; dkim=pass; compauth=fail reason=001", True, id="composite authentication fails"
        ),
        pytest.param("spf=fail; dkim=pass; dmarc=pass", False, id="forwarded but signed"),
        pytest.param("spf=fail; dkim=pass", False, id="signed, no policy"),
        pytest.param("spf=softfail; dkim=none", True, id="neither sent from there nor signed"),
        pytest.param("spf=none; dkim=none; dmarc=none", False, id="nothing to check"),
        pytest.param("spf=pass; dkim=none", False, id="sent from there"),
        pytest.param(None, False, id="absent"),
    ],
)
def test_a_failure_is_what_the_domain_did_not_authorise(field: str | None, failed: bool) -> None:
    assert has_failed(field) is failed
