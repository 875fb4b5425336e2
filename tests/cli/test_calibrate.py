"""`calibrate` shows what genuine reports carry and proposes a setting; it changes nothing."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import dns.resolver
import pytest

from tests.cli.conftest import call
from tests.pipeline.conftest import CONFIG, ndr
from tests.pipeline.test_signatures import MAIL, NAME, RECORD, returned, signed
from tests.safety.layers import EXCHANGE, LENA, Layer, build
from tests.servers.names import NameServer


@pytest.mark.parametrize(
    ("authority", "count", "proposal"),
    [
        pytest.param("Internal", 6, "exchange-headers", id="marked by Exchange"),
        pytest.param("Anonymous", 6, None, id="never marked"),
        pytest.param("Internal", 2, None, id="too few"),
    ],
)
def test_the_setting_that_fits_is_proposed(
    tmp_path: Path, authority: str, count: int, proposal: str | None
) -> None:
    config, mails = tmp_path / "config.toml", tmp_path / "mails"
    config.write_text(CONFIG)
    mails.mkdir()
    for number in range(count):
        (mails / f"{number}.eml").write_bytes(ndr(number=number, authority=authority))
    said = json.loads(call("-c", str(config), "calibrate", str(mails), "--json").stdout)
    assert (said["reports"], said["authority"]) == (count, proposal)
    assert not (tmp_path / "store.db").exists()
    assert len(list(mails.iterdir())) == count


@pytest.mark.parametrize("marks", [b"", b"X-MS-Exchange-Organization-AuthAs: Anonymous\r\n"])
@pytest.mark.parametrize("authority", ["exchange-headers", "mailbox"])
@pytest.mark.parametrize("is_journaled", [False, True])
def test_nothing_that_an_outsider_could_use_is_proposed(
    tmp_path: Path, marks: bytes, authority: str, is_journaled: bool
) -> None:
    """Without marks a plain spoofed report looks like a genuine one, so the fix is in Exchange."""
    mail = ndr().replace(b"X-MS-Exchange-Organization-AuthAs: Internal\r\n", marks)
    if is_journaled:
        mail = build((Layer("journal", EXCHANGE, ()), Layer("report", EXCHANGE, ())), LENA, 1)
    command = site(tmp_path, mail, trust=f'authority = "{authority}"')
    assert json.loads(call(*command, "--json").stdout)["authority"] is None
    told = call(*command).stderr
    assert "CloudServicesMailEnabled" in told
    assert "Set-DkimSigningConfig" in told
    assert ("is right only while your own Exchange alone" in told) is (authority == "mailbox")
    assert 'Set authority = "mailbox"' not in told


def test_a_mailbox_with_marks_needs_no_trust_in_its_position(tmp_path: Path) -> None:
    told = call(*site(tmp_path, MARKED, trust='authority = "mailbox"')).stderr
    assert 'Set authority = "exchange-headers"' in told
    assert "1. the message in the mailbox: our Exchange" in told


def test_one_of_files_and_mailbox_must_be_named(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(CONFIG)
    call("-c", str(config), "calibrate", status=2)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServer]:
    """The name server of this machine, as far as the program knows."""
    with NameServer({NAME: [RECORD[:200], RECORD[200:]]}) as server:

        def configure(resolver: dns.resolver.Resolver, _: object) -> None:
            resolver.port, resolver.nameservers = server.port, ["127.0.0.1"]

        monkeypatch.setattr(dns.resolver.Resolver, "read_resolv_conf", configure)
        yield server


def site(folder: Path, mail: bytes, *, trust: str = "") -> tuple[str, ...]:
    """Lay out a site with six reports and return the command that looks at them."""
    config, mails = folder / "config.toml", folder / "mails"
    config.write_text(CONFIG.replace("[digest]", f"[trust]\ndkim_seconds = 0.1\n{trust}\n[digest]"))
    mails.mkdir()
    for number in range(6):
        (mails / f"{number}.eml").write_bytes(mail)
    return "-c", str(config), "calibrate", str(mails)


FOREIGN, MARKED = returned(signed()), ndr(number=1, authority="Internal")
UNSIGNED = returned(MAIL)


@pytest.mark.parametrize(
    ("mail", "trust", "signatures", "dkim", "advice"),
    [
        pytest.param(FOREIGN, "", {"valid": 6}, True, "Set dkim = true", id="it alone proves them"),
        pytest.param(FOREIGN, "dkim = true", {"valid": 6}, True, "Keep dkim = true", id="set already"),
        pytest.param(UNSIGNED, "", {"absent": 6}, False, "Keep dkim = false", id="no signature"),
        pytest.param(UNSIGNED, "dkim = true", {"absent": 6}, False, "Set dkim = false", id="set for nothing"),
        pytest.param(MARKED, "", {"absent": 6}, False, "Keep dkim = false", id="marked by Exchange"),
    ],
)
@pytest.mark.usefixtures("names")
def test_our_signatures_are_counted_and_the_setting_proposed(
    tmp_path: Path, mail: bytes, trust: str, signatures: dict[str, int], dkim: bool, advice: str
) -> None:
    command = site(tmp_path, mail, trust=trust)
    said = json.loads(call(*command, "--json").stdout)
    assert (said["signatures"], said["dkim"]) == (signatures, dkim)
    assert said["proved_by_signature"] == (6 if dkim else 0)
    (outcome,) = signatures
    told = call(*command).stderr
    assert f"      6 {outcome}\n" in told.partition("Your DKIM signature on the mail they return:")[2]
    assert advice in told


@pytest.mark.parametrize(
    ("trust", "rest"),
    [
        pytest.param("", "[trust] does not name.", id="correlated is not accepted"),
        pytest.param('accept = ["internal", "correlated"]', "proves 6 of the reports.", id="accepted"),
    ],
)
@pytest.mark.usefixtures("names")
def test_what_a_proof_is_good_for_is_said(tmp_path: Path, trust: str, rest: str) -> None:
    """Reports that Exchange marked lie there too, so that the mailbox is not proposed."""
    command = site(tmp_path, FOREIGN, trust=trust)
    (tmp_path / "mails" / "marked.eml").write_bytes(MARKED)
    told = call(*command).stderr
    assert told.rstrip().endswith(rest)
    assert "proves 6 of the reports" in told


def test_a_name_server_that_keeps_silent_proves_nothing(tmp_path: Path, names: NameServer) -> None:
    """It is asked once, and not again for each mail."""
    names.silent.add(NAME)
    command = site(tmp_path, FOREIGN)
    said = json.loads(call(*command, "--json").stdout)
    assert (said["signatures"], said["dkim"]) == ({"unknown": 6}, None)
    assert "may ask the DNS" in call(*command).stderr
    assert names.asked.total() < 12


def test_without_the_libraries_one_sentence_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "dkim", None)  # as if it were not there
    command = site(tmp_path, FOREIGN)
    said = json.loads(call(*command, "--json").stdout)
    assert (said["signatures"], said["dkim"]) == ({"not checked": 6}, None)
    assert call(*command).stderr.count("pip install 'bounce-watch[dkim]'") == 1
