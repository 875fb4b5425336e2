"""What reaches a terminal, a program or a spreadsheet."""

import csv
import io
import json
from operator import ge

import pytest

from bounce_watch.cli.common.output import Column, Form, emit
from bounce_watch.cli.common.widths import fitted, width_of
from bounce_watch.notifications.rendering.safe_text import for_cell, for_terminal

ROW = {"sender": "\x1b]8;;http://evil.example\x07=cmd()", "count": 3, "note": None}
COLUMNS = [Column("sender", "Sender"), Column("count", "Count", right=True)]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("plain ü €", "plain ü €", id="letters-stay"),
        pytest.param("\x1b[31m", "\\x1b[31m", id="escape"),
        pytest.param("a\r\nb", "a\\r\\nb", id="line-break"),
        pytest.param("\u202egpj", "\\u202egpj", id="bidi"),
        pytest.param("\x9b1m", "\\x9b1m", id="c1"),
        pytest.param("\udcff", "\\udcff", id="surrogate"),
    ],
)
def test_the_terminal_gets_no_control_characters(text: str, shown: str) -> None:
    assert for_terminal(text) == shown


@pytest.mark.parametrize("start", ["=", "+", "-", "@", " =", "\ufeff=", "\t=", "＝"])
def test_no_cell_is_a_formula(start: str) -> None:
    assert for_cell(f"{start}HYPERLINK(1)").startswith("'")


def test_plain_cells_stay_as_they_are() -> None:
    assert for_cell("lena@fabrikam.example") == "lena@fabrikam.example"
    assert for_cell(None) == ""


def test_a_table_shows_no_escape_sequence_and_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    emit([{**ROW, "sender": "\x1b[31m[link=x]y[/link]"}], COLUMNS, Form.TABLE)
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "[link=x]y[/link]" in out


def test_json_is_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert emit([ROW, ROW], COLUMNS, Form.JSON) == 2
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line) for line in lines] == [ROW, ROW]
    assert "\x1b" not in "".join(lines)


def test_csv_has_a_heading_and_safe_cells(capsys: pytest.CaptureFixture[str]) -> None:
    emit([ROW], COLUMNS, Form.CSV)
    heading, cells = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert heading == ["sender", "count", "note"]
    assert cells[0].startswith("]8;;http://evil.example=cmd()")


def test_nothing_found_is_said_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    assert emit([], COLUMNS, Form.TABLE, empty="No bounces yet.") == 0
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "No bounces yet.\n")


def test_a_line_break_in_a_value_starts_no_line_of_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    columns = [Column("sender", "Sender", show=lambda row: (row["sender"], "second"))]
    emit([{"sender": "a@b.example\n99  forged row"}], columns, Form.TABLE)
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert "a@b.example\\n99  forged row" in lines
    assert "second" in lines


@pytest.mark.parametrize("room", range(60, 160, 7))
def test_no_word_is_split_while_there_is_room_and_long_columns_give_way_first(room: int) -> None:
    words = ["An account of ours is blocked from sending", "2026-11-10", "jonas.weber@larkfield.example"]
    columns = [
        width_of([text], flexible=place == 0, truncate=False) for place, text in enumerate(["id 7", *words])
    ]
    widths = fitted(columns, room)
    assert sum(widths) <= room
    floors = [max(map(len, text.split())) for text in ["id 7", *words]]
    assert sum(floors) > room or all(map(ge, widths, floors))
    assert widths[2:] == floors[2:] or room < sum(floors)


def test_a_column_is_cut_with_an_ellipsis_before_a_short_one_folds() -> None:
    subject = width_of(["x" * 90], flexible=True, truncate=True)
    owner = width_of(["Recipient's admin"], flexible=False, truncate=False)
    assert fitted([subject, owner], 60) == [43, 17]
