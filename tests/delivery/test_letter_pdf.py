"""A letter as PDF where the extra for it is missing, late or broken: the page can always be printed instead."""

from __future__ import annotations

import subprocess

import pytest

from nrm.delivery.letters import pdf
from nrm.errors import Conflict


@pytest.mark.parametrize(
    ("status", "output", "code"),
    [(pdf.MISSING, b"", "pdf_not_installed"), (-9, b"", "pdf_failed"), (0, b"no such thing", "pdf_failed")],
)
def test_what_the_typesetter_could_not_do_is_told_apart(monkeypatch, status: int, output: bytes, code: str):
    def ended(*args, **named):
        return subprocess.CompletedProcess(args, status, output, b"")

    monkeypatch.setattr(subprocess, "run", ended)
    with pytest.raises(Conflict) as refused:
        pdf.render_pdf("<p>سلام</p>")
    assert refused.value.code == code


def test_a_typesetter_that_is_late_is_given_up(monkeypatch):
    monkeypatch.setattr(pdf, "_CODE", "import time; time.sleep(60)")
    with pytest.raises(Conflict) as refused:
        pdf.render_pdf("<p>سلام</p>", seconds=1)
    assert refused.value.code == "pdf_failed"


def test_a_page_beyond_all_measure_is_not_begun(monkeypatch):
    monkeypatch.setattr(pdf, "_CODE", "raise SystemExit(0)")
    with pytest.raises(Conflict) as refused:
        pdf.render_pdf("x" * (pdf.LONGEST_PAGE + 1))
    assert refused.value.code == "pdf_failed"


def test_the_missing_extra_is_noticed_by_the_process_that_needs_it(monkeypatch):
    """The typesetter runs as it is, in an interpreter that cannot find WeasyPrint."""
    hidden = pdf._CODE.replace("import sys;", "import sys; sys.modules['weasyprint'] = None;", 1)
    monkeypatch.setattr(pdf, "_CODE", hidden)
    with pytest.raises(Conflict) as refused:
        pdf.render_pdf("<p>سلام</p>")
    assert refused.value.code == "pdf_not_installed"
