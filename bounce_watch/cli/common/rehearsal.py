"""What a rehearsal would have done, mail by mail, and the next step where nothing is verified as ours."""

from collections.abc import Iterator, Mapping
from typing import Any

from bounce_watch.classify import decision_in
from bounce_watch.cli.common.bounce_json import row_json
from bounce_watch.cli.common.output import Column, Form, emit, print_lines
from bounce_watch.cli.common.words import cause_words, owner_words
from bounce_watch.config.accounts import ImapSettings
from bounce_watch.config.models import Config
from bounce_watch.model import OutboxState
from bounce_watch.notifications.gate.values import Reason
from bounce_watch.notifications.rendering.labels import label_of
from bounce_watch.store import HistoryFilter, Store

_MOST = 50
_COLUMNS = (
    Column(
        "sender",
        "Sender\n→ recipient\nSubject",
        show=lambda row: (row["sender"] or "unknown", f"→ {row['recipient']}", row["subject"] or ""),
        flexible=True,
        truncate=True,
    ),
    Column(
        "cause",
        "Code and cause\nOwner",
        show=lambda row: (f"{row['status'] or row['reply_code'] or ''} {cause_words(row)}", owner_words(row)),
        flexible=True,
    ),
    Column("would", "What would happen", flexible=True),
)


def list_rehearsed(config: Config, store: Store, after: int) -> None:
    """Print what would happen to each bounce with an id higher than `after`, and the next step."""
    rows = [
        {
            **row_json(row),
            **dict(zip(("would", "reason", "decided_by"), _outcome(store, row.id), strict=True)),
        }
        for row in store.history.find(HistoryFilter(after=after), limit=_MOST)
    ]
    if not rows:
        return
    emit(rows, _COLUMNS, Form.TABLE)
    if more := store.history.count(HistoryFilter(after=after)) - len(rows):
        print_lines([f"{more} more."])
    print_lines(_next_step(config, [row for row in rows if row["reason"] == Reason.EVIDENCE]))


def _outcome(store: Store, number: int) -> tuple[str, str | None, str | None]:
    """Return what would happen to a bounce, the reason for no reply, and what decided its trust level."""
    detail = store.history.show(number)
    decided = decision_in(detail.report.tests)
    if detail.mails:
        (mail, *_) = detail.mails
        verb = "held for your release: reply" if mail.state is OutboxState.HELD else "reply"
        return f"{verb} to {mail.recipient}", None, decided
    if not detail.withheld:
        return "stored, no reply is due", None, decided
    reason = detail.withheld[0].reason
    why = f"{label_of(reason)} ({decided})" if reason == Reason.EVIDENCE and decided else label_of(reason)
    return f"stored, no reply: {why}", reason, decided


def _next_step(config: Config, unverified: list[Mapping[str, Any]]) -> Iterator[str]:
    """Yield how reports of this mailbox come to be trusted, when some are not."""
    if not unverified:
        return
    source = config.source[0]
    server = (
        source.host if isinstance(source, ImapSettings) else f"mail.{config.organisation.accepted_domains[0]}"
    )
    count = len(unverified)
    yield from (
        f"{count} of these {'is' if count == 1 else 'are'} not verified as ours: no reply, and no incident.",
        "Next: bounce-watch calibrate --mailbox",
        "  It reads what your reports carry and proposes [trust]. Where they carry no mark of Exchange,",
        "  set what is true of this mailbox. If only your own mail servers can deliver into it:",
        "",
        "    [trust]",
        '    authority = "mailbox"',
        "",
        "  If its server verifies DKIM signatures and notes that in Authentication-Results:",
        "",
        "    [trust]",
        '    authority = "authentication-results"',
        f'    authserv_ids = ["{server}"]',
        "",
    )
