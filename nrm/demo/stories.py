"""Read the demonstration's users, answers and stories from a country pack, and fill in what only the moment knows.

A story is a list of steps, each an object with one verb:

```
{"task": "intake", "answers": {…}}      the open task of that step is taken and completed; answers are added to the
                                        usual ones of answers.json
{"claim": "skills"}                     somebody takes the task and does no more
{"draft": "skills", "answers": {…}}     … and types these answers
{"hold": "baseline", "until": 10, "reason": "waiting_for_others"}
{"referral": "accept", …}               a verb of the newest referral, with its fields
{"tell": "arrival.confirmed"}           the case is told
{"note": "…"}                           a note of the case
{"wait": "P3D"}                         time passes
{"do": "screened"}                      the steps of a chapter
```

A member "of" names the category of the service that a step is about, where several are under way at once.
Answers hold marks: "$day:-3" a date counted from the story's present day, "$moment" the present moment,
"$service:CODE" and "$organisation:CODE" the id behind a code, "$person:own" a part of the person's own data,
"$case:governorate" a fact of the case. A mark that has no value takes its member away.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import orjson

from nrm.sealing import Json

Step = Mapping[str, Json]
Find = Callable[[str, str], Json]
"""Gives the value of a mark: ("day", "-3") → "2026-03-01"; None where it has none."""

FOLDER: Final = "demo"
"""Folder of a pack that holds its demonstration."""
_DEPTH: Final = 12
_LENGTH: Final = re.compile(r"P(?:(\d{1,4})D)?(?:T(\d{1,3})H)?")


class BadStory(Exception):
    """A story cannot be told as it is written; the text says where and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoUser:
    """Somebody who may sign in to the demonstration.

    Attributes:
        desks: codes of desks; the role is the desk's.
    """

    login: str
    name: str
    language: str
    desks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One person's case and what happens in it.

    Attributes:
        key: name of the story, unique.
        person: what `register_person` takes.
        case: governorate, return_type, host_country, programme, level; "arrived": days before the story begins.
        steps: what happens, chapters filled in.
        known: keys of stories about people who look alike and are somebody else.
    """

    key: str
    person: Mapping[str, Json]
    case: Mapping[str, Json]
    steps: tuple[Step, ...]
    known: tuple[str, ...] = ()

    def begins(self, present: datetime) -> datetime:
        """Give the moment at which a story begins so that all its waiting is over at the present one."""
        return present - sum((length(step) for step in self.steps if "wait" in step), timedelta())


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """Everything that a pack's demonstration says.

    Attributes:
        password: of all its users.
        answers: step of a path → usual answers.
        desk_users: desk code → who sits there, the first one named.
    """

    password: str
    users: tuple[DemoUser, ...]
    answers: Mapping[str, Mapping[str, Json]]
    stories: tuple[Story, ...]
    desk_users: Mapping[str, DemoUser] = field(default_factory=dict)


def read_demo(pack_dir: Path) -> Demo:
    """Read the demonstration of a pack.

    Args:
        pack_dir: the pack's folder.

    Raises:
        BadStory: a file is missing or is not what it should be.
    """
    folder = pack_dir / FOLDER
    users = _object(folder / "users.json")
    cases = _object(folder / "cases.json")
    chapters = cases.get("chapters")
    told = [_user(entry) for entry in _list(users.get("users"), "users.json")]
    by_desk: dict[str, DemoUser] = {}
    for user in told:
        for desk in user.desks:
            by_desk.setdefault(desk, user)
    return Demo(
        password=str(users.get("password", "")),
        users=tuple(told),
        answers={step: given for step, given in _object(folder / "answers.json").items() if isinstance(given, Mapping)},
        stories=tuple(
            _story(entry, chapters if isinstance(chapters, Mapping) else {})
            for entry in _list(cases.get("cases"), "cases.json")
        ),
        desk_users=by_desk,
    )


def _object(file: Path) -> dict[str, Json]:
    try:
        data = orjson.loads(file.read_bytes())
    except OSError as error:
        raise BadStory(f"{file}: {error.strerror}") from error
    except orjson.JSONDecodeError as error:
        raise BadStory(f"{file}: line {error.lineno}: {error.msg}") from error
    if not isinstance(data, dict):
        raise BadStory(f"{file}: an object is needed")
    return data


def _list(data: Json, where: str) -> list[Mapping[str, Json]]:
    if not isinstance(data, list) or not all(isinstance(entry, Mapping) for entry in data):
        raise BadStory(f"{where}: a list of objects is needed")
    return [entry for entry in data if isinstance(entry, Mapping)]


def _user(entry: Mapping[str, Json]) -> DemoUser:
    desks = entry.get("desks")
    return DemoUser(
        login=str(entry["login"]),
        name=str(entry["name"]),
        language=str(entry.get("language", "ar")),
        desks=tuple(str(desk) for desk in desks) if isinstance(desks, list) else (),
    )


def _story(entry: Mapping[str, Json], chapters: Mapping[str, Json]) -> Story:
    key = str(entry.get("key", ""))
    person, case, known = entry.get("person"), entry.get("case"), entry.get("known")
    if not key or not isinstance(person, Mapping) or not isinstance(case, Mapping):
        raise BadStory(f"cases.json: {key or 'a case'} needs key, person and case")
    return Story(
        key=key,
        person=person,
        case=case,
        steps=tuple(flat(_list(entry.get("steps", []), key), chapters)),
        known=tuple(str(other) for other in known) if isinstance(known, list) else (),
    )


def flat(steps: Sequence[Step], chapters: Mapping[str, Json], *, depth: int = 0) -> list[Step]:
    """Put the steps of chapters in the place of their names.

    Args:
        steps: with {"do": name} among them.
        chapters: name → steps.
        depth: how deep this call is in chapters.

    Raises:
        BadStory: a chapter is missing or contains itself.
    """
    if depth > _DEPTH:
        raise BadStory("a chapter contains itself")
    found: list[Step] = []
    for step in steps:
        name = step.get("do")
        if name is None:
            found.append(step)
        elif str(name) in chapters:
            found += flat(_list(chapters[str(name)], str(name)), chapters, depth=depth + 1)
        else:
            raise BadStory(f"there is no chapter {name}")
    return found


def length(step: Step) -> timedelta:
    """Give how long a step waits.

    Raises:
        BadStory: it is not written like "P3D" or "PT4H".
    """
    found = _LENGTH.fullmatch(str(step.get("wait")))
    if found is None:
        raise BadStory(f"{step.get('wait')} is no time to wait")
    return timedelta(days=int(found[1] or 0), hours=int(found[2] or 0))


def merged(usual: Mapping[str, Json], given: Json) -> dict[str, Json]:
    """Give the usual answers of a step with those of a story in their place; null takes one away."""
    answers = {**usual, **(given if isinstance(given, Mapping) else {})}
    return {name: value for name, value in answers.items() if value is not None}


def of_person(person: Mapping[str, Json], name: str) -> Json:
    """Give what a form asks of a person: a part of the name, or another member of what is recorded.

    Args:
        person: what `register_person` takes.
        name: "own", "father" …; "sex", "born" …; "birth_date" for a whole date, "birth_precision" for its precision.
    """
    names, born = person.get("names"), str(person.get("born") or "")
    if name == "birth_date":
        # Where only a year or a month is known, offices write the first of July, or the first of the month.
        return born + {4: "-07-01", 7: "-01"}.get(len(born), "") if born else None
    if name == "birth_precision":
        return {4: "year", 7: "month", 10: "day"}.get(len(born))
    return person[name] if name in person else names.get(name) if isinstance(names, dict) else None


def filled(value: Json, find: Find) -> Json:
    """Put values in the place of marks, however deep they stand.

    Args:
        value: answers or fields of a story.
        find: gives the value of a mark.
    """
    if isinstance(value, str) and value.startswith("$"):
        kind, _, name = value[1:].partition(":")
        return find(kind, name)
    if isinstance(value, list):
        return [filled(entry, find) for entry in value]
    if isinstance(value, dict):
        inner = {name: filled(entry, find) for name, entry in value.items()}
        return {name: entry for name, entry in inner.items() if entry is not None or value[name] is None}
    return value
