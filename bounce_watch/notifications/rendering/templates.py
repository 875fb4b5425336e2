"""Render templates from folders with Jinja2: sandboxed, strict, escaped in HTML. The only user of Jinja2.

Text of a message is never compiled: templates come from disk, values are plain strings, numbers and lists.
A site folder overrides the shipped templates file by file.
css-inline turns style sheets into style attributes, because mail clients support attributes better.
"""

import os
import textwrap
import traceback
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import css_inline
from jinja2 import (
    FileSystemLoader,
    StrictUndefined,
    Template,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
)
from jinja2.sandbox import SandboxedEnvironment

from bounce_watch.model import Letter, LetterKind
from bounce_watch.notifications.errors import TemplateFault

Value = str | int | float | bool | None | Sequence["Value"] | Mapping[str, "Value"]
Values = Mapping[str, Value]

_PLAIN = (str, int, float, bool, type(None))


class Templates:
    """The templates of several folders; the first folder that has a file wins."""

    def __init__(self, folders: Sequence[Path]) -> None:
        # Jinja2 reports a file by its normalized path.
        self._folders = [Path(os.path.normpath(folder)) for folder in folders]
        self._environment = SandboxedEnvironment(
            loader=FileSystemLoader(self._folders),
            autoescape=lambda name: name is not None and name.endswith(".html.j2"),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            cache_size=-1,  # seven languages have more files than the default cache holds
            auto_reload=False,
        )
        self._environment.filters["wrap"] = _wrap

    def names(self) -> list[str]:
        """Return every template file of all folders, such as `replies/en/mailbox_full.j2`."""
        return sorted(name for name in self._environment.list_templates() if name.endswith(".j2"))

    def exists(self, name: str) -> bool:
        """Tell whether there is a file of this name. Raises TemplateFault if it is malformed."""
        try:
            self._template(name)
        except TemplateNotFound:
            return False
        except TemplateError as error:
            raise self._fault(name, error) from error
        return True

    def render(self, name: str, values: Values) -> str:
        """Render a whole file. Raises TemplateFault with the file and the fault."""
        try:
            return self._template(name).render(_checked(values))
        except TemplateError as error:
            raise self._fault(name, error) from error

    def block(self, name: str, block: str, values: Values) -> str:
        """Render one named block of a file, which holds all the pieces of a text.

        White space at both ends is removed, lines are kept. Raises TemplateFault, also for a missing block.
        """
        try:
            template = self._template(name)
            render = template.blocks.get(block)
            if render is None:
                raise TemplateFault(f"{name}: the block {block!r} is missing")
            return self._joined(render(template.new_context(dict(_checked(values)))))
        except TemplateError as error:
            raise self._fault(name, error) from error

    def _joined(self, pieces: Iterator[str]) -> str:
        try:
            return "".join(pieces).strip()
        except TemplateError:
            self._environment.handle_exception()  # raises the error again with the lines of the template

    def _template(self, name: str) -> Template:
        return self._environment.get_template(name)

    def _fault(self, name: str, error: TemplateError) -> TemplateFault:
        if isinstance(error, TemplateNotFound):
            return TemplateFault(f"{name}: there is no template {error.name!r}")
        name, line = self._place(name, error)
        return TemplateFault(f"{name}, line {line}: {error.message}" if line else f"{name}: {error.message}")

    def _place(self, name: str, error: TemplateError) -> tuple[str, int | None]:
        """Return the file and line of a syntax error, or where rendering stopped."""
        if isinstance(error, TemplateSyntaxError):
            return error.name or name, error.lineno
        stack = traceback.walk_tb(error.__traceback__)
        places = [(Path(frame.f_code.co_filename), line) for frame, line in stack]
        rendered = [
            (path.relative_to(folder).as_posix(), line)
            for path, line in places
            for folder in self._folders
            if path.is_relative_to(folder)
        ]
        return rendered[-1] if rendered else (name, None)


def _wrap(text: str, width: int, indent: int = 0) -> str:
    """Wrap a line for plain text, each indented by `indent`; addresses and hyphenated words stay whole."""
    return textwrap.fill(
        text,
        width,
        initial_indent=" " * indent,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    ).lstrip()


def _checked(values: Values) -> Values:
    for value in values.values():
        _check_plain(value)
    return values


def _check_plain(value: object) -> None:
    """Accept exact plain types only: a `Markup` is a string that skips escaping."""
    if type(value) in _PLAIN:
        return
    if type(value) in (list, tuple):
        for item in value:  # type: ignore[attr-defined]
            _check_plain(item)
    elif type(value) is dict:
        for item in value.values():
            _check_plain(item)
    else:
        raise TypeError(f"a template value must be plain, not {type(value).__name__}")


# Only @media rules stay in a style element.
_INLINER = css_inline.CSSInliner(
    inline_style_tags=True,
    keep_style_tags=False,
    keep_at_rules=True,
    keep_link_tags=False,
    load_remote_stylesheets=False,
)


def write_letter(
    templates: Templates,
    name: str,
    values: Values,
    kind: LetterKind,
    *,
    event_key: str,
    to: str,
    in_reply_to: str | None = None,
) -> Letter:
    """Render an email from `name`.txt.j2 and `name`.html.j2. `values` hold its subject and language.

    Raises TemplateFault.
    """
    return Letter(
        kind=kind,
        event_key=event_key,
        to=to,
        subject=str(values["subject"]),
        text=templates.render(f"{name}.txt.j2", values),
        html=_INLINER.inline(templates.render(f"{name}.html.j2", values)),
        language=str(values["language"]),
        in_reply_to=in_reply_to,
    )
