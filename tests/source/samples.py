"""Messages for the source tests: our own writing, CRLF line ends, with what mailbox formats stumble over."""


def message(subject: str, body: str = "Just a note.") -> bytes:
    lines = (
        "From: Ann <ann@fabrikam.example>",
        "To: bounces@contoso.example",
        f"Subject: {subject}",
        "",
        body,
        "",
    )
    return "\r\n".join(lines).encode("utf-8")


REPORT = message("report", "Status: 5.1.1")
ACCENTS = message("accents", "Größe überschritten, résumé attached")
FROM_LINE = message(
    "from line", "Dear all,\r\n\r\nFrom here on we meet at noon.\r\n>From quoted before\r\n.\r\n..\r\nend"
)
NEWSLETTER = message("newsletter")
ALL = (REPORT, ACCENTS, FROM_LINE, NEWSLETTER)
