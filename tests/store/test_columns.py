"""No text, wherever it comes from, is more than a database takes: NUL, lone surrogates, any length."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, bindparam, select
from sqlmodel import SQLModel

from bounce_watch.store import Server, Store
from bounce_watch.store.database.columns import LongText, SafeJson, SafeText
from tests.servers.stores import Stores

pytestmark = pytest.mark.servers

TEXTS: list[Column[Any]] = [
    column
    for table in SQLModel.metadata.sorted_tables
    for column in table.columns
    if getattr(column.type, "impl_instance", column.type).python_type is str
]
ODD = st.text(st.characters(exclude_categories=()) | st.sampled_from("\x00\ud800\udfff\uffff"), max_size=50)


def test_every_column_of_text_is_scrubbed() -> None:
    assert len(TEXTS) > 60
    plain = [str(one) for one in TEXTS if not isinstance(one.type, (SafeText, LongText, SafeJson))]
    assert plain == []


@pytest.fixture
def server(stores: Stores) -> Server:
    return stores.empty()


def test_a_server_takes_any_text_in_and_compares_it_with_every_column(server: Server) -> None:
    """PostgreSQL ends a statement at a NUL, in a row as well as in a question."""
    with Store.open(server) as store, store.open_session() as session:

        @settings(max_examples=60, database=None, deadline=None)
        @given(ODD)
        def ask(odd: str) -> None:
            for kind in (SafeText(), LongText(), SafeJson()):
                session.execute(select(bindparam("odd", odd, type_=kind)))

        ask()
        for column in TEXTS:
            assert session.execute(select(column).where(column == "a\x00\ud800b")).all() == []
