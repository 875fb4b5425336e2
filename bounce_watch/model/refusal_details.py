"""What a refusal says beyond its code: the address on a blocklist, sizes, the SPF result and others."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """Checked claims of the server that refused, None for what it does not say.

    IP addresses are in the usual notation (RFC 4291, RFC 5952), domains and hosts are ASCII and lower case,
    sizes count bytes. `blocked_ip` is our address that the receiver blocks, `blocklist` the list's name.
    `spf_ip` and `spf_domain` are what SPF checked. `rule` is the refusing policy's own text, at most 160
    characters. `as_number` is the number of Microsoft's `AS(...)`.
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
        return not self.as_mapping()

    def as_mapping(self) -> dict[str, str | int]:
        """Return the known values, times in ISO 8601."""
        known = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in known.items()
            if value is not None
        }

    @classmethod
    def from_mapping(cls, known: Mapping[str, object]) -> "Details":
        """Reverse `as_mapping`; unknown names of newer versions are ignored."""
        names = {field.name for field in fields(cls)}
        values = {name: value for name, value in known.items() if name in names}
        until = values.get("retry_until")
        if isinstance(until, str):
            values["retry_until"] = datetime.fromisoformat(until)
        return cls(**values)  # type: ignore[arg-type]
