"""Templates: sandboxed, strict, overridden file by file, checked in words."""

import re
from pathlib import Path

import pytest
from markupsafe import Markup

from bounce_watch.model import Cause, Owner
from bounce_watch.notifications import template_samples
from bounce_watch.notifications.composer import Composer
from bounce_watch.notifications.errors import TemplateFault
from bounce_watch.notifications.rendering.templates import Templates
from bounce_watch.notifications.template_check import check_templates


def folder(base: Path, **files: str) -> Path:
    for name, text in files.items():
        path = base / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_name(f"{path.name}.j2").write_text(text, encoding="utf-8")
    return base


def test_a_site_overrides_one_file(tmp_path: Path, templates: Path) -> None:
    text = (templates / "replies/en/mailbox_full.j2").read_text(encoding="utf-8")
    site = folder(tmp_path, replies__en__mailbox_full=text.replace("by phone or chat", "on line 12"))
    composer = Composer([site, templates], template_samples.ORGANISATION)
    assert (
        "on line 12"
        in composer.reply(
            template_samples.reply_facts(template_samples.bounce(Cause.MAILBOX_FULL, Owner.SENDER))
        ).text
    )
    other = template_samples.reply_facts(template_samples.bounce(Cause.MAIL_LOOP, Owner.MAIL_ADMIN))
    assert "in circles" in composer.reply(other).text


def test_a_language_is_a_folder(tmp_path: Path, templates: Path) -> None:
    """A cause without a text in that language is written in English as a whole, never half and half."""
    words = (templates / "replies/en/words.j2").read_text(encoding="utf-8").replace("Hello,", "Saluton,")
    full = (templates / "replies/en/mailbox_full.j2").read_text(encoding="utf-8")
    composer = Composer(
        [folder(tmp_path, replies__eo__words=words, replies__eo__mailbox_full=full), templates],
        template_samples.ORGANISATION,
    )
    there = composer.reply(
        template_samples.reply_facts(template_samples.bounce(Cause.MAILBOX_FULL, Owner.SENDER), language="eo")
    )
    assert (there.language, there.text.split()[0]) == ("eo", "Saluton,")
    lacking = composer.reply(
        template_samples.reply_facts(template_samples.bounce(Cause.MAIL_LOOP, Owner.SENDER), language="eo")
    )
    assert (lacking.language, lacking.text.split()[0]) == ("en", "Hello,")


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
    long = (templates / "replies/en/message_too_large.j2").read_text(encoding="utf-8")
    files = {f"replies__en__{cause}": text for cause, (text, _) in FAULTS.items()}
    files["replies__en__message_too_large"] = re.sub(
        r"(block headline %\})", r"\1" + "word " * 100, long, count=1
    )
    files["replies__en__mailbox_ful"] = "x"
    return check_templates([folder(tmp_path_factory.mktemp("site"), **files), templates])


def of(problems: list[str], name: str) -> list[str]:
    return [found for found in problems if found.startswith(f"replies/en/{name}.j2")]


@pytest.mark.slow
@pytest.mark.parametrize("cause", FAULTS)
def test_a_faulty_override_is_named(problems: list[str], cause: str) -> None:
    assert any(FAULTS[cause][1] in found for found in of(problems, cause))


def test_a_file_that_no_mail_uses_is_named(problems: list[str]) -> None:
    assert of(problems, "mailbox_ful") == ["replies/en/mailbox_ful.j2: no mail uses a template of this name"]


def test_a_text_that_is_too_long_is_named(problems: list[str]) -> None:
    assert any("words are too many" in found for found in of(problems, "message_too_large"))


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
