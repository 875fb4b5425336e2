"""`rules` and its subcommands."""
