"""`templates`: see the texts of our answers as their readers will, and try those of the site."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bounce_watch.cli.status import Exit

if TYPE_CHECKING:
    from bounce_watch.cli.previews import Texts
    from bounce_watch.model import Letter

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
Folder = Annotated[
    Path | None,
    typer.Option(
        "--folder", metavar="DIR", help="Templates of your own (default: those of the configuration)."
    ),
]
group = typer.Typer(help="List, preview and check the texts of our mails.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="templates")


@group.command("list")
def list_templates(context: typer.Context, folder: Folder = None, as_json: AsJson = False) -> None:
    """List the texts: for each cause, in which languages, and which ones the site has replaced."""
    from bounce_watch.cli.output import Column, emit, form_of

    rows = _texts(context, folder).rows()
    columns = [
        Column(key="name", title="Text"),
        Column(key="languages", title="Languages", show=lambda row: " ".join(row["languages"])),
        Column(key="own", title="Your own", show=lambda row: " ".join(row["own"])),
    ]
    emit(rows, columns, form_of(as_json))


@group.command()
def preview(
    context: typer.Context,
    causes: Annotated[
        list[str] | None, typer.Argument(metavar="CAUSE...", help="As mailbox_full; none: all causes.")
    ] = None,
    language: Annotated[
        list[str] | None, typer.Option(metavar="LANGUAGE", help="As de; repeat it. None: all languages.")
    ] = None,
    side: Annotated[str, typer.Option(help="Whose server refused: ours or theirs.")] = "theirs",
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Write text and HTML files into this folder.")
    ] = None,
    folder: Folder = None,
) -> None:
    """Write answers from invented facts: to the terminal as text, or into a folder as text and HTML."""
    from bounce_watch.cli.choosing import read_word
    from bounce_watch.cli.output import say
    from bounce_watch.model import Cause, Side

    texts = _texts(context, folder)
    chosen = [read_word(Cause, cause, "CAUSE") for cause in causes or [cause.value for cause in Cause]]
    spoken = [_word_of(texts.languages, one) for one in language or texts.languages]
    letters = (
        (f"{cause}.{one}", texts.letter(cause, one, read_word(Side, side, "--side")))
        for cause in chosen
        for one in spoken
    )
    if out is None:
        for name, letter in letters:
            _show(name, letter)
        return
    count = sum(_write(out, name, letter) for name, letter in letters)
    say(f"{count} files written to {out}.")


@group.command()
def check(context: typer.Context, folder: Folder = None) -> None:
    """Render every text, your own too, and list what is wrong with file and line; status 1 for any."""
    from bounce_watch.cli.output import say
    from bounce_watch.notifications.rendering.safe_text import for_terminal

    problems = _texts(context, folder).problems()
    sys.stdout.write("".join(f"{for_terminal(problem)}\n" for problem in problems))
    if problems:
        say(f"{len(problems)} problems.")
        raise typer.Exit(Exit.FAILED)
    say("All texts are well.")


def _texts(context: typer.Context, folder: Path | None) -> "Texts":
    from bounce_watch.cli.previews import open_texts

    if folder is not None and not folder.is_dir():
        raise typer.BadParameter(f"there is no folder {folder}", param_hint="--folder")
    return open_texts(context.obj, folder)


def _word_of(words: list[str], word: str) -> str:
    if word not in words:
        raise typer.BadParameter(f"there is no {word!r}, only {', '.join(words)}", param_hint="--language")
    return word


def _show(name: str, letter: "Letter") -> None:
    from bounce_watch.notifications.rendering.safe_text import for_terminal

    lines: list[Any] = [f"--- {name}", f"Subject: {letter.subject}", "", *letter.text.splitlines(), ""]
    sys.stdout.write("".join(f"{for_terminal(line)}\n" for line in lines))


def _write(out: Path, name: str, letter: "Letter") -> int:
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{name}.txt").write_text(f"Subject: {letter.subject}\n\n{letter.text}", encoding="utf-8")
    (out / f"{name}.html").write_text(letter.html, encoding="utf-8")
    return 2
