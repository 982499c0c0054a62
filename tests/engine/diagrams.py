"""Build small diagrams in one line per step, for tests."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import pairwise

from nrm.engine.effects import Advance
from nrm.engine.parsing import PathSpec, compile_path
from nrm.engine.steps import Resources

NOW = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
HEAD = (
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:nrm="urn:nrm-engine:bpmn:1" '
    'targetNamespace="urn:test" id="defs">'
)


def diagram(body: str, *, root: str = "", key: str = "path", extensions: str = "") -> bytes:
    """Wrap elements into a process.

    `<flow>` lines are written by `flow`; the process is executable and called "path".
    """
    inside = f"<bpmn:extensionElements>{extensions}</bpmn:extensionElements>" if extensions else ""
    return (
        f'{HEAD}{root}<bpmn:process id="{key}" isExecutable="true">{inside}{body}</bpmn:process></bpmn:definitions>'
    ).encode()


def flow(source: str, target: str, when: str | None = None, *, id: str | None = None) -> str:
    """Write a sequence flow "source_target"."""
    condition = "" if when is None else f"<bpmn:conditionExpression>{escape(when)}</bpmn:conditionExpression>"
    return (
        f'<bpmn:sequenceFlow id="{id or f"{source}_{target}"}" sourceRef="{source}" targetRef="{target}">'
        f"{condition}</bpmn:sequenceFlow>"
    )


def chain(*ids: str) -> str:
    """Write the flows between steps that follow each other."""
    return "".join(flow(source, target) for source, target in pairwise(ids))


def escape(text: str) -> str:
    """Escape text for XML."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def box(tag: str, id: str, inside: str = "", **attributes: str) -> str:
    """Write one element."""
    more = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f'<bpmn:{tag} id="{id}"{more}>{inside}</bpmn:{tag}>'


def ext(inside: str) -> str:
    """Write extension elements."""
    return f"<bpmn:extensionElements>{inside}</bpmn:extensionElements>"


def start(id: str = "start") -> str:
    """Write a start event."""
    return box("startEvent", id)


def end(id: str = "end", outcome: str | None = None, event: str = "", extra: str = "") -> str:
    """Write an end event."""
    code = f'<nrm:outcome code="{outcome}"/>' if outcome else ""
    return box("endEvent", id, (ext(code + extra) if code or extra else "") + event)


def task(id: str, inside: str = "") -> str:
    """Write a user task."""
    return box("userTask", id, inside)


def check(id: str, name: str = "some_check", inside: str = "", **params: str) -> str:
    """Write a service task with a registered check."""
    lines = "".join(f'<nrm:param name="{key}" value="{escape(value)}"/>' for key, value in params.items())
    return box("serviceTask", id, ext(f'<nrm:check name="{name}">{lines}</nrm:check>') + inside)


def timer(text: str, tag: str = "timeDuration") -> str:
    """Write a timer event definition."""
    return f"<bpmn:timerEventDefinition><bpmn:{tag}>{text}</bpmn:{tag}></bpmn:timerEventDefinition>"


def ref(kind: str, id: str | None = None) -> str:
    """Write an event definition that refers to a message, signal, error or escalation."""
    attribute = "" if id is None else f' {kind}Ref="{id}"'
    return f"<bpmn:{kind}EventDefinition{attribute}/>"


def message(id: str, name: str, correlation: str = "run") -> str:
    """Write a message."""
    return box("message", id, ext(f'<nrm:correlation key="{correlation}"/>'), name=name)


def boundary(id: str, host: str, event: str, *, interrupting: bool = True, extra: str = "") -> str:
    """Write a boundary event."""
    return box(
        "boundaryEvent", id, (ext(extra) if extra else "") + event, attachedToRef=host,
        cancelActivity="true" if interrupting else "false",
    )  # fmt: skip


def multi(values: str, item: str = "item", *, sequential: bool = False) -> str:
    """Write a multi-instance marker."""
    return (
        f'<bpmn:multiInstanceLoopCharacteristics isSequential="{"true" if sequential else "false"}">'
        f"<bpmn:loopDataInputRef>{values}</bpmn:loopDataInputRef>"
        f'<bpmn:inputDataItem name="{item}"/></bpmn:multiInstanceLoopCharacteristics>'
    )


def call(id: str, path: str = "child", inside: str = "", extra: str = "") -> str:
    """Write a call activity."""
    return box("callActivity", id, (ext(extra) if extra else "") + inside, calledElement=path)


def compiled(body: str, *, root: str = "", resources: Resources | None = None, extensions: str = "") -> PathSpec:
    """Parse elements into a path."""
    return compile_path(diagram(body, root=root, extensions=extensions), resources=resources or Resources())


class Play:
    """Plays one run: keeps the state between verbs, finds tokens by step, remembers what is open."""

    def __init__(self, spec: PathSpec, values: Mapping[str, object] | None = None, *, now: datetime = NOW) -> None:
        from nrm.engine import runtime

        self.runtime = runtime
        self.spec = spec
        self.now = now
        self.open: dict[str, object] = {}
        self.last: Advance = self._keep(runtime.start_run(spec, values=values or {}, now=now))

    def _keep(self, advance: Advance) -> Advance:
        from nrm.engine import effects as e

        for effect in advance.effects:
            if isinstance(effect, e.OpenTask | e.RunCheck | e.StartChildRun | e.SetTimer | e.Subscribe):
                assert effect.token not in self.open, "a token must be new"
                self.open[effect.token] = effect
            elif isinstance(effect, e.CloseTask | e.CancelChildRun | e.CancelTimer | e.Unsubscribe):
                assert self.open.pop(effect.token, None) is not None, "only what is open is closed"
        self.last = advance
        return advance

    def token(self, step: str, item: str | None = None) -> str:
        """Give the token of an open step; the oldest when there are several."""
        for token, effect in self.open.items():
            if effect.step == step and (item is None or effect.item == item):
                return token
        return f"{step}.0"

    def do(self, step: str, *, item: str | None = None, **values: object) -> Advance:
        """Complete a task or check."""
        token = self.token(step, item)
        advance = self.runtime.complete_step(self.spec, self.last.state, token=token, values=values, now=self.now)
        self.open.pop(token)
        return self._keep(advance)

    def fail(self, step: str, code: str, item: str | None = None) -> Advance:
        """Fail a task or check with an error code."""
        token = self.token(step, item)
        advance = self.runtime.fail_step(self.spec, self.last.state, token=token, code=code, now=self.now)
        self.open.pop(token)
        return self._keep(advance)

    def tell(self, step: str, **values: object) -> Advance:
        """Deliver a message or signal."""
        return self._keep(
            self.runtime.receive_message(
                self.spec, self.last.state, token=self.token(step), values=values, now=self.now
            )
        )

    def ring(self, step: str) -> Advance:
        """Fire a timer."""
        token = self.token(step)
        advance = self.runtime.fire_timer(self.spec, self.last.state, token=token, now=self.now)
        self.open.pop(token)
        return self._keep(advance)

    def child(self, step: str, outcome: str | None = "done", *, item: str | None = None, **values: object) -> Advance:
        """End a child run."""
        token = self.token(step, item)
        advance = self.runtime.finish_child(
            self.spec, self.last.state, token=token, outcome=outcome, values=values, now=self.now
        )
        self.open.pop(token)
        return self._keep(advance)

    def child_fails(self, step: str, code: str, item: str | None = None) -> Advance:
        """Fail a child run."""
        token = self.token(step, item)
        advance = self.runtime.fail_child(self.spec, self.last.state, token=token, code=code, now=self.now)
        self.open.pop(token)
        return self._keep(advance)

    def child_escalates(self, step: str, code: str, item: str | None = None) -> Advance:
        """Let a child run escalate."""
        return self._keep(
            self.runtime.escalate_child(
                self.spec, self.last.state, token=self.token(step, item), code=code, now=self.now
            )
        )

    def cancel(self) -> Advance:
        """Cancel the run."""
        return self._keep(self.runtime.cancel_run(self.spec, self.last.state, now=self.now))

    def repair(self, **values: object) -> Advance:
        """Change values."""
        return self._keep(self.runtime.repair_run(self.spec, self.last.state, values=values, now=self.now))

    @property
    def waiting(self) -> list[str]:
        """The steps that wait, sorted."""
        return sorted(effect.step for effect in self.open.values())

    def passed(self) -> list[str]:
        """The steps that the last advance passed."""
        from nrm.engine.effects import PassedStep

        return [effect.step for effect in self.last.effects if isinstance(effect, PassedStep)]

    def found(self, kind: type) -> list[object]:
        """The effects of one kind in the last advance."""
        return [effect for effect in self.last.effects if isinstance(effect, kind)]

    @property
    def outcome(self) -> object:
        """The outcome with which the last advance ended the run."""
        from nrm.engine.effects import FinishRun

        (effect,) = self.found(FinishRun)
        return effect.outcome
