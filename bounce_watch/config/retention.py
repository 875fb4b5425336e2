"""What the store keeps and how long: a site's choice between memory and privacy."""

from typing import Literal

from pydantic import Field, field_validator

from bounce_watch.config.section import Section

SHORTEST_DAYS = 7
"""Rules, answers and digests look back a few days: no retention is shorter."""


class Retention(Section):
    """What is kept, and how long. The service deletes the rest once a day."""

    days: int = Field(
        default=400,
        ge=0,
        le=36_500,
        description="Bounces, mails written and closed incidents go after so many days. 0: never.",
    )
    quarantine_days: int = Field(
        default=400,
        ge=0,
        le=36_500,
        description="Mails that nobody could read go after so many days. 0: never.",
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
        if 0 < days < SHORTEST_DAYS:
            raise ValueError(f"at least {SHORTEST_DAYS} days, or 0 to keep everything")
        return days
