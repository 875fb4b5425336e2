"""Chat rooms and webhooks that hear of incidents beside the mails."""

from pathlib import Path

from pydantic import Field, SecretStr

from bounce_watch.config.section import Section
from bounce_watch.model import Owner


class Chat(Section):
    """One room or webhook, by its Apprise URL. The URL is a secret: who knows it can write there."""

    name: str = Field(
        pattern=r"^[a-z0-9]{1,30}$", description="Its name in logs and in the names of its secret."
    )
    url: SecretStr | None = Field(
        default=None, description="Apprise URL; better by url_command or url_file, for it is a secret."
    )
    url_command: str | None = Field(default=None, description="Command that prints the URL.")
    url_file: Path | None = Field(default=None, description="File that holds the URL.")
    owners: list[Owner] = Field(
        default=[Owner.MAIL_ADMIN],
        min_length=1,
        description='Whose incidents are told there: "mail_admin", "security", "provider".',
    )
