"""What may go wrong while a letter is made. Expected refusals are values of the gate, not exceptions."""


class ReplyError(Exception):
    """Base of all faults of this package.

    ReplyError
    ├── TemplateFault    a template is missing, has no such block or names an unknown value
    ├── PlaybookFault    data/playbooks.toml is not what it should be
    ├── Unquotable       a value cannot be written into a PowerShell command safely
    └── UnsafeMail       the finished mail would break a rule; nothing is sent
    """


class TemplateFault(ReplyError):
    """A template cannot be rendered; the message names the file and the line."""


class PlaybookFault(ReplyError):
    """The playbook file has a fault; the message names the playbook and the step."""


class Unquotable(ReplyError):
    """A value holds characters that no PowerShell string may carry."""


class UnsafeMail(ReplyError):
    """A mail broke a rule on its way out; it must not be sent."""
