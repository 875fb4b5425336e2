"""Sample facts of replies to our messages, with which `check` and the tests render their templates."""

from dataclasses import replace

from bounce_watch.notifications.facts import ConfirmationFacts, Done, QuestionFacts
from bounce_watch.notifications.template_samples import NOW


def questions() -> tuple[QuestionFacts, ...]:
    """Return the facts of a colleague's reply, and of one whom our advice did not help."""
    replied = QuestionFacts(
        event_key="sample",
        to="helpdesk@contoso.example",
        person="mara@contoso.example",
        subject="Your email to lena@fabrikam.example wasn't delivered",
        text="Hello,\nYour email didn't reach lena@fabrikam.example.",
        sent_at=NOW,
        words="I don't know the new address.",
        bounce=7,
    )
    in_vain = replace(replied, words=None, recipient="lena@fabrikam.example", times=3, bounce=None)
    return replied, in_vain


def confirmations() -> tuple[ConfirmationFacts, ...]:
    """Return the facts of everything that a reply to an alert can do."""
    return tuple(
        ConfirmationFacts(
            event_key="sample",
            to="admin@contoso.example",
            done=done,
            subject="[Critical] INC-7: An account of ours is blocked from sending",
            name="INC-7",
            note="I am calling Mara.",
            until=NOW,
        )
        for done in Done
    )
