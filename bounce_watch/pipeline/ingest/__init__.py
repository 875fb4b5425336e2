"""A mailbox becomes rows: list, fetch, read, store, move."""
