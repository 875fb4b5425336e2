"""The texts that `templates` shows: ours, overridden file by file by those of the site."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bounce_watch import shipped_files
from bounce_watch.classify import Catalogue, load_catalogue
from bounce_watch.config.load import find_config, load_config
from bounce_watch.model import Cause, Letter, Owner, Side
from bounce_watch.notifications import template_samples
from bounce_watch.notifications.alert.playbooks import Playbook, load_playbooks
from bounce_watch.notifications.composer import Composer
from bounce_watch.notifications.facts import Organisation
from bounce_watch.notifications.rendering.templates import Templates
from bounce_watch.notifications.template_check import check_templates, languages


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """The folders in order of preference, the site's own first, and who writes."""

    own: Path | None
    organisation: Organisation
    catalogue: Catalogue
    playbooks: dict[str, Playbook]

    @property
    def folders(self) -> list[Path]:
        return [*([self.own] if self.own else []), shipped_files.templates()]

    @property
    def languages(self) -> list[str]:
        """The languages that have a folder, English first."""
        return languages(Templates(self.folders))

    def letter(self, cause: Cause, language: str, side: Side) -> Letter:
        """Return an answer about an invented mail. Raises TemplateFault."""
        bounce = template_samples.bounce(cause, self._owner(cause, side), side)
        facts = template_samples.reply_facts(bounce, language=language)
        return Composer(self.folders, self.organisation, self.playbooks).reply(facts)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield one row for each text: its name, the languages that have it, those the site replaced."""
        known = set(Templates(self.folders).names())
        own = set(Templates([self.own]).names()) if self.own else set()
        spoken = self.languages
        parts = {name.partition(f"replies/{one}/")[2] for one in spoken for name in known}
        for part in sorted(parts - {""}):
            names = {one: f"replies/{one}/{part}" for one in spoken}
            yield {
                "name": part.removesuffix(".j2"),
                "languages": [one for one in spoken if names[one] in known],
                "own": [one for one in spoken if names[one] in own],
            }
        for name in sorted(name for name in known if not any(f"replies/{one}/" in name for one in spoken)):
            yield {"name": name, "languages": [], "own": ["yes"] if name in own else []}

    def problems(self) -> list[str]:
        """Return a sentence for each problem, none when all is well."""
        return check_templates(self.folders, self.playbooks)

    def _owner(self, cause: Cause, side: Side) -> Owner:
        """Return who usually must act."""
        rows = (row for row in self.catalogue.rows if row.cause is cause)
        return next((row.owner_on(side) for row in rows), Owner.MAIL_ADMIN)


def open_texts(config_path: Path | None, folder: Path | None) -> Texts:
    """Return the texts; the configuration is read when there is one. Raises ConfigError."""
    own, organisation = folder, template_samples.ORGANISATION
    if config_path is not None or find_config() is not None:
        config = load_config(config_path)
        home = config.organisation
        own = folder or config.overrides.templates
        organisation = Organisation(
            name=home.name, support=home.support, time_zone=home.time_zone, language=home.language
        )
    return Texts(
        own=own,
        organisation=organisation,
        catalogue=load_catalogue(shipped_files.data_file("codes.toml").read_text(encoding="utf-8")),
        playbooks=load_playbooks(shipped_files.data_file("playbooks.toml").read_text(encoding="utf-8")),
    )
