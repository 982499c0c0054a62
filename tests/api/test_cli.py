"""An administrator at a terminal."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from api.cli import nrm
from api.cli.starting import describe
from nrm.db import db
from nrm.errors import BadPath
from tests.installations import ROOT, TESTLAND, forget

Command = Callable[..., Result]


@pytest.fixture
def command(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Command]:
    """Run `nrm …` on a database with testland."""
    settings = {
        "NRM_DATABASE_URL": database_url.replace("+psycopg", ""),
        "NRM_DATA_DIR": str(tmp_path),
        "NRM_DEMO": "1",
        "NRM_COUNTRY": "testland",
        "NRM_PACKS_DIR": str(ROOT / "workflows"),
        "NRM_NEW_PASSWORD": "invented-words-7-for-tests",
        "NRM_LOG_LEVEL": "error",
        "NRM_PASSWORD_MEMORY_KIB": "64",
        "NRM_PASSWORD_ROUNDS": "1",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    forget()

    def run(*words: str) -> Result:
        return CliRunner().invoke(nrm, list(words), standalone_mode=False)

    yield run
    forget()


@pytest.fixture(autouse=True)
def closed_pools(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Close what each command's application leaves open; a process of its own would end instead."""
    from api import cli
    from api.cli import starting

    made = []
    original = starting.create_app

    def create(*arguments: object, **named: object) -> object:
        app = original(*arguments, **named)  # type: ignore[arg-type]
        made.append(app)
        return app

    monkeypatch.setattr(starting, "create_app", create)
    assert cli.nrm
    yield
    for app in made:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


def commands(group: click.Group, *before: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, found in group.commands.items():
        if isinstance(found, click.Group):
            yield from commands(found, *before, name)
        else:
            yield (*before, name), found


@pytest.mark.parametrize("words", [words for words, _ in commands(nrm)], ids=" ".join)
def test_every_command_explains_itself_with_an_example(words: tuple[str, ...]):
    shown = CliRunner().invoke(nrm, [*words, "--help"])
    assert shown.exit_code == 0
    assert "Example:\n    " in shown.output


def test_tables_records_and_pack_agree_after_a_load(command: Command):
    assert command("db", "check").return_value == 0
    assert command("verify").return_value == 0
    again = command("pack", "load", str(TESTLAND))
    assert again.return_value == 0, again.output


def test_a_user_is_added_seated_and_shut_out(command: Command):
    desk = json.loads((TESTLAND / "organisations.json").read_text())[0]["desks"][0]
    added = command(
        "user", "add", "clerk.one", "--name", "Invented Clerk", "--role", desk["role"], "--desk", desk["code"], "--json"
    )
    assert json.loads(added.output)["login"] == "clerk.one"
    assert command("user", "role", "clerk.one", desk["role"], "--end").return_value == 0
    assert command("user", "disable", "clerk.one").exception is None


def test_a_slip_in_a_desks_code_leaves_no_user_behind(command: Command):
    role = next(iter(json.loads((TESTLAND / "roles.json").read_text())))["code"]
    refused = command("user", "add", "clerk.two", "--name", "Invented Clerk", "--role", role, "--desk", "no_such_desk")
    assert isinstance(refused.exception, click.UsageError)
    gone = command("user", "disable", "clerk.two")
    assert isinstance(gone.exception, click.UsageError)


def test_a_key_is_shown_once_and_revoked(command: Command):
    code = json.loads((TESTLAND / "organisations.json").read_text())[0]["code"]
    issued = command("key", "issue", code, "--name", "their program", "--scope", "referrals:read", "--json")
    key = json.loads(issued.output)
    assert key["key"].startswith("nrm_live_")
    assert command("key", "revoke", key["id"]).exception is None


def test_an_arrival_list_is_imported_once(command: Command, tmp_path: Path):
    file = tmp_path / "flight.csv"
    file.write_text("name,sex,governorate\nMirel Dane Osk,male,Norvale\n,female,Norvale\n")
    first = command("import", "manifest", str(file), "--json")
    assert first.return_value == 1
    assert json.loads(first.output)["accepted"] == 1
    assert json.loads(command("import", "manifest", str(file), "--json").output)["accepted"] == 0


def test_findings_of_a_diagram_come_one_per_line(tmp_path: Path):
    bad = tmp_path / "bad.bpmn"
    bad.write_text("<not-bpmn/>")
    found = CliRunner().invoke(nrm, ["path", "lint", str(bad), "--json"], standalone_mode=False)
    assert found.return_value == 1
    assert all(json.loads(line)["code"] for line in found.output.splitlines())


def test_a_path_is_drawn_mirrored(tmp_path: Path):
    target = tmp_path / "hello.svg"
    words = ["path", "draw", str(TESTLAND / "paths" / "hello.bpmn"), "-o", str(target), "--rtl", "--language", "ar"]
    assert CliRunner().invoke(nrm, words, standalone_mode=False).exception is None
    assert target.read_text(encoding="utf-8").startswith("<svg")


def test_a_pack_with_mistakes_is_refused_by_name(tmp_path: Path):
    found = CliRunner().invoke(nrm, ["pack", "check", str(tmp_path), "--json"], standalone_mode=False)
    assert found.return_value == 1
    assert json.loads(found.output.splitlines()[0])["file"]


def test_texts_and_packs_are_checked_before_anything_is_set_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    for name in ("NRM_SECRET", "NRM_DEMO", "NRM_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NRM_PACKS_DIR", str(ROOT / "workflows"))
    monkeypatch.setenv("NRM_COUNTRY", "testland")
    monkeypatch.setenv("NRM_DATA_DIR", str(tmp_path / "none"))
    for words in (["texts", "check"], ["pack", "check"]):
        done = CliRunner().invoke(nrm, words, standalone_mode=False)
        assert done.exception is None, done.output
        assert not (tmp_path / "none").exists()


def test_a_name_in_a_diagram_that_the_pack_does_not_have_is_told(tmp_path: Path):
    shutil.copytree(TESTLAND, tmp_path / "land")
    diagram = tmp_path / "land" / "paths" / "hello.bpmn"
    diagram.write_text(diagram.read_text().replace('role="case_handler"', 'role="king"'))
    found = CliRunner().invoke(nrm, ["pack", "check", str(tmp_path / "land"), "--json"], standalone_mode=False)
    assert found.return_value == 1
    errors = [entry for entry in map(json.loads, found.output.splitlines()) if entry["severity"] == "error"]
    assert {(entry["file"], entry["code"]) for entry in errors} == {("paths/hello.bpmn", "unknown_role")}


def test_texts_go_to_a_reviewer_and_come_back(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    from openpyxl import load_workbook

    from nrm.countries import wording

    pack, sheet = tmp_path / "testland", tmp_path / "texts.xlsx"
    shutil.copytree(TESTLAND, pack)
    shutil.copytree(wording.LOCALE, tmp_path / "locale")
    monkeypatch.setattr(wording, "LOCALE", tmp_path / "locale")
    checked = command("texts", "check", str(pack))
    assert checked.return_value == 0, checked.output
    assert "Reviewed by a native speaker, ckb: 0 of" in checked.output

    assert command("texts", "export", str(pack), "-o", str(sheet)).exit_code == 0
    book = load_workbook(sheet)
    cells = book["texts"]
    row = next(
        cell.row
        for cell in cells["B"]
        if cell.value == "/title" and cells.cell(cell.row, 1).value == "forms/intake.json"
    )
    cells.cell(row, 5).value, cells.cell(row, 8).value = "وەرگرتنی گەڕاوە", "yes"
    book.save(sheet)
    words = ("texts", "import", str(sheet), str(pack), "--reviewer", "Test Reviewer", "--on", "2026-03-01")
    shown = command(*words, "--diff")
    assert "+ وەرگرتنی گەڕاوە" in shown.output
    assert json.loads((pack / "reviewed.json").read_text()) == {}
    assert command(*words).return_value == 0
    assert json.loads((pack / "forms/intake.json").read_text())["title"]["ckb"] == "وەرگرتنی گەڕاوە"
    assert "ckb: 1 of" in command("texts", "check", str(pack)).output
    again = command(*words)
    assert again.return_value == 1
    assert "Refused, changed since the sheet was made: forms/intake.json /title" in again.output


def test_an_unwanted_word_is_told_with_its_place(command: Command, tmp_path: Path) -> None:
    import shutil

    pack = tmp_path / "testland"
    shutil.copytree(TESTLAND, pack)
    form = pack / "forms/closure.json"
    data = json.loads(form.read_text())
    data["title"]["en"] = "Close the client's case"
    form.write_text(json.dumps(data))
    checked = command("texts", "check", str(pack), "--json")
    assert checked.return_value == 1
    assert json.loads(checked.output.strip())["detail"] == "client's → returnee"


def test_a_form_goes_out_as_a_spreadsheet_and_its_changes_are_shown(command: Command, tmp_path: Path) -> None:
    from openpyxl import load_workbook

    form, sheet, folder = TESTLAND / "forms/intake.json", tmp_path / "intake.xlsx", tmp_path / "all"
    exported = command("form", "export", str(form), "-o", str(sheet), "--losses")
    assert exported.exit_code == 0, exported.output
    assert "XLSForm cannot hold" in exported.output
    assert command("form", "import", str(sheet), "--diff", str(form)).return_value == 0

    book = load_workbook(sheet)
    book["settings"]["A2"] = "Arrival"
    book.save(sheet)
    changed = command("form", "import", str(sheet), "--diff", str(form))
    assert changed.return_value == 1
    assert '+ title.en: "Arrival"' in changed.output
    copy = tmp_path / "intake.json"
    copy.write_text(form.read_text())
    assert command("form", "import", str(sheet), "-o", str(copy)).return_value == 0
    before, after = form.read_text().splitlines(), copy.read_text().splitlines()
    assert len(before) == len(after)
    assert [line for line in after if line not in before] == ['  "en": "Arrival"']

    assert command("form", "export", str(TESTLAND), "-o", str(folder)).exit_code == 0
    assert len(list(folder.glob("*.xlsx"))) == len(list((TESTLAND / "forms").glob("*.json")))


def test_a_partner_gets_a_sandbox_a_client_and_later_another_secret(command: Command, tmp_path: Path) -> None:
    made = json.loads(command("sandbox", "open_door", "--json").output)
    assert made["key"].startswith("nrm_test_")
    assert made["services"][0] == "sandbox_of_open_door"
    words = ("key", "client", "issue", "open_door", "--name", "x", "--scope", "events:read", "--json")
    client = json.loads(command(*words).output)
    assert (client["id"][:4], client["key"][:11]) == ("cli_", "nrm_client_")
    jwk = tmp_path / "key.jwk"
    jwk.write_text(json.dumps({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}))
    signing = json.loads(command(*words, "--public-key", str(jwk)).output)
    assert signing["key"] == ""
    jwk.write_text("[]")
    assert isinstance(command(*words, "--public-key", str(jwk)).exception, click.UsageError)
    command("key", "revoke", signing["id"])
    rotated = json.loads(command("key", "rotate", client["id"], "--json").output)
    assert rotated["key"] != client["key"]
    listed = [json.loads(line) for line in command("key", "list", "open_door", "--json").output.splitlines()]
    assert {row["id"] for row in listed} == {made["id"], client["id"], signing["id"], rotated["id"]}
    shown = command("key", "list").output
    assert "revoked" in shown and rotated["key"] not in shown


FOREIGN = ROOT / "tests" / "engine" / "foreign"


def test_an_admin_imports_a_diagram_of_another_tool_and_hears_what_was_changed(tmp_path: Path) -> None:
    target = tmp_path / "taken.bpmn"
    words = ["path", "import", str(FOREIGN / "A.4.1.bpmn"), "--json", "-o", str(target)]
    done = CliRunner().invoke(nrm, words, standalone_mode=False)
    assert done.return_value == 0
    report = json.loads(done.stdout)
    assert report["loads"] is True
    assert {"import_plain_task", "import_other_process"} <= {change["code"] for change in report["changes"]}
    assert [process["chosen"] for process in report["processes"]] == [False, True]
    assert all(finding["text"] for finding in (*report["changes"], *report["findings"]))
    again = CliRunner().invoke(nrm, ["path", "lint", str(target), "--json"], standalone_mode=False)
    assert [json.loads(line)["code"] for line in again.stdout.splitlines()] == [
        finding["code"] for finding in report["findings"]
    ]


def test_a_hostile_diagram_is_refused_with_its_reason(tmp_path: Path) -> None:
    bad, target = tmp_path / "bad.bpmn", tmp_path / "taken.bpmn"
    bad.write_text('<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>', encoding="utf-8")
    done = CliRunner().invoke(nrm, ["path", "import", str(bad), "--json", "-o", str(target)], standalone_mode=False)
    assert done.return_value == 1
    report = json.loads(done.stdout)
    assert (report["loads"], [finding["code"] for finding in report["findings"]]) == (False, ["doctype"])
    assert not target.exists()
    spoken = CliRunner().invoke(nrm, ["path", "import", str(bad), "--language", "ar"], standalone_mode=False)
    assert "DOCTYPE" in spoken.stdout


@pytest.mark.parametrize("file", sorted(FOREIGN.glob("*.bpmn")), ids=lambda file: file.stem)
def test_a_diagram_of_another_tool_is_drawn(file: Path, tmp_path: Path) -> None:
    target = tmp_path / "drawn.svg"
    words = ["path", "draw", str(file), "-o", str(target), "--rtl"]
    done = CliRunner().invoke(nrm, words, standalone_mode=False)
    assert done.return_value in (0, None)
    assert "<svg" in target.read_text("utf-8")


def test_a_diagram_that_cannot_be_drawn_is_refused_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "not.bpmn"
    file.write_bytes(b"PK\x03\x04\x00")
    with pytest.raises(BadPath) as refused:
        CliRunner().invoke(nrm, ["path", "draw", str(file)], standalone_mode=False, catch_exceptions=False)
    describe(refused.value)
    assert capsys.readouterr().err.splitlines()[1:] == [
        "  The file holds a NUL character; it is damaged or is not a text file."
    ]


def test_an_admin_hears_whether_every_run_of_a_path_ends(tmp_path: Path) -> None:
    hello = TESTLAND / "paths" / "hello.bpmn"
    words = ["path", "check", str(hello), "--pack", str(TESTLAND), "--json"]
    done = CliRunner().invoke(nrm, words, standalone_mode=False)
    assert done.return_value == 0
    assert json.loads(done.stdout)["verdict"] == "sound"
    stuck = tmp_path / "stuck.bpmn"
    stuck.write_text(STUCK, encoding="utf-8")
    done = CliRunner().invoke(nrm, ["path", "check", str(stuck), "--json"], standalone_mode=False)
    assert done.return_value == 1
    report = json.loads(done.stdout)
    (defect,) = report["defects"]
    assert (report["verdict"], defect["code"], defect["element"]) == ("unsound", "soundness_deadlock", "join")
    assert defect["trace"] == ["begin", "which", "to_a", "a", "join"]
    spoken = CliRunner().invoke(nrm, ["path", "check", str(stuck)], standalone_mode=False)
    assert "begin > which > to_a > a > join" in spoken.stdout


STUCK = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"><process id="stuck" isExecutable="true">
<startEvent id="begin"/><sequenceFlow id="f1" sourceRef="begin" targetRef="which"/>
<exclusiveGateway id="which" default="to_b"/>
<sequenceFlow id="to_a" sourceRef="which" targetRef="a"><conditionExpression>met == 1</conditionExpression></sequenceFlow>
<sequenceFlow id="to_b" sourceRef="which" targetRef="b"/><userTask id="a"/><userTask id="b"/>
<sequenceFlow id="f4" sourceRef="a" targetRef="join"/><sequenceFlow id="f5" sourceRef="b" targetRef="join"/>
<parallelGateway id="join"/><sequenceFlow id="f6" sourceRef="join" targetRef="end"/><endEvent id="end"/>
</process></definitions>"""
