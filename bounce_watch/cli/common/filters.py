"""Which bounces a question is about: the options that `history`, `top`, `stats` and `trend` share.

What the shell offers after Tab: senders, domains, codes and causes that stand in the store.

A completion must be quick and must never say anything: whatever goes wrong, it offers nothing.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer

MOST = 40


def complete_sender(context: typer.Context, incomplete: str) -> Sequence[str]:
    return _labels(context, "sender", incomplete)


def complete_domain(context: typer.Context, incomplete: str) -> Sequence[str]:
    return _labels(context, "domain", incomplete)


def complete_code(context: typer.Context, incomplete: str) -> Sequence[str]:
    return _labels(context, "code", incomplete)


def complete_cause(context: typer.Context, incomplete: str) -> Sequence[str]:
    """Offer the causes that were met; all known ones where there is no store yet."""
    from bounce_watch.model import Cause

    known = [cause.value for cause in Cause if cause.startswith(incomplete)]
    return _labels(context, "cause", incomplete) or known


def _labels(context: typer.Context, dimension: str, start: str) -> Sequence[str]:
    with suppress(Exception):
        from bounce_watch.cli.common.open_store import asking
        from bounce_watch.store import By

        with asking(context.find_root().params.get("config")) as store:
            found = store.history.labels(By(dimension), start, MOST)
        # A shell would run what it is offered: only plain words are.
        return [label for label in found if _is_plain(label)]
    return ()


def _is_plain(label: str) -> bool:
    return label.isascii() and all(sign.isalnum() or sign in "@.-_+=" for sign in label)


if TYPE_CHECKING:
    from bounce_watch.store import HistoryFilter

Sender = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS", help="Bounced sender; * stands for any text.", autocompletion=complete_sender
    ),
]
Recipient = Annotated[str | None, typer.Option(metavar="ADDRESS", help="Recipient; * stands for any text.")]
Domain = Annotated[str | None, typer.Option(help="The recipient's domain.", autocompletion=complete_domain)]
Code = Annotated[
    str | None, typer.Option(help="Status (5.1.1) or reply code (550).", autocompletion=complete_code)
]
CauseName = Annotated[
    str | None,
    typer.Option("--cause", help="A cause, such as mailbox_full.", autocompletion=complete_cause),
]
OwnerName = Annotated[
    str | None, typer.Option("--owner", help="Who must act: sender, mail_admin, security, ...")
]
SideName = Annotated[str | None, typer.Option("--side", help="Whose server refused: ours or theirs.")]
IncidentNumber = Annotated[int | None, typer.Option("--incident", help="Only bounces of this incident.")]
Since = Annotated[str | None, typer.Option(help="From then on: 7d, 12h, yesterday, 2026-11-24.")]
Until = Annotated[str | None, typer.Option(help="Before then.")]
Text = Annotated[str | None, typer.Option(help="Text in addresses, subject or the server's words.")]
MailId = Annotated[str | None, typer.Option("--mail", metavar="MESSAGE-ID", help="Bounces of this one mail.")]
Subject = Annotated[
    str | None, typer.Option("--subject", help="Bounces of mails with exactly this subject, or its hash.")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="CSV, safe for spreadsheets.")]


def chosen_by(**given: Any) -> "HistoryFilter":
    """Return the filter that the options ask for. Raises BadParameter for a word or a time nobody knows."""
    from bounce_watch.cli.common.when import read_moment
    from bounce_watch.model import Cause, Owner, Side
    from bounce_watch.store import HistoryFilter

    for name, words in (("cause", Cause), ("owner", Owner), ("side", Side)):
        given[name] = read_word(words, given.get(name), f"--{name}")
    for name in ("since", "until"):
        given[name] = read_moment(given.get(name))
    mail = given.get("mail")
    if mail and not mail.startswith("<"):
        given["mail"] = f"<{mail}>"
    return HistoryFilter(**given)


def read_word(kind: Any, text: str | None, option: str) -> Any:
    """Return the member of a set of words; name the nearest ones when there is none."""
    from difflib import get_close_matches

    if text is None:
        return None
    words = [member.value for member in kind]
    if text in words:
        return kind(text)
    near = get_close_matches(text, words, n=3, cutoff=0.4) or words[:8]
    raise typer.BadParameter(f"{text!r} is not known; did you mean {', '.join(near)}?", param_hint=option)
