"""What all tables of the configuration file share: unknown keys, addresses, paths."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo

from bounce_watch.model.address import is_deliverable

Address = Annotated[str, Field(min_length=3)]


def _from_config_folder(path: Path, info: ValidationInfo) -> Path:
    """Make a relative path start at the configuration file's folder, not at the working directory."""
    folder = (info.context or {}).get("folder")
    path = path.expanduser()
    return folder.absolute() / path if folder and not path.is_absolute() else path


Place = Annotated[Path, AfterValidator(_from_config_folder)]


class Section(BaseModel):
    """A table of the file: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def plain_address(address: str) -> str:
    if not is_deliverable(address):
        raise ValueError(f"{address!r} is not a plain e-mail address such as help@example.com")
    return address
