"""Old entries of Outlook's suggestions: an IMCEAEX address is no address that a person could check."""

import re

from bounce_watch.model import Bounce
from bounce_watch.reply.safe_text import defang, plain

LONGEST_NAME = 60
# Exchange Online puts hexadecimal digits and a hyphen before the name.
_NUMBER = re.compile(r"\A(?:[0-9A-Fa-f]{6,32}-|[0-9A-Fa-f]{32}\Z)")


def is_stale_entry(bounce: Bounce) -> bool:
    """Tell whether the recipient is an internal entry that Outlook remembered."""
    return bounce.recipient_decoded is not None or bounce.recipient.upper().startswith("IMCEA")


def find_entry_name(bounce: Bounce) -> str | None:
    """Return the name under which people see the entry: the last CN of its X.500 name; None for none."""
    last = (bounce.recipient_decoded or "").rpartition("/")[2]
    key, _, name = last.partition("=")
    if key.upper() != "CN":
        return None
    return defang(plain(_NUMBER.sub("", name, count=1), LONGEST_NAME)) or None
