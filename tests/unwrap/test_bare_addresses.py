"""Addresses without angle brackets are read whole or not at all."""

import pytest

from bounce_watch.parse import read
from bounce_watch.unwrap.mime.headers import first_address
from tests.pipeline.conftest import ndr


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("x|id@larkfield.example", "x|id@larkfield.example"),
        ("x*id@larkfield.example", "x*id@larkfield.example"),
        ("o'brien@larkfield.example", "o'brien@larkfield.example"),
        ("a|b|c|d@larkfield.example", None),
        ("a'b'c'd@larkfield.example", None),
        ("x\\id@larkfield.example", None),
        ("a" * 400 + "id@larkfield.example", None),
        ("'id@larkfield.example'", "id@larkfield.example"),
        ("|id@larkfield.example|", "id@larkfield.example"),
        ("Lena (id@larkfield.example)", "id@larkfield.example"),
        ("mailto:id@larkfield.example", "id@larkfield.example"),
    ],
)
def test_the_end_of_an_address_is_never_taken_for_another_one(value: str, address: str | None) -> None:
    """`x|id@` was cut to `id@`, who is somebody else."""
    assert first_address(value) == address


def test_the_sender_of_a_returned_message_is_not_cut() -> None:
    raw = ndr().replace(b"From: lena@larkfield.example", b"From: x|lena@larkfield.example")
    (report,) = read(raw)
    assert report.original.sender == "x|lena@larkfield.example"  # type: ignore[union-attr]
