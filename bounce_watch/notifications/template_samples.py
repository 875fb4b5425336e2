"""Sample facts, with which `bounce-watch check` and the tests render every template."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from bounce_watch.model import (
    Action,
    Bounce,
    Cause,
    Count,
    Details,
    Digest,
    Evidence,
    Finding,
    Health,
    HourCount,
    Incident,
    IncidentState,
    IncidentStep,
    IncidentStory,
    ListedBounce,
    Overview,
    Owner,
    Persistence,
    Severity,
    Side,
)
from bounce_watch.notifications.facts import (
    AlertFacts,
    NoticeFacts,
    OrganisationProfile,
    OutageFacts,
    OwnerFacts,
    OwnMail,
    ReplyFacts,
    UnreadSender,
)

NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
ORGANISATION = OrganisationProfile(
    name="Contoso", support="it-help@contoso.example, phone 4711", time_zone="Europe/Berlin"
)


def bounce(
    cause: Cause, owner: Owner, side: Side = Side.THEIRS, recipient: str = "lena@fabrikam.example"
) -> Bounce:
    """Return a bounce of a message from mara@contoso.example."""
    return Bounce(
        recipient=recipient,
        sender="mara@contoso.example",
        action=Action.FAILED,
        status="5.1.10",
        reply_code="550",
        cause=cause,
        persistence=Persistence.PERMANENT,
        owner=owner,
        side=side,
        evidence=Evidence.INTERNAL,
        remote_mta="mx1.fabrikam.example",
        diagnostic_code="550 5.1.10 RESOLVER.ADR.RecipientNotFound; see http://help.fabrikam.example/ndr",
        occurred_at=NOW,
    )


def reply_facts(*bounces: Bounce, language: str | None = None, incident: str | None = None) -> ReplyFacts:
    return ReplyFacts(
        event_key="sample",
        to="mara@contoso.example",
        bounces=bounces,
        mail_subject="Offer for the new warehouse",
        mail_date=NOW - timedelta(minutes=12),
        mail_id="<9f3a@contoso.example>",
        language=language,
        incident=incident,
    )


def noted_facts(cause: Cause, side: Side, language: str | None = None) -> tuple[ReplyFacts, ...]:
    """Return facts for every note: typing errors, stale entries, sizes, earlier attempts."""
    typing = bounce(cause, Owner.SENDER, side, "lena.berg@fabrikan.example")
    other = bounce(cause, Owner.SENDER, side, "tom.milller@adatum.example")
    plain = reply_facts(typing, other, language=language)
    known = replace(
        plain, known_addresses=("tom.miller@adatum.example",), known_domains=("fabrikam.example",)
    )
    entry = "X500:/O=CONTOSO/OU=SALES/CN=RECIPIENTS/CN=LENA BERG"
    details = Details(size_limit=20 * 1024**2, message_size=34 * 1024**2, blocklist="Spamhaus")
    return (
        replace(known, incident="INC-7", incident_since=NOW - timedelta(days=2)),
        replace(known, earlier_bounces=1),
        replace(plain, bounces=(replace(typing, details=details, entry="5.7.133"),), earlier_bounces=2),
        replace(plain, bounces=(replace(typing, recipient_decoded=entry),), incident="INC-7"),
        replace(plain, bounces=(replace(typing, details=Details(size_limit=10 * 1024**2)),)),
    )


def incident(
    playbook: str = "account_blocked", number: int = 7, severity: Severity = Severity.CRITICAL
) -> Incident:
    """Return an open incident about one sender."""
    return Incident(
        number=number,
        state=IncidentState.OPEN,
        opened_at=NOW - timedelta(hours=2),
        updated_at=NOW,
        resolved_at=None,
        finding=Finding(
            rule_id="sample",
            key="mara@contoso.example",
            title="Account blocked from sending",
            severity=severity,
            owner=Owner.SECURITY,
            playbook=playbook,
            first_at=NOW - timedelta(hours=3),
            last_at=NOW - timedelta(minutes=20),
            messages=14,
            senders=("mara@contoso.example",),
            recipient_domains=("fabrikam.example", "adatum.example", "litware.example"),
            statuses=("5.1.8",),
            events=(1, 2, 3),
        ),
    )


def alert_facts(playbook: str = "account_blocked") -> AlertFacts:
    return AlertFacts(event_key="sample", to="admin@contoso.example", incident=incident(playbook))


def notice_facts(language: str | None = None) -> NoticeFacts:
    mails = (OwnMail(recipient="lena@fabrikam.example", subject="Offer", sent_at=NOW),)
    return NoticeFacts(
        event_key="sample",
        to="mara@contoso.example",
        incident=incident("spf_dkim_dmarc"),
        mails=mails * 22,
        language=language,
    )


def owner_facts(language: str | None = None) -> OwnerFacts:
    """Return the facts of bounces of a scanner for its owner."""
    scanner = "noreply-scanner@contoso.example"
    causes = {Cause.MESSAGE_TOO_LARGE: Owner.SENDER, Cause.MAILBOX_FULL: Owner.RECIPIENT_ADMIN}
    mails = [reply_facts(replace(bounce(*pair), sender=scanner)) for pair in causes.items()]
    return OwnerFacts(
        event_key="sample",
        to="facilities@contoso.example",
        senders=(scanner, "shop@contoso.example"),
        messages=17,
        unread=tuple(UnreadSender(sender=scanner, mails=(mail,)) for mail in mails),
        more=15,
        language=language,
    )


def outages() -> tuple[OutageFacts, ...]:
    """Return the facts of a mailbox whose sign-in is refused, of one that cannot be filed, and all-clears."""
    begun = OutageFacts(
        event_key="sample",
        to="admin@contoso.example",
        mailbox="bounces@contoso.example",
        since=NOW - timedelta(hours=2),
        now=NOW,
        last_look=NOW - timedelta(hours=2, minutes=1),
        why="The client secret has expired (AADSTS7000222).",
        repair="make a new client secret in Entra and put it where the configuration names it",
        commands=(
            'Add-MailboxPermission -Identity "bounces@contoso.example" -User "app" -AccessRights FullAccess',
        ),
    )
    full = replace(begun, why="the mailbox is full", is_about_filing=True)
    return begun, replace(begun, is_over=True), full, replace(full, is_over=True)


def digest(empty: bool = False) -> Digest:
    nothing = Count(label="", now=0, before=3)
    quiet = Digest(
        local_date=date(2026, 11, 24),
        time_zone=ORGANISATION.time_zone,
        since=NOW - timedelta(days=1),
        until=NOW,
        messages=nothing,
        bounces=nothing,
        delays=nothing,
    )
    if empty:
        return quiet
    return replace(
        quiet,
        messages=Count(label="messages", now=42, before=30),
        bounces=Count(label="bounces", now=61, before=40),
        delays=Count(label="delays", now=3, before=5),
        opened=(incident(),),
        still_open=(incident("spf_dkim_dmarc", 5, Severity.HIGH),),
        owners=(Count(label=Owner.SENDER, now=20, before=18), Count(label=Owner.SECURITY, now=14, before=0)),
        causes=(
            Count(label=Cause.SENDER_BLOCKED, now=14, before=0),
            Count(label=Cause.RECIPIENT_UNKNOWN, now=11, before=14),
        ),
        senders=(Count(label="mara@contoso.example", now=14, before=1),),
        domains=(Count(label="fabrikam.example", now=9, before=9),),
        replies_sent=12,
        replies_held=2,
        withheld=(Count(label="recently_told", now=5), Count(label="robot", now=2)),
        unowned=(Count(label="noreply-scanner@contoso.example", now=2),),
        duplicates=2,
        left_alone=9,
        quarantined=1,
        unverified=3,
        weeks=4,
        health=(
            Health(name="Mailbox", state="ok", text="read 3 minutes ago"),
            Health(name="Unreadable mail", state="warning", text="1 message waits in quarantine"),
        ),
    )


def overview() -> Overview:
    """Return the overview of three weeks for a report page."""
    day = timedelta(days=1)
    steps = (
        IncidentStep(at=NOW - day, change="opened", by="bounce_watch", note="", messages=3),
        IncidentStep(at=NOW, change="grew", by="bounce_watch", note="", messages=14),
    )
    return Overview(
        organisation=ORGANISATION.name,
        time_zone=ORGANISATION.time_zone,
        since=NOW - 21 * day,
        until=NOW,
        messages=42,
        ticks=tuple(
            HourCount(at=NOW - number * day, cause=cause, messages=number)
            for number, cause in enumerate((Cause.MAILBOX_FULL, Cause.SENDER_BLOCKED, Cause.UNKNOWN), 1)
        ),
        owners=(Count(label=Owner.SENDER, now=28), Count(label=Owner.SECURITY, now=14)),
        senders=(Count(label="mara@contoso.example", now=14), Count(label="jonas@contoso.example", now=9)),
        stories=(IncidentStory(incident=incident(), steps=steps),),
        bounces=(
            ListedBounce(number=7, bounce=bounce(Cause.MAILBOX_FULL, Owner.RECIPIENT_ADMIN), subject="Offer"),
        ),
        left_out=3,
        withheld=(Count(label="recently_told", now=5),),
        replies_sent=12,
    )
