"""Subjects of bounced mails where a site keeps hashes of them, or none: what is stored already follows."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import or_
from sqlmodel import Session, col, select

from bounce_watch.model import subject_hash
from bounce_watch.store import tables

_SUBJECT = tables.Report.original_subject
_HASHES = ("sha256:", "sha256;")
"""Hashes lie between these two, so that the index finds all other subjects."""


def find_subjects(session: Session, *, hashed: bool, most: int) -> tuple[int, ...]:
    """Return reports whose subject is stored otherwise than the site wants: `hashed`, else not at all."""
    column: Any = col(_SUBJECT)
    other = or_(column < _HASHES[0], column >= _HASHES[1]) if hashed else column.is_not(None)
    return tuple(session.exec(select(tables.Report.id).where(other).limit(most)))


def change_subjects(session: Session, numbers: Sequence[int], *, hashed: bool) -> None:
    """Replace subjects by their hashes, or drop them."""
    for row in session.exec(select(tables.Report).where(col(tables.Report.id).in_(numbers))):
        keeps = hashed and row.original_subject is not None
        row.original_subject = subject_hash(row.original_subject or "") if keeps else None
