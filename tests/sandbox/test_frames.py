"""What crosses between the processes is built from values of the model alone, on every Python we support."""

import pytest

from bounce_watch.model import Kind
from bounce_watch.sandbox.frames import pack, unpack_answer


def test_a_member_of_an_enumeration_crosses_where_python_would_pickle_it_by_getattr(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Debian 12 ships such a Python, 3.11.2: every answer was refused there, and no message was read."""
    monkeypatch.setattr(
        Kind, "__reduce_ex__", lambda member, _protocol: (getattr, (Kind, member.name)), raising=False
    )
    assert unpack_answer(pack([Kind.FAILURE])) == [Kind.FAILURE]
