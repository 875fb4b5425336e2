"""The Jinja2 environment of the templates: sandboxed, strict, with the catalogs as its gettext."""

import re
import textwrap
from collections.abc import Callable, Sequence
from gettext import NullTranslations
from pathlib import Path
from types import CodeType

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateNotFound, pass_context
from jinja2.bccache import Bucket, BytecodeCache
from jinja2.runtime import Context

from bounce_watch.notifications.rendering.catalogs import ENGLISH, Catalogs
from bounce_watch.notifications.rendering.sandbox import LimitedEnvironment

_OF_ONE_LANGUAGE = re.compile(r"replies/([a-z]{2,3})/(.+)")


def make_environment(folders: Sequence[Path], catalogs: Catalogs) -> LimitedEnvironment:
    """Return the environment for templates of these folders; the first folder that has a file wins."""
    environment = LimitedEnvironment(
        loader=_Loader(folders),
        extensions=["jinja2.ext.i18n"],
        autoescape=lambda name: name is not None and name.endswith(".html.j2"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        cache_size=-1,  # seven languages have more files than the default cache holds
        auto_reload=False,
        bytecode_cache=_COMPILED,
    )
    environment.filters["wrap"] = _wrap
    _install(environment, catalogs)
    return environment


def split_name(name: str) -> tuple[str, str]:
    """Return a template's language, empty for all, and its name for all: "de", "replies/mail_loop.j2"."""
    found = _OF_ONE_LANGUAGE.fullmatch(name)
    return (found[1], f"replies/{found[2]}") if found else ("", name)


class _Loader(FileSystemLoader):
    """Gives the file for all languages where there is none for one."""

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        try:
            return super().get_source(environment, template)
        except TemplateNotFound:
            language, general = split_name(template)
            if not language:
                raise
            return super().get_source(environment, general)


class _Compiled(BytecodeCache):
    """Keeps what was compiled, by file and content, for all environments of the process."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._kept.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._kept[bucket.key, bucket.checksum] = bucket.code


_COMPILED = _Compiled()


def _install(environment: Environment, catalogs: Catalogs) -> None:
    """Give the templates gettext: the value `language` of each rendering selects the catalog."""

    def catalog(context: Context) -> NullTranslations:
        return catalogs.of(str(context.get("language", ENGLISH)))

    @pass_context
    def gettext(context: Context, text: str) -> str:
        return catalog(context).gettext(text)

    @pass_context
    def ngettext(context: Context, one: str, many: str, count: int) -> str:
        return catalog(context).ngettext(one, many, count)

    @pass_context
    def pgettext(context: Context, situation: str, text: str) -> str:
        return catalog(context).pgettext(situation, text)

    @pass_context
    def npgettext(context: Context, situation: str, one: str, many: str, count: int) -> str:
        return catalog(context).npgettext(situation, one, many, count)

    environment.install_gettext_callables(  # type: ignore[attr-defined]
        gettext, ngettext, newstyle=True, pgettext=pgettext, npgettext=npgettext
    )


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
