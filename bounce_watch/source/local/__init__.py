"""Files, Maildir and mbox."""
