"""What differs from language to language: texts, dates, lists, sizes. Patterns and names are from CLDR."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from gettext import NullTranslations

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime
from babel.lists import format_list
from babel.units import format_unit

from bounce_watch.notifications.errors import UntranslatedText
from bounce_watch.notifications.rendering.catalogs import ENGLISH

_MEGABYTE = 1024**2
_NO_BREAK_SPACE = "\u00a0"
# Spanish "y" becomes "e" before the sound of an i, but not before "hie" (Real Academia Española).
_SPANISH_AND = re.compile(r" y (?=h?i(?!e))", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Translator:
    """One language. `catalog` raises UntranslatedText for a text that it lacks."""

    language: str
    catalog: NullTranslations

    def gettext(self, text: str, **values: object) -> str:
        """Return a text with its values. Raises UntranslatedText."""
        return self.catalog.gettext(text) % values

    def ngettext(self, one: str, many: str, count: int, **values: object) -> str:
        """Return a text in the right number, with `count` and its other values. Raises UntranslatedText."""
        return self.catalog.ngettext(one, many, count) % {"count": count, **values}

    def if_known(self, text: str) -> str:
        """Return a text of the shipped or a site's knowledge, in English if no catalog has it."""
        try:
            return self.catalog.gettext(text)
        except UntranslatedText:
            return text

    def moment(self, there: datetime) -> str:
        """Return a local time with weekday and date."""
        try:
            pattern = self._first_of_month() if there.day == 1 else self._any_day()
        except UntranslatedText:
            return f"{format_date(there, 'full', self._locale)}, {there:%H:%M}"
        return format_datetime(there, pattern, locale=self._locale)

    def _any_day(self) -> str:
        # Translators: a CLDR date pattern; German has "EEEE, d. MMMM y, HH:mm 'Uhr'".
        return self.catalog.gettext("EEE, MMM d, y, HH:mm")

    def _first_of_month(self) -> str:
        # Translators: the same pattern for the first of a month, where some languages have an ordinal (1er).
        return self.catalog.pgettext("first of a month", "EEE, MMM d, y, HH:mm")

    def day(self, day: date) -> str:
        """Return a date with its weekday."""
        # Translators: a CLDR date pattern; German has "EEEE, d. MMMM y".
        return format_date(day, self.catalog.gettext("EEE, MMM d, y"), locale=self._locale)

    def clock(self, there: datetime) -> str:
        """Return the local time of day."""
        try:
            # Translators: a CLDR pattern for a time of day; German has "HH:mm 'Uhr'".
            pattern = self.catalog.gettext("HH:mm")
        except UntranslatedText:
            pattern = "HH:mm"
        return format_datetime(there, pattern, locale=self._locale)

    @property
    def colon(self) -> str:
        """What stands between a label and its value."""
        try:
            # Translators: as in "Code: 550". French puts a no-break space first.
            return self.catalog.pgettext("between a label and its value", ":")
        except UntranslatedText:
            return ":"

    def listed(self, items: Sequence[str]) -> str:
        """Return a list in a sentence, such as "a, b, and c"."""
        text = format_list(items, locale=self._locale)
        return _SPANISH_AND.sub(" e ", text) if self.language == "es" else text

    def megabytes(self, size: int | None) -> str:
        """Return a size in MB (1024 x 1024 bytes) with at most one decimal, "" for None."""
        if size is None:
            return ""
        amount = size / _MEGABYTE
        shown = round(amount) if amount >= 10 else round(amount, 1)
        text = format_unit(shown, "digital-megabyte", "short", locale=self._locale)
        return re.sub(r"\s", _NO_BREAK_SPACE, text)

    @property
    def _locale(self) -> Locale:
        """Return the language's CLDR data, those of English for an unknown one."""
        try:
            return Locale.parse(self.language)
        except (UnknownLocaleError, ValueError):
            return Locale.parse(ENGLISH)
