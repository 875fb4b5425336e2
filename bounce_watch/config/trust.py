"""The section [trust]: what proves a report, and what an unproved one may cause."""

from pydantic import Field, model_validator

from bounce_watch.config.section import Address, Section
from bounce_watch.model import Authority, Evidence


class Trust(Section):
    """Which reports are trusted: docs/how-it-decides.md has the model."""

    tenant_id: str | None = Field(
        default=None, description="Directory (tenant) ID: a report of another tenant is not believed."
    )

    authority: Authority = Field(
        default=Authority.EXCHANGE_HEADERS,
        description="What proves the outermost message. exchange-headers: Exchange's mark, in a mailbox of "
        "the same organization. authentication-results: our DKIM signature, verified by a server in "
        "authserv_ids. mailbox: only our own Exchange can deliver into it.",
    )
    authserv_ids: list[str] = Field(
        default=[],
        description="Names (authserv-id, RFC 8601) of servers that receive mail for this mailbox and whose "
        "Authentication-Results count.",
    )
    accept: list[Evidence] = Field(
        default=[Evidence.INTERNAL],
        description="Evidence tiers that may cause an answer or an incident; internal includes member.",
    )
    forwarders: list[Address] = Field(
        default=[],
        description="Members, such as the help desk, whose forwards count about anyone. "
        "Those of other members count about their own mail only.",
    )
    dkim: bool = Field(
        default=False,
        description="Check our own DKIM signature on returned mail: one that holds proves that we sent it. "
        "Asks DNS for our keys; needs bounce-watch[dkim].",
    )
    dkim_seconds: float = Field(default=2, gt=0, le=30, description="Longest wait for one key.")

    @model_validator(mode="after")
    def _names_a_server(self) -> "Trust":
        if self.authority is Authority.AUTHENTICATION_RESULTS and not self.authserv_ids:
            raise ValueError('trust.authority = "authentication-results" needs trust.authserv_ids')
        return self

    @property
    def accepted(self) -> frozenset[Evidence]:
        """The accepted tiers. Before there was `member`, `internal` included what members forwarded."""
        more = {Evidence.MEMBER} if Evidence.INTERNAL in self.accept else set()
        return frozenset(self.accept) | more
