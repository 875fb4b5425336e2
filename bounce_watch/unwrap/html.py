"""HTML of a report to text lines: tags out, blocks to line breaks. Linear, renders nothing."""

import re
from html import unescape

from bounce_watch.unwrap.limits import MAX_TEXT

_BLOCK = re.compile(
    r"<(?:/?(?:p|div|tr|table|ul|ol|li|h[1-6]|blockquote|pre|dt|dd)\b|br\b)[^<>]*>", re.IGNORECASE
)
_TAG = re.compile(r"<(?:[a-zA-Z/!?][^<>]*)>")
_SPACES = re.compile(r"[ \t\xa0]+")
_PRE = re.compile(r"<pre\b[^<>]*>[^<]*", re.IGNORECASE)
_HIDDEN = ("style", "script", "head")
_ADDRESS_TAG = re.compile(r"<([^<>\s@]{1,100}@[^<>\s@]{1,100})>")


def text_of(html: str) -> str:
    """Return the visible text of HTML, one line a block, at most 64 KiB."""
    visible = html[: 4 * MAX_TEXT]
    for element in _HIDDEN:
        visible = _without(visible, element)
    visible = _PRE.sub(lambda match: match[0].replace("\n", "<br>"), visible.replace("\r", ""))
    # Reports hold `<user@example.com>` unescaped: an address is not a tag.
    visible = _ADDRESS_TAG.sub(r"&lt;\1&gt;", visible.replace("\n", " "))
    visible = _TAG.sub(" ", _BLOCK.sub("\n", visible))
    lines = (_SPACES.sub(" ", line).strip() for line in unescape(visible).split("\n"))
    return "\n".join(line for line in lines if line)[:MAX_TEXT]


def _without(html: str, element: str) -> str:
    lowered = html.lower()
    kept: list[str] = []
    position = 0
    while (start := lowered.find(f"<{element}", position)) >= 0:
        end = lowered.find(f"</{element}", start)
        if end < 0:
            break
        kept.append(html[position:start])
        position = end
    return "".join(kept) + html[position:]
