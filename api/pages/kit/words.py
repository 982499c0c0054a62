"""The words of a page: texts, numbers of things, days and times, in the reader's language.

Texts stand in `nrm/locale/<language>/pages/<noun>.json`; a template says `t("work.take")`. A text that depends on a
number stands there once for each plural form of any of the languages ("late_days.one", "late_days.two" …), so that
all languages have the same keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final

from nrm.i18n import catalogue, locale_of
from nrm.rules.letters import write_date, write_digits

RIGHT_TO_LEFT: Final = frozenset({"ar", "ckb"})
OWN_NAMES: Final[Mapping[str, str]] = {"ar": "العربية", "ckb": "کوردی", "en": "English"}
"""What each language calls itself."""

VERY_LATE_DAYS: Final = 5


class NoText(KeyError):
    """A page names a text that its catalogue does not have."""


@lru_cache(maxsize=8192)
def plain_text(language: str, key: str) -> str:
    """Give a text of a page that depends on nothing; errors as for `text`."""
    return text(language, key, {}, {})


def text(language: str, key: str, params: Mapping[str, object], shown: Mapping[str, object]) -> str:
    """Give a text of a page.

    Args:
        language: ar, ckb or en.
        key: "noun.code".
        params: values; the plural form is chosen by `n` where the text has some.
        shown: the same values as they are to be written.

    Raises:
        NoText: there is none.
    """
    noun, _, code = key.partition(".")
    words = catalogue(f"pages/{noun}", language)
    found = words.get(code)
    number = params.get("n")
    if found is None and isinstance(number, int):
        found = words.get(f"{code}.{locale_of(language).plural_form(number)}", words.get(f"{code}.other"))
    if found is None:
        raise NoText(key)
    return found.format(**shown) if shown else found


def name(names: Mapping[str, str] | None, language: str) -> str:
    """Give a thing's name in the reader's language, or in the first that it has one in."""
    if not names:
        return ""
    return names.get(language) or names.get("en") or next(iter(names.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """How pressing something is.

    Attributes:
        group: very_late, late, soon, later or none.
        words: "2 days late".
        exact: the moment itself, for those who ask.
    """

    group: str
    words: str
    exact: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The language of one page.

    Attributes:
        language: ar, ckb or en.
        zone: the country's time zone.
        now: the present moment.
        months: names of the twelve months in this language, as the country calls them.
        digits: "latin" or "arab", as the country writes numbers.
    """

    language: str
    zone: tzinfo
    now: datetime
    months: tuple[str, ...]
    digits: str = "latin"

    @property
    def direction(self) -> str:
        """Give the direction in which the language is written: rtl or ltr."""
        return "rtl" if self.language in RIGHT_TO_LEFT else "ltr"

    def t(self, key: str, **params: object) -> str:
        """Give a text."""
        if not params:
            return plain_text(self.language, key)
        shown = {name: self.number(value) if isinstance(value, int) else value for name, value in params.items()}
        return text(self.language, key, params, shown)

    def number(self, number: int) -> str:
        """Write a number in the country's digits."""
        return write_digits(str(number), self.digits)

    def name(self, names: Mapping[str, str] | None) -> str:
        """Give a thing's name."""
        return name(names, self.language)

    def day(self, day: date | datetime | None) -> str:
        """Write a day, the month as a word."""
        if day is None:
            return ""
        if isinstance(day, datetime):
            day = day.astimezone(self.zone).date()
        return write_date(day, self.months, self.digits)

    def last_day(self, end: datetime) -> str:
        """Write the last day before a moment at which something is over."""
        return self.day(end - timedelta(seconds=1))

    def time(self, moment: datetime) -> str:
        """Write a time of day, 24 hours."""
        return self._hour(moment.astimezone(self.zone))

    def _hour(self, local: datetime) -> str:
        return write_digits(f"{local.hour:02}:{local.minute:02}", self.digits)

    def moment(self, moment: datetime | None) -> str:
        """Write a day and its time."""
        if moment is None:
            return ""
        local = moment.astimezone(self.zone)
        return f"{write_date(local, self.months, self.digits)} {self._hour(local)}"

    def days_until(self, moment: datetime) -> int:
        """Count the days from today to the day of a moment, as the calendar on the wall does."""
        return (moment.astimezone(self.zone).date() - self.now.astimezone(self.zone).date()).days

    def ago(self, moment: datetime) -> str:
        """Say how long ago something was."""
        days = -self.days_until(moment)
        if days <= 0:
            return self.t("shell.today_at", time=self.time(moment))
        if days == 1:
            return self.t("shell.yesterday_at", time=self.time(moment))
        return self.t("shell.days_ago", n=days)

    def due(self, due_at: datetime | None) -> Due:
        """Say how pressing something is that is due at a moment."""
        if due_at is None:
            return Due(group="none", words=self.t("shell.no_due"), exact="")
        days, exact = self.days_until(due_at), self.moment(due_at)
        if due_at < self.now:
            words = self.t("shell.late_days", n=-days) if days else self.t("shell.late_today", time=self.time(due_at))
            return Due(group="very_late" if -days >= VERY_LATE_DAYS else "late", words=words, exact=exact)
        if days == 0:
            return Due(group="soon", words=self.t("shell.due_today", time=self.time(due_at)), exact=exact)
        if days == 1:
            return Due(group="soon", words=self.t("shell.due_tomorrow"), exact=exact)
        return Due(group="later", words=self.t("shell.due_days", n=days), exact=exact)
