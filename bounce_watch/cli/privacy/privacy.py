"""`privacy`: what is stored about one person, to hand out or to forget."""

import typer

from bounce_watch.cli.privacy.export import export
from bounce_watch.cli.privacy.forget import forget

privacy = typer.Typer(help="Export or forget one person's data.", no_args_is_help=True)
privacy.command()(export)
privacy.command()(forget)
