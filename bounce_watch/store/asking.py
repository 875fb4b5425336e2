"""Questions on the hot path, asked without the ORM: it takes twice the time to hand over a few columns.

What a session keeps in mind while it lives is here too: a writer holds the lock, nobody else changes it.
"""

from collections.abc import Mapping
from typing import Any

from sqlmodel import Session, SQLModel

_REMEMBERED = "remembered"


def ask(session: Session, query: Any, params: Mapping[str, Any], *about: type[SQLModel]) -> Any:
    """Ask for columns; first write what the session has changed in the tables that the question is `about`.

    `Session.exec` would write all of it, among it the long rows of incidents for each bounce.
    """
    if any(isinstance(row, about) for row in (*session.new, *session.dirty)):
        session.flush()
    return session.connection().execute(query, params)


def remembered(session: Session, kind: str) -> dict[Any, Any]:
    """Return what this session remembers of a kind, empty at first. It ends with the session."""
    kept: dict[Any, Any] = session.info.setdefault(_REMEMBERED, {}).setdefault(kind, {})
    return kept
