"""Turn an Outlook item (.msg) back into Internet mail, so that the MIME reader can read it.

Reports are written as Exchange writes them ([MS-OXCMAIL] sections 2.1.3.6 and 2.2.3.7). All text is base64,
so that nothing in it can end a part.
"""

import base64
import re
from collections.abc import Iterator
from itertools import islice

from bounce_watch.unwrap.mime.compound_file import Storage, open_item
from bounce_watch.unwrap.mime.limits import MAX_ENVELOPES, MAX_RECIPIENTS
from bounce_watch.unwrap.mime.text import one_line

MAX_ATTACHED = 50

_CLASS, _SUBJECT, _HEADERS, _BODY, _HTML = 0x001A, 0x0037, 0x007D, 0x1000, 0x1013
_SENDER, _SENDER_SMTP, _SENT_FOR, _SHOWN_TO = 0x0C1F, 0x5D01, 0x0065, 0x0E04
_MESSAGE_ID, _IN_REPLY_TO, _ORIGINAL_SUBJECT, _ORIGINAL_ID = 0x1035, 0x1042, 0x0049, 0x1046
_REPORTER, _REMOTE, _SUPPLEMENT, _STATUS = 0x6820, 0x0C21, 0x0C1B, 0x0C20
_NAME, _ADDRESS, _SMTP = 0x3001, 0x3003, 0x39FE
_FILE, _LONG_FILE, _SHORT_FILE = 0x3701, 0x3707, 0x3704

_ACTIONS = (
    (".delayed.dr", "delayed"),
    (".expanded.dr", "expanded"),
    (".relayed.dr", "relayed"),
    (".ndr", "failed"),
    (".dr", "delivered"),
)
_READ_RECEIPTS = (".ipnrn", ".ipnnrn")
_FIELD = re.compile(r"[!-9;-~]{1,100}:")
_OURS = ("content-", "mime-version:")
_PLAIN_ADDRESS = re.compile(r"[^\s@<>\"]{1,64}@[A-Za-z0-9.-]{1,255}")
# [MS-OXCMAIL] section 2.2.3.7.1.2: "<" remote-mta SP "#" status SP diagnostic-code ">"
_SUPPLEMENT_FORM = re.compile(r"<?[^#]{0,255}#([245]\.\d{1,3}\.\d{1,3})[ ]?(.*?)>?\s*", re.DOTALL)


def as_mail(content: bytes) -> bytes | None:
    """Return an item as a message (RFC 5322), None if it cannot be read. Never raises."""
    item = open_item(content)
    return None if item is None else _mail(item, 0)


def _mail(item: Storage, depth: int) -> bytes:
    kind = (item.text(_CLASS) or "").lower()
    parts = [*_texts(item)]
    subtype = "mixed"
    if kind.startswith("report."):
        report_type, report = _report(item, kind)
        parts.append(report)
        subtype = f'report; report-type="{report_type}"'
    parts += _attachments(item, depth)
    boundary = f"=_item_{depth}"
    head = [*_header(item), "MIME-Version: 1.0", f'Content-Type: multipart/{subtype}; boundary="{boundary}"']
    lines = ["\r\n".join(head).encode("utf-8", "replace"), b""]
    for part in parts or [_part("text/plain; charset=utf-8", b"")]:
        lines += [f"--{boundary}".encode("ascii"), part]
    return b"\r\n".join([*lines, f"--{boundary}--".encode("ascii"), b""])


def _header(item: Storage) -> list[str]:
    """Return the message's own header fields, and missing usual ones made from the item's properties."""
    fields = list(_came_with(item.text(_HEADERS) or ""))
    names = {field.partition(":")[0].lower() for field in fields}
    return [*fields, *(f"{name}: {value}" for name, value in _known(item) if name.lower() not in names)]


def _came_with(text: str) -> Iterator[str]:
    """Yield the original header fields without those about the MIME structure, which is new."""
    is_kept = False
    for line in re.split(r"\r\n|\r|\n", text):
        if line[:1] in (" ", "\t"):
            if is_kept and line.strip():
                yield line
        elif not line:
            return
        else:
            is_kept = _FIELD.match(line) is not None and not line.lower().startswith(_OURS)
            if is_kept:
                yield line


def _known(item: Storage) -> Iterator[tuple[str, str]]:
    sender = _first_address(item, _SENDER_SMTP, _SENDER, _SENT_FOR)
    to = [address for one in item.parts("__recip_") if (address := _address_of(one))][:MAX_RECIPIENTS]
    found = (
        ("From", sender or "unknown"),
        ("To", ", ".join(to) or one_line(item.text(_SHOWN_TO) or "")),
        ("Subject", one_line(item.text(_SUBJECT) or "")),
        ("Message-ID", one_line(item.text(_MESSAGE_ID) or "")),
        ("In-Reply-To", one_line(item.text(_IN_REPLY_TO) or "")),
    )
    return ((name, value) for name, value in found if value)


def _texts(item: Storage) -> Iterator[bytes]:
    if text := item.text(_BODY):
        yield _part("text/plain; charset=utf-8", text.encode("utf-8", "replace"))
    if html := item.binary(_HTML):
        yield _part("text/html", html)
    elif html_text := item.text(_HTML):
        yield _part("text/html; charset=utf-8", html_text.encode("utf-8", "replace"))


def _report(item: Storage, kind: str) -> tuple[str, bytes]:
    """Return the report's type and its machine-readable part."""
    if kind.endswith(_READ_RECEIPTS):
        return "disposition-notification", _part("message/disposition-notification", b"", encode=False)
    action = next((action for ending, action in _ACTIONS if kind.endswith(ending)), "failed")
    reporter = one_line(item.text(_REPORTER) or "", 255)
    groups = [f"Reporting-MTA: dns; {reporter}\r\n"] if reporter else []
    recipients = islice(item.parts("__recip_"), MAX_RECIPIENTS)
    groups += ["\r\n".join(_fields_of(one, action)) + "\r\n" for one in recipients]
    status = "\r\n".join(groups).encode("utf-8", "replace")
    return "delivery-status", _part("message/delivery-status", status, encode=False)


def _fields_of(recipient: Storage, action: str) -> Iterator[str]:
    """Yield the fields about one recipient (RFC 3464 section 2.3)."""
    yield f"Final-Recipient: rfc822; {_address_of(recipient) or ''}"
    yield f"Action: {action}"
    found = _SUPPLEMENT_FORM.fullmatch(one_line(recipient.text(_SUPPLEMENT) or "", 4000))
    if status := found[1] if found else _status_of(recipient.integer(_STATUS)):
        yield f"Status: {status}"
    if remote := one_line(recipient.text(_REMOTE) or "", 255):
        yield f"Remote-MTA: dns; {remote}"
    if found and found[2]:
        words = found[2] if ";" in found[2][:20] else f"smtp;{found[2]}"
        yield f"Diagnostic-Code: {words}"


def _status_of(number: int | None) -> str | None:
    """Return 5.1.1 for 511 ([MS-OXCMAIL] section 2.2.3.7.1.3)."""
    return "{}.{}.{}".format(*str(number)) if number and 200 <= number <= 599 else None


def _address_of(person: Storage) -> str | None:
    return _first_address(person, _SMTP, _ADDRESS, _NAME)


def _first_address(holder: Storage, *numbers: int) -> str | None:
    """Return the first of these properties that holds an Internet address, not one of Exchange's kind."""
    texts = ((holder.text(number) or "").strip() for number in numbers)
    return next((text for text in texts if _PLAIN_ADDRESS.fullmatch(text)), None)


def _attachments(item: Storage, depth: int) -> Iterator[bytes]:
    """Yield the attached messages, which are items inside the item or files; skip other attachments."""
    for attached in islice(item.parts("__attach_"), MAX_ATTACHED):
        inner = attached.embedded()
        if inner is not None:
            if depth < MAX_ENVELOPES:
                yield _part("message/rfc822", _mail(inner, depth + 1), encode=False)
            continue
        name = (attached.text(_LONG_FILE) or attached.text(_SHORT_FILE) or "").lower()
        ending = name[-4:]
        if ending in (".eml", ".msg") and (content := attached.binary(_FILE)):
            yield _part(f'application/octet-stream; name="attached{ending}"', content)


def _part(content_type: str, content: bytes, *, encode: bool = True) -> bytes:
    if not encode:
        return b"\r\n".join((f"Content-Type: {content_type}".encode("ascii"), b"", content))
    head = f"Content-Type: {content_type}\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    return head.encode("ascii") + base64.encodebytes(content).replace(b"\n", b"\r\n")
