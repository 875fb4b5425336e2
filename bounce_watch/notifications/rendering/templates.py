"""Render templates from folders with Jinja2: sandboxed, strict, escaped in HTML.

Text of a message is never compiled: templates come from disk, values are plain strings, numbers and lists.
A site folder overrides the shipped templates file by file, for all languages (`replies/mailbox_full.j2`) or
for one (`replies/de/mailbox_full.j2`). The value `language` selects the catalog of the texts.
css-inline turns style sheets into style attributes, because mail clients support attributes better.
"""

import os
import re
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import css_inline
from jinja2 import Template, TemplateError, TemplateNotFound, TemplateSyntaxError

from bounce_watch.model import Letter, LetterKind
from bounce_watch.notifications.errors import TemplateFault, TooMuchWork, UntranslatedText
from bounce_watch.notifications.rendering.catalogs import ENGLISH, Catalogs
from bounce_watch.notifications.rendering.environment import make_environment
from bounce_watch.notifications.rendering.sandbox import EndlessTemplate
from bounce_watch.notifications.rendering.translator import Translator

Value = str | int | float | bool | None | Sequence["Value"] | Mapping[str, "Value"]
Values = Mapping[str, Value]
Written = TypeVar("Written")

_FAULTS = (TemplateError, ArithmeticError, LookupError, MemoryError, RecursionError, TypeError, ValueError)
"""What the lines of a template can raise, such as `1 / 0` and `"a" + 1`."""
_PLAIN = (str, int, float, bool, type(None))
_OWN_WORDS = re.compile(r"replies/[a-z]{2,3}/words\.j2")


class Templates:
    """The templates of several folders; the first folder that has a file wins."""

    def __init__(self, folders: Sequence[Path]) -> None:
        # Jinja2 reports a file by its normalized path.
        self._folders = [Path(os.path.normpath(folder)) for folder in folders]
        self._catalogs = Catalogs(self._folders)
        self._environment = make_environment(self._folders, self._catalogs)

    @cached_property
    def languages(self) -> list[str]:
        """The languages that have a catalog, or a file of fixed words in a folder; English first."""
        own = {name.split("/")[1] for name in self.names() if _OWN_WORDS.fullmatch(name)}
        return [ENGLISH, *sorted((own | self._catalogs.languages()) - {ENGLISH})]

    def in_best_language(
        self, wanted: Iterable[str | None], write: Callable[[Translator], Written]
    ) -> Written:
        """Return what `write` makes in the first language in which it finds every text; English is the last.

        `de-DE` means `de`; an invalid tag means nothing. Raises TemplateFault.
        """
        tags = ((tag or "").lower().partition("-")[0] for tag in wanted)
        for language in dict.fromkeys(tag for tag in tags if tag in self.languages and tag != ENGLISH):
            with suppress(UntranslatedText):
                return write(Translator(language, self._catalogs.of(language)))
        return write(Translator(ENGLISH, self._catalogs.of(ENGLISH)))

    def names(self) -> list[str]:
        """Return every template file of all folders, such as `replies/mailbox_full.j2`."""
        return sorted(name for name in self._environment.list_templates() if name.endswith(".j2"))

    def blocks(self, name: str) -> set[str]:
        """Return the names of a file's blocks. Raises TemplateFault."""
        return set(self._template(name).blocks) if self.exists(name) else set()

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
        values = _checked(values)
        try:
            template = self._template(name)
            self._environment.begin()
            return template.render(values)
        except _FAULTS as error:
            raise self._fault(name, error) from error

    def block(self, name: str, block: str, values: Values) -> str:
        """Render one named block of a file, which holds all the pieces of a text.

        White space at both ends is removed, lines are kept. Raises TemplateFault, also for a missing block.
        """
        values = dict(_checked(values))
        try:
            template = self._template(name)
            render = template.blocks.get(block)
            if render is None:
                raise TemplateFault(f"{name}: the block {block!r} is missing")
            self._environment.begin()
            return self._joined(render(template.new_context(values)))
        except _FAULTS as error:
            raise self._fault(name, error) from error

    def _joined(self, pieces: Iterator[str]) -> str:
        try:
            return "".join(pieces).strip(" \n")  # French begins with a no-break space before a colon
        except _FAULTS:
            self._environment.handle_exception()  # raises the error again with the lines of the template

    def _template(self, name: str) -> Template:
        return self._environment.get_template(name)

    def _fault(self, name: str, error: Exception) -> TemplateFault:
        if isinstance(error, TemplateNotFound):
            return TemplateFault(f"{name}: there is no template {error.name!r}")
        name, line = self._place(name, error)
        place, why = f"{name}, line {line}" if line else name, str(error) or type(error).__name__
        return (TooMuchWork if isinstance(error, EndlessTemplate) else TemplateFault)(f"{place}: {why}")

    def _place(self, name: str, error: Exception) -> tuple[str, int | None]:
        """Return the file and line of a syntax error, or where rendering stopped."""
        stack = traceback.walk_tb(error.__traceback__)
        places = [(Path(frame.f_code.co_filename), line) for frame, line in stack]
        if isinstance(error, TemplateSyntaxError):
            places = [(Path(error.filename or name), error.lineno)]
        rendered = [
            (path.relative_to(folder).as_posix(), line)
            for path, line in places
            for folder in self._folders
            if path.is_relative_to(folder)
        ]
        return rendered[-1] if rendered else (name, None)


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
