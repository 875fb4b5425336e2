"""Templates: sandboxed, strict, overridden file by file or text by text, checked in words."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from markupsafe import Markup

from bounce_watch.model import Cause, Owner
from bounce_watch.notifications import template_samples
from bounce_watch.notifications.catalog_check import catalog_problems, unused_blocks
from bounce_watch.notifications.composer import Composer
from bounce_watch.notifications.errors import TemplateFault
from bounce_watch.notifications.facts import ReplyFacts
from bounce_watch.notifications.rendering.templates import Templates
from bounce_watch.notifications.template_check import check_templates


def folder(base: Path, **files: str) -> Path:
    for name, text in files.items():
        path = base / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_name(f"{path.name}.j2").write_text(text, encoding="utf-8")
    return base


def full(language: str | None = None) -> ReplyFacts:
    one = template_samples.bounce(Cause.MAILBOX_FULL, Owner.SENDER)
    return template_samples.reply_facts(one, language=language)


def loop(language: str | None = None) -> ReplyFacts:
    one = template_samples.bounce(Cause.MAIL_LOOP, Owner.MAIL_ADMIN)
    return template_samples.reply_facts(one, language=language)


def text_of(composer: Composer, facts: ReplyFacts) -> str:
    return " ".join(composer.reply(facts).text.split())


def test_a_site_overrides_one_file_for_all_languages(tmp_path: Path, templates: Path) -> None:
    text = (templates / "replies/mailbox_full.j2").read_text(encoding="utf-8")
    own = text.replace("{% trans %}Yes, from tomorrow.{% endtrans %}", "bot.example/9")
    composer = Composer(
        [folder(tmp_path, replies__mailbox_full=own), templates], template_samples.ORGANISATION
    )
    assert "Should you resend it? bot.example/9" in text_of(composer, full())
    assert "Erneut senden? bot.example/9" in text_of(composer, full("de"))
    assert "mail loop" in text_of(composer, loop())


def test_a_file_for_one_language_wins_over_its_catalog(tmp_path: Path, templates: Path) -> None:
    text = (templates / "replies/mailbox_full.j2").read_text(encoding="utf-8")
    own = text.replace("{% trans %}Yes, from tomorrow.{% endtrans %}", "Ja, gleich.")
    site = folder(tmp_path, replies__de__mailbox_full=own, replies__mailbox_full="{% block headline %}x")
    composer = Composer([site, templates], template_samples.ORGANISATION)
    assert "Erneut senden? Ja, gleich." in text_of(composer, full("de"))
    with pytest.raises(TemplateFault, match=r"replies/mailbox_full\.j2, line 1"):
        composer.reply(full("fr"))


OLD_WORDS = """{% block who %}{{ recipients|join(", ") }}{% endblock %}
{% block weekdays %}lundo mardo{% endblock %}
{% block subject %}Via letero al {{ who_short }}: {{ headline }}{% endblock %}
{% block greeting %}Saluton,{% endblock %}
{% block opening %}Via letero de {{ sent_at }} ne atingis {{ who }}{% endblock %}
{% block todo %}Farenda{% endblock %}{% block why %}Kial{% endblock %}{% block again %}Denove?{% endblock %}
{% block others %}Aliaj{% endblock %}{% block ask %}{{ support }}{% endblock %}
{% block details %}Detaloj{% endblock %}{% block recipient_label %}Al{% endblock %}
{% block code_label %}Kodo{% endblock %}{% block server_label %}Servilo{% endblock %}
{% block quote_label %}Respondo{% endblock %}{% block footer %}{{ organisation }}{% endblock %}
"""
OLD_CAUSE = """{% block headline %}{{ "plenas" if many else "plena" }}{% endblock %}
{% block steps %}{% include "replies/LANGUAGE/shared/mail_team_acts.j2" %}{% endblock %}
{% block why %}Ne estas loko.{% endblock %}{% block again %}Morgaŭ.{% endblock %}
"""


def test_a_language_may_be_a_folder_of_a_site(tmp_path: Path, templates: Path) -> None:
    """So it was before catalogs. What the folder lacks makes the whole email English, notes are left out."""
    cause = OLD_CAUSE.replace('{% include "replies/LANGUAGE/shared/mail_team_acts.j2" %}', "\nAtendu.\n")
    site = folder(tmp_path, replies__eo__words=OLD_WORDS, replies__eo__mailbox_full=cause)
    composer = Composer([site, templates], template_samples.ORGANISATION)
    there = composer.reply(replace(full("eo"), earlier_bounces=1))
    assert (there.language, there.text.split()[0]) == ("eo", "Saluton,")
    assert "24" in there.text
    assert "Denove?\n\nMorgaŭ." in there.text
    lacking = composer.reply(loop("eo"))
    assert (lacking.language, lacking.text.split()[0]) == ("en", "Hello,")


def test_an_override_of_the_layout_before_catalogs_still_works(tmp_path: Path, templates: Path) -> None:
    """It includes a file of a language folder that does not ship any more, and names months by hand."""
    old = OLD_CAUSE.replace("LANGUAGE", "de")
    site = folder(tmp_path, replies__de__words=OLD_WORDS, replies__de__mailbox_full=old)
    said = text_of(Composer([site, templates], template_samples.ORGANISATION), full("de"))
    assert "Farenda 1. Ihre E-Mail ist in Ordnung." in said
    assert "Dienstag, 24. November 2026, 06:48 Uhr" in said
    found = unused_blocks(Templates([site, templates]))
    assert [line.partition("; ")[0] for line in found] == [
        "replies/de/words.j2: the block 'weekdays' is not used",
        "replies/de/words.j2: the block 'who' is not used",
    ]


HEADER = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'


def catalog(base: Path, language: str, *texts: tuple[str, str]) -> Path:
    path = base / "locale" / language / "LC_MESSAGES" / "bounce_watch.po"
    path.parent.mkdir(parents=True)
    entries = (f'msgid "{english}"\nmsgstr "{translated}"\n' for english, translated in texts)
    path.write_text(HEADER + "\n".join(entries), encoding="utf-8")
    return base


def test_a_catalog_of_a_site_wins_text_by_text(tmp_path: Path, templates: Path) -> None:
    site = catalog(tmp_path, "de", ("Hello,", "Moin,"))
    said = text_of(Composer([site, templates], template_samples.ORGANISATION), full("de"))
    assert said.startswith("Moin, Ihre E-Mail")
    assert list(catalog_problems([site, templates])) == []


def test_a_language_whose_catalog_lacks_a_text_is_not_mixed_with_another(
    tmp_path: Path, templates: Path
) -> None:
    site = catalog(tmp_path, "sv", ("Hello,", "Hej,"))
    ours = replace(template_samples.ORGANISATION, language="nl")
    assert Composer([site, templates], ours).reply(full("sv")).language == "nl"
    (problem,) = catalog_problems([site, templates])
    assert re.match(r"locale/sv/LC_MESSAGES/bounce_watch\.po: \d+ texts are not translated, such as", problem)


@pytest.mark.parametrize(
    ("english", "translated", "fault"),
    [
        pytest.param("Contact support now: %(support)s.", "Ring %(suport)s.", "'suport'", id="misspelt"),
        pytest.param("Contact support now: %(support)s.", "Ring!", r"lacks %\(support\)s", id="dropped"),
        pytest.param("Hello,", "100 % för dig,", "cannot be filled in", id="a percent sign"),
    ],
)
def test_a_catalog_that_cannot_be_filled_in_is_named_with_its_line(
    tmp_path: Path, templates: Path, english: str, translated: str, fault: str
) -> None:
    site = catalog(tmp_path, "de", (english, translated))
    with pytest.raises(TemplateFault, match=rf"locale/de/LC_MESSAGES/bounce_watch\.po, line 4: .*{fault}"):
        Composer([site, templates], template_samples.ORGANISATION).reply(full("de"))
    assert any(re.search(fault, problem) for problem in catalog_problems([site, templates]))


def test_text_of_a_mail_is_never_a_pattern(composer: Composer) -> None:
    """A value with a placeholder of gettext stays what it is, in text and in HTML."""
    letter = composer.reply(replace(full("de"), mail_subject="50 % of %(support)s <b>"))
    assert "„50 % of %(support)s <b>“" in " ".join(letter.text.split())
    assert "„50 % of %(support)s &lt;b&gt;“" in letter.html


# One look at all templates takes seconds, so each fault stands in a file of its own and is looked for once.
FAULTS = {
    "mailbox_full": ("{% block headline %}{{ nobody }}{% endblock %}", "'nobody' is undefined"),
    "mail_loop": ("{% block headline %}x", "line"),
    "spf_failed": ("", "the block 'headline' is missing"),
    "dkim_failed": ("{% block headline %}{{ ''.__class__.mro() }}{% endblock %}", "unsafe"),
    "dmarc_failed": ("{% block headline %}{% include 'nowhere.j2' %}{% endblock %}", "nowhere.j2"),
}


@pytest.fixture(scope="module")
def problems(tmp_path_factory: pytest.TempPathFactory, templates: Path) -> list[str]:
    """What is said of a site folder with those files, a letter that is too long and a misspelt name."""
    long = (templates / "replies/message_too_large.j2").read_text(encoding="utf-8")
    files = {f"replies__en__{cause}": text for cause, (text, _) in FAULTS.items()}
    files["replies__en__message_too_large"] = re.sub(
        r"(block headline %\})", r"\1" + "word " * 100, long, count=1
    )
    files["replies__en__mailbox_ful"] = "x"
    return check_templates([folder(tmp_path_factory.mktemp("site"), **files), templates])


def of(problems: list[str], name: str) -> list[str]:
    return [found for found in problems if found.startswith(f"replies/en/{name}.j2")]


@pytest.mark.slow
@pytest.mark.xdist_group("faulty overrides")
@pytest.mark.parametrize("cause", FAULTS)
def test_a_faulty_override_is_named(problems: list[str], cause: str) -> None:
    assert any(FAULTS[cause][1] in found for found in of(problems, cause))


@pytest.mark.xdist_group("faulty overrides")
def test_a_file_that_no_mail_uses_is_named(problems: list[str]) -> None:
    assert of(problems, "mailbox_ful") == ["replies/en/mailbox_ful.j2: no mail uses a template of this name"]


@pytest.mark.xdist_group("faulty overrides")
def test_a_text_that_is_too_long_is_named(problems: list[str]) -> None:
    assert any("words are too many" in found for found in of(problems, "message_too_large"))


@pytest.mark.xdist_group("faulty overrides")
def test_nothing_else_is_named(problems: list[str]) -> None:
    """The files that ship stay out of the list."""
    names = (*FAULTS, "message_too_large", "mailbox_ful")
    assert sorted(problems) == sorted(found for name in names for found in of(problems, name))


def test_markup_is_refused_as_a_value(tmp_path: Path) -> None:
    """A string that claims to be safe HTML would skip the escaping."""
    page = Templates([folder(tmp_path, **{"page.html": "{{ x }}"})])
    assert page.render("page.html.j2", {"x": "<b>"}) == "&lt;b&gt;"
    with pytest.raises(TypeError):
        page.render("page.html.j2", {"x": [Markup("<b>")]})


def test_a_missing_file_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(TemplateFault, match=r"there is no template 'x\.j2'"):
        Templates([tmp_path]).render("x.j2", {})


@pytest.mark.parametrize(
    ("text", "place"),
    [
        pytest.param(
            "{% block headline %}x{% endblock %}\n{% block steps %}\nfirst\n{{ nobody }}\n{% endblock %}",
            "replies/en/mailbox_full.j2, line 4: 'nobody'",
            id="unknown value",
        ),
        pytest.param(
            "{% block headline %}x{% endblock %}\n{% if %}",
            "replies/en/mailbox_full.j2, line 2:",
            id="syntax",
        ),
        pytest.param(
            "{% block headline %}x{% endblock %}\n"
            '{% block steps %}{% include "replies/en/shared/own.j2" %}{% endblock %}',
            "replies/en/shared/own.j2, line 3: 'nobody'",
            id="in an included file",
        ),
    ],
)
def test_a_problem_is_named_with_its_line(tmp_path: Path, templates: Path, text: str, place: str) -> None:
    site = folder(tmp_path, replies__en__mailbox_full=text, replies__en__shared__own="one\ntwo\n{{ nobody }}")
    facts = template_samples.reply_facts(template_samples.bounce(Cause.MAILBOX_FULL, Owner.SENDER))
    with pytest.raises(TemplateFault) as caught:
        Composer([site, templates], template_samples.ORGANISATION).reply(facts)
    assert str(caught.value).startswith(place)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{{ ''.__class__.__mro__ }}", "unsafe"),
        ("{{ cycler.__init__.__globals__ }}", "unsafe"),
        ("{{ '{0.__class__}'.format(steps) }}", "unsafe"),
        ("{% for i in range(10**9) %}x{% endfor %}", "Range too big"),
        ("{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}", "steps"),
        ("{% macro f(n) %}{{ n and f(n - 1) ~ f(n - 1) }}{% endmacro %}{{ f(60) }}", "steps"),
        ("{% macro f(n) %}{{ f(n) }}{% endmacro %}{{ f(1) }}", "recursion"),
        ("{{ 'x' * 10**11 }}", "too large"),
        ("{{ 9 ** 9 ** 9 }}", "too large"),
        ("{{ 'x'|center(10000000000) }}{{ 'x'.rjust(10000000000) }}", "too large"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ 'a' + 1 }}", "concatenate"),
        ("{{ '%d' % 'x' }}", "format"),
    ],
)
def test_a_hostile_or_endless_text_is_stopped_and_named(tmp_path: Path, text: str, why: str) -> None:
    own = folder(tmp_path, replies__mailbox_full=f"{{% block why %}}\n{text}{{% endblock %}}")
    with pytest.raises(TemplateFault, match=rf"replies/mailbox_full\.j2, line 2: .*{why}"):
        Templates([own]).block("replies/mailbox_full.j2", "why", {"steps": "1"})
    with pytest.raises(TemplateFault, match=rf"replies/mailbox_full\.j2, line 2: .*{why}"):
        Templates([own]).render("replies/mailbox_full.j2", {"steps": "1"})


def test_large_figures_are_not_refused(tmp_path: Path) -> None:
    own = folder(tmp_path, a="{% for n in rows %}{{ loop.length }}{{ n * 100 }} {{ n|string }}{% endfor %}")
    assert Templates([own]).render("a.j2", {"rows": [20_000_000]}) == "12000000000 20000000"
