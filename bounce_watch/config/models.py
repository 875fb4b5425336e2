"""The configuration file as typed values. Field descriptions become the reference and `init`'s comments."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import time
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, field_validator, model_validator

from bounce_watch.config.accounts import ImapSettings, Login, SendSettings, SmtpSettings, SourceSettings
from bounce_watch.config.dns import Dns
from bounce_watch.config.organisation import Organisation, Retention
from bounce_watch.config.owners import OnNews, OwnerFile, SenderOwner, current_owners, faults_of, no_news
from bounce_watch.config.reply import Reply
from bounce_watch.config.section import Address, Place, Section
from bounce_watch.config.service import Chat, Monitor, Overrides, Run
from bounce_watch.config.trust import Trust
from bounce_watch.model import Site
from bounce_watch.model.address import is_deliverable
from bounce_watch.notifications.facts import OrganisationProfile
from bounce_watch.unwrap.mime.headers import addresses


class Store(Section):
    """Where the history lives: a file, or a PostgreSQL server for several watchers."""

    path: Place = Field(default=Path("/var/lib/bounce-watch/bounce-watch.db"), description="SQLite file.")
    keep_free_mb: float = Field(
        default=50, ge=0, description="With less free space beside it mail is not fetched; it waits."
    )
    url: SecretStr | None = Field(
        default=None, description="PostgreSQL instead of the file: postgresql://user@host/database"
    )
    password: SecretStr | None = Field(default=None, description="Better: password_command or password_file.")
    password_command: str | None = Field(default=None, description="Command that prints the password.")
    password_file: Place | None = Field(default=None, description="File that holds the password.")

    @field_validator("url")
    @classmethod
    def _is_postgresql(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not url.get_secret_value().startswith(("postgresql://", "postgres://")):
            raise ValueError("write postgresql://user@host/database, or `path` for an SQLite file")
        return url


Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class Digest(Section):
    """The daily digest."""

    at: time = Field(default=time(7, 0), description="Local time of day.")
    to: list[Address] = Field(default=[], description="Who gets it. Empty: the admins.")
    empty_days: bool = Field(default=True, description="Send one line on days without bounces.")
    weekly: Weekday | None = Field(
        default=None, description='The day on which a digest of the whole week is sent too, such as "monday".'
    )
    monthly: bool = Field(
        default=False, description="Send a digest of the whole month too, on its first day."
    )


class Alerts(Section):
    """Mails to the admins about incidents."""

    settle_seconds: float = Field(
        default=60,
        ge=0,
        description="Wait so long before the first mail; a hijacked account is told of at once.",
    )
    growth_pause_minutes: float = Field(
        default=60, ge=1, description="At least so long between two mails about a growing incident."
    )
    remind_hours: float = Field(
        default=24, ge=1, description="Remind after so long while an incident is unacknowledged."
    )
    per_hour: int = Field(
        default=6,
        ge=1,
        description="At most so many alerts per hour, address and severity, critical ones included. "
        "The last one lists what is left.",
    )
    chat: list[Chat] = Field(default=[], description="Chat rooms and webhooks that hear of incidents too.")


class Config(Section):
    """The whole file."""

    organisation: Organisation
    source: tuple[SourceSettings, ...] = Field(min_length=1)
    send: SendSettings
    reply: Reply
    store: Store = Store()
    retention: Retention = Retention()
    digest: Digest = Digest()
    alerts: Alerts = Alerts()
    trust: Trust = Trust()
    dns: Dns = Dns()
    run: Run = Run()
    monitor: Monitor = Monitor()
    overrides: Overrides = Overrides()
    owners: tuple[SenderOwner, ...] = ()

    @model_validator(mode="after")
    def _we_write_from_home(self) -> "Config":
        if not self.site.is_ours(self.reply.from_address):
            raise ValueError("reply.from_address must lie in one of organisation.accepted_domains")
        if "@" in self.reply.reply_to and not self.site.is_ours(self.reply.reply_to):
            raise ValueError("reply.reply_to must lie in one of organisation.accepted_domains")
        return self

    @model_validator(mode="after")
    def _owners_are_ours(self) -> "Config":
        for owner in self.owners:
            for fault in faults_of(owner, self.site.accepted_domains, self.watched):
                raise ValueError(f"owners: {fault}")
        return self

    @field_validator("source", mode="before")
    @classmethod
    def _one_or_several(cls, value: object) -> object:
        """Accept `[source]` for one mailbox and `[[source]]` for several."""
        return [value] if isinstance(value, Mapping) else value

    @field_validator("source")
    @classmethod
    def _each_once(cls, sources: tuple[SourceSettings, ...]) -> tuple[SourceSettings, ...]:
        for what in ("label", "identity"):
            names = [getattr(settings, what) for settings in sources]
            twice = next((name for name in names if names.count(name) > 1), None)
            if twice is not None:
                raise ValueError(
                    f"{twice} is there twice; one table for each mailbox, with names that differ"
                )
        return sources

    @model_validator(mode="after")
    def _sent_mail_can_be_seen(self) -> "Config":
        looks = isinstance(self.send, SmtpSettings) and self.send.probe == "imap"
        if looks and self.sent_account is None:
            raise ValueError('send.probe = "imap" needs source.type = "imap": it uses that account')
        return self

    @property
    def sent_account(self) -> ImapSettings | None:
        """The watched account with the sent folder: the account that sends, else the first over IMAP."""
        accounts = [settings for settings in self.source if isinstance(settings, ImapSettings)]
        sender = self.send.user if isinstance(self.send, SmtpSettings) else ""
        ours = {sender.lower(), self.reply.from_address.lower()}
        return next((one for one in accounts if one.owner.lower() in ours), next(iter(accounts), None))

    @property
    def site(self) -> Site:
        """Our organization as the core needs it."""
        home = self.organisation
        own = {*self.watched, *self.digest_to, *home.security}
        return Site(
            organisation=home.name,
            accepted_domains=frozenset(home.accepted_domains),
            own_addresses=frozenset(address.lower() for address in own),
            own_hosts=tuple(home.own_hosts),
            authority=self.trust.authority,
            tenant=self.trust.tenant_id.lower() if self.trust.tenant_id else None,
            authserv_ids=frozenset(name.lower() for name in self.trust.authserv_ids),
            forwarders=frozenset(address.lower() for address in self.trust.forwarders),
            accepted_evidence=self.trust.accepted,
        )

    @property
    def watched(self) -> frozenset[str]:
        """The address that we write from and the mailboxes that we read, in lower case."""
        accounts = (settings for settings in self.source if isinstance(settings, ImapSettings))
        names = {name for settings in accounts for name in (settings.user, settings.mailbox) if name}
        return frozenset(name.lower() for name in (self.reply.from_address, *names) if "@" in name)

    @property
    def own_addresses(self) -> frozenset[str]:
        """Our own addresses, which logs and reports for admins may show."""
        logins = {login.user for login in (*self.source, self.send) if isinstance(login, Login)}
        return self.site.own_addresses | {each.lower() for each in (*self.organisation.admins, *logins)}

    def owners_now(self, files: dict[Path, OwnerFile], on_news: OnNews = no_news) -> tuple[SenderOwner, ...]:
        """Return the owners with the rows of CSV files; `files` keeps what was read, for the next call."""
        return current_owners(self.owners, files, self.site.accepted_domains, self.watched, on_news)

    @property
    def owner_faults(self) -> list[str]:
        files: dict[Path, OwnerFile] = {}
        self.owners_now(files)
        return [file.fault for file in files.values() if file.fault]

    @property
    def reply_to(self) -> str | None:
        """The watched mailbox to which people reply, None if it is not known or replies do nothing."""
        if self.reply.reply_to != "auto":
            return self.reply.reply_to if "@" in self.reply.reply_to else None
        accounts = (settings.owner for settings in self.source if isinstance(settings, ImapSettings))
        first = next(accounts, "")
        return first if is_deliverable(first) and self.site.is_ours(first) else None

    @property
    def support_to(self) -> list[str]:
        """Who gets replies of colleagues: support if that is an address of ours, else the admins.

        Never a mailbox of bounce_watch itself.
        """
        own = {self.reply.from_address.lower(), (self.reply_to or "").lower()}
        own |= {one.owner.lower() for one in self.source if isinstance(one, ImapSettings)}

        def ours(found: Iterable[str]) -> list[str]:
            return [one for one in found if self.site.is_ours(one) and one.lower() not in own]

        return ours(addresses(self.organisation.support))[:1] or ours(self.organisation.admins)

    @property
    def profile(self) -> OrganisationProfile:
        """What emails say about us."""
        return replace(self.organisation.profile, reads_replies=self.reply_to is not None)

    @property
    def digest_to(self) -> list[str]:
        return self.digest.to or self.organisation.admins

    @property
    def security_to(self) -> list[str]:
        return self.organisation.security or self.organisation.admins

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.organisation.time_zone)
