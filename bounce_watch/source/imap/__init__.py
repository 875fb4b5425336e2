"""IMAP: one connection per mailbox, fetching, filing, IDLE."""
