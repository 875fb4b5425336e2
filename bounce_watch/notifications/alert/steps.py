"""The steps of a playbook for one incident, with its own values in PowerShell commands.

All values in PowerShell commands are quoted here. PowerShell reads the typographic quotes U+2018 to U+201B
as single quotes too, so each is doubled inside a single-quoted string, where nothing else is special
(learn.microsoft.com, about_Quoting_Rules, 2026-11).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from bounce_watch.model import Finding
from bounce_watch.model.address import domain_of
from bounce_watch.model.finding import NO_EXAMPLES, RefusalExamples
from bounce_watch.notifications.alert.playbooks import EACH, EXCHANGE, PLACEHOLDER, WINDOWS, Playbook, Step
from bounce_watch.notifications.errors import Unquotable
from bounce_watch.notifications.rendering.safe_text import is_hidden

LONGEST_VALUE = 320
MAX_COMMANDS = 3
_QUOTES = re.compile("['\u2018\u2019\u201a\u201b]")


def quote(value: str) -> str:
    """Return the value as a single-quoted PowerShell string.

    Raises Unquotable for invisible characters (control, bidi, line breaks, surrogates and others), and for
    a value longer than an address can be: it isn't an address or domain and must not be pasted.
    """
    if len(value) > LONGEST_VALUE or any(map(is_hidden, value)):
        raise Unquotable("the value holds characters that no command may carry")
    return "'" + _QUOTES.sub(lambda found: found[0] * 2, value) + "'"


def fill(command: str, values: Mapping[str, str]) -> str:
    """Return a command template with each `<name>` replaced by its quoted value.

    A name without a value, or whose value cannot be quoted, stays for the admin to fill in.
    """

    def replacement(found: re.Match[str]) -> str:
        value = values.get(found[1])
        if value is None:
            return found[0]
        try:
            return quote(value)
        except Unquotable:
            return found[0]

    return PLACEHOLDER.sub(replacement, command)


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledStep:
    """A step for one incident: `commands` are ready to paste, `more` counts those left out."""

    text: str
    where: str | None
    commands: tuple[str, ...]
    more: int
    source: str
    needs: tuple[str, ...]


def connections(steps: Iterable[FilledStep]) -> tuple[str, ...]:
    """Return the commands that connect to what the steps' commands need."""
    needs = {need for step in steps for need in step.needs}
    scopes = ", ".join(f"'{scope}'" for scope in sorted(needs - {EXCHANGE, WINDOWS}))
    graph = (f"Connect-MgGraph -Scopes {scopes}",) if scopes else ()
    return (("Connect-ExchangeOnline",) if EXCHANGE in needs else ()) + graph


def needs_windows(steps: Iterable[FilledStep]) -> bool:
    """Tell whether a command of the steps exists only in PowerShell on Windows."""
    return any(WINDOWS in step.needs for step in steps)


def fill_steps(
    playbook: Playbook, finding: Finding, examples: RefusalExamples = NO_EXAMPLES
) -> tuple[FilledStep, ...]:
    """Return the steps with the incident's own addresses and times, quoted for PowerShell."""
    values = _values(finding, examples)
    return tuple(
        _filled(step, values, _times(finding)) for step in playbook.steps if step.applies(finding.statuses)
    )


def _filled(step: Step, values: Mapping[str, tuple[str, ...]], times: Mapping[str, str]) -> FilledStep:
    commands = _commands(step.command, values, times)
    return FilledStep(
        text=step.text,
        where=step.where,
        commands=commands[:MAX_COMMANDS],
        more=max(len(commands) - MAX_COMMANDS, 0),
        source=step.source,
        needs=tuple(sorted(step.needs)),
    )


def _commands(
    command: str | None, values: Mapping[str, tuple[str, ...]], times: Mapping[str, str]
) -> tuple[str, ...]:
    """Return one command for each value of the first placeholder that has several."""
    if command is None:
        return ()
    named = [name for name in EACH if f"<{name}>" in command and values[name]]
    first = {name: values[name][0] for name in named}
    if not named:
        return (fill(command, times),)
    return tuple(fill(command, {**times, **first, named[0]: value}) for value in values[named[0]])


def _values(finding: Finding, examples: RefusalExamples) -> dict[str, tuple[str, ...]]:
    domains = tuple(dict.fromkeys(domain for domain in map(domain_of, finding.senders) if domain))
    return {
        "sender": finding.senders,
        "sender_domain": domains,
        "recipient": examples.recipients,
        "recipient_domain": finding.recipient_domains,
        "message_id": examples.message_ids,
        "sending_address": examples.sending_addresses,
    }


def _times(finding: Finding) -> dict[str, str]:
    """Return the time span for a message trace, at most ten days, which is what one query allows.

    `since` is an hour and `before` two days before the first bounce: an account that was misused sent long
    before it was blocked.
    """
    until = finding.last_at + timedelta(hours=1)
    oldest = until - timedelta(days=10)
    times = {
        "since": max(finding.first_at - timedelta(hours=1), oldest),
        "before": max(finding.first_at - timedelta(days=2), oldest),
        "until": until,
    }
    return {name: f"{time:%Y-%m-%dT%H:%M:%SZ}" for name, time in times.items()}
