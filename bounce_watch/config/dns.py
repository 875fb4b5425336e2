"""The section [dns]: what DNS is asked about bounces and our own domains."""

import re
from ipaddress import ip_address
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from bounce_watch.config.section import Section
from bounce_watch.model.address import is_host_name

_PLACE = re.compile(r"(\d[\d.]*|\[[0-9A-Fa-f:]+\]):(\d{1,5})")
_SELECTOR = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")


def _server(value: str) -> str:
    found = _PLACE.fullmatch(value)
    try:
        ip_address(found[1].strip("[]") if found else value)
    except ValueError:
        raise ValueError("write an IP address such as 192.0.2.53, or 127.0.0.1:5353 with a port") from None
    return value


def _selector(value: str) -> str:
    if not _SELECTOR.fullmatch(value):
        raise ValueError("write the name of a selector, such as selector1")
    return value.lower()


def _blocklist(value: str) -> str:
    if not is_host_name(value):
        raise ValueError("write the zone of a list, such as bl.example.org")
    return value.lower()


class Dns(Section):
    """What DNS is asked: at a bounce that it can prove, and daily about our own domains."""

    use: Literal["off", "incidents", "daily"] = Field(
        default="off",
        description="off: nothing is asked. incidents: at a bounce that DNS can prove, until it is repaired. "
        "daily: also the records of our domains, once a day.",
    )
    servers: list[Annotated[str, AfterValidator(_server)]] = Field(
        default=[],
        description="Addresses of resolvers, with a port if it is not 53. Empty: those of this machine.",
    )
    seconds: float = Field(
        default=5, gt=0, le=30, description="Alerts wait at most so long per minute for DNS."
    )
    queries_per_hour: int = Field(default=2000, ge=1, description="At most so many questions an hour.")
    dkim_selectors: list[Annotated[str, AfterValidator(_selector)]] = Field(
        default=["selector1", "selector2"],
        description="Selectors to ask for when the returned mail has no signature of ours.",
    )
    blocklists: list[Annotated[str, AfterValidator(_blocklist)]] = Field(
        default=[], description="Zones of blocklists to ask; their terms of use are between you and them."
    )
