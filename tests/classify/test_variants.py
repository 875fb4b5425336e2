"""One code, several meanings: decided by text, side and speaker; precedence between rows."""

from typing import Any

import pytest

from bounce_watch.classify import judge
from bounce_watch.model import EXCHANGE_ONLINE_DECIDES, Bounce, Cause, Owner, RecipientFields
from tests.classify.reports import CATALOGUE, SITE, THEIR_HOST, fields, refused, refused_by_us, report


def told(text: str | None, cause: Cause, **changes: Any) -> Bounce:
    """Judge a remote server's reply; what only Exchange Online decides is told by our own."""
    speaker = refused_by_us if cause in EXCHANGE_ONLINE_DECIDES else refused
    return speaker(text, **changes)


VARIANTS = [
    ("550 5.2.2 SubmissionQuotaExceededException; sender's submission quota", Cause.SENDER_QUOTA_EXCEEDED),
    ("550 5.2.2 STOREDRV.Deliver: mailbox full. MapiExceptionShutoffQuotaExceeded", Cause.MAILBOX_FULL),
    ("550 5.2.2 something else", Cause.MAILBOX_FULL),
    ("554 5.2.0 STOREDRV.Submit; SubmissionQuotaExceededException", Cause.SENDER_QUOTA_EXCEEDED),
    ("554 5.2.0 STOREDRV.Deliver; delivery result banner", Cause.REMOTE_SYSTEM_ERROR),
    (
        "550 5.2.0 RESOLVER.ADR.BadPrimary; recipient primary SMTP address is missing",
        Cause.RECIPIENT_REJECTED,
    ),
    ("550 5.4.1 All recipient addresses rejected : Access denied AS(201806281)", Cause.RECIPIENT_UNKNOWN),
    ("550 5.4.1 <bob@partner.example>: Relay access denied", Cause.RELAY_DENIED),
    ("550 5.4.1 No answer from host", Cause.NETWORK_ERROR),
    ("550 5.7.1 TRANSPORT.RULES.RejectMessage; the message was rejected by policy", Cause.POLICY_REJECTED),
    ("550 5.7.1 RESOLVER.RST.AuthRequired; authentication required", Cause.NOT_AUTHORISED),
    ("550 5.7.1 RESOLVER.RST.NotAuthorized; not authorized", Cause.NOT_AUTHORISED),
    ("550 5.7.1 Unable to relay", Cause.RELAY_DENIED),
    ("530 5.7.1 Client was not authenticated", Cause.CLIENT_NOT_AUTHENTICATED),
    ("550 5.7.1 SPF check failed for contoso.example", Cause.SPF_FAILED),
    ("550 5.7.1 DKIM signature did not verify", Cause.DKIM_FAILED),
    ("550 5.7.1 refused by the DMARC policy of contoso.example", Cause.DMARC_FAILED),
    ("550 5.7.1 neither SPF nor DKIM passed", Cause.AUTHENTICATION_FAILED),
    (
        "550 5.7.1 Service unavailable, host [192.0.2.7] blocked using zen.spamhaus.org",
        Cause.BLOCKED_REPUTATION,
    ),
    ("550 5.7.1 This looks like spam to us", Cause.SPAM_DETECTED),
    ("550 5.7.1 go away", Cause.UNKNOWN),
    ("550 5.1.8 Access denied, bad outbound sender AS(42004)", Cause.SENDER_BLOCKED),
    ("501 5.1.8 Sender address rejected: Domain not found", Cause.SENDER_REJECTED),
    ("501 5.1.8 refused", Cause.SENDER_REJECTED),
    (
        "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
        Cause.RECIPIENT_UNKNOWN,
    ),
    ("556 5.1.10 Recipient address has null MX", Cause.DOMAIN_ACCEPTS_NO_MAIL),
    ("556 5.1.10 refused", Cause.DOMAIN_ACCEPTS_NO_MAIL),
    ("550 5.1.4 RESOLVER.ADR.Ambiguous; ambiguous address", Cause.RECIPIENT_REJECTED),
    ("421 4.3.2 Service not active", Cause.REMOTE_SYSTEM_ERROR),
    ("554 4.3.2 mailbox busy; MapiExceptionMaxObjsExceeded", Cause.MAILBOX_FULL),
    ("432 4.3.2 STOREDRV; recipient thread limit exceeded", Cause.RATE_LIMITED),
    ("550 5.7.13 STOREDRV.Deliver; AccountDisabledException", Cause.MAILBOX_DISABLED),
    ("550 5.7.13 public folder: sender not authenticated", Cause.NOT_AUTHORISED),
    ("550 5.7.26 Unauthenticated mail is refused by the DMARC policy of contoso.example", Cause.DMARC_FAILED),
    ("550 5.7.26 contoso.example has an SPF record with a hard fail", Cause.SPF_FAILED),
    ("550 5.7.26 mail must be authenticated", Cause.AUTHENTICATION_FAILED),
    ("400 4.4.7 Message delayed", Cause.MESSAGE_EXPIRED),
]


@pytest.mark.parametrize(("text", "cause"), VARIANTS, ids=[row[0][:50] for row in VARIANTS])
def test_the_text_decides_between_the_meanings_of_a_code(text: str, cause: Cause) -> None:
    assert told(text, cause).cause is cause


@pytest.mark.parametrize(
    ("status", "by_exchange", "by_others"),
    [
        ("5.1.8", Cause.SENDER_BLOCKED, Cause.SENDER_REJECTED),
        ("5.1.10", Cause.RECIPIENT_UNKNOWN, Cause.DOMAIN_ACCEPTS_NO_MAIL),
        ("5.4.1", Cause.RECIPIENT_UNKNOWN, Cause.NETWORK_ERROR),
        ("5.1.6", Cause.RECIPIENT_UNKNOWN, Cause.RECIPIENT_MOVED),
        ("5.7.30", Cause.CLIENT_NOT_AUTHENTICATED, Cause.TLS_FAILURE),
    ],
)
def test_without_telling_text_the_speaker_decides(status: str, by_exchange: Cause, by_others: Cause) -> None:
    """The same number means one thing at Microsoft and another in the IANA registry."""
    assert refused_by_us("refused", status=status).cause is by_exchange
    assert refused("refused", status=status).cause is by_others


def test_a_remote_exchange_is_read_as_exchange() -> None:
    bounce = refused("no", status="5.4.1", remote_mta="partner-example.mail.protection.outlook.com")
    assert bounce.cause is Cause.RECIPIENT_UNKNOWN


WRAPPED = [
    (
        "550 5.7.350 Remote server returned message detected as spam -> 554 5.7.1 rejected",
        Cause.SPAM_DETECTED,
    ),
    ("550 5.7.350 Remote server returned message detected as spam -> 550 5.7.23 SPF", Cause.SPF_FAILED),
    ("550 5.1.351 Remote server returned unknown recipient -> 552 5.2.2 over quota", Cause.MAILBOX_FULL),
    ("550 5.1.351 Remote server returned unknown recipient -> 550 sorry", Cause.RECIPIENT_UNKNOWN),
    (
        "550 5.0.350 Remote server returned an error -> 550 x-dg-ref header is too long",
        Cause.MESSAGE_MALFORMED,
    ),
    ("550 5.0.350 Remote server returned an error -> 550 no such user", Cause.RECIPIENT_UNKNOWN),
    ("550 5.0.350 Remote server returned an error -> 599 hm", Cause.REMOTE_SYSTEM_ERROR),
    ("550 5.7.367 Remote server returned not permitted to relay -> 554 5.7.1 no", Cause.RELAY_DENIED),
]


@pytest.mark.parametrize(("text", "cause"), WRAPPED, ids=[row[0][4:11] + row[0][-20:] for row in WRAPPED])
def test_the_reply_inside_a_wrapper_is_read_first(text: str, cause: Cause) -> None:
    """A generic inner code gives way to the wrapper's, a telling one does not."""
    bounce = refused_by_us(text)
    assert (bounce.cause, bounce.side) == (cause, "theirs")


def test_a_wrapper_keeps_both_codes() -> None:
    bounce = refused_by_us("550 5.7.350 Remote server returned spam -> 554 5.7.1 rejected")
    assert (bounce.status, bounce.reply_code) == ("5.7.350", "550")
    assert (bounce.remote_status, bounce.remote_reply_code) == ("5.7.1", "554")


@pytest.mark.parametrize(
    ("code", "entry"),
    [
        ("5.7.705", "5.7.705"),
        ("5.7.706", "5.7.700-749"),
        ("5.7.367", "5.7.367"),
        ("5.7.366", "5.7.363-368"),
        ("5.4.14", "5.4.14"),
        ("5.4.15", "5.4.7-20"),
        ("5.7.620", "5.7.606-649"),
        ("5.7.999", "5.7.900-999"),
        ("5.3.77", "x.3.x"),
        ("5.1.888", "x.1.x"),
    ],
)
def test_an_exact_code_goes_before_a_range_and_a_range_before_a_group(code: str, entry: str) -> None:
    assert refused_by_us("refused", status=code).entry == entry


@pytest.mark.parametrize(
    ("status", "text", "cause"),
    [
        ("5.0.0", "550 5.7.23 refused", Cause.SPF_FAILED),
        ("5.0.0", "550 mailbox is full", Cause.MAILBOX_FULL),
        ("4.0.0", None, Cause.MESSAGE_EXPIRED),
        ("5.0.0", None, Cause.UNKNOWN),
        ("5.1.1", "550 5.1.1 mailbox over quota", Cause.MAILBOX_FULL),
        ("5.1.1", "550 5.1.1 <quota-spam-virus@partner.example> refused", Cause.RECIPIENT_UNKNOWN),
        ("5.7.705", "550 5.7.705 user unknown", Cause.TENANT_BLOCKED),
        (None, "556 no", Cause.DOMAIN_ACCEPTS_NO_MAIL),
        (None, None, Cause.UNKNOWN),
        (None, "hm", Cause.UNKNOWN),
    ],
    ids=str,
)
def test_vague_codes_give_way_and_telling_codes_stay(
    status: str | None, text: str | None, cause: Cause
) -> None:
    """x.0.0 never wins, a phrase beats a generic code, a specific code a phrase; names count nothing."""
    assert told(text, cause, status=status).cause is cause


PHRASES = [
    ("550 no such user here", Cause.RECIPIENT_UNKNOWN),
    ("550 this user doesn't have a partner.example account", Cause.RECIPIENT_UNKNOWN),
    ("550 recipient no longer on server", Cause.RECIPIENT_MOVED),
    ("550 this account has been disabled or discontinued", Cause.MAILBOX_DISABLED),
    ("552 user is over quota", Cause.MAILBOX_FULL),
    ("Host or domain name not found. Name service error for name=partner.example", Cause.DOMAIN_NOT_FOUND),
    ("the domain partner.example doesn't receive email: returned Null MX", Cause.DOMAIN_ACCEPTS_NO_MAIL),
    ("connect to mx.partner.example[192.0.2.9]:25: Connection timed out", Cause.NETWORK_ERROR),
    ("retry timeout exceeded", Cause.MESSAGE_EXPIRED),
    ("554 relay access denied", Cause.RELAY_DENIED),
    ("too many hops, this mail is looping: mail loop", Cause.MAIL_LOOP),
    ("552 message size exceeds fixed maximum message size", Cause.MESSAGE_TOO_LARGE),
    ("554 virus found in the mail", Cause.VIRUS_DETECTED),
    ("552 illegal attachment on your message", Cause.CONTENT_REJECTED),
    ("550 blocked using bl.example, see the list", Cause.BLOCKED_REPUTATION),
    ("550 cannot find your reverse hostname", Cause.MISSING_REVERSE_DNS),
    ("554 message classified as spam", Cause.SPAM_DETECTED),
    ("550 helo name rejected", Cause.BAD_HELO),
    ("550 sender verify failed", Cause.SENDER_REJECTED),
    ("450 greylisted, please come back", Cause.GREYLISTED),
    ("421 too many connections from your host", Cause.RATE_LIMITED),
    ("530 authentication required", Cause.CLIENT_NOT_AUTHENTICATED),
    ("500 remote server does not support TLS", Cause.TLS_FAILURE),
    ("554 header is malformed", Cause.MESSAGE_MALFORMED),
    ("only members only may post, permission denied", Cause.NOT_AUTHORISED),
    ("554 denied by policy", Cause.POLICY_REJECTED),
    ("451 internal server error", Cause.REMOTE_SYSTEM_ERROR),
    ("pipe to |/usr/local/bin/filter", Cause.LOCAL_SYSTEM_ERROR),
    ("your organization does not allow external forwarding", Cause.FORWARDING_DISABLED),
]


@pytest.mark.parametrize(("text", "cause"), PHRASES, ids=[row[0][:40] for row in PHRASES])
def test_a_phrase_decides_where_there_is_no_code(text: str, cause: Cause) -> None:
    assert told(text, cause).cause is cause


def test_what_the_server_said_goes_before_what_the_reporter_says_around_it() -> None:
    """The reporter tells that the recipient's side rejected; the reply inside tells why."""
    bounce = refused("it was rejected by the recipient domain. The reply was: 500 no TLS here")
    assert bounce.cause is Cause.TLS_FAILURE


def test_the_reason_names_the_words_and_the_meanings_that_lost() -> None:
    why = refused_by_us("550 5.2.2 submission quota exceeded").why
    chosen = 'text matched "submission quota", chose 5.2.2/submission-quota'
    assert why == f"{chosen} over rate_limited, 5.2.2/mailbox-full"


@pytest.mark.parametrize(
    ("text", "ours", "theirs"),
    [
        ("550 5.7.1 RESOLVER.RST.AuthRequired", Owner.MAIL_ADMIN, Owner.RECIPIENT_ADMIN),
        ("550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup", Owner.MAIL_ADMIN, Owner.RECIPIENT_ADMIN),
        ("550 5.7.900 refused by a rule", Owner.MAIL_ADMIN, Owner.RECIPIENT_ADMIN),
        ("552 5.2.2 mailbox full", Owner.MAIL_ADMIN, Owner.RECIPIENT_ADMIN),
        ("550 5.1.1 RESOLVER.ADR.RecipNotFound; not found", Owner.SENDER, Owner.SENDER),
        ("550 5.7.23 SPF", Owner.MAIL_ADMIN, Owner.MAIL_ADMIN),
    ],
    ids=lambda value: str(value)[:14],
)
def test_who_must_act_follows_the_side_that_refused(text: str, ours: Owner, theirs: Owner) -> None:
    """A closed group of ours is opened by our admins, one of theirs by their owner."""
    assert (refused_by_us(text).owner, refused(text).owner) == (ours, theirs)


def test_while_a_server_still_tries_nobody_has_to_act() -> None:
    entry = fields("400 4.4.7 Message delayed", action="delayed", remote_mta=THEIR_HOST)
    assert judge(report(entry, kind="delay"), CATALOGUE, SITE)[0].owner is Owner.NOBODY


def test_a_delay_for_a_fault_of_ours_still_names_our_admins() -> None:
    entry = fields("450 4.7.26 SPF and DKIM missing", action="delayed", remote_mta=THEIR_HOST)
    assert judge(report(entry, kind="delay"), CATALOGUE, SITE)[0].owner is Owner.MAIL_ADMIN


def test_codes_of_the_fields_alone_are_enough() -> None:
    entry = RecipientFields(final_recipient="bob@partner.example", status="5.7.23", remote_mta=THEIR_HOST)
    assert judge(report(entry), CATALOGUE, SITE)[0].cause is Cause.SPF_FAILED
