"""What plain readers and writers of BPMN leave of our diagrams; `make editor-check` writes the files first."""

from __future__ import annotations

import pytest

from tests.browser.comparing import PATHS, ROOT, codes, sayings

WRITTEN = ROOT / "build" / "round_trips"


@pytest.mark.parametrize("kind", ["plain", "ours"])
@pytest.mark.parametrize("path", PATHS, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_a_diagram_says_the_same_after_another_tool_had_it(kind: str, path):
    after = (WRITTEN / kind / path.parts[-3] / path.name).read_bytes()
    assert sayings(after) == sayings(path.read_bytes())
    assert codes(after) == codes(path.read_bytes())
