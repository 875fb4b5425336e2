"""May this message be written? One gate for all mail that leaves."""
