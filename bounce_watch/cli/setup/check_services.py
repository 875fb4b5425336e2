"""The parts of `check` about services beside mail: DNS for our own domains, and chat rooms."""

from collections.abc import Iterator
from datetime import UTC, datetime

from bounce_watch.config.models import Config
from bounce_watch.config.secrets import chat_lookup
from bounce_watch.dns.questions import OF_OUR_DOMAINS, Ask, Known, answers
from bounce_watch.dns.resolver import Resolver
from bounce_watch.model.check import Check
from bounce_watch.model.dns import DnsFinding, DnsVerdict, Question
from bounce_watch.send.chat import Room

MOST_DOMAINS = 20


def check_dns(config: Config) -> Iterator[Check]:
    """Ask for the records of the accepted domains, unless [dns] says that nothing is asked."""
    if config.dns.use == "off":
        return
    known = Known(selectors=config.dns.dkim_selectors)
    for domain in config.organisation.accepted_domains[:MOST_DOMAINS]:
        resolver = Resolver(config.dns.servers, config.dns.seconds)
        found = answers(resolver, Ask(questions=OF_OUR_DOMAINS, subject=domain), known, datetime.now(UTC))
        wrong = [one for one in found if _is_wrong(one)]
        for one in wrong:
            repair = f"publish: {one.publish}" if one.publish else f"see: bounce-watch dns {domain}"
            yield Check(f"DNS {domain}", "warning", f"{one.question} {one.name}: {one.why}", repair)
        if not wrong:
            yield Check(f"DNS {domain}", "ok", "its records are sound")


def _is_wrong(finding: DnsFinding) -> bool:
    is_missing = finding.verdict is DnsVerdict.ABSENT and finding.question is not Question.MTA_STS
    return is_missing or finding.verdict in (DnsVerdict.FAULT, DnsVerdict.UNASKED)


def check_chat(config: Config) -> Iterator[Check]:
    """Check that each room can be read from its secret. Raises SecretError."""
    for chat in config.alerts.chat:
        Room(chat_lookup(chat).read())
        yield Check(f"chat {chat.name}", "ok", f"told of: {', '.join(chat.owners)}")
