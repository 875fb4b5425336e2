"""The MIME tree: bounded, lazy, never raising."""

import pytest

from bounce_watch.model.address import domain_of
from bounce_watch.unwrap.mime.headers import decode_words, first_address
from bounce_watch.unwrap.mime.limits import (
    MAX_DASHED_LINES,
    MAX_DEPTH,
    MAX_HEADER,
    MAX_HEADERS,
    MAX_MESSAGE,
    MAX_PARTS,
    bounded,
)
from bounce_watch.unwrap.mime.text import decode, one_line
from bounce_watch.unwrap.mime.tree import Part, parse

REPORT = (
    b'Content-Type: multipart/report; report-type=delivery-status; boundary="b 1"\r\n\r\n'
    b'--b 1\r\nContent-Type: text/plain; charset="windows-1252"\r\n\r\n\x93Hi\x94\r\n'
    b"--b 1\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; a\r\n"
    b"--b 1\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nbody\r\n--b 1--\r\n"
)


def depth_of(part: Part) -> int:
    return 1 + max(map(depth_of, part.children), default=0)


def count(part: Part) -> int:
    return 1 + sum(map(count, part.children))


def test_the_leaves_of_a_report() -> None:
    """Embedded messages stay closed; their root is their only child."""
    root = parse(REPORT)
    text, status, returned = root.leaves()
    assert root.parameters["report-type"] == "delivery-status"
    assert text.text.strip() == "“Hi”"
    assert status.content.strip() == b"Reporting-MTA: dns; a"
    assert returned.is_embedded_message
    assert returned.children[0].headers.first("subject") == "inner"


def test_a_part_without_headers_has_its_text() -> None:
    root = parse(b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nplain words\n--b--\n")
    assert [leaf.text.strip() for leaf in root.leaves()] == ["plain words"]


def test_broken_base64_is_given_as_it_stands() -> None:
    """It cannot be decoded; its bytes are kept, and the other parts are read normally."""
    root = parse(
        b"Content-Type: multipart/mixed; boundary=b\n\n"
        b"--b\nContent-Transfer-Encoding: base64\n\n!!<a@b.example>!\n"
        b"--b\n\nfine\n--b--\n"
    )
    broken, fine = root.leaves()
    assert broken.text.strip() == "!!<a@b.example>!"
    assert fine.text.strip() == "fine"


@pytest.mark.parametrize("depth", [10, 300, 3000])
def test_nesting_is_bounded(depth: int) -> None:
    """The fast reader refuses deep nesting; our own then takes over with the same limits."""
    layers = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(depth)
    )
    assert depth_of(parse(layers + b"\nx")) <= MAX_DEPTH + 1


def test_parts_are_bounded() -> None:
    assert (
        count(parse(b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 5000)) <= MAX_PARTS + 1
    )


def test_the_limits_hold_before_parsing() -> None:
    """Size, dashed lines, header size and header count are cut; what is within them stays untouched."""
    small = b"Subject: x\n\nbody"
    assert bounded(small) is small
    assert len(bounded(b"Subject: x\n\n" + b"y" * (MAX_MESSAGE + 5))) <= MAX_MESSAGE
    assert bounded(b"S: x\n\n" + b"\n--b" * 9000).count(b"\n--") <= MAX_DASHED_LINES
    headers = bounded(b"A: b\n" * 50_000 + b"\nbody")
    assert headers.partition(b"\n\n")[0].count(b"\n") <= MAX_HEADERS
    assert len(bounded(b"Subject: " + b"z" * 100_000 + b"\n\nbody")) < MAX_HEADER + 100


@pytest.mark.parametrize(
    ("content", "declared", "text"),
    [
        (b"gr\xc3\xbc\xc3\x9fe", "utf-8", "grüße"),
        (b"gr\xfc\xdfe", "us-ascii", "grüße"),
        (b"\x93x\x94", None, "“x”"),
        (b"\x81", "utf-8", "\x81"),
        (b"x", "no-such-charset", "x"),
        (b"x\x00y", "utf-8", "xy"),
        (b"xn--", "idna", "xn--"),
        (b"\xff\xfe\x00\xd8", "utf-16", "ÿþØ"),
        (b"\x1b$B$3\x1b(B", "iso-2022-jp", "こ"),
    ],
)
def test_the_charset_ladder(content: bytes, declared: str | None, text: str) -> None:
    assert decode(content, declared) == text


def test_one_line_has_no_control_characters() -> None:
    assert one_line("a\r\nBcc: x\x1b[2J\x00\u2028b") == "a Bcc: x [2J b"


def test_address_values_are_clean() -> None:
    """A header whose encoded word holds CR LF stays one line."""
    headers = parse(
        b"Subject: =?utf-8?q?a=0D=0ABcc:_v?=\nFrom: =?utf-8?q?x=0D=0Ay?= <a@B.example>\n\n"
    ).headers
    assert headers.line("subject") == "a Bcc: v"
    assert headers.address("from") == "a@b.example"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("=?utf-8?q?Gr=C3?= =?UTF-8?q?=BC=C3=9Fe?=", "Grüße"),
        ("=?utf-8?B?R3LD?=\t=?utf-8?Q?=BC?= x =?utf-8?q?=C3=BC?=", "Grü x ü"),
        ("=?utf-8?b?5pel?= =?utf-8?b?5pw=?= =?utf-8?b?rA==?=", "日本"),
        ("=?iso-2022-jp?B?GyRCRnxLXBsoQg==?= =?iso-2022-jp?B?GyRCOGwbKEI=?=", "日本語"),
        ("=?utf-8?q?a?= =?iso-8859-1?q?=FC?=", "aü"),
        ("=?utf-8?q?=C3?= and =?utf-8?q?=BC?=", "Ã and ¼"),
        ("=?utf-8?q?=C3?=", "Ã"),
    ],
)
def test_encoded_words_that_are_cut_within_a_character_are_joined(value: str, text: str) -> None:
    """Many programs cut after so many bytes; only words side by side, of one charset, belong together."""
    assert decode_words(value) == text


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("Anna <anna@müller.example>", "anna@xn--mller-kva.example"),
        ("anna@MÜLLER.Example", "anna@xn--mller-kva.example"),
        ("anna@xn--mller-kva.example", "anna@xn--mller-kva.example"),
        ("anna@mu\u0308ller.example", "anna@xn--mller-kva.example"),
        ("änne@例え.example", "änne@xn--r8jz45g.example"),
        ("x@" + "ü" * 250, "x@" + "ü" * 250),
        ("x@evil\uff20contoso.example", "x@evil\uff20contoso.example"),
        ("x@contoso\u2100.example", "x@contoso\u2100.example"),
    ],
)
def test_a_domain_in_utf8_and_in_a_labels_is_one(written: str, address: str) -> None:
    """A sender in the accepted domain, written the other way, got no reply. Letters that become an @ stay."""
    found = first_address(written)
    assert found == address
    assert domain_of(found) == address.partition("@")[2]


def test_words_cut_within_a_character_are_joined_at_every_depth() -> None:
    """fast_mail_parser decodes them one by one."""
    inner = (
        b"Subject: =?utf-8?B?R3LD?=\n =?utf-8?B?vA==?=\nFrom: =?utf-8?q?J=C3?= =?utf-8?q?=B6?= <j@b.example>"
    )
    outer = (
        b"Subject: =?utf-8?q?Gr=C3?= =?utf-8?q?=BC=C3=9Fe?=\nContent-Type: multipart/mixed; boundary=b\n\n"
    )
    attached = b"--b\nContent-Type: message/rfc822\n\n" + inner + b"\n\nhello\n--b--\n"
    root = parse(outer + b"--b\n\nsee below\n" + attached)
    assert root.headers.line("subject") == "Grüße"
    (message,) = root.children[1].children
    assert message.headers.line("subject") == "Grü"
    assert message.headers.first("from") == "Jö <j@b.example>"
    assert message.text.strip() == "hello"
