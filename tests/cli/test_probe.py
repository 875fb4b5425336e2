"""What `check --probe` says of our DKIM signature on the mail that came back."""

from dataclasses import replace

import pytest

from bounce_watch.cli.setup.probe_output import about
from bounce_watch.model import Evidence
from bounce_watch.model.check import Check
from bounce_watch.pipeline.dkim import KeyUnavailable, SignatureChecker
from bounce_watch.pipeline.probe import ProbeMail, Watch
from bounce_watch.source.local.maildir import MaildirSource
from tests.pipeline.conftest import START, Home
from tests.pipeline.conftest import home as home
from tests.pipeline.conftest import open_home as open_home
from tests.pipeline.conftest import reader as reader
from tests.pipeline.conftest import store_line as store_line
from tests.pipeline.test_signatures import CHECKER, MAIL, OURS, returned, signed, table

PROBE = ProbeMail(to="nobody@fabrikam.example", bw_id=None, started_at=START)


def _unreachable(_name: str) -> bytes:
    raise KeyUnavailable


def probed(
    home: Home, mail: bytes, checker: SignatureChecker | None, *, asks: bool
) -> tuple[Check, Evidence]:
    """Let a report come back and return what is said of the signature, and the tier."""
    context = replace(home.context, signatures=checker if asks else None)
    with MaildirSource(home.folder / "mailbox", filed_folder="F", quarantine_folder="Q") as source:
        watch = Watch(context, (source,), checker)
        watch.begin()
        home.deliver(returned(mail), "report")
        (came,) = watch.look(PROBE)
    (line,) = (line for line in about(context, PROBE, came) if line.name == "signature")
    return line, came.assessed.evidence


@pytest.mark.parametrize(
    ("asks", "evidence", "rest"),
    [
        (True, Evidence.CORRELATED, ""),
        (False, Evidence.UNVERIFIED, "; dkim = true in [trust] would count that"),
    ],
)
def test_a_signature_that_holds_is_named_and_counts_where_the_site_asks_for_it(
    home: Home, asks: bool, evidence: Evidence, rest: str
) -> None:
    line, tier = probed(home, signed(), CHECKER, asks=asks)
    assert (line.state, tier) == ("ok", evidence)
    assert line.text == f"your DKIM signature on the mail holds: you sent it{rest}"


@pytest.mark.parametrize(
    ("mail", "checker", "state", "words"),
    [
        pytest.param(MAIL, CHECKER, "ok", "returns no DKIM signature", id="absent"),
        pytest.param(signed(), table({}), "warning", "does not hold", id="no key"),
        pytest.param(
            signed(), SignatureChecker({OURS}, _unreachable), "warning", "could not be checked", id="no DNS"
        ),
        pytest.param(signed(), None, "ok", "pip install 'bounce-watch[dkim]'", id="no libraries"),
    ],
)
def test_what_proves_nothing_is_said_with_its_repair(
    home: Home, mail: bytes, checker: SignatureChecker | None, state: str, words: str
) -> None:
    line, tier = probed(home, mail, checker, asks=checker is not None)
    assert (line.state, tier) == (state, Evidence.UNVERIFIED)
    assert words in line.text
    assert bool(line.repair) is (state == "warning")
