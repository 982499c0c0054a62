"""Walk one case through its whole path over the JSON API, each step by the person whose work it is.

The story stands in the pack (`demo/demo_case.json`). Its steps are those of `nrm.demo.stories`, and three more:

```
{"say": "…"}                                        words for whoever watches
{"until": "referral.expired", "of": …, "with": {…}, "step": …, "by": "PT6H", "most": "P20D"}
                                                    time is moved on in small parts until this stands in the timeline
{"notified": "login", "kind": "…", "of": …}         that user finds this notice
```

Nothing here knows tables or actions: whatever it needs to know it asks over HTTP, as any other program would.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from api.demo.walk import PATIENCE, Walk, WentWrong, persist
from nrm.demo.stories import Step, filled, length, merged
from nrm.sealing import Json

# -- the arrival list ------------------------------------------------------------------------------------------------


def begin(walk: Walk, arrivals: bytes) -> None:
    """Import the arrival list and take a case from it that nobody has begun.

    A list that was imported before changes nothing; when all of its cases were walked before, it comes in again as
    another flight, on which the same people return once more.

    Args:
        walk: not yet begun.
        arrivals: the file.

    Raises:
        WentWrong: no case came out of it.
    """
    mark = walk.script.reference
    for flight in range(1, 100):
        data = arrivals if flight == 1 else arrivals.replace(mark.encode(), f"{mark}{flight}-".encode())
        report = walk.user(walk.script.importer).post("/manifests?filename=arrivals.csv", data)
        walk.say(_report(walk, report))
        found = _fresh_case(walk)
        if found is not None:
            walk.case = found
            walk.person = walk.handler.get(f"/people/{found['person_id']}")["data"]
            walk.say(f"The case {found['number']} of {found['person_name']} is taken from it.")
            return
    raise WentWrong("no row of the arrival list gave a case that nobody has begun")


def _report(walk: Walk, report: Mapping[str, Any]) -> str:
    return (
        f"{walk.script.importer} imports an arrival list: {report['rows']} rows, {report['accepted']} new people, "
        f"{len(report['known'])} known, {report['same']} imported before, {len(report['refused'])} refused."
    )


def _fresh_case(walk: Walk) -> Mapping[str, Any] | None:
    listed = walk.handler.all("/cases", status="open", governorate=walk.script.governorate, limit=100)
    for row in listed:
        if row["id"] in walk.seen:
            continue
        walk.seen.add(row["id"])
        case: Mapping[str, Any] = walk.handler.get(f"/cases/{row['id']}")
        references = case["external_refs"] or {}
        if not str(references.get("external_id", "")).startswith(walk.script.reference):
            continue
        tasks = walk.handler.get(f"/cases/{row['id']}/tasks")
        if [task["step"] for task in tasks] == [walk.script.begins_at] and tasks[0]["assignee_id"] is None:
            return case
    return None


# -- steps -----------------------------------------------------------------------------------------------------------


def take_step(walk: Walk, step: Step) -> None:
    """Do one step of the story.

    Raises:
        WentWrong: it cannot be done.
        Refused: the service said no.
    """
    verb = next((name for name in _VERBS if name in step), None)
    if verb is None:
        raise WentWrong(f"a step without a verb: {sorted(step)}")
    _VERBS[verb](walk, step)


def _task(walk: Walk, step: Step) -> None:
    name, of = str(step["task"]), step.get("of")
    answers = filled(merged(walk.demo.answers.get(name, {}), step.get("answers")), walk.find)

    def complete() -> Mapping[str, Any]:
        task = walk.wait_for(f"the task {name} {of or ''}", lambda: walk.open_task(name, of))
        login = walk.login_at(task["desk_id"])
        if login is None:
            raise WentWrong(f"nobody of the demonstration sits at the desk of {name}")
        user = walk.user(login)
        if task["assignee_id"] is None:
            user.post(f"/tasks/{task['id']}/claim", {"version": task["version"]})
        version = user.get(f"/tasks/{task['id']}")["version"]
        done = user.post(f"/tasks/{task['id']}/complete", {"answers": answers, "version": version})
        if done["incident"]:
            raise WentWrong(f"{name} ended with an incident")
        walk.say(f"{login} completes “{task['names'].get('en', name)}”{_for(of)}.")
        return task

    persist(complete)


def _for(of: Json) -> str:
    return f" ({of})" if of else ""


def _referral(walk: Walk, step: Step) -> None:
    verb, of = str(step["referral"]), step.get("of")
    given = filled({name: value for name, value in step.items() if name not in {"referral", "of"}}, walk.find)

    def perform() -> None:
        row = walk.referral(of)
        if row is None:
            raise WentWrong(f"there is no referral{_for(of)}")
        seen = walk.handler.get(f"/referrals/{row['id']}")
        # Organisations without a screen answer by letter or telephone: the handler writes it down.
        login = walk.login_at(seen["to_desk_id"]) or walk.script.handler
        fields = {**(given if isinstance(given, dict) else {}), "version": seen["version"]}
        after = walk.user(login).post(f"/referrals/{row['id']}/{verb.replace('_', '-')}", fields)
        walk.say(f"{login}: {verb.replace('_', ' ')} referral {row['number']}{_for(of)}; it is now {after['state']}.")

    persist(perform)


def _tell(walk: Walk, step: Step) -> None:
    message = str(step["tell"])
    persist(lambda: walk.handler.post(f"/cases/{walk.case_id}/tell", {"message": message}))
    walk.say(f"{walk.script.handler} tells the case: {message}.")


def _wait(walk: Walk, step: Step) -> None:
    by = str(step["wait"])
    length(step)
    walk.move(by)
    walk.say(f"Time passes ({by}): it is {walk.now():%Y-%m-%d %H:%M}.")


def _until(walk: Walk, step: Step) -> None:
    by, kind = str(step["by"]), str(step["until"])
    moved, most = timedelta(), length({"wait": step["most"]})
    since = max((int(event["seq"]) for event in walk.late_events()), default=0) if "step" in step else 0
    while (found := _event(walk, step, since)) is None:
        if moved >= most:
            raise WentWrong(f"{kind}{_for(step.get('of'))} did not happen within {step['most']}")
        walk.move(by)
        moved += length({"wait": by})
        _settle(walk)
    walk.say(f"{datetime.fromisoformat(found['at']):%Y-%m-%d %H:%M} the runner: {_words(found)}{_for(step.get('of'))}.")


def _event(walk: Walk, step: Step, since: int) -> Mapping[str, Any] | None:
    of, wanted = step.get("of"), step.get("with")
    subject = walk.referral(of) if of is not None else None
    for event in walk.late_events():
        data = event["data"]
        fits = event["kind"] == step["until"] and int(event["seq"]) > since
        fits = fits and (subject is None or event["subject_id"] == subject["id"])
        fits = fits and (step.get("step") is None or data.get("step") == step["step"])
        if fits and all(
            data.get(name) == value for name, value in (wanted if isinstance(wanted, dict) else {}).items()
        ):
            return event
    return None


def _settle(walk: Walk) -> None:
    """Give the runner the time to do what is due now; what it still owes is waited for by the next step."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        answer = walk.send("GET", "/metrics", {}, None)
        if answer.status != 200 or not _owed(answer.content.decode()):
            return
        walk.pause()


def _owed(figures: str) -> bool:
    lines = (line for line in figures.splitlines() if line.startswith(("nrm_jobs_due", "nrm_jobs_running")))
    return any(float(line.rpartition(" ")[2]) > 0 for line in lines)


def _notified(walk: Walk, step: Step) -> None:
    login, kind = str(step["notified"]), str(step["kind"])
    subject = walk.referral(step.get("of"))

    def look() -> bool | None:
        rows = walk.user(login).get("/notifications", limit=100)["data"]
        fits = (row["kind"] == kind and subject is not None and row["subject_id"] == subject["id"] for row in rows)
        return True if any(fits) else None

    walk.wait_for(f"the notice {kind} of {login}", look)
    walk.say(f"{login} finds the notice: {kind}{_for(step.get('of'))}.")


def _say(walk: Walk, step: Step) -> None:
    walk.say(f"\n{step['say']}")


_VERBS: Final[Mapping[str, Callable[[Walk, Step], None]]] = {
    "task": _task,
    "referral": _referral,
    "tell": _tell,
    "wait": _wait,
    "until": _until,
    "notified": _notified,
    "say": _say,
}


# -- the end ---------------------------------------------------------------------------------------------------------


def finish(walk: Walk) -> str:
    """Check that the case is closed with everything in order, and give its number.

    Raises:
        WentWrong: it is not, or one of its referrals has no outcome.
    """

    def closed() -> Mapping[str, Any] | None:
        case: Mapping[str, Any] = walk.handler.get(f"/cases/{walk.case_id}")
        return case if case["status"] == "closed" else None

    case = walk.wait_for("the closing of the case", closed)
    rows = walk.handler.get(f"/cases/{walk.case_id}/referrals")
    without = [row["number"] for row in rows if not (row["outcome"] or {}).get("code") or row["closed_at"] is None]
    if without:
        raise WentWrong(f"referrals ended without an outcome: {', '.join(without)}")
    incidents = [row for row in walk.events() if row["kind"] == "incident.opened"]
    if incidents:
        raise WentWrong(f"{len(incidents)} incidents were opened on the way")
    return str(case["number"])


def _words(event: Mapping[str, Any]) -> str:
    data = event["data"]
    more = " ".join(f"{name}={data[name]}" for name in ("step", "state", "stage", "rung", "outcome") if data.get(name))
    return f"{event['kind']} {more}".rstrip()


def timeline(walk: Walk) -> list[str]:
    """Give the case's history in lines, the earliest first."""
    return [
        f"{datetime.fromisoformat(event['at']):%Y-%m-%d %H:%M}  {_words(event)}: {event['actor_name'] or 'the runner'}"
        for event in walk.events()
    ]
