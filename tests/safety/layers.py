"""Build messages in layers: journal reports, forwards, relays and redirects around a report."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

DOMAIN = "larkfield.example"
EXCHANGE = f"MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@{DOMAIN}"
RELAY = f"MAILER-DAEMON@mx.{DOMAIN}"
LENA, CEO, EVE = f"lena@{DOMAIN}", f"ceo@{DOMAIN}", "eve@evil.example"
INTERNAL, ANONYMOUS = "Internal", "Anonymous"
FAILED = "spf=fail smtp.mailfrom=evil.example; dkim=none; dmarc=fail header.from=larkfield.example"
NOTHING = "dkim=none (message not signed) header.d=none;dmarc=none action=none header.from=larkfield.example"
PASSED = "mx.evil.example; dkim=pass header.d=larkfield.example; dmarc=pass header.from=larkfield.example"
ARCHIVE = "mx.archive.example"
SIGNED = f"{ARCHIVE}; dkim=pass header.d={DOMAIN}; dmarc=pass header.from={DOMAIN}"


@dataclass(frozen=True)
class Layer:
    """One message: what kind of envelope it is, and the headers that say where it comes from."""

    kind: str
    author: str
    marks: tuple[str, ...] = (INTERNAL,)
    results: str | None = None
    is_redirected: bool = False


OURS = {"journal": EXCHANGE, "daemon": RELAY, "member": LENA, "report": EXCHANGE}


def ours(kind: str) -> Layer:
    return Layer(kind, OURS[kind])


def build(layers: Sequence[Layer], about: str, number: int) -> bytes:
    """Return the message; the last layer is the report, about a message of `about`."""
    inner = _report(layers[-1], about, number)
    for layer in reversed(layers[:-1]):
        inner = _around(layer, inner, number)
    return inner.replace("\n", "\r\n").encode()


def _head(layer: Layer, number: int) -> list[str]:
    lines = [f"From: {layer.author}", f"To: bounces@{DOMAIN}", "Date: Mon, 23 Nov 2026 08:59:00 +0000"]
    lines += [f"Message-ID: <{layer.kind}.{number}@server.prod.outlook.com>", "MIME-Version: 1.0"]
    lines += [f"X-MS-Exchange-Organization-AuthAs: {mark}" for mark in layer.marks]
    lines += [f"Authentication-Results: {layer.results}"] if layer.results else []
    return lines + ([f"Resent-From: {LENA}"] if layer.is_redirected else [])


_SUBJECTS = {"journal": "Offer", "daemon": "Undelivered Mail", "member": "FW: Undeliverable: Offer"}


def _around(layer: Layer, inner: str, number: int) -> str:
    boundary = f"{layer.kind}{len(inner)}"
    journal = layer.kind == "journal"
    text = f"Sender: {CEO}\nSubject: Offer\nMessage-Id: <x@{DOMAIN}>\nTo: {LENA}" if journal else "See below."
    lines = [*_head(layer, number), f"Subject: {_SUBJECTS[layer.kind]}"]
    lines += ["X-MS-Journal-Report:"] if journal else []
    lines += [f"Content-Type: multipart/mixed; boundary={boundary}", "", f"--{boundary}"]
    lines += ["Content-Type: text/plain", "", text, "", f"--{boundary}", "Content-Type: message/rfc822", ""]
    return "\n".join([*lines, inner, f"--{boundary}--", ""])


def _report(layer: Layer, about: str, number: int) -> str:
    lines = [*_head(layer, number), "Subject: Undeliverable: Offer", "Auto-Submitted: auto-replied"]
    lines += ["X-MS-Exchange-Message-Is-Ndr:", f"In-Reply-To: <mail.{number}@{DOMAIN}>"]
    lines += ["Content-Type: multipart/report; report-type=delivery-status; boundary=r", "", "--r"]
    lines += ["Content-Type: text/plain", "", "Your message couldn't be delivered.", "--r"]
    lines += ["Content-Type: message/delivery-status", "", "Reporting-MTA: dns;SERVER.prod.outlook.com"]
    lines += [
        "Arrival-Date: Mon, 23 Nov 2026 08:59:00 +0000",
        "",
        "Final-Recipient: rfc822;x@fabrikam.example",
    ]
    lines += ["Action: failed", "Status: 5.1.8"]
    lines += ["Diagnostic-Code: smtp;550 5.1.8 Access denied, bad outbound sender AS(42004)", "", "--r"]
    lines += ["Content-Type: text/rfc822-headers", "", f"From: {about}", "To: x@fabrikam.example"]
    lines += [
        "Subject: Offer",
        "Date: Mon, 23 Nov 2026 08:58:00 +0000",
        f"Message-ID: <mail.{number}@{DOMAIN}>",
    ]
    return "\n".join([*lines, "", "--r--", ""])


CHAINS = [chain for depth in range(4) for chain in product(("journal", "daemon", "member"), repeat=depth)]
"""What lies around the report, outermost first: up to three envelopes of each kind in any order."""

Layers = tuple[Layer, ...]
AUTHORS = (EXCHANGE, RELAY, LENA, EVE, "MAILER-DAEMON@mx.evil.example", f"{LENA}, {EVE}")
STAMPS: tuple[tuple[tuple[str, ...], str | None], ...] = (
    ((ANONYMOUS,), None),
    ((ANONYMOUS,), FAILED),
    ((ANONYMOUS,), PASSED),
    ((), None),
    ((), FAILED),
    ((ANONYMOUS, INTERNAL), None),
    ((INTERNAL, INTERNAL), None),
)
"""What our Exchange leaves on an outsider's message, and what slips past it: no mark, or a second one."""

AT_ARCHIVE = (
    ((INTERNAL,), None),
    ((INTERNAL,), PASSED),
    ((INTERNAL,), SIGNED.replace(DOMAIN, "evil.example")),
    ((), f'{ARCHIVE}; spf=pass smtp.mailfrom="; dkim=pass header.d={DOMAIN}"@evil.example'),
    ((), f"{ARCHIVE}; spf=pass (; dkim=pass header.d={DOMAIN}) smtp.mailfrom=evil.example"),
    ((), SIGNED.replace("pass", "fail")),
)
"""What an outsider can write on a message to an archive, where nobody removes Exchange's mark."""


def forgeries(outermost: Layer | None = None) -> Iterator[Layers]:
    """Yield layers of which an outsider wrote one and everything inside it.

    Outside of it everything is genuine; inside it the outsider claims whatever helps. `outermost` holds the
    headers of what is genuine in the mailbox; the outsider's message is always inside it then.
    """
    for chain, author, (marks, results) in product(CHAINS, AUTHORS, STAMPS):
        kinds = (*chain, "report")
        for place in range(1 if outermost else 0, len(kinds)):
            forged = Layer(kinds[place], author, marks, results, is_redirected=place == 0 and len(kinds) > 2)
            layers = [*map(ours, kinds[:place]), forged, *map(ours, kinds[place + 1 :])]
            yield _lying(layers, outermost)


def at_the_archive() -> Iterator[Layers]:
    """Yield layers that an outsider sent straight to an archive."""
    for chain, author, (marks, results) in product(CHAINS, AUTHORS, AT_ARCHIVE):
        kinds = (*chain, "report")
        yield (Layer(kinds[0], author, marks, results), *map(ours, kinds[1:]))


def genuine(outermost: Layer | None = None) -> Iterator[Layers]:
    """Yield layers that our organization wrote."""
    authors = (EXCHANGE, f"postmaster@{DOMAIN}", EXCHANGE.replace(DOMAIN, "larkfield.onmicrosoft.com"))
    results, marks = (None, NOTHING), ((INTERNAL,), (INTERNAL.upper(),))
    variants = product(CHAINS, authors, marks, results, results, (False, True))
    for chain, author, mark, inner, outer, is_redirected in variants:
        if outermost and not chain and author == authors[2]:
            continue  # without a mark nothing proves that this tenant is ours
        layers = [*map(ours, chain), Layer("report", author, mark, inner)]
        layers[0] = replace(layers[0], results=outer, is_redirected=is_redirected)
        yield _lying(layers, outermost)


def _lying(layers: list[Layer], outermost: Layer | None) -> Layers:
    """Return layers as they lie in the mailbox."""
    if outermost:
        layers[0] = replace(layers[0], marks=outermost.marks, results=outermost.results)
    return tuple(layers)
