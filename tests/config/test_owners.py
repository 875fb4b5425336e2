"""Owners of addresses that no person reads: which entry fits, and what no table may say."""

import random
from pathlib import Path

import pytest

from bounce_watch.config.load import ConfigError, read_config
from bounce_watch.config.owners import OwnerFile, SenderOwner, current_owners, find_owner, read_rows
from bounce_watch.config.template import render
from bounce_watch.model.address import domain_of
from tests.config.test_template import ANSWERS

OURS, WATCHED = frozenset({"contoso.example", "shop.contoso.example"}), frozenset({"bounces@contoso.example"})
HEAD = "name,senders,to,every\n"


def entry(*senders: str, to: str = "it@contoso.example") -> SenderOwner:
    return SenderOwner(name=to, senders=list(senders), to=[to])


@pytest.mark.parametrize(
    ("pattern", "sender", "fits"),
    [
        ("scan-*@contoso.example", "Scan-3@Contoso.Example", True),
        ("scan-*@contoso.example", "scan-@contoso.example", True),
        ("scan-*@contoso.example", "xscan-3@contoso.example", False),
        ("scan-*@contoso.example", "scan-3@contoso.example.evil.example", False),
        ("scan-*@contoso.example", "scan-3@x.contoso.example", False),
        ("*shop*@contoso.example", "web+shop=7@contoso.example", True),
        ("erp@contoso.example", "erp@contoso.example", True),
        ("erp@contoso.example", "erp+1@contoso.example", False),
    ],
)
def test_a_pattern_fits_whole_addresses(pattern: str, sender: str, fits: bool) -> None:
    assert (find_owner([entry(pattern)], sender) is not None) is fits


def test_the_first_entry_that_fits_counts_and_a_bare_star_makes_no_robot() -> None:
    one, rest = entry("scan-*@contoso.example", to="a@contoso.example"), entry("*@contoso.example")
    assert find_owner([one, rest], "scan-1@contoso.example") is one
    assert find_owner([one, rest], "lena@contoso.example") is rest
    assert one.knows_as_unread("scan-1@contoso.example")
    assert not rest.knows_as_unread("lena@contoso.example")
    assert find_owner([one, rest], None) is None


def test_a_long_hostile_sender_takes_no_time() -> None:
    assert find_owner([entry("*a*a*a*a*b@contoso.example")], "a" * 60_000 + "@contoso.example") is None


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("S,scan@contoso.example,it@fabrikam.example,hour", "must lie in one of"),
        ("S,scan@fabrikam.example,it@contoso.example,hour", "must lie in one of"),
        ("S,scan@contoso.example,bounces@contoso.example,hour", "an address of bounce_watch itself"),
        ("S,scan@contoso.example,SCAN@contoso.example,hour", "is itself unattended"),
        ("S,scan@contoso.example,it@contoso.example,weekly", "line 2"),
        ("S,scan@*,it@contoso.example,hour", "is not an address"),
        ("S,scan,it@contoso.example,hour", "is not an address"),
        ("S,scan@contoso.example,it@contoso.example\x00,hour", "line 2"),
        ("S,,it@contoso.example,hour", "name `senders` and `to`"),
        ("S,scan@contoso.example,it@contoso.example,hour,more", "more cells"),
        ('S,"scan@contoso.example', "unexpected end"),
    ],
)
def test_a_wrong_row_is_named_with_its_line(row: str, fault: str) -> None:
    with pytest.raises(ValueError, match=r"line [12]") as caught:
        read_rows(HEAD + row, OURS, WATCHED)
    assert fault in str(caught.value)


def test_a_table_from_a_spreadsheet_is_read() -> None:
    """Excel writes a byte order mark, and semicolons where the comma is the decimal sign."""
    text = "\ufeffname;senders;to;every\r\nShop;a@contoso.example b@contoso.example;it@contoso.example;\r\n"
    (row,) = read_rows(text, OURS, WATCHED)
    assert (row.senders, row.to, row.every) == (
        ["a@contoso.example", "b@contoso.example"],
        ["it@contoso.example"],
        "hour",
    )


def test_five_hundred_generated_tables_name_only_accepted_domains() -> None:
    """Whatever a table says, who is told lies in an accepted domain, or the table is not in force."""
    dice = random.Random(20)
    others = (
        "fabrikam.example xcontoso.example sub.contoso.example CONTOSO.EXAMPLE contoso.example. [192.0.2.1] *"
    )
    domains = (*sorted(OURS), *others.split(), "contoso.example.evil.example", "contoso。example", "")
    locals_ = ("it", "*", "scan-*", "a b", '"x"', "a%b", "=cmd", "it@fabrikam.example>,<x", "ä", "")
    cells = [f"{local}@{domain}" for local in locals_ for domain in domains]
    accepted = 0
    for number in range(500):
        usual = dice.random() < 0.5
        row = [
            "T",
            *(
                dice.choice(["it@contoso.example", "x@shop.contoso.example"] if usual else cells)
                for _ in "12"
            ),
        ]
        if usual:
            row[1] = f"scan-{number}-*@contoso.example"
        text = HEAD + ",".join([*row, dice.choice(["", "hour", "day", "at_once"])])
        files = {Path("t.csv"): OwnerFile()}
        try:
            files[Path("t.csv")].rows = read_rows(text, OURS, WATCHED)
        except ValueError:
            continue
        accepted += 1
        for owner in files[Path("t.csv")].rows:
            assert {domain_of(address) for address in owner.to} <= OURS, text
            assert {domain_of(sender) for sender in owner.senders} <= OURS, text
    assert 200 < accepted < 480


def test_a_broken_file_keeps_the_rows_before(tmp_path: Path) -> None:
    path, files = tmp_path / "owners.csv", dict[Path, OwnerFile]()
    table = [SenderOwner(csv=path)]

    def names() -> list[str]:
        return [owner.name for owner in current_owners(table, files, OURS, WATCHED)]

    assert names() == []
    assert "No such file" in files[path].fault
    path.write_text(f"{HEAD}One,scan@contoso.example,it@contoso.example,hour\n")
    assert (names(), files[path].fault) == (["One"], "")
    path.write_bytes(b"name,senders,to,every\n\xff\xfe")
    assert names() == ["One"]
    assert files[path].fault.startswith(str(path))
    path.write_text(f"{HEAD}Other,scan@contoso.example,it@contoso.example,hour\n")
    assert (names(), files[path].fault) == (["Other"], "")


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        ('senders = ["scan@larkfield.example"]\nto = ["it@fabrikam.example"]', "must lie in one of"),
        ('senders = ["scan@larkfield.example"]\nto = ["bounces@larkfield.example"]', "bounce_watch itself"),
        ('senders = ["scan@larkfield.example"]', "name `senders` and `to`"),
        ('csv = "o.csv"\nto = ["it@larkfield.example"]', "use two tables"),
        ('senders = ["scan@larkfield.example"]\nto = ["i@larkfield.example"]\nevery = "week"', "every"),
        ('sender = ["scan@larkfield.example"]', "did you mean senders?"),
    ],
)
def test_a_wrong_entry_is_an_error_of_the_configuration(lines: str, fault: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_config(f"{render(ANSWERS)}\n[[owners]]\n{lines}\n".encode(), Path("/etc/config.toml"))
    assert fault in str(caught.value)


def test_only_a_small_regular_file_is_read(tmp_path: Path) -> None:
    """A device or a huge file would fill the memory; a pipe would wait for ever."""
    huge = tmp_path / "owners.csv"
    row = "Scanner,scan@contoso.example,it@contoso.example,hour\n"
    huge.write_text(HEAD + row * 200_000)
    for path in (huge, Path("/dev/null")):
        file = OwnerFile()
        file.read(path, OURS, WATCHED)
        assert "must be a regular file of at most 1,000,000 bytes" in file.fault
        assert file.rows == ()
