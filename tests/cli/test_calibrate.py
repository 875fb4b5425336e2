"""`calibrate` shows what genuine reports carry and proposes a setting; it changes nothing."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import call
from tests.pipeline.conftest import CONFIG, ndr


@pytest.mark.parametrize(
    ("authority", "count", "proposal"),
    [
        pytest.param("Internal", 6, "exchange-headers", id="marked by Exchange"),
        pytest.param("Anonymous", 6, "mailbox", id="never marked"),
        pytest.param("Internal", 2, None, id="too few"),
    ],
)
def test_the_setting_that_fits_is_proposed(
    tmp_path: Path, authority: str, count: int, proposal: str | None
) -> None:
    config, mails = tmp_path / "config.toml", tmp_path / "mails"
    config.write_text(CONFIG)
    mails.mkdir()
    for number in range(count):
        (mails / f"{number}.eml").write_bytes(ndr(number=number, authority=authority))
    said = json.loads(call("-c", str(config), "calibrate", str(mails), "--json").stdout)
    assert (said["reports"], said["authority"]) == (count, proposal)
    assert not (tmp_path / "store.db").exists()
    assert len(list(mails.iterdir())) == count


def test_one_of_files_and_mailbox_must_be_named(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(CONFIG)
    call("-c", str(config), "calibrate", status=2)
