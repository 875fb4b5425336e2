"""Settings of the organization, and how long the store keeps what."""

from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator

from bounce_watch.config.section import Address, Section, plain_address
from bounce_watch.model.address import is_host_name
from bounce_watch.notifications.facts import OrganisationProfile


class Organisation(Section):
    """Who we are."""

    name: str = Field(description="Your organization's name, as shown in emails to colleagues.")
    accepted_domains: list[str] = Field(
        min_length=1, description="The domains your people send from. Only addresses in them ever get mail."
    )
    support: str = Field(
        description="Whom a colleague may ask: an address or a phone number, shown in every answer."
    )
    admins: list[Address] = Field(min_length=1, description="Mail admins: they get alerts and the digest.")
    security: list[Address] = Field(
        default=[], description="Security team: hears of hijacked accounts. Empty: the admins."
    )
    time_zone: str = Field(default="UTC", description="IANA name such as Europe/Berlin.")
    language: str = Field(
        default="en",
        description="Language of alerts and digests, and of replies when nothing better is known.",
    )
    own_hosts: list[str] = Field(
        default=[], description="Host name endings of your own mail servers, beside the accepted domains."
    )

    @property
    def profile(self) -> OrganisationProfile:
        return OrganisationProfile(
            name=self.name, support=self.support, time_zone=self.time_zone, language=self.language
        )

    @field_validator("accepted_domains", "own_hosts")
    @classmethod
    def _a_labels(cls, domains: list[str]) -> list[str]:
        return [to_a_label(domain) for domain in domains]

    @field_validator("accepted_domains")
    @classmethod
    def _domains(cls, domains: list[str]) -> list[str]:
        for domain in domains:
            if not is_host_name(domain):
                raise ValueError(f"{domain!r} is no domain; write one such as contoso.com, without * or @")
        return domains

    @field_validator("admins", "security")
    @classmethod
    def _addresses(cls, addresses: list[str]) -> list[str]:
        return [plain_address(address) for address in addresses]

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"{name!r} is no time zone; use a name such as Europe/Berlin") from error
        return name


def to_a_label(domain: str) -> str:
    """Return the lower-case A-label form of a domain (RFC 5890)."""
    plain = domain.strip().strip(".").lower()
    try:
        return plain.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise ValueError(f"{domain!r} is not a domain name") from error


MIN_RETENTION_DAYS = 7
"""Minimum retention: rules, replies and digests look back a few days."""


class Retention(Section):
    """What is kept, and how long. The service deletes the rest once a day."""

    days: int = Field(
        default=400,
        ge=0,
        le=36_500,
        description="Bounces, mails written and closed incidents go after so many days. 0: never.",
    )
    quarantine_days: int = Field(
        default=400, ge=0, le=36_500, description="Delete unreadable messages after so many days. 0: never."
    )
    counters: Literal["keep", "delete"] = Field(
        default="keep",
        description="Counts by cause, code, owner and domain outlive the bounces, or go with them.",
    )
    subjects: Literal["kept", "hashed", "off"] = Field(
        default="kept",
        description="Subjects of bounced mails: kept, hashed (a whole subject still finds them), or off.",
    )

    @field_validator("days", "quarantine_days")
    @classmethod
    def _not_too_short(cls, days: int) -> int:
        if 0 < days < MIN_RETENTION_DAYS:
            raise ValueError(f"at least {MIN_RETENTION_DAYS} days, or 0 to keep everything")
        return days
