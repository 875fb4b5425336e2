"""Settings of sources and senders: servers with their sign-in, Maildirs, files and folders."""

import os
from typing import Annotated, Literal

from pydantic import Field, SecretStr, model_validator

from bounce_watch.config.section import Place, Section


class OAuth(Section):
    """Client credentials for Exchange Online (Entra app registration): a secret or a certificate."""

    tenant: str = Field(description="Directory (tenant) ID or domain.")
    client_id: str = Field(description="Application (client) ID.")
    client_secret: SecretStr | None = Field(
        default=None, description="Better: client_secret_command or _file."
    )
    client_secret_command: str | None = Field(default=None, description="Command that prints the secret.")
    client_secret_file: Place | None = Field(default=None, description="File that holds the secret.")
    certificate_file: Place | None = Field(
        default=None,
        description="PEM file with private key and certificate, instead of a secret; "
        "the secret is then the key's passphrase, if it has one.",
    )
    authority: str = Field(
        default="https://login.microsoftonline.com",
        description="Sign-in service; changes in national clouds.",
    )
    scope: str = Field(default="https://outlook.office365.com/.default", description="Scope of the token.")


class Login(Section):
    """How to sign in to a server: a password from one of several places, or OAuth."""

    user: str = Field(default="", description="Account name; for Exchange Online the mailbox's own address.")
    auth: Literal["password", "xoauth2"] = Field(default="password", description="Exchange Online: xoauth2.")
    password: SecretStr | None = Field(default=None, description="Better: password_command or password_file.")
    password_command: str | None = Field(default=None, description="Command that prints the password.")
    password_file: Place | None = Field(default=None, description="File that holds the password.")
    oauth: OAuth | None = Field(default=None, description="Needed when auth is xoauth2.")
    ca_file: Place | None = Field(default=None, description="Own certificate authority (PEM) to trust.")
    timeout_seconds: float = Field(default=60, gt=0, le=600, description="Longest wait for one answer.")

    @model_validator(mode="after")
    def _oauth_is_there(self) -> "Login":
        if self.auth == "xoauth2" and self.oauth is None:
            raise ValueError('auth = "xoauth2" needs the tenant and client_id in an oauth table')
        return self


class Watched(Section):
    """What every source has."""

    name: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$",
        max_length=30,
        description="Its name in logs, in `status` and in the names of its secrets; for several mailboxes.",
    )

    @property
    def place(self) -> str:
        """What is watched, as it is written."""
        raise NotImplementedError

    @property
    def identity(self) -> str:
        """What is watched, in one spelling; it must differ between sources."""
        return self.place.lower()

    @property
    def label(self) -> str:
        """Its name for people."""
        return self.name or self.place


class ImapSettings(Watched, Login):
    """A mailbox over IMAP."""

    type: Literal["imap"] = "imap"
    host: str = Field(default="outlook.office365.com", description="IMAP server.")
    port: int = Field(default=993, ge=1, le=65535, description="993 with tls, 143 with starttls.")
    security: Literal["tls", "starttls", "none"] = Field(
        default="tls", description="none is refused except on loopback."
    )
    mailbox: str | None = Field(
        default=None,
        min_length=1,
        description="Delegated access: whose mailbox is opened, where it is not the user's own.",
    )
    folder: str = Field(default="INBOX", description="The watched folder.")
    filed_folder: str = Field(default="Bounces/Filed", description="Where read reports are moved.")
    quarantine_folder: str = Field(
        default="Bounces/Quarantine", description="Where unreadable mail is moved."
    )
    window: int = Field(default=500, ge=1, le=5000, description="UIDs asked for at a time.")
    peek: bool = Field(
        default=True,
        description="Leave the last attachments of mail that is no report on the server; what reads as a "
        "report is fetched whole. false: fetch all mail whole.",
    )

    @property
    def owner(self) -> str:
        """The account whose mailbox is opened."""
        return self.mailbox or self.user

    @property
    def place(self) -> str:
        folder = "" if self.folder.upper() == "INBOX" else f"/{self.folder}"
        host = self.host.lower().rstrip(".")
        return f"{self.owner}@{host}{folder}" if "@" not in self.owner else f"{self.owner}{folder}"


class LocalSettings(Watched):
    """A path on this machine."""

    path: Place

    @property
    def place(self) -> str:
        return str(self.path)

    @property
    def identity(self) -> str:
        return os.path.realpath(self.path)  # also of a path that does not exist yet


class MaildirSettings(LocalSettings):
    """A Maildir on this machine."""

    type: Literal["maildir"] = "maildir"
    path: Place = Field(description="The Maildir (the folder that holds cur, new and tmp).")
    filed_folder: str = Field(default="Filed", description="Maildir++ folder for read reports.")
    quarantine_folder: str = Field(default="Quarantine", description="Maildir++ folder for unreadable mail.")


class MboxSettings(LocalSettings):
    """An mbox file; it is read, never changed."""

    type: Literal["mbox"] = "mbox"
    path: Place = Field(description="The mbox file.")


class FilesSettings(LocalSettings):
    """A folder of .eml files; they are read, never changed."""

    type: Literal["files"] = "files"
    path: Place = Field(description="The folder.")


SourceSettings = Annotated[
    ImapSettings | MaildirSettings | MboxSettings | FilesSettings, Field(discriminator="type")
]


class SmtpSettings(Login):
    """Mail leaves over SMTP."""

    type: Literal["smtp"] = "smtp"
    host: str = Field(default="smtp.office365.com", description="Submission server.")
    port: int = Field(default=587, ge=1, le=65535, description="587 with starttls, 465 with tls.")
    security: Literal["tls", "starttls", "none"] = Field(
        default="starttls", description="none is refused except on loopback."
    )
    auth: Literal["password", "xoauth2", "none"] = Field(  # type: ignore[assignment]
        default="password", description="Exchange Online: xoauth2."
    )
    reverse_path: Literal["mailbox", "null", "auto"] = Field(
        default="mailbox", description="Envelope sender: our own address, <>, or try <> and fall back."
    )
    probe: Literal["imap", "none"] = Field(
        default="none",
        description="Where to look whether a mail left when sending was cut short. imap: in sent_folder.",
    )
    sent_folder: str = Field(
        default="Sent Items", description="Folder of the watched account in which sent mail lies."
    )


class FolderSettings(Section):
    """Mail is written to a folder as .eml files: for trying out."""

    type: Literal["folder"] = "folder"
    path: Place = Field(description="The folder.")


SendSettings = Annotated[SmtpSettings | FolderSettings, Field(discriminator="type")]


def is_exchange_online(host: str) -> bool:
    """Return whether a server is Microsoft's, which takes no password over IMAP, only OAuth."""
    return host.lower().rstrip(".").endswith((".office365.com", ".office365.us", ".outlook.cn"))
