"""Who looks after addresses that no person reads: entries of the configuration and rows of CSV files.

A pattern is an address in which `*` matches any text. The first entry that fits a sender counts.
"""

import csv
import stat
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from bounce_watch.config.section import Address, Place, Section, plain_address
from bounce_watch.model.address import domain_of, is_deliverable

MAX_BYTES = 1_000_000
"""Size of a CSV file of owners: about 20,000 addresses."""
COLUMNS = ("name", "senders", "to", "every")


class SenderOwner(Section):
    """Owners of unattended addresses, such as a scanner's. The first entry that fits a sender counts."""

    name: str = Field(default="", max_length=80, description="Name of the system, such as Scanners.")
    senders: list[str] = Field(
        default=[],
        description="Addresses in accepted domains; * matches any text. With a bare * before the @, only "
        "addresses that are known to be unattended count.",
    )
    to: list[Address] = Field(
        default=[], description="Who is notified of their bounces; in an accepted domain."
    )
    every: Literal["at_once", "hour", "day"] = Field(
        default="hour",
        description="When they are notified; at most once per hour. day: at the time of the digest.",
    )
    csv: Place | None = Field(
        default=None,
        description="Instead of all that: a CSV file with these columns (several addresses in a cell: "
        "spaces between them). It is read again when it changes.",
    )

    @field_validator("to")
    @classmethod
    def _plain(cls, addresses: list[str]) -> list[str]:
        return [plain_address(address) for address in addresses]

    @field_validator("senders")
    @classmethod
    def _patterns(cls, patterns: list[str]) -> list[str]:
        for pattern in patterns:
            if "*" in pattern.rpartition("@")[2] or not is_deliverable(pattern.replace("*", "x")):
                raise ValueError(f"{pattern!r} is not an address, in which * may stand before the @")
        return [pattern.lower() for pattern in patterns]

    @model_validator(mode="after")
    def _entry_or_file(self) -> "SenderOwner":
        if self.csv is None and not (self.senders and self.to):
            raise ValueError("name `senders` and `to`, or a `csv` file")
        if self.csv is not None and (self.senders or self.to):
            raise ValueError("a `csv` file stands instead of `senders` and `to`: use two tables")
        return self

    def fits(self, sender: str) -> bool:
        """Tell whether a sender's address fits one of the patterns, in any case of letters."""
        return _fits_any(sender, self.senders)

    def knows_as_unread(self, sender: str) -> bool:
        """Tell whether the entry says that no person reads the address: a fallback pattern says nothing."""
        own = (pattern for pattern in self.senders if pattern.partition("@")[0].strip("*"))
        return _fits_any(sender, own)


def _fits_any(sender: str, patterns: Iterable[str]) -> bool:
    text = sender.lower()
    return any(fnmatchcase(text, one) if "*" in one else text == one for one in patterns)


def find_owner(owners: Iterable[SenderOwner], sender: str | None) -> SenderOwner | None:
    """Return the first entry that fits a sender, None for none."""
    return next((owner for owner in owners if sender and owner.fits(sender)), None)


def faults_of(owner: SenderOwner, domains: Collection[str], watched: Collection[str]) -> Iterator[str]:
    """Yield a sentence per address that an entry may not name.

    `domains` are the accepted ones, `watched` our sender and the mailboxes that we read, in lower case.
    """
    for address in (*owner.senders, *owner.to):
        if domain_of(address) not in domains:
            yield f"{address} must lie in one of organisation.accepted_domains"
    for address in owner.to:
        if address.lower() in watched:
            yield f"{address} is an address of bounce_watch itself"
        elif owner.knows_as_unread(address):
            yield f"{address} is itself unattended"


def read_rows(text: str, domains: Collection[str], watched: Collection[str]) -> tuple[SenderOwner, ...]:
    """Return the entries of a CSV file. Raises ValueError that names the first wrong line."""
    lines = text.removeprefix("\ufeff").splitlines()
    # Excel writes semicolons where the comma is the decimal sign.
    sign = ";" if lines and lines[0].count(";") > lines[0].count(",") else ","
    reader = csv.DictReader(lines, delimiter=sign, strict=True)
    try:
        if not {"senders", "to"} <= set(reader.fieldnames or ()) <= set(COLUMNS):
            raise ValueError(f"line 1: the columns must be {', '.join(COLUMNS)}")
        return tuple(_entry(row, reader.line_num, domains, watched) for row in reader)
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num}: {error}") from None


def _entry(
    row: Mapping[str, str | None], line: int, domains: Collection[str], watched: Collection[str]
) -> SenderOwner:
    given = {name: (row.get(name) or "").strip() for name in COLUMNS}
    lists = {name: given[name].split() for name in ("senders", "to")}
    try:
        if None in row:
            raise ValueError("more cells than columns")
        owner = SenderOwner.model_validate(given | lists | {"every": given["every"] or "hour"})
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        raise ValueError(f"line {line}: {fault['msg'].removeprefix('Value error, ')}") from None
    except ValueError as error:
        raise ValueError(f"line {line}: {error}") from None
    for text in faults_of(owner, domains, watched):
        raise ValueError(f"line {line}: {text}")
    return owner


@dataclass(slots=True)
class OwnerFile:
    """The entries of one CSV file as last read without a fault. `fault` says what is wrong with it now."""

    rows: tuple[SenderOwner, ...] = ()
    fault: str = ""
    seen: tuple[int, int] | None = field(default=None, repr=False)

    def read(self, path: Path, domains: Collection[str], watched: Collection[str]) -> bool:
        """Read the file if it has changed; a broken one keeps the entries. Return whether there is news."""
        before = (self.seen, self.fault)
        try:
            state = path.stat()
            mark = (state.st_mtime_ns, state.st_size)
            if mark != self.seen:
                self.seen = mark
                if not stat.S_ISREG(state.st_mode) or state.st_size > MAX_BYTES:
                    raise ValueError(f"it must be a regular file of at most {MAX_BYTES:,} bytes")
                self.rows, self.fault = read_rows(path.read_text("utf-8"), domains, watched), ""
        except OSError as error:
            self.seen, self.fault = None, f"{path}: {error.strerror}"
        except ValueError as error:
            self.fault = f"{path}: {error}"
        return (self.seen, self.fault) != before


OnNews = Callable[[OwnerFile], None]


def no_news(_: OwnerFile) -> None:
    """Ignore the news."""


def current_owners(
    owners: Iterable[SenderOwner],
    files: dict[Path, OwnerFile],
    domains: Collection[str],
    watched: Collection[str],
    on_news: OnNews = no_news,
) -> tuple[SenderOwner, ...]:
    """Return all entries in order, the rows of a CSV file in the place of its table.

    `files` are the files as last read, by path; new ones are added. What was read now, or is broken now, is
    `on_news`.
    """
    found: list[SenderOwner] = []
    for owner in owners:
        if owner.csv is None:
            found.append(owner)
            continue
        file = files.setdefault(owner.csv, OwnerFile())
        if file.read(owner.csv, domains, watched):
            on_news(file)
        found += file.rows
    return tuple(found)
