"""Faults while an email is composed. Expected refusals are values of the gate, not exceptions."""


class NotificationError(Exception):
    """Base of all faults of this package.

    NotificationError
    ├── TemplateFault    a template is missing, lacks a block or names an unknown value
    │   └── TooMuchWork  a template, such as one with an endless loop, was stopped
    ├── UntranslatedText a text has no translation into the language that was asked for
    ├── PlaybookFault    data/playbooks.toml is wrong
    ├── Unquotable       a value cannot be written into a PowerShell command safely
    └── UnsafeMail       the finished message breaks a rule; it is not sent
    """


class TemplateFault(NotificationError):
    """A template cannot be rendered; the message names the file and the line."""


class TooMuchWork(TemplateFault):
    """A template was stopped because it takes more steps than any text needs."""


class UntranslatedText(NotificationError):
    """A catalog lacks a text, so the whole message is written in the next language."""


class PlaybookFault(NotificationError):
    """The playbook file is wrong; the message names the playbook and the step."""


class Unquotable(NotificationError):
    """A value holds characters that are not allowed in a PowerShell string."""


class UnsafeMail(NotificationError):
    """A finished message breaks a rule and must not be sent."""
