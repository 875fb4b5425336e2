"""Options that commands share: which bounces a question is about, and the form of the output.

The shell completes senders, domains, codes and causes from the store.
"""

import inspect
from collections.abc import Callable, Sequence
from contextlib import suppress
from difflib import get_close_matches
from functools import wraps
from typing import Annotated, Any

import typer

from bounce_watch.cli.common.open_store import read_store
from bounce_watch.cli.common.when import read_moment
from bounce_watch.model import Cause, Certainty, Owner, Side
from bounce_watch.store import By, HistoryFilter

MAX_COMPLETIONS = 40


def complete_sender(context: typer.Context, incomplete: str) -> Sequence[str]:
    return _labels(context, By.SENDER, incomplete)


def complete_domain(context: typer.Context, incomplete: str) -> Sequence[str]:
    return _labels(context, By.DOMAIN, incomplete)


def _complete_code(context: typer.Context, incomplete: str) -> Sequence[str]:
    return _labels(context, By.CODE, incomplete)


def _complete_cause(context: typer.Context, incomplete: str) -> Sequence[str]:
    """Offer the causes in the store, or all known ones when there is no store."""
    known = [cause.value for cause in Cause if cause.startswith(incomplete)]
    return _labels(context, By.CAUSE, incomplete) or known


def _labels(context: typer.Context, by: By, start: str) -> Sequence[str]:
    """Return values that begin with `start`; nothing after any error, since a completion cannot report it."""
    with suppress(Exception), read_store(context.find_root().params.get("config")) as store:
        return [label for label in store.history.labels(by, start, MAX_COMPLETIONS) if _is_plain(label)]
    return ()


def _is_plain(label: str) -> bool:
    """Tell whether a shell would take the label as one plain word and run nothing of it."""
    return label.isascii() and all(sign.isalnum() or sign in "@.-_+=" for sign in label)


Since = Annotated[str | None, typer.Option(help="From then on: 7d, 12h, yesterday, 2026-11-24.")]
Until = Annotated[str | None, typer.Option(help="Before then.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="CSV, safe for spreadsheets.")]

# In the order of HistoryFilter, which has a field for each.
_OPTIONS: dict[str, Any] = {
    "sender": Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS", help="Bounced sender; * stands for any text.", autocompletion=complete_sender
        ),
    ],
    "recipient": Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Recipient; * stands for any text.")
    ],
    "domain": Annotated[
        str | None, typer.Option(help="The recipient's domain.", autocompletion=complete_domain)
    ],
    "code": Annotated[
        str | None, typer.Option(help="Status (5.1.1) or reply code (550).", autocompletion=_complete_code)
    ],
    "cause": Annotated[
        str | None,
        typer.Option("--cause", help="A cause, such as mailbox_full.", autocompletion=_complete_cause),
    ],
    "owner": Annotated[
        str | None, typer.Option("--owner", help="Who must act: sender, mail_admin, security, ...")
    ],
    "side": Annotated[str | None, typer.Option("--side", help="Whose server refused: ours or theirs.")],
    "certainty": Annotated[
        str | None,
        typer.Option("--certainty", help="How firmly the cause is known: told, likely or not_told."),
    ],
    "incident": Annotated[int | None, typer.Option("--incident", help="Only bounces of this incident.")],
    "since": Since,
    "until": Until,
    "text": Annotated[str | None, typer.Option(help="Text in addresses, subject or the server's words.")],
    "mail": Annotated[
        str | None, typer.Option("--mail", metavar="MESSAGE-ID", help="Bounces of this one mail.")
    ],
    "subject": Annotated[
        str | None, typer.Option("--subject", help="Bounces of mails with exactly this subject, or its hash.")
    ],
}


def filtered(
    *, mail: bool = False, since: str | None = None
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the filter options, in place of its keyword parameter `chosen: HistoryFilter`.

    `mail`: with --mail too. `since`: the default of --since.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        options = [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                annotation=option,
                default=since if name == "since" else None,
            )
            for name, option in _OPTIONS.items()
            if mail or name != "mail"
        ]
        parameters = [
            one
            for parameter in inspect.signature(command).parameters.values()
            for one in (options if parameter.name == "chosen" else [parameter])
        ]

        @wraps(command)
        def with_filter(**given: Any) -> None:
            chosen = _read_filter({option.name: given.pop(option.name) for option in options})
            command(**given, chosen=chosen)

        # typer reads both to make the options.
        with_filter.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        with_filter.__annotations__ = {one.name: one.annotation for one in parameters}
        return with_filter

    return decorate


def _read_filter(given: dict[str, Any]) -> HistoryFilter:
    """Return the filter that the options ask for. Raises BadParameter for an unknown word or time."""
    for name, words in (("cause", Cause), ("owner", Owner), ("side", Side), ("certainty", Certainty)):
        given[name] = read_word(words, given[name], f"--{name}")
    for name in ("since", "until"):
        given[name] = read_moment(given[name])
    mail = given.get("mail")
    if mail and not mail.startswith("<"):
        given["mail"] = f"<{mail}>"
    return HistoryFilter(**given)


def read_word(kind: Any, text: str | None, option: str) -> Any:
    """Return the member of an enum; raise BadParameter that suggests the nearest ones when there is none."""
    if text is None:
        return None
    words = [member.value for member in kind]
    if text in words:
        return kind(text)
    near = get_close_matches(text, words, n=3, cutoff=0.4) or words[:8]
    raise typer.BadParameter(f"{text!r} is not known; did you mean {', '.join(near)}?", param_hint=option)
