"""Surveys as data: which answers count how much, for which dimension, and what a score means.

A dimension's score is the weighted mean of its answered questions; the composite is the mean of all dimensions. Too
few answers give no score rather than a wrong one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final, TypeAlias

from nrm.errors import NotValid, Problem
from nrm.rules.forms import Field, Form

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None
_KNOWN: Final = frozenset({"names", "official", "note", "form", "dimensions", "answers", "least_answered", "bands"})
_QUANTUM: Final = Decimal("0.0001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """How a survey is scored.

    Attributes:
        form: key of the form that asks it.
        official: it is the weighting of the organisation that made the survey.
        answers: answer → score from 0 to 1, None for an answer that does not count.
        dimensions: dimension → (question → weight).
        least: share of a dimension's weights that must be answered.
        bands: (score below which, code) in rising order; the last one has 1 and includes it.
    """

    form: str
    official: bool
    answers: Mapping[str, Decimal | None]
    dimensions: Mapping[str, Mapping[str, Decimal]]
    least: Decimal
    bands: tuple[tuple[Decimal, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """What a survey says: None where too few questions were answered."""

    dimensions: Mapping[str, Decimal | None]
    composite: Decimal | None
    band: str | None


def score(survey: Survey, answers: Mapping[str, object]) -> Scores:
    """Score the answers of one survey.

    Args:
        survey: how it is scored.
        answers: question → answer; others are left out.
    """
    found = {key: _mean(survey, questions, answers) for key, questions in survey.dimensions.items()}
    known = [value for value in found.values() if value is not None]
    whole = sum(known, Decimal(0)) / len(known) if known and len(known) == len(found) else None
    band = None
    if whole is not None:
        band = next((code for below, code in survey.bands if whole < below), survey.bands[-1][1])
    return Scores(dimensions=found, composite=None if whole is None else whole.quantize(_QUANTUM), band=band)


def _mean(survey: Survey, questions: Mapping[str, Decimal], answers: Mapping[str, object]) -> Decimal | None:
    scored = [
        (weight, value)
        for question, weight in questions.items()
        if (value := survey.answers.get(str(answers.get(question)))) is not None
    ]
    answered = sum((weight for weight, _ in scored), Decimal(0))
    if not scored or answered < survey.least * sum(questions.values()):
        return None
    return sum((weight * value for weight, value in scored), Decimal(0)) / answered


def parse_survey(data: Mapping[str, Json], forms: Mapping[str, Form]) -> Survey:
    """Read how a survey is scored, and hold it against the form that asks it.

    Raises:
        NotValid: a part is missing or wrong, the form or a question is unknown, a question has no weight or an
            answer no score, a score lies outside 0 to 1, or the bands do not rise to 1.
    """
    problems = [Problem(pointer=f"/{name}", code="unknown_field") for name in sorted(data.keys() - _KNOWN)]
    survey = Survey(
        form=str(data.get("form") or ""),
        official=data.get("official") is True,
        answers=_numbers(data.get("answers"), "/answers", problems, empty=True),
        dimensions={
            str(entry.get("key") or ""): _weights(entry, f"/dimensions/{at}", problems)
            for at, entry in _entries(data.get("dimensions"))
        },
        least=_number(data.get("least_answered"), "/least_answered", problems),
        bands=tuple(
            (_number(entry.get("below"), f"/bands/{at}/below", problems), str(entry.get("key") or ""))
            for at, entry in _entries(data.get("bands"))
        ),
    )
    form = forms.get(survey.form)
    if form is None:
        problems.append(Problem(pointer="/form", code="unknown_form", params={"value": survey.form}))
    else:
        problems += _against(form, survey)
    limits = [below for below, _ in survey.bands]
    if not limits or limits != sorted(set(limits)) or limits[-1] != 1:
        problems.append(Problem(pointer="/bands", code="bands_do_not_rise"))
    if problems:
        raise NotValid(problems)
    return survey


def _entries(data: Json) -> Iterator[tuple[int, Mapping[str, Json]]]:
    yield from (
        (at, entry) for at, entry in enumerate(data if isinstance(data, list) else []) if isinstance(entry, dict)
    )


def _weights(entry: Mapping[str, Json], at: str, problems: list[Problem]) -> dict[str, Decimal]:
    weights = _numbers(entry.get("questions"), f"{at}/questions", problems, most=Decimal(100))
    return {question: weight for question, weight in weights.items() if weight is not None}


def _numbers(
    data: Json, at: str, problems: list[Problem], *, empty: bool = False, most: Decimal = Decimal(1)
) -> dict[str, Decimal | None]:
    if not isinstance(data, dict) or not data:
        problems.append(Problem(pointer=at, code="required"))
        return {}
    return {
        name: None if value is None and empty else _number(value, f"{at}/{name}", problems, most)
        for name, value in data.items()
    }


def _number(value: Json, at: str, problems: list[Problem], most: Decimal = Decimal(1)) -> Decimal:
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        found = Decimal(-1)
    if isinstance(value, bool) or not found.is_finite() or not 0 <= found <= most:
        problems.append(Problem(pointer=at, code="score_out_of_range", params={"most": str(most)}))
        return Decimal(0)
    return found


def _against(form: Form, survey: Survey) -> Iterator[Problem]:
    """Hold the questions and answers of a survey against its form."""
    fields = dict(_fields(form.fields))
    for dimension, questions in survey.dimensions.items():
        for question in questions:
            at = f"/dimensions/{dimension}/{question}"
            field = fields.get(question)
            if field is None:
                yield Problem(pointer=at, code="unknown_question", params={"value": question})
                continue
            for choice in form.choices.get(field.list or "", ()):
                if choice.name not in survey.answers:
                    yield Problem(pointer=at, code="answer_without_score", params={"value": choice.name})


def _fields(fields: tuple[Field, ...]) -> Iterator[tuple[str, Field]]:
    for field in fields:
        yield field.name, field
        yield from _fields(field.fields)
