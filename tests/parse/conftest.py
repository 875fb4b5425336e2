"""Shared by the tests of the reader: the samples, and readings as plain values."""

from dataclasses import asdict, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

SAMPLES = Path(__file__).parent.parent / "samples"
# A copy of the own bytes, and what is found out at the edge: tests/pipeline/test_signatures.py has both.
CHECKED_LATER = frozenset({"signed_headers", "signature"})
SHARED = Path(__file__).parent.parent.parent.parent / "shared"


def plain(value: Any) -> Any:
    """Return a reading as JSON-able values without what is absent."""
    if is_dataclass(value) and not isinstance(value, type):
        value = {"type": type(value).__name__, **asdict(value)} if hasattr(value, "reason") else asdict(value)
    if isinstance(value, dict):
        read = {name: plain(item) for name, item in value.items() if name not in CHECKED_LATER}
        return {name: kept for name, kept in read.items() if kept not in (None, [], "", {})}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value.isoformat() if isinstance(value, datetime) else value


@pytest.fixture(scope="session")
def samples() -> Path:
    return SAMPLES


@pytest.fixture(scope="session")
def as_plain() -> Any:
    return plain


@pytest.fixture
def shared() -> Path:
    """The folder of public sample mails beside the checkout; tests skip visibly without it."""
    if not SHARED.is_dir():
        pytest.skip("the shared sample mails are not beside this checkout")
    return SHARED
