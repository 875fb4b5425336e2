"""What a server says of the structure of a mail is believed within bounds and as far as the bytes agree."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounce_watch.source.imap.bodystructure import MAX_ANSWER, Entity, structures_in
from bounce_watch.source.imap.head_plan import Plan, cut, plan
from tests.source.wrapping import attachment, embedded, mixed, text

TEXT = '("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 5 1 NIL NIL NIL NIL)'
PDF = (
    '("application" "pdf" ("name" "offer.pdf") NIL NIL "base64" 30000 NIL ("attachment" '
    '("filename" "offer.pdf")) NIL NIL)'
)


def answer(structure: str) -> list[bytes]:
    return [f"1 (UID 7 BODYSTRUCTURE {structure})".encode()]


def of_parts(*parts: str, kind: str = "mixed") -> str:
    return f'({"".join(parts)} "{kind}" ("boundary" "b") NIL NIL NIL)'


def test_a_structure_is_read_with_its_order_sizes_and_names() -> None:
    """Names come from the type and from the disposition, decoded in both of their ways."""
    named = PDF.replace('"offer.pdf") NIL', '"=?utf-8?q?Gr=C3=BC=C3=9Fe=2Epdf?=") NIL').replace(
        '"filename" "offer.pdf"', '"filename*" "utf-8\'\'a%2Epdf"'
    )
    inner = of_parts(TEXT, named)
    mail = (
        f'("message" "rfc822" NIL NIL NIL "7bit" 90000 ("d" "s" NIL NIL NIL NIL NIL NIL NIL "<m>") {inner} 9)'
    )
    root = structures_in(answer(of_parts(TEXT, mail)))[7]
    assert [(entity.content_type, entity.octets) for entity in root.all()] == [
        ("multipart/mixed", 0),
        ("text/plain", 5),
        ("message/rfc822", 90000),
        ("multipart/mixed", 0),
        ("text/plain", 5),
        ("application/pdf", 30000),
    ]
    assert list(root.all())[-1].names == ("Grüße.pdf", "utf-8''a.pdf")


def test_literals_and_several_answers_are_read_each_by_itself() -> None:
    """imaplib gives a line and its literal as a pair; an odd answer costs the others nothing."""
    lines = [
        (b'1 (UID 7 BODYSTRUCTURE ("image" "png" ("name" {7}', b'a"b.png'),
        b') NIL NIL "base64" 30000 NIL NIL NIL NIL))',
        b"2 (UID 8 BODYSTRUCTURE ((((((",
        b"3 (UID 9 BODYSTRUCTURE " + TEXT.encode() + b")",
    ]
    found = structures_in(lines)
    assert found.keys() == {7, 9}
    assert found[7].names == ('a"b.png',)


@pytest.mark.parametrize(
    "structure",
    [
        pytest.param("NIL", id="none"),
        pytest.param("(" * 3000 + ")" * 3000, id="brackets without end"),
        pytest.param("(" * 30 + TEXT + ")" * 30, id="deep"),
        pytest.param(of_parts(*[TEXT] * 100), id="many parts"),
        pytest.param(of_parts(TEXT, PDF.replace("offer", "x" * MAX_ANSWER)), id="long"),
        pytest.param(f'({TEXT} "mixed" NIL NIL NIL NIL)', id="no boundary"),
        pytest.param(f'({TEXT} "mixed" ("boundary" "a\r\nb") NIL)', id="line break in the boundary"),
        pytest.param(TEXT.replace(" 5 1", " -5 1"), id="negative size"),
        pytest.param(TEXT.replace(" 5 1", " 99999999999999999999 1"), id="size beyond all"),
        pytest.param(TEXT.replace(' 5 1', ' NIL 1'), id="no size"),
        pytest.param(TEXT.replace('"text"', '"te xt"'), id="no type"),
        pytest.param('("message" "rfc822" NIL NIL NIL "7bit" 90000)', id="mail without its inside"),
        pytest.param(TEXT + ")", id="one bracket too many"),
        pytest.param(TEXT[:-1], id="one bracket too few"),
        pytest.param('"text" "plain"', id="words only"),
    ],
)  # fmt: skip
def test_an_odd_structure_is_none(structure: str) -> None:
    """The mail is then fetched whole."""
    assert structures_in(answer(structure)) == {}


@pytest.mark.parametrize(
    ("part", "is_left_out"),
    [
        pytest.param(PDF, True, id="PDF"),
        pytest.param(PDF.replace('"application" "pdf"', '"application" "octet-stream"'), True, id="by name"),
        pytest.param(
            '("application" "octet-stream" NIL NIL NIL "base64" 30000 NIL NIL NIL NIL)', False, id="no name"
        ),
        pytest.param('("image" "png" NIL NIL NIL "base64" 30000 NIL NIL NIL NIL)', True, id="picture"),
        pytest.param(PDF.replace('"name"', '"name*0*"'), False, id="name in pieces"),
        pytest.param(PDF.replace('"filename"', '"filename*1"'), False, id="file name in pieces"),
        pytest.param(PDF.replace('"name" "offer.pdf"', '"name" "a.eml"'), False, id="two names"),
        pytest.param(PDF.replace('"application" "pdf"', '"message" "partial"'), False, id="piece of a mail"),
        pytest.param(PDF.replace('"application" "pdf"', '"text" "rfc822-headers"'), False, id="headers"),
    ],
)
def test_only_what_no_reader_looks_at_is_left_out(part: str, is_left_out: bool) -> None:
    """By its type, and by every name it has."""
    root = structures_in(answer(of_parts(TEXT, part)))[7]
    assert (plan(root, 32_000) is not None) is is_left_out


@given(st.lists(st.binary(max_size=200) | st.from_regex(rb"1 \(UID 7 BODYSTRUCTURE [()\"a1 NIL]{0,80}\)")))
def test_no_answer_makes_us_fail(lines: list[bytes]) -> None:
    """Whatever the server says."""
    structures_in(lines)


MAIL = mixed(text(b"hello"), embedded(mixed(text(b"inner"), attachment(), boundary=b"in")), attachment())


def described(**changes: int) -> tuple[Entity, list[Entity]]:
    """Return the true structure of MAIL, and its two attachments."""

    def leaf(content_type: str, octets: int) -> Entity:
        return Entity(content_type=content_type, octets=octets)

    size = len(attachment().partition(b"\r\n\r\n")[2])
    inside = mixed(text(b"inner"), attachment(), boundary=b"in")
    files = [leaf("application/pdf", size + changes.get("first", 0)), leaf("application/pdf", size)]
    inner = Entity(content_type="multipart/mixed", boundary=b"in", children=(leaf("text/plain", 5), files[0]))
    mail = Entity(content_type="message/rfc822", octets=len(inside), children=(inner,))
    words = leaf("text/plain", 5 + changes.get("text", 0))
    return Entity(
        content_type="multipart/mixed", boundary=b"=_around", children=(words, mail, files[1])
    ), files


def planned(root: Entity, size: int = len(MAIL)) -> Plan:
    made = plan(root, size)
    assert made
    return made


def test_the_head_is_cut_behind_the_header_of_the_first_attachment() -> None:
    """What is fetched is enough, and not much more than that."""
    root, files = described()
    made = planned(root)
    head = cut(MAIL[: made.length], made, len(MAIL))
    assert made.left_out == tuple(files)
    assert head == MAIL[: MAIL.index(attachment()) + attachment().index(b"\r\n\r\n") + 4]
    assert made.length - len(head) < 1000


@pytest.mark.parametrize(
    ("changes", "mail", "size"),
    [
        pytest.param({"text": 1}, MAIL, len(MAIL), id="a part is longer than said"),
        pytest.param({"text": -1}, MAIL, len(MAIL), id="a part is shorter than said"),
        pytest.param({}, MAIL, len(MAIL) + 9000, id="a part is kept from us"),
        pytest.param({"first": 400}, MAIL, len(MAIL), id="attachments are longer than the mail"),
        pytest.param({}, MAIL.replace(b"--=_around", b"--=_other"), len(MAIL), id="another boundary"),
        pytest.param({}, MAIL.replace(b"application/pdf", b"message/rfc822"), len(MAIL), id="another type"),
        pytest.param({}, MAIL.replace(b"\r\n", b"\n"), len(MAIL), id="other line ends"),
        pytest.param({}, MAIL[:300], len(MAIL), id="less than asked for"),
        pytest.param({}, b"", len(MAIL), id="nothing"),
        pytest.param({}, re.sub(rb"(?s)\r\n\r\n", b"\r\n", MAIL), len(MAIL), id="no blank lines"),
    ],
)
def test_a_head_that_lies_otherwise_than_the_structure_says_is_none(
    changes: dict[str, int], mail: bytes, size: int
) -> None:
    """The server read the mail in another way than it lies there; all of it is fetched then."""
    made = planned(described(**changes)[0], size)
    assert cut(mail[: made.length], made, size) is None
