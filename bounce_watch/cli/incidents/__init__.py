"""`incidents` and its subcommands."""
