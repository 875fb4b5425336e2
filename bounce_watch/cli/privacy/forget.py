"""`forget`: replace one person in the store by a pseudonym, at their request."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from bounce_watch.cli.common.exit_status import Exit
from bounce_watch.cli.common.filters import AsJson
from bounce_watch.cli.common.open_store import change_store, read_store
from bounce_watch.cli.common.output import Column, Form, confirm, emit, emit_json, say
from bounce_watch.cli.common.progress import measuring, waiting
from bounce_watch.cli.common.when import account
from bounce_watch.config.load import load_config
from bounce_watch.config.models import Config
from bounce_watch.pipeline.maintenance import Forgotten
from bounce_watch.pipeline.maintenance import forget as take_out
from bounce_watch.store import LockHeld, ProcessLock, StoreFull
from bounce_watch.store.database.sqlite_file import vacuum
from bounce_watch.store.privacy.columns import Found
from bounce_watch.store.privacy.identity import PersonIdentity
from bounce_watch.store.privacy.search import is_in_files

Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="The person's address; each one by itself.")]


def forget(
    context: typer.Context,
    address: Address,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go; change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take a person out of the store, beside a running service: a pseudonym stands in their place."""
    config, person = load_config(context.obj), read_person(address)
    _refuse_our_own(config, person, address)
    with read_store(context.obj) if dry_run else change_store(context.obj) as store:
        with waiting("Searching every text of the store"):
            found = store.privacy.search(person)
        _print_found(found, _remains(config, found, person), as_json=as_json)
        if found.is_nothing:
            say(f"Nothing is stored about {address}.")
        if dry_run:
            return
        if not (yes or found.is_nothing):
            confirm("Forget this person? There is no way back but a backup.", "ADDRESS")
        with measuring("Forgetting") as measure:
            done = take_out(store, person, found, by=account(), now=datetime.now(UTC), progress=measure)
        _print_done(done)
    if config.store.url is None:
        _clean(config.store.path, person)


def read_person(address: str) -> PersonIdentity:
    """Return the address to look for. Raises BadParameter when it is not an address."""
    person = PersonIdentity(address)
    if not person.local or "." not in person.domain or any(sign in person.key for sign in "*%<> \t\n"):
        raise typer.BadParameter(f"{address!r} is no address; write anna@example.com", param_hint="ADDRESS")
    return person


def _refuse_our_own(config: Config, person: PersonIdentity, address: str) -> None:
    """Raise BadParameter for an address that the service uses: it would be stored again at once."""
    home = config.organisation
    ours = {*config.site.own_addresses, *home.admins, *home.security, *config.digest_to}
    if any(person.is_in(own) for own in ours):
        text = f"we write from or to {address} ourselves; take it out of the configuration first"
        raise typer.BadParameter(text, param_hint="ADDRESS")


def _print_found(found: Found, stays: list[str], *, as_json: bool) -> None:
    rows = [row for row in _fates(found) if row["count"]]
    if as_json:
        emit_json({"goes": rows, "stays": stays})
        return
    columns = [
        Column("count", "Rows", right=True),
        Column("what", "What names them"),
        Column("fate", "What becomes of it", flexible=True),
    ]
    if rows:
        emit(rows, columns, Form.TABLE)
        say("What stays, and why:")
        for line in stays:
            say(f"- {line}")


def _fates(found: Found) -> list[dict[str, Any]]:
    others = found.count("outgoing") - found.to_them
    named = found.count("incident") - found.about_them
    pseudonym = "a pseudonym takes their place"
    lines = [
        (found.count("bounce"), "bounces", f"{pseudonym}; they count as before"),
        (found.count("report"), "reports", "of mail they wrote subject and Message-ID are deleted"),
        (found.to_them, "our mails to them", "words and address are deleted"),
        (others, "our mails to others", pseudonym),
        (found.waiting, "of these mails wait", "given up, but for alerts and digests"),
        (found.count("withheld"), "notes of mails not written", pseudonym),
        (found.about_them, "incidents about them", pseudonym),
        (found.open_about_them, "of these are open", "closed: finish first what they ask for"),
        (named, "other incidents", pseudonym),
        (found.count("incident_change"), "lines of incidents' history", pseudonym),
        (found.count("quarantined"), "unreadable mails", "deleted with their bytes"),
        (found.count("message"), "remarks about mails", pseudonym),
        (found.count("dns_finding"), "records in DNS", f"{pseudonym}; the zone itself stays as it is"),
        (found.count("audit"), "lines of the audit", pseudonym),
    ]
    return [{"count": count, "what": what, "fate": fate} for count, what, fate in lines]


def _remains(config: Config, found: Found, person: PersonIdentity) -> list[str]:
    """Return a line for each thing that stays, with the reason."""
    path, at_server = config.store.path, config.store.url is not None
    lines = [
        f"The domain {person.domain}: as a destination it is counted, and names no one.",
        "Hashes of reports and events: a copy of a known report is not counted or answered again.",
        "The mails themselves, in the mailbox and in Sent Items: delete them there.",
    ]
    if at_server:
        lines.append("Room in the database that no row uses any more, until then: vacuumdb --full.")
    elif backups := sorted(path.parent.glob(f"{path.name}.*.bak")):
        names = " ".join(f"'{file}'" for file in backups)
        lines.append(f"Backups made before: rm {names}")
    lines.append("Backups elsewhere, reports, exports and case folders that were passed on.")
    if found.locations:
        lines.append(f"{found.locations} file names: without them that mail would count as new.")
    if person.is_in(config.model_dump_json()):
        lines.append("The configuration names the address (reply.never_to, perhaps): only you can change it.")
    return lines


def _print_done(done: Forgotten) -> None:
    if done.pseudonym:
        say(f"Forgotten: {done.pseudonym} stands in {sum(done.rows.values())} rows now.")
    if done.left:
        say(f"{done.left} rows still name them: mail is being sent or comes in. Run this again in a minute.")
        raise typer.Exit(Exit.TRY_LATER)


def _clean(path: Path, person: PersonIdentity) -> None:
    """Rewrite the file when its unused pages still hold the address."""
    if not is_in_files(path, person):
        return
    try:
        with ProcessLock(path), waiting("Writing the file anew"):
            vacuum(path)
    except (LockHeld, StoreFull) as why:
        say(f"Unused room of the file may still hold the address. {why}")
        say("Stop the service for a moment and run `bounce-watch db vacuum`: it writes the file anew.")
