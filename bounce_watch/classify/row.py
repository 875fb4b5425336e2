"""A row of the catalogue: what is known of one status code or telling phrase (RFC 3463, vendor pages)."""

import re
from dataclasses import dataclass
from datetime import date
from enum import IntEnum, StrEnum

from bounce_watch.model import Cause, Owner, Persistence, Side
from bounce_watch.unwrap.fast_patterns import Gated

_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}", re.ASCII)


class Confidence(StrEnum):
    """How well a row is founded."""

    DOCUMENTED = "documented"
    REGISTRY = "registry"
    OBSERVED = "observed"
    SECONDARY = "secondary"
    INFERRED = "inferred"


class Namespace(StrEnum):
    """Whose meaning a row gives: the same number differs between Microsoft and the IANA registry."""

    MICROSOFT = "microsoft"
    REGISTRY = "registry"
    COMMON = "common"


class Reach(IntEnum):
    """How closely a row's code names a status: smaller is closer."""

    EXACT = 0
    RANGE = 1
    SUBJECT = 2
    CLASS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSpan:
    """The statuses that one row speaks of. None stands for `x`, any number."""

    status_class: int | None
    subject: int | None
    low: int | None
    high: int | None

    @property
    def reach(self) -> Reach:
        if self.low is not None:
            return Reach.EXACT if self.low == self.high else Reach.RANGE
        return Reach.SUBJECT if self.subject is not None else Reach.CLASS

    def covers(self, status: tuple[int, int, int]) -> bool:
        status_class, subject, detail = status
        if self.status_class not in (None, status_class) or self.subject not in (None, subject):
            return False
        return self.low is None or self.high is None or self.low <= detail <= self.high


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One meaning of one code, or of one phrase when `code` is None.

    `side` None fits both sides. `is_default` decides its code without telling text, `is_generic` gives way
    to a telling phrase. `owner_ours` must act when our own servers spoke, None: `owner` as well.
    """

    code: str | None
    variant: str | None
    span: CodeSpan | None
    namespace: Namespace
    side: Side | None
    pattern: Gated | None
    is_default: bool
    is_generic: bool
    title: str
    meaning: str
    cause: Cause
    owner: Owner
    owner_ours: Owner | None
    persistence: Persistence
    sender_steps: tuple[str, ...]
    admin_steps: tuple[str, ...]
    playbook: str | None
    source: str
    checked: date
    confidence: Confidence

    @property
    def name(self) -> str:
        """What people call the row: `5.7.1/auth-required`, `5.7.23`, `text/user-unknown`."""
        code = self.code or "text"
        return f"{code}/{self.variant}" if self.variant else code

    @property
    def reach(self) -> Reach:
        return self.span.reach if self.span else Reach.CLASS

    @property
    def is_reply_row(self) -> bool:
        """Tell whether the row gives the meaning of a basic reply code (RFC 5321 section 4.2)."""
        return self.code is not None and self.span is None

    def owner_on(self, side: Side | None) -> Owner:
        return self.owner_ours if side is Side.OURS and self.owner_ours else self.owner

    def fits(self, side: Side | None) -> bool:
        return self.side is None or side is None or self.side is side


def read_status(status: str | None) -> tuple[int, int, int] | None:
    """Return the three numbers of a status (RFC 3463 section 2), None for anything else."""
    if status is None or not _STATUS.fullmatch(status):
        return None
    status_class, subject, detail = map(int, status.split("."))
    return status_class, subject, detail
