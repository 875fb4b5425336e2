"""Settings of the service, its monitoring, site overrides, and chat rooms that get alerts."""

from pathlib import Path

from pydantic import Field, SecretStr

from bounce_watch import shipped_files
from bounce_watch.config.section import Place, Section
from bounce_watch.model import Owner


class Run(Section):
    """The daemon."""

    poll_seconds: float = Field(
        default=60,
        ge=1,
        le=300,
        description="Longest pause between two looks at a mailbox; servers mostly tell of new mail before.",
    )
    stop_seconds: float = Field(
        default=7,
        gt=0,
        le=30,
        description="A stop waits so long for the answer of a server; then the next start goes on.",
    )
    isolate: bool = Field(
        default=True, description="Read mail in a process of its own, which hostile mail cannot harm."
    )


class Overrides(Section):
    """Site folders that override what ships, file by file."""

    templates: Place | None = Field(
        default=None, description="Folder with own templates and catalogs of translations."
    )
    rules: Place | None = Field(default=None, description="File with own detection rules.")
    codes: Place | None = Field(default=None, description="File with own catalogue rows.")

    @property
    def template_folders(self) -> list[Path]:
        """The folders of templates in order of preference: the site's, then ours."""
        return [*([self.templates] if self.templates else []), shipped_files.templates()]


class Monitor(Section):
    """How the service is watched: `bounce-watch status`, figures, a mail when a mailbox cannot be read."""

    stale_minutes: float = Field(
        default=30, gt=0, description="A mailbox that was not read for so long is critical."
    )
    pending_minutes: float = Field(
        default=1,
        gt=0,
        description="A mail that cannot leave for so long is a warning, and critical if it is an alert.",
    )
    expect_service: bool = Field(
        default=True, description="Warn when no service is at work; false where a timer looks now and then."
    )
    tell_after_minutes: float = Field(
        default=60, ge=1, description="The admins get a mail when a mailbox could not be read for so long."
    )
    textfile: Place | None = Field(
        default=None, description="File with figures for Prometheus' node_exporter; its name ends with .prom."
    )
    heartbeat_url: SecretStr | None = Field(
        default=None, description="Asked after a good look, once a minute; better by heartbeat_url_file."
    )
    heartbeat_url_command: str | None = Field(default=None, description="Command that prints that URL.")
    heartbeat_url_file: Place | None = Field(default=None, description="File that holds that URL.")
    full_addresses: bool = Field(
        default=False, description="Logs show whole addresses of correspondents, not a…@example.com."
    )


class Chat(Section):
    """One room or webhook, by its Apprise URL. The URL is a secret: who knows it can write there."""

    name: str = Field(
        pattern=r"^[a-z0-9]{1,30}$", description="Its name in logs and in the names of its secret."
    )
    url: SecretStr | None = Field(
        default=None, description="Apprise URL; better by url_command or url_file, for it is a secret."
    )
    url_command: str | None = Field(default=None, description="Command that prints the URL.")
    url_file: Path | None = Field(default=None, description="File that holds the URL.")
    owners: list[Owner] = Field(
        default=[Owner.MAIL_ADMIN],
        min_length=1,
        description='Whose incidents are told there: "mail_admin", "security", "provider".',
    )
