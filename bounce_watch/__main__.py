"""`python -m bounce_watch` is the same as `bounce-watch`."""

from bounce_watch.cli import main

main()
