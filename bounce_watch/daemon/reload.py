"""Run the service with one configuration after another on the same store."""

import os
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import structlog

from bounce_watch.config.load import ConfigError, load_config, load_config_at
from bounce_watch.config.models import Config
from bounce_watch.config.owners import OwnerFile
from bounce_watch.daemon import CycleWork, Ending, MailboxThread, Service, Stopper, back_off
from bounce_watch.pipeline import open_context
from bounce_watch.pipeline.wiring import sender_of, sent_lookup_of, source_of
from bounce_watch.send.interface import Delivery
from bounce_watch.store import Store

log = structlog.get_logger()


def reread_config(path: Path | None, environ: Mapping[str, str] = os.environ) -> Config:
    """Read the configuration again. Raises ConfigError.

    A systemd credential is a copy made at the start, so the file that it came from is read, with our own
    rights. Relative paths still start at the original folder.
    """
    credentials, folder = environ.get("CREDENTIALS_DIRECTORY"), environ.get("CONFIGURATION_DIRECTORY")
    if path is None or not credentials or not folder or path.parent != Path(credentials):
        return load_config(path)
    written = Path(folder) / path.name
    try:
        return load_config_at(written, path)
    except OSError as error:
        raise ConfigError(
            [f"the service cannot read {written}: {error.strerror}"],
            "restart the service; for a reload keep secrets in credentials and chmod 0644 the file",
        ) from error


class ServiceRunner:
    """What persists across reloads. `path` is the configuration file, None for the usual places.

    `unrecorded` holds deliveries that the store could not record, `owner_files` CSV files as last read.
    """

    def __init__(self, path: Path | None, config: Config, store: Store, stopper: Stopper) -> None:
        self.config = config
        self.unrecorded: dict[int, Delivery] = {}
        self.owner_files: dict[Path, OwnerFile] = {}
        self._path = path
        self._store = store
        self._stopper = stopper

    def run(self) -> Ending:
        config, stop = self.config, self._stopper.is_set
        context = replace(
            open_context(config, self._store), unrecorded=self.unrecorded, owner_files=self.owner_files
        )
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
                reload=self._load_new_config,
            )
            return service.run()

    def _load_new_config(self) -> bool:
        """Read and check the configuration again; tell whether to reload with it."""
        try:
            config = reread_config(self._path)
            with closing(open_context(config, self._store)):
                """Opening it reads codes, rules and templates."""
        except Exception as error:  # noqa: BLE001 - at any fault the old one stays in force
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
