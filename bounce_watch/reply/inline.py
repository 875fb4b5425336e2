"""The only module that knows css-inline: mail clients honour style attributes more than style sheets."""

import css_inline

_INLINER = css_inline.CSSInliner(
    inline_style_tags=True,
    keep_style_tags=False,
    keep_at_rules=True,
    keep_link_tags=False,
    load_remote_stylesheets=False,
)


def inline(html: str) -> str:
    """Return the page with its styles as attributes; only @media rules stay in a style element."""
    return _INLINER.inline(html)
