"""`breaker`: what stops replies when too many are due at once, and the person who allows them again."""

from typing import Annotated

import typer

breaker_group = typer.Typer(
    help="See whether replies are stopped because too many were due, and allow them again."
)


def register_breaker(app: typer.Typer) -> None:
    app.add_typer(breaker_group, name="breaker")


@breaker_group.command()
def status(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Tell whether replies are stopped, and since when."""
    from bounce_watch.cli.opening import asking
    from bounce_watch.cli.output import emit_json, local, say

    with asking(context.obj) as store:
        since = store.breaker_latched_at()
    if as_json:
        emit_json({"latched": since is not None, "since": since})
    elif since is None:
        say("Replies are not stopped.")
    else:
        say(f"Replies are stopped since {local(since)}: too many were due at once. Alerts and digests leave.")
        say("`bounce-watch top` shows the cause; then `bounce-watch breaker clear` allows replies again.")


@breaker_group.command()
def clear(context: typer.Context) -> None:
    """Allow replies again. What was withheld meanwhile stays unanswered and stands in the digest."""
    from bounce_watch.cli.opening import changing
    from bounce_watch.cli.output import say

    with changing(context.obj) as store, store.transaction() as tx:
        was_latched = tx.clear_breaker()
    say("Replies are allowed again." if was_latched else "Replies were not stopped.")
