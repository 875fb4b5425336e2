"""Questions on the hot path, asked without the ORM: it takes twice the time to hand over a few columns.

What a session keeps in mind is known here too: while it lives it holds the lock, nobody else changes it.
"""

from collections.abc import Mapping
from typing import Any

from sqlmodel import Session, SQLModel

from bounce_watch.store.put_off import write_waiting


def ask(session: Session, query: Any, params: Mapping[str, Any], *about: type[SQLModel]) -> Any:
    """Ask for columns; first write what the session has changed in the tables that the question is `about`.

    `Session.exec` would write all of it, among it the long rows of incidents for each bounce.
    """
    if any(isinstance(row, about) for row in (*session.new, *session.dirty)):
        session.flush()
    write_waiting(session, about)
    return session.connection().execute(query, params)
