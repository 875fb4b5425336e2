"""Render every template, including the site's, with sample facts, and report what is wrong."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from bounce_watch.model import Cause, Owner, Side
from bounce_watch.notifications import dns_samples
from bounce_watch.notifications import template_samples as samples
from bounce_watch.notifications.alert.playbooks import Playbook
from bounce_watch.notifications.catalog_check import catalog_problems, unused_blocks
from bounce_watch.notifications.composer import Composer
from bounce_watch.notifications.errors import TemplateFault, TooMuchWork
from bounce_watch.notifications.facts import ReplyFacts
from bounce_watch.notifications.guidance.letter import guidance_text
from bounce_watch.notifications.rendering.templates import Templates
from bounce_watch.notifications.replied_samples import confirmations, questions
from bounce_watch.notifications.report_page.page import report_page

MAX_WORDS = 120
MAX_STEPS = 4
_RULER = re.compile(r"(?m)^-{20,}$")
_STEP = re.compile(r"(?m)^\d\. ")
_SHARED = re.compile(r"replies/(?:[a-z]{2,3}/)?shared/[a-z_]+\.j2")
_TEXTS = frozenset(("general", "not_told", "words", "notes", *Cause, *(f"owner_{owner}" for owner in Owner)))
_TEXT = re.compile(r"replies/(?:[a-z]{2,3}/)?([a-z0-9_]+)\.j2")
_FIXED = frozenset(
    (
        *("layout.html.j2", "phrases.j2", "replies/letter.html.j2", "replies/letter.txt.j2"),
        *("alerts/alert.html.j2", "alerts/alert.txt.j2", "alerts/notice.html.j2", "alerts/notice.txt.j2"),
        *(
            "alerts/owner.html.j2",
            "alerts/owner.txt.j2",
            "alerts/outage.html.j2",
            "alerts/outage.txt.j2",
            "alerts/outage_state.j2",
        ),
        *("digest/digest.html.j2", "digest/digest.txt.j2", "drafts/postmaster.txt.j2"),
        *("support/message.html.j2", "support/message.txt.j2"),
        *("report/report.html.j2", "report/report.css.j2", "report/report.js.j2"),
    )
)


def check_templates(folders: Sequence[Path], playbooks: Mapping[str, Playbook] | None = None) -> list[str]:
    """Render all templates of the folders; return one sentence per problem."""
    templates = Templates(folders)
    composer = Composer(folders, samples.ORGANISATION, playbooks)
    problems = [
        f"{name}: no mail uses a template of this name" for name in templates.names() if not _is_known(name)
    ]
    problems += [*unused_blocks(templates), *catalog_problems(folders)]
    for language in templates.languages:
        for cause in Cause:
            problems += _reply_problems(templates, composer, cause, language)
    problems += _other_problems(templates, composer, playbooks or {})
    return list(dict.fromkeys(problems))


def body_words(text: str) -> int:
    """Count the words of a reply above its details, without numbers."""
    return sum(any(map(str.isalpha, word)) for word in _RULER.split(text)[0].split())


def _is_known(name: str) -> bool:
    text = _TEXT.fullmatch(name)
    return name in _FIXED or _SHARED.fullmatch(name) is not None or (text is not None and text[1] in _TEXTS)


def _reply_problems(templates: Templates, composer: Composer, cause: Cause, language: str) -> Iterator[str]:
    """Render the text of one cause in every case, and its page once."""
    place = f"replies/{language}/{cause}.j2"
    for position, facts in enumerate(_cases(cause, language)):
        try:
            if position == 0:
                composer.reply(facts)
            text = guidance_text(templates, samples.ORGANISATION, facts)
        except TooMuchWork as fault:
            yield str(fault)
            return
        except TemplateFault as fault:
            yield str(fault)
            continue
        if body_words(text) > MAX_WORDS:
            yield f"{place}: {body_words(text)} words are too many, at most {MAX_WORDS}"
        if not 1 <= len(_STEP.findall(text)) <= MAX_STEPS:
            yield f"{place}: there must be one to {MAX_STEPS} steps"


def _cases(cause: Cause, language: str) -> Iterator[ReplyFacts]:
    """Yield sample facts: both sides, one recipient and several, and a case for each note.

    The owner selects the text only for the unknown cause, and the color for security.
    """
    for side in Side:
        for owner in Owner if cause is Cause.UNKNOWN else (Owner.SENDER, Owner.SECURITY):
            one = samples.bounce(cause, owner, side)
            other = samples.bounce(cause, owner, side, "tom.miller@adatum.example")
            yield samples.reply_facts(one, language=language)
            yield samples.reply_facts(one, other, language=language, incident="INC-7")
    yield from samples.noted_facts(cause, Side.THEIRS, language)
    yield from dns_samples.undeliverable_facts(cause, language)


def _other_problems(
    templates: Templates, composer: Composer, playbooks: Mapping[str, Playbook]
) -> Iterator[str]:
    """Render alerts, all-clears, mail about replies, outages, the digest and the report page."""
    admin = "admin@contoso.example"
    renders: list[Callable[[], object]] = [
        *(partial(composer.alert, samples.alert_facts(name)) for name in playbooks or ("none",)),
        partial(composer.alert, dns_samples.dns_alert_facts()),
        *(partial(composer.notice, samples.notice_facts(language)) for language in templates.languages),
        *(partial(composer.question, facts) for facts in questions()),
        *(partial(composer.confirmation, facts) for facts in confirmations()),
        *(partial(composer.owner, samples.owner_facts(language)) for language in templates.languages),
        *(partial(composer.outage, facts) for facts in samples.outages()),
        *(
            partial(composer.digest, samples.digest(empty), event_key="sample", to=admin)
            for empty in (False, True)
        ),
        partial(report_page, templates, samples.overview(), samples.NOW),
    ]
    for render in renders:
        try:
            render()
        except TemplateFault as fault:
            yield str(fault)
