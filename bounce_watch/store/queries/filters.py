"""Convert a HistoryFilter to conditions of a query."""

from sqlalchemy import ColumnElement, or_
from sqlalchemy.orm import Mapped
from sqlmodel import col, select

from bounce_watch.model import subject_hash
from bounce_watch.store import tables
from bounce_watch.store.database.columns import fold
from bounce_watch.store.records import HistoryFilter

_BOUNCE = tables.Bounce
_ESCAPE = "\\"


def conditions_of(chosen: HistoryFilter) -> list[ColumnElement[bool]]:
    """Return the conditions that a bounce must meet; see `needs_report`."""
    conditions = [
        _address(column, value)
        for column, value in (
            (col(_BOUNCE.sender_key), chosen.sender),
            (col(_BOUNCE.sender_domain), chosen.sender_domain),
            (col(_BOUNCE.recipient_key), chosen.recipient),
            (col(_BOUNCE.recipient_domain), chosen.domain),
        )
        if value is not None
    ]
    conditions += [
        column == value
        for column, value in (
            (col(_BOUNCE.cause), chosen.cause),
            (col(_BOUNCE.owner), chosen.owner),
            (col(_BOUNCE.side), chosen.side),
            (col(_BOUNCE.certainty), chosen.certainty),
        )
        if value is not None
    ]
    if chosen.code is not None:
        conditions.append(_code(chosen.code))
    if chosen.after is not None:
        conditions.append(col(_BOUNCE.id) > chosen.after)
    if chosen.since is not None:
        conditions.append(col(_BOUNCE.occurred_at) >= chosen.since)
    if chosen.until is not None:
        conditions.append(col(_BOUNCE.occurred_at) < chosen.until)
    if chosen.incident is not None:
        conditions.append(_of_incident(chosen.incident))
    if chosen.text:
        conditions.append(_mentions(chosen.text))
    if chosen.mail is not None:
        conditions.append(col(tables.Report.original_message_id) == chosen.mail)
    if chosen.subject is not None:
        conditions.append(
            col(tables.Report.original_subject).in_((chosen.subject, subject_hash(chosen.subject)))
        )
    return conditions


def needs_report(chosen: HistoryFilter) -> bool:
    """Return whether the conditions refer to the report, so that the query must join it."""
    return bool(chosen.text) or chosen.mail is not None or chosen.subject is not None


def like(text: str) -> str:
    """Return text with the wildcards of LIKE escaped."""
    for sign in (_ESCAPE, "%", "_"):
        text = text.replace(sign, _ESCAPE + sign)
    return text


def _address(column: Mapped[str | None] | Mapped[str], value: str) -> ColumnElement[bool]:
    folded = fold(value)
    if "*" not in folded:
        return column == folded
    return column.like(like(folded).replace("*", "%"), escape=_ESCAPE)


def _code(code: str) -> ColumnElement[bool]:
    return col(_BOUNCE.status) == code if "." in code else col(_BOUNCE.reply_code) == code


def _of_incident(number: int) -> ColumnElement[bool]:
    link = tables.IncidentEvent
    return col(_BOUNCE.id).in_(select(link.bounce_id).where(col(link.incident) == number))


def _mentions(text: str) -> ColumnElement[bool]:
    pattern = f"%{like(text)}%"
    columns = (
        _BOUNCE.recipient,
        _BOUNCE.sender,
        _BOUNCE.diagnostic_code,
        _BOUNCE.remote_mta,
        tables.Report.original_subject,
    )
    return or_(*(col(column).ilike(pattern, escape=_ESCAPE) for column in columns))
