"""Why a mail was not written: the stored word, a sentence that explains it, a few words for a table."""

from enum import StrEnum


class Reason(StrEnum):
    """Why a mail was not written, in the order of the checks. Stored, counted in the digest."""

    OWN_BOUNCE = "own_bounce"
    NOT_A_REPORT = "not_a_report"
    NOT_A_FAILURE = "not_a_failure"
    EVIDENCE = "evidence"
    NOT_PLAIN_ADDRESS = "not_plain_address"
    OUTSIDE_DOMAIN = "outside_domain"
    REWRITTEN_ADDRESS = "rewritten_address"
    OWN_ADDRESS = "own_address"
    NEVER_TO = "never_to"
    ROBOT = "robot"
    AUTOMATIC_ORIGINAL = "automatic_original"
    SELF_ADDRESSED = "self_addressed"
    TOO_OLD = "too_old"
    SWITCHED_OFF = "switched_off"
    REPEATED = "repeated"
    RECENTLY_TOLD = "recently_told"
    PERSON_LIMIT = "person_limit"
    BREAKER = "breaker"
    RATE_LIMIT = "rate_limit"
    UNCERTAIN = "uncertain"
    SAME_LETTER = "same_letter"


OUTSIDE_THE_GATE = frozenset({Reason.UNCERTAIN, Reason.SAME_LETTER})
"""What is decided when a mail was already written: the gate has no check for it."""


SENTENCES: dict[Reason, str] = {
    Reason.OWN_BOUNCE: "One of our own notices came back; we never answer those.",
    Reason.NOT_A_REPORT: "The mail reports no failed delivery.",
    Reason.NOT_A_FAILURE: "The mail was only delayed, or it was delivered.",
    Reason.EVIDENCE: "The report may be forged: nothing proves that it is about a mail of ours.",
    Reason.NOT_PLAIN_ADDRESS: "The address is missing or has an unusual form.",
    Reason.OUTSIDE_DOMAIN: "The address does not lie in one of our domains.",
    Reason.REWRITTEN_ADDRESS: "The address was made by a forwarding or mailing system, not by a person.",
    Reason.OWN_ADDRESS: "The address belongs to bounce_watch itself or to its admins.",
    Reason.NEVER_TO: "The configuration says that this address never gets an answer.",
    Reason.ROBOT: "Nobody reads mail at this address: it is a role or system account.",
    Reason.AUTOMATIC_ORIGINAL: "A program or mailing list wrote the mail that came back.",
    Reason.SELF_ADDRESSED: "The mail was addressed to its own sender or to us.",
    Reason.REPEATED: "This bounce was already dealt with.",
    Reason.RECENTLY_TOLD: "The person was told about the same problem a short time ago.",
    Reason.PERSON_LIMIT: "The person already got as many answers as one day allows.",
    Reason.BREAKER: "Too many mails were due at once; replies wait until an admin allows them again.",
    Reason.RATE_LIMIT: "The limit of mails for a minute or an hour is reached.",
    Reason.UNCERTAIN: "It may have been sent when the connection ended; it is not sent twice.",
    Reason.SAME_LETTER: "The person is told in one letter about several bounces.",
    Reason.TOO_OLD: "The bounce is too old to be answered.",
    Reason.SWITCHED_OFF: "Replies are switched off.",
}

WITHHELD: dict[Reason, str] = {
    Reason.OWN_BOUNCE: "our own notice came back",
    Reason.NOT_A_REPORT: "no report",
    Reason.NOT_A_FAILURE: "only delayed, or delivered",
    Reason.EVIDENCE: "not proved to be our mail",
    Reason.NOT_PLAIN_ADDRESS: "unusual address",
    Reason.OUTSIDE_DOMAIN: "not one of our domains",
    Reason.REWRITTEN_ADDRESS: "address made by a system",
    Reason.OWN_ADDRESS: "address of ours or of an admin",
    Reason.NEVER_TO: "never to be answered (configured)",
    Reason.ROBOT: "nobody reads there",
    Reason.AUTOMATIC_ORIGINAL: "written by a program or list",
    Reason.SELF_ADDRESSED: "addressed to its own sender",
    Reason.REPEATED: "already dealt with",
    Reason.RECENTLY_TOLD: "told a short time ago",
    Reason.PERSON_LIMIT: "enough answers for one day",
    Reason.BREAKER: "stopped: too many mails",
    Reason.RATE_LIMIT: "limit of mails reached",
    Reason.UNCERTAIN: "perhaps sent, not sent twice",
    Reason.SAME_LETTER: "told in one letter with others",
    Reason.TOO_OLD: "too old",
    Reason.SWITCHED_OFF: "replies are switched off",
}
