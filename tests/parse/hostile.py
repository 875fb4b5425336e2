"""Hostile mails of our own: each has one idea that could break a reader or slow it down."""

REPORT = b"From: MAILER-DAEMON@a.example\nSubject: Undeliverable: x\n"

HOSTILE = {
    "nothing": b"",
    "white space": b" \r\n\r\n ",
    "binary junk": bytes(range(256)) * 40,
    "zeros": b"\x00" * 5000,
    "bare CR": b"\r" * 1_000_000,
    "no header": b"a line without a colon\n" * 5000,
    "one long line": b"x" * 2_500_000,
    "20,000 headers": b"X-H: v\n" * 20_000 + b"\nbody",
    "one header of 1 MB": b"Subject: " + b"a b " * 250_000 + b"\n\nbody",
    "encoded words": b"Subject: " + b"=?utf-8?q?x=0D=0AY?= " * 3000 + b"\n\nx",
    "broken encoded word": b"From: =?utf-8?b?////?= =?x?z?\n\nx",
    "10,000 addresses": b"To: " + b"a@b.example, " * 10_000 + b"\n\nx",
    "comments in comments": b"From: " + b"(" * 5000 + b"a@b.example\n\nx",
    "50,000 parts": b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 50_000,
    "400 levels": b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(400)
    ),
    "mails in mails": b"Content-Type: message/rfc822\n\n" * 1500 + b"Subject: x\n\nx",
    "charset with NUL": b'Content-Type: text/plain; charset="a\x00b"\n\nx',
    "charset idna": b"Content-Type: text/plain; charset=idna\n\n\xff\xfe",
    "broken base64": REPORT + b"Content-Transfer-Encoding: base64\n\n!!!! <a@b.example>: 550 no",
    "status in broken base64": b"Content-Type: multipart/report; boundary=b\n\n--b\n"
    b"Content-Type: message/delivery-status\nContent-Transfer-Encoding: base64\n\n@@@@\n--b--\n",
    "boundary of bytes": b'Content-Type: multipart/mixed; boundary="\xff"\n\n--\xff\n\nx',
    "ESC and NUL in values": REPORT
    + b"Message-ID: <\x1b[2J\x00@x>\n\n<a@b.example>: \x1b]8;;x\x07 550 5.1.1",
    "many address lines": REPORT + b"\n" + b"  a@b.example\n" * 50_000,
    "many address colons": REPORT + b"\n" + b"<a@b.example>:\n" * 50_000,
    "at signs": REPORT + b"\n" + b"@" * 60_000,
    "angles": REPORT + b"\n" + b"<" * 60_000,
    "dashes": REPORT + b"\n" + b"-" * 60_000,
    "spaces": REPORT + b"\n" + b" " * 60_000,
    "quotes in quotes": REPORT + b"\n" + b"> " * 30_000,
    "digits": REPORT + b"\n" + b"550 5.1." * 8_000,
    "labels": REPORT + b"\n" + b"failed to " * 6_000,
    "html tags": REPORT + b"Content-Type: text/html\n\n" + b"<p " * 60_000,
    "html scripts": REPORT + b"Content-Type: text/html\n\n" + b"<script></script " * 10_000,
    "json depth": REPORT + b'\n{"notificationType":' + b"[" * 50_000,
    "hashes": REPORT
    + b"\nDiagnostic information for administrators:\n\na@b.example\n550 5.1.1 "
    + b"#" * 60_000,
    "pasted blocks": b"From: a@b.example\n\n" + b"From: x\nSent: y\n" * 4_000,
}

_FIELDS = {
    "Message-ID": (b"<>", b'"', b"<@>", b"<[1@a.example]>", b"<" + b"a" * 100_000),
    "To": (b'"', b"(c):", b"a:;", b":b <c@d.example>", b"x <a@b.example>, ", b"<<a@b.example>>"),
    "References": (b"<a <b> c@d>", b"<a@b.example> " * 5_000),
    "Received": (b"", b"from \xff by ; ; ;", b"from (" + b"(" * 5_000),
    "Date": (b"", b"a b c", b"Mon, 99 Foo 99999999999 99:99:99 +9999999", b"1 Jan 0000 00:00:00 +9999",
             b"Mon, 1 Jun 2026 00:00:" + b"7" * 5_000 + b" +0000"),
    "Content-Type": (b"", b";", b"/", b'text/plain; charset="', b"text/plain; name*0*", b"a/b; c*0=d; c*0=e",
                     b"text/plain; charset=rot13", b"text/plain; charset=utf-7", b"a/b; charset=no-such",
                     b"multipart/report", b"multipart/mixed; boundary*=utf-8''%ff",
                     b"message/external-body; access-type=local-file; name=\"/etc/passwd\"",
                     b"message/partial; id=x; number=1", b"message/delivery-status"),
    "Content-Disposition": (b"", b"attachment; filename*=utf-8''%C3%28", b"attachment; filename*=none''a%FF"),
    "Content-Transfer-Encoding": (b"", b"\xff\xfe", b"x-uuencode", b"base64"),
    "MIME-Version": (b"", b"a.b("),
    "Subject": (b"=?no-such?q?=FF?=", b"=?utf-8?b?A?=", b"=?utf-16?b?ANg=?=", b"=?unknown-8bit?q?=ff?="),
}  # fmt: skip
HOSTILE_HEADERS = {
    f"{name} {number}": name.encode() + b": " + value + b"\n\nx\xff <a@b.example>: 550 5.1.1 no"
    for name, values in _FIELDS.items()
    for number, value in enumerate(values, 1)
}
"""Fields of a header that are broken one at a time."""
