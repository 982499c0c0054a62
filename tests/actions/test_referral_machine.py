"""The life of a referral against a small model: two organisations, a stranger, and two who act at the same moment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from nrm.actions import capacity, referrals
from nrm.actions.referral_changes import Given
from nrm.actors import Actor
from nrm.errors import IllegalMove, NotFound, NrmError, StaleVersion
from nrm.queries import referrals as queries
from tests.actions.test_races import at_once
from tests.actions.test_referrals import Loop
from tests.world import World

UNDECIDED: Final = {"sent", "acknowledged", "info_requested", "waitlisted"}
SERVED: Final = {"in_progress", "on_hold"}
OPEN: Final = {"draft", "accepted"} | UNDECIDED | SERVED
STAY: Final = "stay"
BACK: Final = "back"

TABLE: Final[dict[tuple[str, str], tuple[set[str], str]]] = {
    ("send", "sender"): ({"draft"}, "sent"),
    ("acknowledge", "receiver"): ({"sent"}, "acknowledged"),
    ("request_info", "receiver"): ({"sent", "acknowledged", "waitlisted"}, "info_requested"),
    ("answer", "sender"): ({"info_requested"}, "acknowledged"),
    ("waitlist", "receiver"): (UNDECIDED, "waitlisted"),
    ("accept", "receiver"): (UNDECIDED, "accepted"),
    ("decline", "receiver"): (UNDECIDED, "declined"),
    ("schedule", "receiver"): ({"accepted", "in_progress"}, STAY),
    ("no_show", "receiver"): ({"accepted", "in_progress"}, STAY),
    ("start", "receiver"): ({"accepted"}, "in_progress"),
    ("progress", "receiver"): ({"in_progress"}, STAY),
    ("hold", "receiver"): ({"accepted", "in_progress"}, "on_hold"),
    ("resume", "receiver"): ({"on_hold"}, BACK),
    ("complete", "receiver"): ({"accepted", "in_progress"}, "completed"),
    ("fail", "receiver"): ({"accepted", "in_progress", "on_hold"}, "not_completed"),
    ("withdraw", "sender"): (OPEN, "withdrawn"),
}
"""The normative table in few words, written down a second time; cancelling has rules of its own below."""

VERBS: Final = sorted({verb for verb, _ in TABLE} | {"cancel"})
WHO: Final = ("sender", "receiver", "stranger")


@dataclass(frozen=True)
class Model:
    """What the model knows of a referral."""

    state: str = "draft"
    held: str = ""
    asked: bool = False

    def after(self, who: str, verb: str) -> Model | str:
        """Give what a verb leads to, or what is said against it."""
        if who == "stranger" or (who == "receiver" and self.state == "draft"):
            return "unknown"
        if verb == "cancel":
            return self._cancelled(who)
        sources, target = TABLE.get((verb, who), (set(), ""))
        if self.state not in sources:
            return "illegal"
        if target == STAY:
            return self
        if target == BACK:
            return replace(self, state=self.held, held="")
        return replace(self, state=target, held=self.state if target == "on_hold" else "")

    def _cancelled(self, who: str) -> Model | str:
        if who == "sender" and self.state in {"draft", "accepted"} | UNDECIDED:
            return replace(self, state="cancelled")
        if who == "sender" and self.state in SERVED and not self.asked:
            return replace(self, asked=True)
        if who == "receiver" and self.state in SERVED and self.asked:
            return replace(self, state="cancelled")
        return "illegal"


def said(answer: object) -> str:
    """Name an answer or a refusal as the model does."""
    if isinstance(answer, NotFound):
        return "unknown"
    if isinstance(answer, IllegalMove):
        return "illegal"
    if isinstance(answer, StaleVersion):
        return "stale"
    assert not isinstance(answer, NrmError), answer
    return "done"


class Life(RuleBasedStateMachine):
    """One referral of a case of its own."""

    installed: Any
    land: World

    @initialize()
    def prepare(self) -> None:
        self.loop = Loop(self.land)
        # Places are another test's business: here nobody counts them.
        capacity.set_capacity(self.loop.provider, self.loop.service.id, accepting=True)
        self.loop.consent()
        self.id = self.loop.send(draft=True).id
        self.model = Model()
        self.version = 1
        stranger = self.land.receiver_of("open_door")
        self.actors: dict[str, Actor] = {
            "sender": self.loop.handler,
            "receiver": self.loop.provider,
            "stranger": stranger,
        }

    def given(self, verb: str) -> Given:
        later = self.land.clock.now() + timedelta(days=2)
        fields: dict[str, dict[str, Any]] = {
            "request_info": {"note": "which day?"},
            "answer": {"note": "any day"},
            "waitlist": {"review_on": later.date()},
            "decline": {"reason": "no_capacity"},
            "schedule": {"at": later},
            "progress": {"note": "comes every day"},
            "hold": {"reason": "health", "until": later.date()},
            "complete": {"outcome": "provided"},
            "fail": {"reason": "moved"},
            "cancel": {"reason": "duplicate"},
            "withdraw": {"reason": "returnee_request"},
        }
        return Given(**fields.get(verb, {}))

    def do(self, who: str, verb: str, version: int | None) -> object:
        try:
            return referrals.do_verb(self.actors[who], self.id, verb, version=version, given=self.given(verb))
        except NrmError as error:
            return error

    @rule(who=st.sampled_from(WHO), verb=st.sampled_from(VERBS))
    def one(self, who: str, verb: str) -> None:
        expected = self.model.after(who, verb)
        answer = said(self.do(who, verb, self.version))
        assert answer == (expected if isinstance(expected, str) else "done"), (self.model, who, verb)
        if isinstance(expected, Model):
            self.model = expected
            self.version += 1

    @rule(which=st.integers(0, 999), ends=st.integers(0, 5))
    def one_that_fits(self, which: int, ends: int) -> None:
        """Go on in the life of the referral; it ends only now and then, so that all of its states are reached."""
        fits = self.fitting()
        lives_on = [move for move in fits if self._lives_on(*move)]
        chosen = lives_on if lives_on and ends else fits
        if chosen:
            self.one(*chosen[which % len(chosen)])

    def fitting(self) -> list[tuple[str, str]]:
        moves = [(who, verb) for who in ("sender", "receiver") for verb in VERBS]
        return [move for move in moves if isinstance(self.model.after(*move), Model)]

    def _lives_on(self, who: str, verb: str) -> bool:
        after = self.model.after(who, verb)
        return isinstance(after, Model) and after.state in OPEN

    @rule(who=st.sampled_from(("sender", "receiver")), verb=st.sampled_from(VERBS))
    def one_with_an_old_page(self, who: str, verb: str) -> None:
        if self.version > 1 and self.model.state != "draft":
            assert said(self.do(who, verb, self.version - 1)) == "stale"

    @rule(which=st.integers(0, 999), other=st.integers(0, 999), fits=st.booleans())
    def two_at_once(self, which: int, other: int, fits: bool) -> None:
        """Neither says which version was seen: what they get must be one of the two orders."""
        moves = [(who, verb) for who in ("sender", "receiver") for verb in VERBS]
        good = self.fitting() or moves
        first = good[which % len(good)]
        second = good[other % len(good)] if fits else moves[other % len(moves)]
        self.land.session.close()
        got = at_once(self.installed, lambda: self.do(*first, None), lambda: self.do(*second, None))
        answers = (said(got[0]), said(got[1]))
        self.land.session.close()
        state = self.loop.now(self.id).state
        fitting = [
            end
            for end, in_order in (self._in_order(first, second), self._in_order(second, first, turned=True))
            if in_order == answers and end.state == state
        ]
        assert fitting, (self.model, first, second, answers, state)
        self.model = fitting[0]
        self.version += answers.count("done")

    def _in_order(
        self, first: tuple[str, str], second: tuple[str, str], *, turned: bool = False
    ) -> tuple[Model, tuple[str, str]]:
        model, answers = self.model, []
        for who, verb in (first, second):
            after = model.after(who, verb)
            answers.append(after if isinstance(after, str) else "done")
            model = after if isinstance(after, Model) else model
        one, two = answers
        return model, (two, one) if turned else (one, two)

    @invariant()
    def the_row_and_what_people_may_do_agree_with_the_model(self) -> None:
        if not hasattr(self, "model"):
            return
        row = self.loop.now(self.id)
        assert (row.state, row.version, row.cancellation_requested) == (
            self.model.state,
            self.version,
            self.model.asked,
        )
        for who in ("sender", "receiver"):
            if who == "receiver" and self.model.state == "draft":
                continue
            shown = queries.referral(self.actors[who], self.land.clock.now(), self.id).allowed_actions
            fits = {verb for verb in VERBS if isinstance(self.model.after(who, verb), Model)}
            assert set(shown) & set(VERBS) == fits, (who, self.model)


@pytest.mark.slow
def test_a_referral_lives_as_the_table_says_whoever_acts_and_when(installed, land: World):
    machine = type("LifeHere", (Life,), {"installed": installed, "land": land})
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    how = settings(max_examples=10, stateful_step_count=25, deadline=None, suppress_health_check=checks)
    run_state_machine_as_test(machine, settings=how)
