"""What the tests of letters share: the shipped templates and playbooks."""

from pathlib import Path

import pytest

from bounce_watch.notifications.alert.playbooks import Playbook, load_playbooks
from bounce_watch.notifications.composer import Composer
from bounce_watch.notifications.template_samples import ORGANISATION

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def templates() -> Path:
    return ROOT / "templates"


@pytest.fixture(scope="session")
def playbooks() -> dict[str, Playbook]:
    return load_playbooks((ROOT / "data" / "playbooks.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def composer(templates: Path, playbooks: dict[str, Playbook]) -> Composer:
    return Composer([templates], ORGANISATION, playbooks)
