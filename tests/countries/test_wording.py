"""Texts are found wherever authors write them, and go back without a change to anything else."""

from __future__ import annotations

import json
import shutil

import pytest

from nrm.countries import read_pack, wording
from nrm.countries.marked_text import read_marks, replace_marks
from nrm.countries.wording import TextChange, Wording, read_wording, write_wording
from tests.architecture.sources import ROOT

TESTLAND = ROOT / "workflows" / "testland"
DIAGRAM = """<bpmn:process id="hello" name="Say &quot;hi&quot;"><bpmn:extensionElements>
<!-- <nrm:text kind="name" lang="en">not me</nrm:text> -->
  <nrm:text kind="name" lang="en">Say "hi"</nrm:text><nrm:text lang='ar' kind='name'>قل &amp; اسمع</nrm:text>
</bpmn:extensionElements><bpmn:task id="ask" name="x > y"/></bpmn:process>
"""


@pytest.fixture
def pack(tmp_path, monkeypatch):
    folder = tmp_path / "testland"
    shutil.copytree(TESTLAND, folder)
    shutil.copytree(wording.LOCALE, tmp_path / "locale")
    monkeypatch.setattr(wording, "LOCALE", tmp_path / "locale")
    return folder


def files(folder):
    return {path.relative_to(folder): path.read_text() for path in folder.rglob("*.*")}


def test_texts_of_a_diagram_are_read_with_their_element():
    found = {(mark.element, mark.language): mark.text for mark in read_marks(DIAGRAM)}
    assert found == {("hello", "en"): 'Say "hi"', ("hello", "ar"): "قل & اسمع"}


def test_a_new_english_name_also_becomes_the_name_that_other_editors_show():
    changed = replace_marks(DIAGRAM, {("hello", "name", "en"): "Say <ho>", ("hello", "name", "ar"): "قل"})
    assert 'name="Say &lt;ho&gt;"' in changed
    assert ">Say &lt;ho&gt;</nrm:text>" in changed
    assert ">قل</nrm:text>" in changed
    assert "not me" in changed
    assert 'name="x > y"' in changed
    assert replace_marks(DIAGRAM, {}) == DIAGRAM


def test_every_kind_of_file_gives_its_texts():
    found = read_wording(TESTLAND, sources=(ROOT / "nrm",))
    begins = {entry.file.partition("/")[0] for entry in found}
    assert {"forms", "paths", "labels", "catalogue", "program", "country.json", "code_lists.json"} <= begins
    assert {"organisations.json", "services.json", "places.json", "roles.json"} <= begins
    places = [(entry.file, entry.key) for entry in found]
    assert len(places) == len(set(places))


def test_moving_an_entry_does_not_move_its_texts(pack):
    before = {(entry.file, entry.key): entry.texts for entry in read_wording(pack)}
    file = pack / "organisations.json"
    file.write_text(json.dumps(json.loads(file.read_text())[::-1]))
    assert {(entry.file, entry.key): entry.texts for entry in read_wording(pack)} == before


def test_every_text_can_be_written_back_and_nothing_else_changes(pack):
    texts = read_wording(pack)
    before, words = files(pack), files(pack.parent / "locale")

    def turned(mark):
        return [
            TextChange(
                file=entry.file, key=entry.key, language=name, before=text, after=f"{text}{mark}".removesuffix("~~")
            )
            for entry in texts
            for name, text in entry.texts.items()
        ]

    write_wording(pack, turned("~"))
    again = {(entry.file, entry.key): entry.texts for entry in read_wording(pack)}
    assert again == {
        (entry.file, entry.key): {name: f"{text}~" for name, text in entry.texts.items()} for entry in texts
    }
    assert read_pack(pack).key == "testland"
    write_wording(pack, turned("~~"))
    assert files(pack) == before
    assert files(pack.parent / "locale") == words


def test_a_stamp_tells_every_change():
    first = Wording(file="a.json", key="/b", texts={"ar": "س", "ckb": "س", "en": "s"})
    assert first.stamp == Wording(file="a.json", key="/b", texts=dict(first.texts)).stamp
    other = Wording(file="a.json", key="/b", texts={**first.texts, "ckb": "ش"})
    assert first.stamp != other.stamp
    assert first.mark("ar") == other.mark("ar")
    assert first.mark("ckb") != other.mark("ckb")
