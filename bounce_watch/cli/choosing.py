"""Which bounces a question is about: the options that `history`, `top`, `stats` and `trend` share."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bounce_watch.cli.completion import complete_cause, complete_code, complete_domain, complete_sender

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
    from bounce_watch.cli.moments import read_moment
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
