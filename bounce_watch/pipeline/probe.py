"""The mail that is meant to bounce: nothing in it but our marks, by which its bounce is known again."""

from html import escape

from bounce_watch.model import Letter, LetterKind

_SUBJECT = "bounce_watch test: this mail is meant to come back"
_TEXT = "An administrator tests how bounces reach bounce_watch. Nobody needs to do anything."


def probe_letter(to: str, event_key: str) -> Letter:
    """Return the letter of one probe."""
    html = f'<!doctype html><html lang="en"><body><p>{escape(_TEXT)}</p></body></html>'
    return Letter(
        kind=LetterKind.PROBE, event_key=event_key, to=to, subject=_SUBJECT, text=_TEXT + "\n", html=html
    )
