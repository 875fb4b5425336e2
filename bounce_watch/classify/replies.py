"""What a report says about one recipient, taken apart once: the whole text, the wrapper, the reply inside."""

from typing import NamedTuple

from bounce_watch.classify.smtp_reply import SmtpReply, read_reply, split_wrapper
from bounce_watch.model import RecipientFields


class Said(NamedTuple):
    """The reply of one recipient. `whole` reads the text with its wrapper, `outer` the wrapper alone.

    `inner` is what the wrapper holds or what the report states of it, None where nothing is wrapped.
    """

    fields: RecipientFields
    text: str
    whole: SmtpReply
    outer: SmtpReply
    inner_text: str | None
    inner: SmtpReply | None


def listen(fields: RecipientFields) -> Said:
    """Take apart what a report says about one recipient."""
    text = fields.diagnostic_code or ""
    wrapper, inner_text = split_wrapper(text)
    whole = read_reply(text, fields.status, fields.reply_code)
    is_wrapped = inner_text or fields.remote_status or fields.remote_reply_code
    return Said(
        fields=fields,
        text=text,
        whole=whole,
        outer=read_reply(wrapper, fields.status, fields.reply_code) if inner_text else whole,
        inner_text=inner_text,
        inner=read_reply(inner_text, fields.remote_status, fields.remote_reply_code) if is_wrapped else None,
    )
