"""Our own sample reports for the tests of this room, and the shipped catalogue."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from bounce_watch.classify import judge, load_catalogue
from bounce_watch.model import (
    Action,
    Bounce,
    Kind,
    OriginalMessage,
    Provenance,
    RecipientFields,
    Report,
    Site,
)
from bounce_watch.shipped_files import catalogue_text, data_file

CODES = data_file("codes.toml").read_text(encoding="utf-8")
CATALOGUE = load_catalogue(catalogue_text())
SITE = Site(
    organisation="Contoso",
    accepted_domains=frozenset({"contoso.example"}),
    own_hosts=("contoso-example.mail.protection.outlook.com",),
)
OUR_EXCHANGE = "AM0PR01MB0001.eurprd01.prod.outlook.com"
THEIR_HOST = "mx.partner.example"
EXCHANGE_FROM = "MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@contoso.example"
SENT_AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
ARRIVED_AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

INTERNAL = Provenance(from_address=EXCHANGE_FROM, auth_as=("Internal",), is_ndr=True)
ORIGINAL = OriginalMessage(
    message_id="<1@AM0PR01MB0001.eurprd01.prod.outlook.com>", sender="Anna.Berg@Contoso.Example", date=SENT_AT
)
REPORT = Report(
    kind=Kind.FAILURE,
    format="rfc3464",
    reporting_mta=OUR_EXCHANGE,
    arrival_date=ARRIVED_AT,
    original=ORIGINAL,
    provenance=(INTERNAL,),
)


def fields(text: str | None = None, **changes: Any) -> RecipientFields:
    """One failed recipient with the given diagnostic text."""
    values = {
        "final_recipient": "bob@partner.example",
        "action": Action.FAILED,
        "diagnostic_code": text,
        **changes,
    }
    return RecipientFields(**values)


def report(*entries: RecipientFields, **changes: Any) -> Report:
    return replace(REPORT, recipients=entries, **changes)


def refused(text: str | None = None, site: Site | None = SITE, **changes: Any) -> Bounce:
    """Judge one refusal spoken by the other side."""
    entry = fields(text, **{"remote_mta": THEIR_HOST, **changes})
    return judge(report(entry), CATALOGUE, site)[0]


def refused_by_us(text: str | None = None, site: Site | None = SITE, **changes: Any) -> Bounce:
    """Judge one refusal spoken by our own Exchange Online."""
    return judge(report(fields(text, **changes)), CATALOGUE, site)[0]
