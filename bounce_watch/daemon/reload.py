"""The course of the service: it works with one configuration after another on the same store."""

import os
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import structlog

from bounce_watch.config.load import load_config, read_config
from bounce_watch.config.models import Config
from bounce_watch.daemon import CycleWork, Ending, MailboxThread, Service, Stopper, back_off
from bounce_watch.pipeline import open_context
from bounce_watch.pipeline.wiring import sender_of, sent_lookup_of, source_of
from bounce_watch.send.interface import Delivery
from bounce_watch.store import Store

log = structlog.get_logger()


def reread_config(place: Path | None, environ: Mapping[str, str] = os.environ) -> Config:
    """Read the configuration again. Raises ConfigError.

    Of what systemd gives as a credential there is only the copy made at the start; the unit's ExecReload
    lays a fresh one into the runtime folder. Relative paths start where they did.
    """
    credentials, runtime = environ.get("CREDENTIALS_DIRECTORY"), environ.get("RUNTIME_DIRECTORY")
    if place is not None and credentials and runtime and place.parent == Path(credentials):
        copy = Path(runtime) / place.name
        if copy.is_file():
            return read_config(copy.read_bytes(), place)
    return load_config(place)


class ServiceRunner:
    """What stays over a reload. `place` is where the configuration is, None: the usual places.

    `unsettled` is what became of mails while the store could not take it down.
    """

    def __init__(self, place: Path | None, config: Config, store: Store, stopper: Stopper) -> None:
        self.config = config
        self.unsettled: dict[int, Delivery] = {}
        self._place = place
        self._store = store
        self._stopper = stopper

    def run(self) -> Ending:
        """Work until told to stop, or to begin anew."""
        config, stop = self.config, self._stopper.is_set
        context = replace(open_context(config, self._store), unsettled=self.unsettled)
        with closing(context), sender_of(config) as sender:
            self._stopper.limit = config.run.stop_seconds
            self._stopper.interrupt = context.reader.abort
            mailboxes = [MailboxThread(settings.label, source_of(settings)) for settings in config.source]
            sources = {mailbox.label: mailbox.source.name for mailbox in mailboxes}
            service = Service(
                mailboxes,
                CycleWork(context, sender, sent_lookup_of(config), stop, sources),
                self._stopper,
                poll=config.run.poll_seconds,
                retry=back_off,
                reload=self._read_again,
            )
            return service.run()

    def _read_again(self) -> bool:
        """Take over the configuration as it stands now; tell whether it can be worked with."""
        try:
            config = reread_config(self._place)
            with closing(open_context(config, self._store)):
                """Codes, rules and templates can be read."""
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it, the old one stays in force
            repair = str(getattr(error, "repair", ""))
            log.error("reload_failed", error=str(error), repair=repair, in_force="the configuration before")
            return False
        if config.store != self.config.store:
            log.error(
                "reload_failed", error="another store needs a restart", in_force="the configuration before"
            )
            return False
        self.config = config
        log.info("reloaded")
        return True
