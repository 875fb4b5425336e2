"""`explain ID`: a stored bounce, why it was judged so, what its code means, what followed."""

import sys
from dataclasses import asdict
from pathlib import Path


def explain_stored(number: int, config: Path | None, *, as_json: bool) -> None:
    """Print the stored judgement and the meanings of its code. Raises NotThere for no such bounce."""
    from bounce_watch.classify import explain
    from bounce_watch.cli.detail import as_text, detail_json
    from bounce_watch.cli.explain import for_people
    from bounce_watch.cli.opening import asking
    from bounce_watch.cli.output import emit_json
    from bounce_watch.config.load import load_config
    from bounce_watch.pipeline.context import read_catalogue

    catalogue = read_catalogue(load_config(config))
    with asking(config) as store:
        detail = store.show(number)
    bounce = (detail.bounce or detail.bounces[0]).bounce
    said = " ".join(filter(None, (bounce.reply_code, bounce.status, bounce.diagnostic_code)))
    meanings = explain(catalogue, said) if said else ()
    chosen = [one for one in meanings if one.name == bounce.entry]
    others = [one for one in meanings if one.name != bounce.entry]
    if as_json:
        told = {"chosen": asdict(chosen[0]) if chosen else None, "rejected": [asdict(one) for one in others]}
        emit_json({**detail_json(detail), "meanings": told})
        return
    sys.stdout.write(as_text(detail) + "\n" + "".join(map(for_people, chosen)))
    if others:
        sys.stdout.write(f"Not chosen: {', '.join(one.name for one in others)}\n")
