"""`templates`: list, preview and check the texts of our messages, also those that a site replaced."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from bounce_watch import shipped_files
from bounce_watch.classify import Catalogue
from bounce_watch.cli.common.exit_status import Exit
from bounce_watch.cli.common.filters import AsJson, read_word
from bounce_watch.cli.common.output import Column, emit, form_of, print_lines, say
from bounce_watch.cli.common.pages import make_folder, write_page
from bounce_watch.config.load import find_config, load_config
from bounce_watch.model import Cause, Letter, Owner, Side
from bounce_watch.notifications import template_samples
from bounce_watch.notifications.alert.playbooks import Playbook, shipped_playbooks
from bounce_watch.notifications.composer import Composer
from bounce_watch.notifications.facts import OrganisationProfile
from bounce_watch.notifications.rendering.catalogs import catalog_paths
from bounce_watch.notifications.rendering.environment import split_name
from bounce_watch.notifications.rendering.templates import Templates
from bounce_watch.notifications.template_check import check_templates
from bounce_watch.sandbox.jobs import shipped_catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class _Texts:
    """The texts and what they are filled from. `own`: the site's folder, preferred to ours."""

    own: Path | None
    organisation: OrganisationProfile
    catalogue: Catalogue
    playbooks: dict[str, Playbook]

    @property
    def folders(self) -> list[Path]:
        return [*([self.own] if self.own else []), shipped_files.templates()]

    @property
    def languages(self) -> list[str]:
        """The languages that have a catalog or a folder, English first."""
        return Templates(self.folders).languages

    def letter(self, cause: Cause, language: str, side: Side) -> Letter:
        """Return a reply about an invented message. Raises TemplateFault."""
        owners = (row.owner_on(side) for row in self.catalogue.rows if row.cause is cause)
        bounce = template_samples.bounce(cause, next(owners, Owner.MAIL_ADMIN), side)
        facts = template_samples.reply_facts(bounce, language=language)
        return Composer(self.folders, self.organisation, self.playbooks).reply(facts)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield a row per text: its name, its languages, and those (or all) in which the site replaced it."""
        own = set(map(split_name, Templates([self.own]).names() if self.own else ()))
        known = own | set(map(split_name, Templates([shipped_files.templates()]).names()))
        catalogs = {"en", *(one for folder in self.folders for one in catalog_paths(folder))}
        for text in sorted({text for _, text in known}):
            is_reply = text.startswith("replies/") and not text.startswith("replies/letter.")
            spoken = [one for one in self.languages if one in catalogs or (one, text) in known]
            yield {
                "name": text.removeprefix("replies/").removesuffix(".j2") if is_reply else text,
                "languages": spoken if is_reply else [],
                "own": [one or "all" for one in ("", *self.languages) if (one, text) in own],
            }
        for language in sorted(catalog_paths(self.own) if self.own else ()):
            yield {"name": f"locale/{language}", "languages": [language], "own": [language]}


def _texts(context: typer.Context, folder: Path | None) -> _Texts:
    """Return the texts; the configuration is read when there is one. Raises ConfigError."""
    if folder is not None and not folder.is_dir():
        raise typer.BadParameter(f"there is no folder {folder}", param_hint="--folder")
    own, organisation = folder, template_samples.ORGANISATION
    if context.obj is not None or find_config() is not None:
        config = load_config(context.obj)
        own = folder or config.overrides.templates
        organisation = config.profile
    return _Texts(
        own=own, organisation=organisation, catalogue=shipped_catalogue(), playbooks=shipped_playbooks()
    )


Folder = Annotated[
    Path | None,
    typer.Option(
        "--folder", metavar="DIR", help="Templates of your own (default: those of the configuration)."
    ),
]
templates = typer.Typer(help="List, preview and check the texts of our messages.", no_args_is_help=True)


@templates.command("list")
def list_templates(context: typer.Context, folder: Folder = None, as_json: AsJson = False) -> None:
    """List the texts: for each cause, in which languages, and which ones the site has replaced."""
    rows = _texts(context, folder).rows()
    columns = [
        Column("name", "Text"),
        Column("languages", "Languages", show=lambda row: " ".join(row["languages"])),
        Column("own", "Your own", show=lambda row: " ".join(row["own"])),
    ]
    emit(rows, columns, form_of(as_json))


@templates.command()
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
            print_lines([f"--- {name}", f"Subject: {letter.subject}", "", *letter.text.splitlines(), ""])
        return
    count = sum(_write(out, name, letter) for name, letter in letters)
    say(f"{count} files written to {out}.")


@templates.command()
def check(context: typer.Context, folder: Folder = None) -> None:
    """Render every text, your own too, and list what is wrong with file and line; status 1 for any."""
    texts = _texts(context, folder)
    problems = check_templates(texts.folders, texts.playbooks)
    print_lines(problems)
    if problems:
        say(f"{len(problems)} problems.")
        raise typer.Exit(Exit.FAILED)
    say("All texts are well.")


def _word_of(words: list[str], word: str) -> str:
    if word not in words:
        raise typer.BadParameter(f"there is no {word!r}, only {', '.join(words)}", param_hint="--language")
    return word


def _write(out: Path, name: str, letter: Letter) -> int:
    make_folder(out, "--out")
    write_page(out / f"{name}.txt", f"Subject: {letter.subject}\n\n{letter.text}", "--out")
    write_page(out / f"{name}.html", letter.html, "--out")
    return 2
