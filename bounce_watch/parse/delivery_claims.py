"""What a text claims about a delivery: that it failed, or that it is late."""

import re

from bounce_watch.parse.delivery_words import DELAYED, FAILED, MESSAGES, SUBJECTS
from bounce_watch.parse.smtp_reply import find_codes

MAX_TEXT = 8000
"""Characters of a report that are looked at."""


class Phrases:
    """Phrases, and those of them that a text in ASCII can hold."""

    def __init__(self, *phrases: str) -> None:
        self.all = phrases
        self.ascii = tuple(filter(str.isascii, phrases))


_FAILED = Phrases(*(phrase for phrases in FAILED.values() for phrase in phrases))
_SUBJECTS = Phrases(*_FAILED.all, *SUBJECTS)
_LATE = Phrases(*DELAYED)
_MESSAGES = Phrases(*MESSAGES)
_TROUBLE = re.compile(
    r"\b(?:error|fail(?:ed|ure)?|reject(?:ed)?|refused|unable|could ?n[o']t|cannot|not (?:be )?(?:found"
    r"|exist|possible)"
    r"|unknown|invalid|exceed\w{0,3}|no such|does not exist|fehler|erreur|errore?|erro|ошибк\w{0,3}"
    r"|virus)\b|[45]\d\d[ -]#?[45]\.\d\.\d|错误|エラー|오류",
    re.IGNORECASE,
)
_DELAYED_SUBJECT = re.compile(r"warning: message [^\n]{0,80} delayed", re.IGNORECASE)
_GIVEN_UP = re.compile(
    r"permanent(?:ly)? (?:fatal )?(?:error|fail)|given up|giving up|final(?:ly)? fail", re.IGNORECASE
)
_ANSWER = re.compile(r"\s{0,5}(?:re|aw|sv|fw|fwd|wg|tr|antw)\s?:", re.IGNORECASE)


def says_delivery_failed(text: str) -> bool:
    return _holds(_FAILED, text)


def says_failed(text: str) -> bool:
    """Tell whether a text speaks of a failed delivery or of any other trouble."""
    return says_delivery_failed(text) or _TROUBLE.search(text) is not None


def says_late(subject: str, text: str) -> bool:
    """Tell whether a report says that a mail is late and will be tried again."""
    late = _holds(_LATE, f"{subject}\n{text}") or _DELAYED_SUBJECT.match(subject) is not None
    return late and _GIVEN_UP.search(text) is None


def says_something(text: str) -> bool:
    """Tell whether words say that something failed or is late, or hold a code."""
    return any(find_codes(text)) or says_failed(text) or says_late("", text)


def says_of_a_message(sentence: str) -> bool:
    """Tell whether a sentence says so of a mail, not of an account or a machine."""
    return any(find_codes(sentence)) or (_holds(_MESSAGES, sentence) and says_something(sentence))


def is_about_a_failure(subject: str) -> bool:
    """Tell whether a subject tells of a failed delivery, and is no answer to such a mail."""
    return _ANSWER.match(subject) is None and _holds(_SUBJECTS, subject[:500])


def _holds(phrases: Phrases, text: str) -> bool:
    # Many plain searches are faster than one pattern of many branches, and a loop than any().
    lowered = " ".join(text[:MAX_TEXT].lower().split())
    for phrase in phrases.ascii if lowered.isascii() else phrases.all:  # noqa: SIM110
        if phrase in lowered:
            return True
    return False
