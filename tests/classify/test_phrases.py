"""Words that mail systems use where they give no code: one row a wording, the cause is what people need."""

import pytest

from bounce_watch.classify import judge
from bounce_watch.model import Action, Cause, Kind, RecipientFields, Report
from bounce_watch.parse.fields import read_recipient
from tests.classify.reports import CATALOGUE

PHRASES = [
    ("sorry, your message header size exceeds the limit", Cause.MESSAGE_MALFORMED),
    ("message size exceeds fixed limit of this host", Cause.MESSAGE_TOO_LARGE),
    ("552 exceeded maximum inbound message size", Cause.MESSAGE_TOO_LARGE),
    ("boite du destinataire pleine", Cause.MAILBOX_FULL),
    ("lee has reached disk quota, recipient reached disk quota", Cause.MAILBOX_FULL),
    ("mailbox does not have enough space", Cause.MAILBOX_FULL),
    ("this is a deactivated mailbox", Cause.MAILBOX_DISABLED),
    ("mailbox unavailable or access denied - lee", Cause.MAILBOX_DISABLED),
    ("access from ip address 192.0.2.7 blocked", Cause.BLOCKED_REPUTATION),
    ("we take no mail from dynamic IPs", Cause.BLOCKED_REPUTATION),
    ("Rejecting open proxy relay.example", Cause.BLOCKED_REPUTATION),
    ("mail refused: too many spams from your IP", Cause.BLOCKED_REPUTATION),
    ("Blocked - see https://block.example/192.0.2.7", Cause.BLOCKED_REPUTATION),
    ("deferred due to user complaints", Cause.BLOCKED_REPUTATION),
    ("sender IP reverse lookup rejected", Cause.MISSING_REVERSE_DNS),
    ("unresolvable relay host name relay.example", Cause.MISSING_REVERSE_DNS),
    ("emetteur invalide", Cause.SENDER_REJECTED),
    ("contoso.example is a dead domain", Cause.SENDER_REJECTED),
    ("your email address has been blacklisted here", Cause.SENDER_REJECTED),
    ("post by non-member to a members-only list", Cause.NOT_AUTHORISED),
    ("You are not a member of this mailing list", Cause.NOT_AUTHORISED),
    ("email rejected for policy reasons", Cause.POLICY_REJECTED),
    ("you have been blocked by the recipient", Cause.RECIPIENT_REJECTED),
    ("the mail contains a virus", Cause.VIRUS_DETECTED),
    ("blocked by SpamAssassin", Cause.SPAM_DETECTED),
    ("content filter rejection", Cause.SPAM_DETECTED),
    ("breaches our URIBL policy", Cause.SPAM_DETECTED),
    ("all host address lookups failed permanently", Cause.DOMAIN_NOT_FOUND),
    ("all relevant MX records point to non-existent hosts", Cause.DOMAIN_NOT_FOUND),
    ("host name lookup failure", Cause.NETWORK_ERROR),
    ("network error on destination MXs", Cause.NETWORK_ERROR),
    ("the address lee@old.example has been replaced by lee@new.example", Cause.RECIPIENT_MOVED),
    ("refused: insecure mail relay", Cause.RELAY_DENIED),
    ("too many SMTP sessions for this host", Cause.RATE_LIMITED),
    ("trop de connexions", Cause.RATE_LIMITED),
    ("authentication credentials invalid", Cause.CLIENT_NOT_AUTHENTICATED),
    ("retry timeout exceeded", Cause.MESSAGE_EXPIRED),
    ("retry time not reached for any host after a long failure period", Cause.MESSAGE_EXPIRED),
    ("all hosts have been failing for a long time", Cause.MESSAGE_EXPIRED),
    ("an MX or SRV record indicated no SMTP service", Cause.DOMAIN_ACCEPTS_NO_MAIL),
    ("delivery to pipe forbidden", Cause.LOCAL_SYSTEM_ERROR),
    ("LMTP error after RCPT TO:<lee@tailspin.example>: 552 5.2.2 over quota", Cause.MAILBOX_FULL),
    ("queue file write error", Cause.LOCAL_SYSTEM_ERROR),
]


@pytest.mark.parametrize(("words", "cause"), PHRASES, ids=[words[:40] for words, _ in PHRASES])
@pytest.mark.parametrize("reply_code", ["550", "554"])
def test_words_tell_the_cause_where_the_code_does_not(words: str, cause: Cause, reply_code: str) -> None:
    entry = RecipientFields(
        final_recipient="lee@tailspin.example",
        action=Action.FAILED,
        status="5.0.0",
        reply_code=reply_code,
        diagnostic_code=f"{reply_code} {words}",
    )
    report = Report(kind=Kind.FAILURE, format="rfc3464", recipients=(entry,))
    assert judge(report, CATALOGUE, None)[0].cause is cause


PROVIDERS = [
    ("550 5.5.0 Adresse IP source bloquee. OFR006_102", Cause.BLOCKED_REPUTATION),
    ("421 4.2.0 Service refuse. Veuillez essayer plus tard. OFR_999 [999]", Cause.BLOCKED_REPUTATION),
    ("552 5.1.1 Boite du destinataire pleine. OFR_417 [417]", Cause.MAILBOX_FULL),
    ("550 5.7.0 Code d'authentification invalide OFR_305", Cause.CLIENT_NOT_AUTHENTICATED),
    ("550 5.5.0 Boite du destinataire archivee. OFR_420 [420]", Cause.MAILBOX_DISABLED),
    ("550 5.1.1 Adresse d au moins un destinataire invalide. OFR204_418", Cause.RECIPIENT_UNKNOWN),
    ("554 192.0.2.1 blocked. Refer to AUP#CXBL", Cause.BLOCKED_REPUTATION),
    ("550 5.1.0 <a@b.example> sender rejected. Refer to AUP#CXSNDR", Cause.SPF_FAILED),
    ("550 5.7.1 too many sessions AUP#I-1310", Cause.RATE_LIMITED),
    ("554 5.7.1 rejected AUP#In-1130", Cause.MISSING_REVERSE_DNS),
    ("550 invalid SPF record of contoso.example. IB508", Cause.SPF_FAILED),
    ("552 5.2.0 content judged to be spam. IB212", Cause.SPAM_DETECTED),
]


@pytest.mark.parametrize(("reply", "cause"), PROVIDERS, ids=[reply[-24:] for reply, _ in PROVIDERS])
def test_codes_of_providers_tell_the_cause(reply: str, cause: Cause) -> None:
    """Orange and La Poste, Cox, Spectrum, GoDaddy: their own code is firmer than a vague status."""
    entry = read_recipient(final="lee@tailspin.example", diagnostic=reply)
    report = Report(kind=Kind.FAILURE, format="rfc3464", recipients=(entry,))
    assert judge(report, CATALOGUE, None)[0].cause is cause
