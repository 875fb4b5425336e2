"""`teach`: write a row for a reply into the site's own file, if it breaks nothing that is judged right."""

import os.path
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NamedTuple, NoReturn

import typer

from bounce_watch.classify import Catalogue, judge, load_catalogue
from bounce_watch.classify.learning.cases import read_cases, read_goldens
from bounce_watch.classify.learning.teaching import Lesson, Refused, Taught
from bounce_watch.classify.learning.teaching import teach as try_rows
from bounce_watch.cli.common.exit_status import Exit
from bounce_watch.cli.common.filters import read_word
from bounce_watch.cli.common.open_store import read_store
from bounce_watch.cli.common.output import Form, print_lines, say
from bounce_watch.cli.learn.reclassify import print_changes
from bounce_watch.cli.learn.sample.write import stored_report, write_sample
from bounce_watch.cli.learn.site_file import new_row, read_site, site_file, with_row, write_site
from bounce_watch.config.load import load_config
from bounce_watch.model import Action, Bounce, Cause, Owner, Report, Side
from bounce_watch.parse import read
from bounce_watch.parse.smtp_reply import find_codes
from bounce_watch.pipeline.reclassify import MAX_COUNTED, compare
from bounce_watch.sandbox.jobs import shipped_catalogue
from bounce_watch.shipped_files import catalogue_text, goldens_text
from bounce_watch.source.local.files import FilesSource
from bounce_watch.store import StoreMissing


def teach(
    context: typer.Context,
    what: Annotated[
        list[str],
        typer.Argument(
            metavar="ID | FILE | REPLY", help="The id of a bounce, its message, or what the server said."
        ),
    ],
    cause: Annotated[str, typer.Option("--cause", help="The right cause, such as mailbox_full.")],
    owner: Annotated[str | None, typer.Option("--owner", help="Who must act, if not as usual.")] = None,
    side: Annotated[
        str | None, typer.Option("--side", help="Only if this side says it: ours or theirs.")
    ] = None,
    provider: Annotated[
        str | None, typer.Option("--provider", help="Only if it speaks: google, or mx.partner.example.")
    ] = None,
    words: Annotated[
        str | None, typer.Option("--words", help="The words that tell (default: chosen for you).")
    ] = None,
    sample: Annotated[
        Path | None,
        typer.Option(
            "--sample", metavar="DIR", help="Write a redacted message to contribute; of an ID or FILE."
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the row; write nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before a sample is written.")] = False,
) -> None:
    """Teach the cause of a server response.

    It shows what else would change, and refuses what breaks a reply that is judged right.
    """
    config = load_config(context.obj)
    path = site_file(config)
    taken = _take(context.obj, " ".join(what))
    if sample and taken.raw is None:
        raise typer.BadParameter("a sample is made of a stored bounce or of a file", param_hint="--sample")
    lesson = taken.lesson._replace(
        cause=read_word(Cause, cause, "--cause"),
        owner=read_word(Owner, owner, "--owner"),
        side=read_word(Side, side, "--side"),
        provider=provider,
        words=words,
    )
    before = load_catalogue(catalogue_text(), read_site(path) or None)
    if lesson.case.is_right(before):
        say("It is judged so already.")
    else:
        _teach(context.obj, lesson, before, path, dry_run=dry_run)
    if sample and taken.raw is not None and not dry_run:
        write_sample(taken.raw, sample, yes=yes)


def _teach(config: Path | None, lesson: Lesson, before: Catalogue, path: Path, *, dry_run: bool) -> None:
    site = read_site(path)
    taught = _try(lesson, before, site)
    if isinstance(taught, Refused):
        _refuse(taught)
    text = with_row(site, taught.row, lesson.case)
    print_lines(new_row(taught.row, lesson.case).splitlines())
    _show_changes(config, taught)
    if dry_run:
        say("Nothing was written.")
        return
    write_site(path, text)
    say(f"Written to {path}. The service reads it after a reload; `bounce-watch reclassify` judges the past.")


class _Taken(NamedTuple):
    """What is to be taught, without its cause yet, and its message if there is one."""

    lesson: Lesson
    raw: bytes | None = None


def _take(config: Path | None, what: str) -> _Taken:
    if what.isdigit():
        with read_store(config) as store:
            detail = store.history.show(int(what))
        bounce = (detail.bounce or detail.bounces[0]).bounce
        return _Taken(_lesson(bounce), stored_report(detail))
    # Path.is_file raises for a text that is too long for a name.
    if not os.path.isfile(what):  # noqa: PTH113
        return _Taken(Lesson(what, Cause.UNKNOWN))
    with FilesSource(Path(what)) as source:
        message = next(iter(source.messages()), None)
    raw = message.raw if message else b""
    reports = (one for one in read(raw) if isinstance(one, Report))
    bounces = (bounce for report in reports for bounce in judge(report, shipped_catalogue(), None))
    first = next((one for one in bounces if one.action in (Action.FAILED, Action.DELAYED)), None)
    if first is None:
        raise typer.BadParameter(f"{what} reports no failure")
    return _Taken(_lesson(first), raw)


def _lesson(bounce: Bounce) -> Lesson:
    return Lesson(
        _said(bounce),
        Cause.UNKNOWN,
        spoken_by=bounce.side,
        remote_mta=bounce.remote_mta,
        names=(bounce.recipient.rpartition("@")[0],),
    )


def _said(bounce: Bounce) -> str:
    """Return the server's words, after the codes that the report states beside them."""
    words = bounce.diagnostic_code or ""
    codes = () if any(find_codes(words)) else (bounce.reply_code, bounce.status)
    return " ".join(filter(None, (*codes, words)))


def _try(lesson: Lesson, before: Catalogue, site: str) -> Taught | Refused:
    own = (one for one in read_cases(site) if one.reply != lesson.case.reply)
    cases = [*own, *read_goldens(goldens_text())]

    def load(row: dict[str, Any]) -> Catalogue:
        return load_catalogue(catalogue_text(), with_row(site, row))

    return try_rows(lesson, before, load, cases, datetime.now(UTC).date())


def _refuse(refused: Refused) -> NoReturn:
    if refused.broken:
        say(f"Refused: it would break a reply that is judged right: {refused.broken}")
        say('fix: name words that only this reply has: --words "..."; or --provider, --side')
    else:
        say("Refused: other words or the code in the reply weigh more than any row of its words.")
        say("fix: bounce-watch explain REPLY shows what speaks for which cause")
    raise typer.Exit(Exit.FAILED)


def _show_changes(config: Path | None, taught: Taught) -> None:
    """Show which stored bounces the row would change; only those with its words can."""
    try:
        with read_store(config) as store:
            found = store.verdicts.of_other_catalogues(
                taught.catalogue.version, most=MAX_COUNTED, text=taught.words, newest=True
            )
    except StoreMissing:
        return
    changes = compare(found, taught.catalogue)
    if changes.counts:
        say("Stored bounces that it changes:")
        print_changes(changes, Form.TABLE)
