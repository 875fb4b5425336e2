"""The section [reply]: answers to colleagues, and where replies to them arrive."""

from typing import Literal

from pydantic import Field, field_validator

from bounce_watch.config.section import Address, Section, plain_address


class Reply(Section):
    """Answers to colleagues whose mail bounced."""

    mode: Literal["off", "preview", "on"] = Field(
        default="preview", description="off: none. preview: held until released. on: sent."
    )
    from_address: Address = Field(description="Sender of all our mail; in an accepted domain.")
    from_name: str = Field(default="Mail delivery help", description="Name beside that address.")
    reply_to: str = Field(
        default="auto",
        description="Where replies to our letters and alerts arrive: the address of a watched mailbox. "
        "auto: the first over IMAP, if its address is in an accepted domain. none: replies do nothing.",
    )
    again_after_days: float = Field(
        default=7, ge=1, description="One answer for the same person and cause within so many days."
    )
    per_person_per_day: int = Field(
        default=3, ge=1, description="At most so many answers for one person a day."
    )
    per_minute: int = Field(default=20, ge=1, description="At most so many mails a minute.")
    per_hour: int = Field(default=200, ge=1, description="At most so many mails an hour.")
    not_older_than_hours: float = Field(
        default=48, gt=0, description="Bounces that arrived longer ago are not answered."
    )
    settle_seconds: float = Field(
        default=60,
        ge=0,
        le=3600,
        description="An answer waits so long; what bounces for the same person meanwhile joins it.",
    )
    hold_backlog_over: int = Field(
        default=0,
        ge=0,
        description="First run: answers about mails that lie there wait for release, unless they are so few.",
    )
    never_to: list[str] = Field(default=[], description="Addresses that never get an answer, beside robots.")

    _plain_address = field_validator("from_address")(plain_address)

    @field_validator("reply_to")
    @classmethod
    def _address_or_word(cls, reply_to: str) -> str:
        return reply_to if reply_to in ("auto", "none") else plain_address(reply_to)
