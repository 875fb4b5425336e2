"""`explain`: how a file was read, why a stored bounce was judged so, what a code or a reply means.

A code or a reply needs neither store nor mailbox. What the others need is imported late: it takes a second.
"""

import os.path
import re
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from bounce_watch.classify import Catalogue, Explanation
from bounce_watch.classify import explain as explain_code
from bounce_watch.cli.common.exit_status import Exit
from bounce_watch.cli.common.output import emit_json, form_of, print_prose, say
from bounce_watch.cli.explain_lines import explain_lines
from bounce_watch.config.load import ConfigError, load_config, load_optional_config
from bounce_watch.notifications.rendering.labels import CAUSES, CERTAINTIES, OWNERS
from bounce_watch.sandbox.jobs import shipped_catalogue

_NUMBER = re.compile(r"\d{1,15}")
_REPLY_CODE = re.compile(r"[245]\d\d")


def explain(
    context: typer.Context,
    what: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILE | ID | CODE | REPLY",
            help="A mail, the id of a bounce, a code (5.7.23) or a pasted reply.",
        ),
    ] = None,
    lines: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Judge many replies: one a line, or JSON objects with id, side, reply, remote_mta. "
            "- is standard input.",
        ),
    ] = None,
    evidence: Annotated[
        bool, typer.Option("--evidence", help="Show all that was looked at for the trust level.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="With --lines: CSV, safe for spreadsheets.")] = False,
) -> None:
    """Explain a code, a server response, or a message file.

    Of a message file it shows why it was read and judged as it was.

    A name of a file comes first, then the number of a stored bounce, then a code, then a reply.
    """
    if lines is not None and not what:
        explain_lines(lines, _catalogue(context.obj), form_of(as_json, as_csv))
        return
    if lines is not None or as_csv or not what:
        raise typer.BadParameter("give either one thing to explain, or --lines FILE (with --json or --csv).")
    text = " ".join(what)
    # Path.is_file raises for a text that is too long for a name.
    if len(what) == 1 and os.path.isfile(text):  # noqa: PTH113
        from bounce_watch.cli.explain_file import explain_file

        explain_file(Path(text), context.obj, as_json=as_json, evidence=evidence)
    elif not _NUMBER.fullmatch(text) or not _explain_number(
        text, context.obj, as_json=as_json, evidence=evidence
    ):
        _explain_text(text, context.obj, as_json=as_json)


def _explain_number(text: str, config: Path | None, *, as_json: bool, evidence: bool) -> bool:
    """Explain a stored bounce; False when there is none of that number and it may be a reply code."""
    from bounce_watch.store import NotThere, StoreError

    may_be_code = _REPLY_CODE.fullmatch(text) is not None
    try:
        _explain_stored(int(text), config, as_json=as_json, evidence=evidence)
    except (NotThere, ConfigError, StoreError):
        if not may_be_code:
            raise
        return False
    if may_be_code:
        say(f"That was bounce {text}. For the reply code, write what the server said: {text} and its words.")
    return True


def _explain_stored(number: int, config: Path | None, *, as_json: bool, evidence: bool) -> None:
    """Print the stored judgement and the meanings of its code. Raises NotThere for no such bounce."""
    from bounce_watch.cli.common.advice import advice_json, advice_on, as_told
    from bounce_watch.cli.common.open_store import read_store
    from bounce_watch.cli.queries.show import as_lines, detail_json
    from bounce_watch.pipeline.context import read_catalogue

    settings = load_config(config)
    catalogue = read_catalogue(settings)
    with read_store(config) as store:
        detail = store.history.show(number)
        advice = advice_on(settings, store, detail)
    bounce = (detail.bounce or detail.bounces[0]).bounce
    said = " ".join(filter(None, (bounce.reply_code, bounce.status, bounce.diagnostic_code)))
    meanings = explain_code(catalogue, said) if said else ()
    steps = advice.steps if advice else ()
    chosen = [replace(one, sender_steps=steps) for one in meanings if one.name == bounce.entry]
    others = [as_told(one, settings) for one in meanings if one.name != bounce.entry]
    if as_json:
        told = {"chosen": asdict(chosen[0]) if chosen else None, "rejected": [asdict(one) for one in others]}
        emit_json({**detail_json(detail), "advice": advice_json(advice), "meanings": told})
        return
    lines = as_lines(detail, evidence=evidence)
    print_prose([*lines, "", *(line for one in chosen for line in _meaning_lines(one))])
    if others:
        print_prose([f"Not chosen: {', '.join(one.name for one in others)}"])


def _catalogue(config_path: Path | None) -> Catalogue:
    """Return the catalogue with the site's own rows, the shipped one without a configuration."""
    config = load_optional_config(config_path)
    if config is None:
        return shipped_catalogue()
    from bounce_watch.pipeline.context import read_catalogue

    return read_catalogue(config)


def _explain_text(text: str, config_path: Path | None, *, as_json: bool) -> None:
    """Print the meanings of a code or a reply; exit with 1 when none is known."""
    from bounce_watch.cli.common.advice import as_told

    config = load_optional_config(config_path)
    found = explain_code(shipped_catalogue(), text)
    if not found:
        say(_nothing_known(text))
        raise typer.Exit(Exit.FAILED)
    for meaning in found:
        explanation = as_told(meaning, config)
        if as_json:
            emit_json(asdict(explanation))
        else:
            print_prose(_meaning_lines(explanation))


def _meaning_lines(explanation: Explanation) -> list[str]:
    """Return one meaning as lines: what it is, who must act, what each does, where it is from."""
    lines = [
        f"{explanation.name}: {explanation.title}",
        f"  {explanation.meaning}",
        f"  Cause: {CAUSES[explanation.cause]}. Owner: {OWNERS[explanation.owner]}.",
        f"  Chosen because: {explanation.why}.",
    ]
    if explanation.certainty:
        lines.append(f"  Certainty: {CERTAINTIES[explanation.certainty]}.")
    lines += [
        f"  {one.points:4.1f} for {CAUSES[one.cause]}: {'; '.join(one.votes)}" for one in explanation.speaks
    ]
    if explanation.owner_ours is not explanation.owner:
        lines.append(f"  When our own servers say it: {OWNERS[explanation.owner_ours]}.")
    for title, steps in (("Sender", explanation.sender_steps), ("The mail admin", explanation.admin_steps)):
        lines += (
            [f"  {title}:", *(f"    {place}. {step}" for place, step in enumerate(steps, 1))] if steps else []
        )
    lines.append(f"  Source: {explanation.source} (checked {explanation.checked:%Y-%m-%d})")
    return [*lines, ""]


def _nothing_known(text: str) -> str:
    if text.strip()[1:] == ".0.0":
        return f"{text.strip()} gives no reason by itself; paste the server's whole reply, its words decide."
    return f"Nothing is known of {text!r}. Give a code (5.7.23), or paste the server's reply."
