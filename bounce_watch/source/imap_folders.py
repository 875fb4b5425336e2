"""Find and make the folders that mail is moved to: the configuration writes `Bounces/Filed` everywhere,
servers separate with `/` or `.` and some want a prefix (RFC 2342)."""

from bounce_watch.source.imap_answers import Namespaces
from bounce_watch.source.imap_connection import Connection
from bounce_watch.source.imap_faults import Declined, plain_text
from bounce_watch.source.interface import MissingFolder

_UNUSABLE = {b"\\noselect", b"\\nonexistent"}


class Folders:
    """The folders of one signed-in connection, by the names of the configuration."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._namespaces: Namespaces | None = None
        self._known: set[str] = set()

    def server_name(self, path: str) -> str:
        """Return the server's own name of a folder written with slashes."""
        if path.upper() == "INBOX":
            return "INBOX"
        names = self._find_namespaces()
        translated = path.replace("/", names.separator)
        if translated.startswith((*names.foreign, names.prefix or "\0")):
            return translated
        return names.prefix + translated

    def _find_namespaces(self) -> Namespaces:
        if self._namespaces is None:
            self._namespaces = self._connection.namespaces()
        return self._namespaces

    def exists(self, path: str) -> bool:
        """Tell whether messages can be put into a folder."""
        name = self.server_name(path)
        flags = self._connection.folders(name).get(name)
        return flags is not None and not _UNUSABLE & {flag.lower() for flag in flags}

    def ensure(self, path: str) -> str:
        """Return the server's name of a folder, made when missing. Raises MissingFolder."""
        name = self.server_name(path)
        if name not in self._known and not self.exists(path):
            self._create(name)
        self._known.add(name)
        return name

    def forget(self, path: str) -> None:
        """Look again next time: the server said that the folder is gone."""
        self._known.discard(self.server_name(path))

    def _create(self, name: str) -> None:
        try:
            self._connection.create(name)
        except Declined as error:
            if "[alreadyexists]" not in error.answer.lower():
                raise MissingFolder(
                    f"the folder {name} is missing and cannot be made: {plain_text(error.answer)}",
                    "create it by hand, or allow the account to create folders",
                ) from error
