"""What `calibrate` proposes to put into `[trust]`, in sentences."""

from typing import TYPE_CHECKING

from bounce_watch.model import Authority, Evidence

if TYPE_CHECKING:
    from bounce_watch.config.models import Trust


def advice(proposal: Authority | None, now: Authority) -> str:
    """Return what to do about the authority. None: the reports say too little."""
    match proposal:
        case None:
            return "Too little, or too mixed, to propose a setting: keep what you have and look at `explain`."
        case Authority.MAILBOX:
            return (
                "No report carries the mark of Exchange. If nobody outside can mail into this mailbox, "
                'set authority = "mailbox" in [trust].'
            )
        case _ if proposal == now:
            return f'Keep authority = "{now}" in [trust]: your genuine reports carry what it asks for.'
        case _:
            return f'Set authority = "{proposal}" in [trust]: your genuine reports carry what it asks for.'


def advice_on_dkim(
    trust: "Trust", authority: Authority | None, proposal: bool | None, proved: int, *, can_check: bool
) -> str:
    """Return what to do about our signature. `proved`: reports that it alone proves."""
    if not can_check:
        return "Your DKIM signatures were not looked at: pip install 'bounce-watch[dkim]' adds what it takes."
    if proposal is None:
        return (
            "Too few signatures could be looked at to propose dkim; see whether this machine may ask the DNS."
        )
    if not proposal:
        return f"{'Set' if trust.dkim else 'Keep'} dkim = false in [trust]: it would prove no report more."
    proof = f"your signature, and nothing else, proves {proved} of the reports"
    if trust.authority is Authority.MAILBOX:
        return f'While authority = "mailbox", dkim decides nothing; without it, {proof}.'
    return f"{'Keep' if trust.dkim else 'Set'} dkim = true in [trust]: {proof}.{_what_else(trust, authority)}"


def _what_else(trust: "Trust", authority: Authority | None) -> str:
    if authority is Authority.MAILBOX:
        return ' With authority = "mailbox" it is not needed.'
    if Evidence.CORRELATED in trust.accept:
        return ""
    return " They count as correlated, which accept in [trust] does not name."
