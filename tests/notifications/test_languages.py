"""Languages: every letter exists in each of them, is right, short and whole, and nothing English is left."""

import re
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from jinja2 import Environment, meta, nodes

from bounce_watch.model import Cause, Details, Letter, Owner, Side
from bounce_watch.notifications import template_samples
from bounce_watch.notifications.composer import Composer
from bounce_watch.notifications.facts import OrganisationProfile
from bounce_watch.notifications.freeze import freeze, new_ids
from bounce_watch.notifications.template_check import MAX_STEPS, MAX_WORDS, body_words

REPLIES = Path(__file__).parents[2] / "templates" / "replies"
LANGUAGES = sorted(folder.name for folder in REPLIES.iterdir() if folder.is_dir() and folder.name != "en")
# One translation in the loop of work; the others cost as much each.
EVERY_LANGUAGE = [pytest.param(name, marks=[] if name == "de" else [pytest.mark.slow]) for name in LANGUAGES]
TODO = {
    "de": "Was Sie jetzt tun können",
    "en": "What to do now",
    "es": "Qué hacer ahora",
    "fr": "Que faire maintenant",
    "it": "Che cosa fare ora",
    "nl": "Wat u nu kunt doen",
    "pt": "O que fazer agora",
}
# Words that are the same in English and in another language.
SHARED_WORDS = frozenset(("Code", "Server"))
ENGLISH_WORDS = re.compile(
    r"(?i)\b(the|your?|our|and|this|that|with|send|again|mail team|recipients?|sender|mailbox|please|told)\b"
)
NO_BREAK_SPACE = "\u00a0"


def texts(language: str) -> dict[str, str]:
    folder = REPLIES / language
    return {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in folder.rglob("*.j2")}


def written(text: str) -> str:
    """Return what people may read of a template: its words, with □ for a value, and those inside its tags."""
    bare = re.sub(r"{#.*?#}|{% (block|include|endblock).*?%}", "", text)
    inside = [
        words for tag in re.findall(r"{[{%](.*?)[%}]}", bare) for words in re.findall(r'"([^"]*)"', tag)
    ]
    words = [piece for piece in inside if piece != "ours" and re.search(r"[^\W\d_]{2}", piece)]
    return "\n".join([re.sub(r"{%.*?%}", "", re.sub(r"{{.*?}}", "□", bare)), *words])


def blocks(text: str) -> dict[str, nodes.Block]:
    return {block.name: block for block in Environment().parse(text).find_all(nodes.Block)}


def names(text: str) -> dict[str, set[str]]:
    """Return the values that each block of a text names; a text without blocks counts as one."""
    pieces: dict[str, list[nodes.Node]] = {name: block.body for name, block in blocks(text).items()}
    tree = Environment().parse(text)
    pieces = pieces or {"": tree.body}
    found = {}
    for name, body in pieces.items():
        piece = nodes.Template(body)
        piece.environment = tree.environment
        found[name] = meta.find_undeclared_variables(piece)
    return found


def letters(composer: Composer, language: str, cause: Cause) -> list[Letter]:
    """Return the letters about a cause: either side, one recipient or two, in an incident, with all notes."""
    owners = Owner if cause is Cause.UNKNOWN else (Owner.SENDER,)
    found = []
    for side in Side:
        for owner in owners:
            one = template_samples.bounce(cause, owner, side)
            two = template_samples.bounce(cause, owner, side, "tom.miller@adatum.example")
            found += [
                template_samples.reply_facts(one, language=language),
                template_samples.reply_facts(one, two, language=language, incident="INC-7"),
            ]
        found += template_samples.noted_facts(cause, side, language)
    return [composer.reply(facts) for facts in found]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_has_the_same_pieces(language: str) -> None:
    english = texts("en")
    for name, text in texts(language).items():
        assert names(text) == names(english[name]), name


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_includes_only_its_own_language(language: str) -> None:
    for text in texts(language).values():
        assert set(re.findall(r"replies/(\w+)/", text)) <= {language}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_was_left_in_english(language: str) -> None:
    english = {
        line.strip() for text in texts("en").values() for line in written(text).splitlines() if line.strip()
    }
    for name, text in texts(language).items():
        lines = {line.strip() for line in written(text).splitlines()}
        assert {line for line in lines & english if line.strip("□, ")} <= SHARED_WORDS, name
        assert not ENGLISH_WORDS.search(written(text)), name


@pytest.mark.parametrize("language", ["en", *EVERY_LANGUAGE])
@pytest.mark.parametrize("cause", Cause)
def test_every_cause_is_whole_in_every_language(composer: Composer, language: str, cause: Cause) -> None:
    """Text and HTML in one language, short, nothing unfilled, nothing to click or to load."""
    for letter in letters(composer, language, cause):
        page = letter.html.partition("</style>")[2]
        assert letter.language == language
        assert f'<html lang="{language}">' in letter.html
        assert TODO[language] in letter.text
        assert TODO[language] in page
        assert body_words(letter.text) < MAX_WORDS
        steps = re.findall(r"(?m)^\d\. ", letter.text)
        assert 1 <= len(steps) <= MAX_STEPS
        assert page.count('class="badge"') in (0, len(steps))
        assert not re.search(r"\{\{|\}\}|\{%|\{#|\bNone\b|\bundefined\b", letter.text + page)
        assert not re.search(r"(?i)<(a|img|link|script|iframe|form)\b|href=|src=|https?:", letter.html)


@pytest.mark.parametrize("language", ["en", *EVERY_LANGUAGE])
@pytest.mark.parametrize("cause", Cause)
def test_sentences_end_and_headlines_do_not(composer: Composer, language: str, cause: Cause) -> None:
    """A headline stands behind a colon and before a full stop; steps and reasons are sentences."""
    for letter in letters(composer, language, cause):
        head, _, body = letter.text.partition(TODO[language])
        assert re.search(r"[^.!?:;]\.\s*$", head)
        steps = re.split(r"(?m)^\d\. ", body.partition("----")[0].strip())[1:]
        assert all(re.search(r"[.!?]$", step.split("\n\n")[0].rstrip()) for step in steps)
        assert not re.search(r"[.,;]{2}|  |\( | \)", " ".join(head.split()))


@pytest.mark.parametrize("language", LANGUAGES)
def test_punctuation_is_that_of_the_language(language: str) -> None:
    for name, text in texts(language).items():
        words = written(text)
        assert not re.search(r"['`´]|\.\.\.", words), f"{name}: a straight apostrophe or three dots"
        if language == "fr":
            assert not re.search(rf"[^{NO_BREAK_SPACE}][:;?!»]|«[^{NO_BREAK_SPACE}]", words), name
        else:
            assert not re.search(r"(?<!,)\s[:;?!,]", words), name
        if language == "es":
            assert words.count("?") == words.count("¿"), name
            assert words.count("!") == words.count("¡"), name


def test_french_keeps_its_no_break_spaces_in_the_letter(composer: Composer) -> None:
    """They come through wrapping and HTML, in the headings and in front of the labels' colons too."""
    full = template_samples.bounce(Cause.MAILBOX_FULL, Owner.SENDER)
    large = template_samples.bounce(Cause.MESSAGE_TOO_LARGE, Owner.SENDER, Side.THEIRS, "eva@litware.example")
    letter = composer.reply(template_samples.reply_facts(full, full, large, language="fr"))
    page = re.sub(r"<[^>]*>", " ", letter.html[letter.html.index("<table") :])
    page = page.replace("&nbsp;", NO_BREAK_SPACE)
    for shown in (letter.text, page):
        ours = shown.partition("Texte fourni par le serveur distant")[0]
        assert len(re.findall(rf"{NO_BREAK_SPACE}[:;?!»]", ours)) >= 10
        assert not re.search(rf"[^{NO_BREAK_SPACE}][:;?!»]", ours)


@pytest.mark.parametrize(
    ("language", "usual", "first"),
    [
        pytest.param(
            "de", "Dienstag, 24. November 2026, 06:48 Uhr", "Freitag, 1. Mai 2026, 01:05 Uhr", id="de"
        ),
        pytest.param("en", "Tuesday, 24 November 2026 at 06:48", "Friday, 1 May 2026 at 01:05", id="en"),
        pytest.param(
            "es",
            "martes, 24 de noviembre de 2026, a las 06:48",
            "viernes, 1 de mayo de 2026, a la 01:05",
            id="es",
        ),
        pytest.param("fr", "mardi 24 novembre 2026 à 06 h 48", "vendredi 1er mai 2026 à 01 h 05", id="fr"),
        pytest.param(
            "it", "martedì 24 novembre 2026 alle ore 06:48", "venerdì 1º maggio 2026 alle ore 01:05", id="it"
        ),
        pytest.param(
            "nl", "dinsdag 24 november 2026 om 06:48 uur", "vrijdag 1 mei 2026 om 01:05 uur", id="nl"
        ),
        pytest.param(
            "pt",
            "terça-feira, 24 de novembro de 2026, às 06:48",
            "sexta-feira, 1 de maio de 2026, à 01:05",
            id="pt",
        ),
    ],
)
def test_a_date_reads_as_people_write_it(composer: Composer, language: str, usual: str, first: str) -> None:
    facts = template_samples.reply_facts(
        template_samples.bounce(Cause.UNKNOWN, Owner.NOBODY), language=language
    )
    may = datetime(2026, 4, 30, 23, 5, tzinfo=UTC)
    for date, expected in ((facts.mail_date, usual), (may, first)):
        assert expected in " ".join(composer.reply(replace(facts, mail_date=date)).text.split())


@pytest.mark.parametrize(
    ("language", "hour", "one", "day"),
    [
        pytest.param("de", "seit 09:40", "seit 01:40", "seit Sonntag, 22. November", id="de"),
        pytest.param("en", "since 09:40", "since 01:40", "since Sunday, 22 November", id="en"),
        pytest.param("es", "desde las 09:40", "desde la 01:40", "desde el domingo, 22 de noviembre", id="es"),
        pytest.param("fr", "depuis 09 h 40", "depuis 01 h 40", "depuis le dimanche 22 novembre", id="fr"),
        pytest.param("it", "dalle ore 09:40", "dalle ore 01:40", "da domenica 22 novembre", id="it"),
        pytest.param("nl", "sinds 09:40 uur", "sinds 01:40 uur", "sinds zondag 22 november", id="nl"),
        pytest.param("pt", "desde as 09:40", "desde a 01:40", "desde domingo, 22 de novembro", id="pt"),
    ],
)
@pytest.mark.parametrize("cause", [Cause.MAILBOX_FULL, Cause.SPF_FAILED])
def test_since_when_a_problem_is_known(
    composer: Composer, cause: Cause, language: str, hour: str, one: str, day: str
) -> None:
    """The clock alone on the day of the bounce, else the date; whether or not a step names the incident."""
    bounce = replace(
        template_samples.bounce(cause, Owner.NOBODY), occurred_at=template_samples.NOW.replace(hour=10)
    )
    facts = template_samples.reply_facts(bounce, language=language, incident="INC-7")
    today = template_samples.NOW.replace(hour=8, minute=40)
    for since, expected in ((today, hour), (today.replace(hour=0), one), (today.replace(day=22), day)):
        assert expected in " ".join(composer.reply(replace(facts, incident_since=since)).text.split())


@pytest.mark.parametrize(
    ("language", "size"),
    [(language, "1,4 MB") for language in ("es", "it", "nl", "pt")] + [("fr", "1,4 Mo"), ("en", "1.4 MB")],
)
def test_a_size_has_the_decimal_sign_of_the_language(composer: Composer, language: str, size: str) -> None:
    details = Details(size_limit=1_500_000, message_size=34 * 1024**2)
    large = replace(template_samples.bounce(Cause.MESSAGE_TOO_LARGE, Owner.SENDER), details=details)
    assert size in " ".join(
        composer.reply(template_samples.reply_facts(large, language=language)).text.split()
    )


@pytest.mark.parametrize("language", ["en", *EVERY_LANGUAGE])
def test_weekdays_and_months_are_complete(language: str) -> None:
    words = (REPLIES / language / "words.j2").read_text(encoding="utf-8")
    for name, count in (("weekdays", 7), ("months", 12)):
        found = re.search(rf"{{% block {name} %}}(.*?){{% endblock %}}", words)
        assert found is not None
        assert len(set(found[1].split())) == count


@pytest.mark.parametrize(
    ("language", "named"),
    [
        pytest.param("de", ["", " und 1 weitere", " und 3 weitere"], id="de"),
        pytest.param("en", ["", " and one more", " and 3 more"], id="en"),
        pytest.param("es", ["", " y 1 más", " y 3 más"], id="es"),
        pytest.param("fr", ["", " et un autre", " et 3 autres"], id="fr"),
        pytest.param("it", ["", " e un altro", " e altri 3"], id="it"),
        pytest.param("nl", ["", " en nog één", " en 3 anderen"], id="nl"),
        pytest.param("pt", ["", " e mais 1", " e mais 3"], id="pt"),
    ],
)
def test_more_recipients_are_counted_in_the_right_number(
    composer: Composer, language: str, named: list[str]
) -> None:
    """The subject names the first, the letter three of five."""
    people = [f"{name}@fabrikam.example" for name in ("lena", "tom", "eva", "jo", "kim")]
    for count, rest in zip((1, 2, 4), named, strict=True):
        bounces = [
            template_samples.bounce(Cause.MAILBOX_FULL, Owner.SENDER, recipient=name)
            for name in people[:count]
        ]
        letter = composer.reply(template_samples.reply_facts(*bounces, language=language))
        assert re.search(rf" {re.escape(people[0] + rest)}( |$)", letter.subject)
        flat = " ".join(letter.text.split())
        assert all(name in flat.partition(TODO[language])[0] for name in people[: min(count, 3)])
        assert people[3] not in flat.partition(TODO[language])[0]


@pytest.mark.parametrize("language", ["en", *EVERY_LANGUAGE])
def test_the_mail_names_its_language(composer: Composer, language: str) -> None:
    facts = template_samples.reply_facts(
        template_samples.bounce(Cause.MAILBOX_FULL, Owner.SENDER), language=language
    )
    bw_id, message_id = new_ids(b"a key of the tests", "sample", "contoso.example")
    content = freeze(
        composer.reply(facts),
        sender=("Mail", "mail@contoso.example"),
        bw_id=bw_id,
        message_id=message_id,
        date=template_samples.NOW,
    )
    assert f"\r\nContent-Language: {language}\r\n".encode() in content


@pytest.mark.parametrize(
    ("asked", "home", "written_in"),
    [
        pytest.param("pt-BR", "en", "pt", id="Brazil"),
        pytest.param("pt-PT", "en", "pt", id="Portugal"),
        pytest.param("fr-CA", "de", "fr", id="the report before the organisation"),
        pytest.param("NL-be", "en", "nl", id="any case"),
        pytest.param(None, "it", "it", id="the organisation when the report is silent"),
        pytest.param("ja-JP", "es", "es", id="the organisation for a language that we lack"),
        pytest.param("ja-JP", "sv", "en", id="English when we lack both"),
        pytest.param("../pt", "en", "en", id="nonsense"),
    ],
)
def test_the_language_is_the_best_that_we_have(
    templates: Path, asked: str | None, home: str, written_in: str
) -> None:
    ours = OrganisationProfile(name="Contoso", support="4711", language=home)
    letter = Composer([templates], ours).reply(
        template_samples.reply_facts(
            template_samples.bounce(Cause.MAILBOX_FULL, Owner.SENDER), language=asked
        )
    )
    assert letter.language == written_in
    assert TODO[written_in] in letter.text


@pytest.mark.parametrize("missing", ["mailbox_full.j2", "words.j2"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_missing_text_makes_the_whole_letter_english(
    templates: Path, tmp_path: Path, language: str, missing: str
) -> None:
    shutil.copytree(templates, tmp_path / "templates")
    (tmp_path / "templates" / "replies" / language / missing).unlink()
    letter = Composer([tmp_path / "templates"], template_samples.ORGANISATION).reply(
        template_samples.reply_facts(
            template_samples.bounce(Cause.MAILBOX_FULL, Owner.SENDER), language=language
        )
    )
    assert letter.language == "en"
    assert letter.subject.startswith("Your mail to ")
    assert not any(title in letter.text for other, title in TODO.items() if other != "en")
