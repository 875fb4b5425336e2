"""Languages: every letter exists in each of them, is right, short and whole, and nothing English is left."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from babel.messages.catalog import PYTHON_FORMAT, Catalog

from bounce_watch import shipped_files
from bounce_watch.model import Cause, Details, Letter, Owner, Side
from bounce_watch.notifications import template_samples
from bounce_watch.notifications.composer import Composer
from bounce_watch.notifications.facts import OrganisationProfile
from bounce_watch.notifications.freeze import freeze, new_ids
from bounce_watch.notifications.rendering.catalogs import catalog_paths, read_catalog
from bounce_watch.notifications.rendering.templates import Templates
from bounce_watch.notifications.template_check import MAX_STEPS, MAX_WORDS, body_words

CATALOGS = catalog_paths(shipped_files.templates())
LANGUAGES = sorted(CATALOGS)
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
# Texts that are the same in English and in another language.
SHARED = frozenset(("Code", "Codes", "Server", "HH:mm"))
ALIKE_IN_FRENCH = frozenset(("Messages", "□ messages"))
ENGLISH_WORDS = re.compile(
    r"(?i)\b(the|your?|our|and|this|that|with|send|again|mail team|recipients?|sender|mailbox|please|told)\b"
)
NO_BREAK_SPACE = "\u00a0"


def texts(language: str) -> list[tuple[str, str]]:
    """Return each English text with its translation, each form of a plural apart, values as □."""
    catalog = read_catalog(CATALOGS[language])
    return [
        (PYTHON_FORMAT.sub("□", english), PYTHON_FORMAT.sub("□", translated))
        for english, translated in pairs(catalog)
        if not re.search(r"HH:mm|EEE", english)
    ]


def pairs(catalog: Catalog) -> list[tuple[str, str]]:
    found = []
    for message in catalog:
        if isinstance(message.id, str):
            found.append((message.id, str(message.string)))
        else:
            found += [(message.id[-1], form) for form in message.string or ()]
    return [(english, translated) for english, translated in found if english]


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
def test_no_text_was_left_in_english(language: str) -> None:
    for english, translated in texts(language):
        alike = SHARED | (ALIKE_IN_FRENCH if language == "fr" else frozenset())
        has_words = re.search("[A-Za-z]{2}", english) is not None
        assert translated != english or english in alike or not has_words, english
        assert not ENGLISH_WORDS.search(translated), translated


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_has_the_marks_of_the_english_text(language: str) -> None:
    """A sentence stays a sentence, a clause a clause, and the path in Outlook keeps its steps."""
    for english, translated in texts(language):
        assert english[-1:] in ".?" or translated[-1:] not in ".?", translated
        assert english[-1:] != "." or translated.endswith("."), translated
        assert english.count(">") == translated.count(">"), translated
        assert english.count("×") == translated.count("×"), translated


@pytest.mark.parametrize("language", ["en", *EVERY_LANGUAGE])
@pytest.mark.parametrize("cause", Cause)
def test_every_cause_is_whole_in_every_language(composer: Composer, language: str, cause: Cause) -> None:
    """Text and HTML in one language, short, nothing unfilled, nothing to click or to load."""
    for letter in letters(composer, language, cause):
        page = letter.html.partition("</style>")[2]
        assert letter.language == language
        assert language != "de" or re.search(r": [A-ZÄÖÜ]", letter.subject)
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
    for _, words in texts(language):
        assert not re.search(r"['`´]|\.\.\.", words), f"{words}: a straight apostrophe or three dots"
        if language == "fr":
            assert not re.search(rf"[^{NO_BREAK_SPACE}][:;?!»]|«[^{NO_BREAK_SPACE}]", words), words
        else:
            assert not re.search(r"(?<!,)\s[:;?!,]", words), words
        if language == "es":
            assert words.count("?") == words.count("¿"), words
            assert words.count("!") == words.count("¡"), words


@pytest.mark.parametrize(
    ("language", "wrong"),
    [
        pytest.param("de", r"\b(sandte|gesandt|Mail-Team|Passwort)\b", id="de"),
        pytest.param("es", r"\b[Rr]eenv(iar|íe) (de nuevo )?el mensaje\b|\bel soporte\b", id="es"),
        pytest.param("it", r"\b(Lei|Suo|Sua|telefoni)\b", id="it"),
        pytest.param("nl", r"\b(alstublieft|verbeter)\b", id="nl"),
        pytest.param("pt", r"\b(utilizador|palavra-passe|e-mail|por agora)\b", id="pt"),
        pytest.param("fr", r"\b(réparer|mèl|courriel)\b", id="fr"),
    ],
)
def test_the_terms_are_those_of_the_language(language: str, wrong: str) -> None:
    """Forms that mean something else there, are of another country, or of another register."""
    assert [words for _, words in texts(language) if re.search(wrong, words)] == []


def test_french_keeps_its_no_break_spaces_in_the_letter(composer: Composer) -> None:
    """They come through wrapping and HTML, in the headings and in front of the labels' colons too."""
    full = template_samples.bounce(Cause.MAILBOX_FULL, Owner.SENDER)
    large = template_samples.bounce(Cause.MESSAGE_TOO_LARGE, Owner.SENDER, Side.THEIRS, "eva@litware.example")
    letter = composer.reply(template_samples.reply_facts(full, full, large, language="fr"))
    page = re.sub(r"<[^>]*>", " ", letter.html[letter.html.index("<table") :])
    page = page.replace("&nbsp;", NO_BREAK_SPACE)
    for shown in (letter.text, page):
        ours = shown.partition("Réponse du serveur distant")[0]
        assert len(re.findall(rf"{NO_BREAK_SPACE}[:;?!»]", ours)) >= 10
        assert not re.search(rf"[^{NO_BREAK_SPACE}][:;?!»]", ours)


@pytest.mark.parametrize(
    ("language", "usual", "first"),
    [
        ("de", "Dienstag, 24. November 2026, 06:48 Uhr", "Freitag, 1. Mai 2026, 01:05 Uhr"),
        ("en", "Tue, Nov 24, 2026, 06:48", "Fri, May 1, 2026, 01:05"),
        ("es", "martes, 24 de noviembre de 2026, 06:48", "viernes, 1 de mayo de 2026, 01:05"),
        ("fr", "mardi 24 novembre 2026, 6 h 48", "vendredi 1er mai 2026, 1 h 05"),
        ("it", "martedì 24 novembre 2026, 06:48", "venerdì 1º maggio 2026, 01:05"),
        ("nl", "dinsdag 24 november 2026, 06:48 uur", "vrijdag 1 mei 2026, 01:05 uur"),
        ("pt", "terça-feira, 24 de novembro de 2026, 06:48", "sexta-feira, 1 de maio de 2026, 01:05"),
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
        ("de", "seit 09:40 Uhr", "seit 01:40 Uhr", "seit Sonntag, 22. November"),
        ("en", "since 09:40", "since 01:40", "since Sun, Nov 22"),
        ("es", "desde las 09:40", "desde la 01:40", "desde el domingo, 22 de noviembre"),
        ("fr", "depuis 9 h 40", "depuis 1 h 40", "depuis le dimanche 22 novembre"),
        ("it", "dalle ore 09:40", "dalle ore 01:40", "da domenica 22 novembre"),
        ("nl", "sinds 09:40 uur", "sinds 01:40 uur", "sinds zondag 22 november"),
        ("pt", "desde as 09:40", "desde a 01:40", "desde domingo, 22 de novembro"),
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
    [(language, "1,4 MB") for language in ("de", "es", "it", "nl", "pt")]
    + [("fr", "1,4 Mo"), ("en", "1.4 MB")],
)
def test_a_size_has_the_decimal_sign_of_the_language(composer: Composer, language: str, size: str) -> None:
    details = Details(size_limit=1_500_000, message_size=34 * 1024**2)
    large = replace(template_samples.bounce(Cause.MESSAGE_TOO_LARGE, Owner.SENDER), details=details)
    assert size in " ".join(
        composer.reply(template_samples.reply_facts(large, language=language)).text.split()
    )


@pytest.mark.parametrize(
    ("language", "named"),
    [
        ("de", ["", " und eine weitere Adresse", " und 3 weitere Adressen"]),
        ("en", ["", " and one more", " and 3 more"]),
        ("es", ["", " y 1 más", " y 3 más"]),
        ("fr", ["", " et un autre", " et 3 autres"]),
        ("it", ["", " e un altro", " e altri 3"]),
        ("nl", ["", " en nog één", " en nog 3 anderen"]),
        ("pt", ["", " e mais 1", " e mais 3"]),
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


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_an_all_clear_is_in_the_language_of_its_reader(composer: Composer, language: str) -> None:
    letter = composer.notice(template_samples.notice_facts(language))
    assert letter.language == language
    assert f'<html lang="{language}">' in letter.html
    assert letter.subject == letter.text.splitlines()[0]
    assert language == "en" or not ENGLISH_WORDS.search(letter.subject + letter.text.partition("Offer")[0])


def test_an_all_clear_is_in_our_language_if_the_reader_has_none(templates: Path) -> None:
    ours = Composer([templates], replace(template_samples.ORGANISATION, language="fr"))
    assert ours.notice(template_samples.notice_facts()).language == "fr"


@pytest.mark.parametrize(
    ("names", "listed"),
    [
        (["ana@x.example", "ines@x.example"], "ana@x.example e ines@x.example"),
        (["ana@x.example", "Hilario"], "ana@x.example e Hilario"),
        (["ana@x.example", "hielo@x.example"], "ana@x.example y hielo@x.example"),
        (["ana@x.example", "luis@x.example"], "ana@x.example y luis@x.example"),
    ],
)
def test_the_spanish_and_sounds_right(templates: Path, names: list[str], listed: str) -> None:
    spoken = Templates([templates]).in_best_language(["es"], lambda translator: translator.listed(names))
    assert spoken == listed
