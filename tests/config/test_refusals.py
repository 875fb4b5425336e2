"""The table of refusals: each row is found by a server's words, and its commands are safe to paste."""

import re
from datetime import date

import pytest

from bounce_watch.config.accounts import ImapSettings, OAuth
from bounce_watch.net.refusals import At, Refusal, Then, find_refusal, load_refusals, values_of

ROWS = [
    pytest.param(row, id=f"{row.at}-{'-'.join(row.words)}-{row.auth or 'any'}") for row in load_refusals()
]


def found(at: At, words: str, auth: str = "") -> Refusal:
    row = find_refusal(at, words, auth)
    assert row is not None
    return row


@pytest.mark.parametrize("row", ROWS)
def test_each_row_is_found_and_says_what_to_do(row: Refusal) -> None:
    """A row that an earlier one hides would never be read."""
    assert found(row.at, " - ".join(row.words).upper(), row.auth or "") == row
    assert row.repair
    assert not row.says.endswith(".")
    assert row.source.startswith("https://")
    assert row.checked is None or row.checked >= date(2026, 11, 1)
    assert all(re.match(r"(?:Add|Get|New|Remove|Set)-[A-Z][A-Za-z]+\b", command) for command in row.commands)


@pytest.mark.parametrize(
    ("at", "words", "says"),
    [
        pytest.param(
            At.SMTP,
            "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. "
            "Visit https://aka.ms/smtp_auth_disabled for more information. [AM0PR02CA0001.example]",
            "off in the whole organization",
            id="SMTP AUTH off, tenant",
        ),
        pytest.param(
            At.SMTP,
            "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox.",
            "off for this mailbox",
            id="SMTP AUTH off, mailbox",
        ),
        pytest.param(
            At.SMTP,
            "535 5.7.139 Authentication unsuccessful, the user credentials were incorrect.",
            "user name or password",
            id="wrong password",
        ),
        pytest.param(At.SMTP, "535 5.7.30 Basic authentication is not supported", "no longer", id="5.7.30"),
        pytest.param(
            At.SMTP,
            "554 5.2.252 SendAsDenied; a@b.example not allowed to send as c@b.example; STOREDRV.Submission",
            "From address",
            id="SendAsDenied",
        ),
        pytest.param(
            At.SMTP,
            "554 5.2.0 STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied;",
            "From address",
            id="older SendAsDenied",
        ),
        pytest.param(
            At.SMTP, "432 4.3.2 Concurrent connections limit exceeded. Visit", "three connections", id="432"
        ),
        pytest.param(
            At.SMTP,
            "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded",
            "30 mails",
            id="432 thread",
        ),
        pytest.param(At.SMTP, "451 4.7.500 Server busy. Please try again later", "busy", id="4.7.500"),
        pytest.param(
            At.IMAP,
            "User is authenticated but not connected.",
            "does not open the mailbox",
            id="not connected",
        ),
        pytest.param(At.IMAP, "Session invalidated - AccessTokenExpired", "ended the session", id="session"),
    ],
)
def test_the_words_that_admins_meet_are_known(at: At, words: str, says: str) -> None:
    """As third parties quote Exchange Online."""
    assert says in found(at, words).says


@pytest.mark.parametrize(
    ("words", "at"),
    [
        pytest.param("535 5.7.31 something else", At.SMTP, id="a longer code"),
        pytest.param("535 15.7.3 no code", At.SMTP, id="a code inside a number"),
        pytest.param("AADSTS7000161", At.TOKEN, id="a longer Entra code"),
        pytest.param("AADSTS700016", At.SMTP, id="another server's code"),
        pytest.param("x" * 5000 + " 5.7.60", At.SMTP, id="behind what is looked at"),
    ],
)
def test_what_only_looks_alike_is_not_taken(words: str, at: At) -> None:
    assert find_refusal(at, words) is None


def test_a_sign_in_by_token_and_one_by_password_are_repaired_differently() -> None:
    assert "token" in found(At.SMTP, "535 5.7.3 Authentication unsuccessful", "xoauth2").says
    assert "password" in found(At.SMTP, "535 5.7.3 Authentication unsuccessful", "password").says
    assert "token" in found(At.IMAP, "AUTHENTICATE failed.", "xoauth2").says
    assert "password" in found(At.IMAP, "AUTHENTICATE failed.", "password").says


def test_commands_carry_the_site_quoted_and_keep_what_we_do_not_know() -> None:
    """The mailbox is the admin's own word, yet a quote in it must not end the string."""
    oauth = OAuth(tenant="t", client_id="11111111-2222-3333-4444-555555555555")
    login = ImapSettings(user="o'brien@contoso.example", auth="xoauth2", oauth=oauth)
    row = found(At.IMAP, "User is authenticated but not connected.")
    first, second, third = row.filled(values_of(login))
    assert first == (
        "New-ServicePrincipal -AppId '11111111-2222-3333-4444-555555555555' "
        "-ObjectId <enterprise_application_object_id>"
    )
    assert "-Identity 'o''brien@contoso.example' -User <enterprise_application_object_id>" in second
    assert third == "Set-CASMailbox -Identity 'o''brien@contoso.example' -ImapEnabled $true"


def test_what_time_repairs_asks_nobody_to_paste_anything() -> None:
    assert [row.words for row in load_refusals() if row.then is Then.WAIT and row.commands] == []
