"""What every step of the pipeline needs, read once at the start."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

import structlog

from bounce_watch.classify import Catalogue, load_catalogue
from bounce_watch.config.load import ConfigError
from bounce_watch.config.models import Config
from bounce_watch.config.owners import OwnerFile, SenderOwner
from bounce_watch.detect import Rule, load_rules
from bounce_watch.model import Site
from bounce_watch.model.message_location import MessageLocation
from bounce_watch.notifications.alert.playbooks import shipped_playbooks
from bounce_watch.notifications.composer import Composer
from bounce_watch.notifications.errors import TemplateFault
from bounce_watch.notifications.gate.values import Mode, Policy
from bounce_watch.pipeline.dkim import SignatureChecker, key_finder
from bounce_watch.pipeline.dns_proofs import DnsProofs
from bounce_watch.pipeline.filing import FilingState
from bounce_watch.pipeline.large import LargeMessages
from bounce_watch.sandbox.reader import InProcess, IsolatedReader, Reader
from bounce_watch.send.interface import Delivery
from bounce_watch.shipped_files import catalogue_text, data_file
from bounce_watch.store import Store

log = structlog.get_logger()

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Configuration, knowledge and store. `secret` makes our own marks; `clock` returns the time (UTC).

    `unrecorded` holds outcomes of deliveries, by outbox number, that the store could not record yet.
    `walks` holds, by source, how far an unfinished walk through the whole folder has come, `filings` what
    could not be moved, `large` what waits to be read. `renumbered` holds the sources whose
    UIDVALIDITY has changed, which is logged once, `owner_files` CSV files of owners as last read.
    `reader` reads messages; it starts a process when first asked, which `close` ends.
    """

    config: Config
    site: Site
    store: Store
    catalogue: Catalogue
    rules: tuple[Rule, ...]
    composer: Composer
    policy: Policy
    secret: bytes
    reader: Reader
    signatures: SignatureChecker | None = None
    dns: DnsProofs | None = None
    clock: Clock = utc_now
    unrecorded: dict[int, Delivery] = field(default_factory=dict)
    walks: dict[str, MessageLocation] = field(default_factory=dict)
    filings: dict[str, FilingState] = field(default_factory=dict)
    large: dict[str, LargeMessages] = field(default_factory=dict)
    renumbered: set[str] = field(default_factory=set)
    owner_files: dict[Path, OwnerFile] = field(default_factory=dict)

    def close(self) -> None:
        """Stop the reader. The caller that opened the store closes it."""
        self.reader.close()

    @property
    def owners(self) -> tuple[SenderOwner, ...]:
        """Who looks after addresses that no person reads. A CSV file is read again when it has changed."""
        return self.config.owners_now(self.owner_files, _log_owners)

    @property
    def sender(self) -> tuple[str, str]:
        """The name and address that all our mail comes from."""
        return self.config.reply.from_name, self.config.reply.from_address


def _log_owners(file: OwnerFile) -> None:
    if file.fault:
        log.error("owners_not_read", error=file.fault, in_force=f"{len(file.rows)} rows read before")
    else:
        log.info("owners_read", rows=len(file.rows))


def open_context(config: Config, store: Store, clock: Clock = utc_now) -> Context:
    """Read catalogue, rules and templates, the site's own over ours. Raises what the loaders raise."""
    with store.transaction() as tx:
        secret = tx.state.mark_secret()
    return Context(
        config=config,
        site=config.site,
        store=store,
        catalogue=read_catalogue(config),
        rules=read_rules(config),
        composer=make_composer(config),
        policy=policy_of(config),
        secret=secret,
        signatures=signatures_of(config),
        dns=None if config.dns.use == "off" else DnsProofs(config.dns, config.site.accepted_domains),
        reader=IsolatedReader() if config.run.isolate else InProcess(),
        clock=clock,
    )


# Parsed once, because that takes a tenth of a second.
_catalogue = lru_cache(maxsize=2)(load_catalogue)


def read_catalogue(config: Config) -> Catalogue:
    """Return the knowledge about codes, the site's rows over ours. Raises CatalogueError.

    The site's file may be absent: `teach` writes it with the first row.
    """
    override = config.overrides.codes
    own = override.read_text(encoding="utf-8") if override and override.exists() else None
    return _catalogue(catalogue_text(), own)


def read_rules(config: Config) -> tuple[Rule, ...]:
    """Return the detection rules, the site's over ours. Raises RuleError."""
    return load_rules(*_read("rules.toml", config.overrides.rules))


def make_composer(config: Config) -> Composer:
    """Return the composer of all our messages; a site's templates override ours file by file.

    One with a fault is logged, and ours takes its place: `templates check` names what to repair.
    """
    folders, profile = config.overrides.template_folders, config.profile
    return Composer(folders, profile, shipped_playbooks(), read_catalogue(config), on_fault=_note_fault)


def _note_fault(fault: TemplateFault) -> None:
    log.error("template_failed", fault=str(fault), done="the shipped text was used")


def signatures_of(config: Config) -> SignatureChecker | None:
    """Return the checker of our signatures on returned mail, None unless configured."""
    return _signature_checker(config) if config.trust.dkim else None


def find_signatures(config: Config) -> SignatureChecker | None:
    """Return the checker of our signatures even if not configured; None without its libraries."""
    try:
        return _signature_checker(config)
    except ConfigError:
        return None


def _signature_checker(config: Config) -> SignatureChecker:
    return SignatureChecker(
        config.site.accepted_domains, key_finder(config.trust.dkim_seconds, config.dns.servers)
    )


def policy_of(config: Config) -> Policy:
    reply = config.reply
    return Policy(
        site=config.site,
        from_address=reply.from_address,
        mode=Mode(reply.mode),
        again_after=timedelta(days=reply.again_after_days),
        per_person_per_day=reply.per_person_per_day,
        per_minute=reply.per_minute,
        per_hour=reply.per_hour,
        not_older_than=timedelta(hours=reply.not_older_than_hours),
        never_to=frozenset(address.lower() for address in reply.never_to),
    )


def _read(name: str, override: Path | None) -> tuple[str, str | None]:
    """Return the text of a shipped file, and that of the site's own file if there is one."""
    shipped = data_file(name).read_text(encoding="utf-8")
    return shipped, override.read_text(encoding="utf-8") if override else None
