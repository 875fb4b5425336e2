"""What a refusal says beyond its code: the address on a blocklist, sizes, the SPF verdict and the like."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """Claims of the server that refused, each in a checked form; None for what it does not say.

    IP addresses are in the usual notation (RFC 4291, RFC 5952), domains and hosts are ASCII and lower case,
    sizes count bytes. `blocked_ip` is the address that the receiver holds against us, `blocklist` the list's
    name. `spf_ip` and `spf_domain` are what the SPF check looked at. `rule` is what the refusing policy says
    of itself, free text of at most 160 characters. `as_number` is that of Microsoft's `AS(...)`.
    """

    blocked_ip: str | None = None
    blocklist: str | None = None
    size_limit: int | None = None
    message_size: int | None = None
    spf_result: str | None = None
    spf_ip: str | None = None
    spf_domain: str | None = None
    dmarc_domain: str | None = None
    rule: str | None = None
    retry_until: datetime | None = None
    as_number: str | None = None
    last_attempted_ip: str | None = None
    last_attempted_host: str | None = None

    @property
    def is_empty(self) -> bool:
        """Nothing was found."""
        return not self.as_mapping()

    def as_mapping(self) -> dict[str, str | int]:
        """Return what is known as plain values, times in ISO 8601."""
        known = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in known.items()
            if value is not None
        }

    @classmethod
    def from_mapping(cls, known: Mapping[str, object]) -> "Details":
        """Return the value that `as_mapping` was made of; names that a newer version wrote are dropped."""
        names = {field.name for field in fields(cls)}
        values = {name: value for name, value in known.items() if name in names}
        until = values.get("retry_until")
        if isinstance(until, str):
            values["retry_until"] = datetime.fromisoformat(until)
        return cls(**values)  # type: ignore[arg-type]
