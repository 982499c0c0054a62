"""The image and the compose file agree with each other and with the program's settings."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import yaml

from tests.architecture.sources import ROOT, python_files

DOCKERFILE = (ROOT / "Dockerfile").read_text()


@pytest.fixture(scope="module")
def compose() -> dict[str, dict[str, dict[str, object]]]:
    return yaml.safe_load((ROOT / "compose.yaml").read_text())


def settings_of_the_program() -> set[str]:
    """Every name of an environment variable that stands in the product's sources."""
    text = "\n".join(path.read_text() for path in python_files())
    names = set(re.findall(r"[\"'](NRM_[A-Z_]+|HOST|PORT)[\"']", text))
    return names | {f"{name}_FILE" for name in ("NRM_SECRET", "NRM_DATABASE_URL")}


def test_web_and_worker_are_one_image(compose):
    services = compose["services"]
    assert set(services) == {"database", "prepare", "web", "worker"}
    assert len({services[name]["image"] for name in ("prepare", "web", "worker")}) == 1


def test_every_setting_of_the_services_is_one_that_the_program_reads(compose):
    for name in ("prepare", "web", "worker"):
        unknown = set(compose["services"][name]["environment"]) - settings_of_the_program()
        assert unknown == set(), name


def test_secrets_come_from_files_and_none_is_in_the_compose_file(compose):
    for secret in compose["secrets"].values():
        assert set(secret) == {"file"}
    for service in compose["services"].values():
        for name, value in service["environment"].items():
            if re.search("PASSWORD|SECRET|DATABASE_URL", name):
                assert name.endswith("_FILE")
                assert str(value).removeprefix("/run/secrets/") in service["secrets"]


def test_the_services_may_write_only_to_their_volume(compose):
    for name in ("prepare", "web", "worker"):
        service = compose["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["volumes"] == ["data:/var/lib/nrm"]
    assert set(compose["volumes"]) == {"data", "database"}


def test_services_start_when_what_they_need_is_ready(compose):
    services = compose["services"]
    assert services["prepare"]["depends_on"]["database"]["condition"] == "service_healthy"
    for name in ("web", "worker"):
        assert services[name]["depends_on"]["prepare"]["condition"] == "service_completed_successfully"
    assert "healthcheck" in services["database"]


def test_the_image_does_not_run_as_root_and_tells_its_health():
    last_stage = DOCKERFILE.rpartition("\nFROM ")[2]
    assert "\nUSER nrm\n" in last_stage
    assert "docker/healthcheck.py" in last_stage.partition("HEALTHCHECK")[2]
    assert "NRM_DATA_DIR=/var/lib/nrm" in last_stage


def test_every_script_of_the_image_exists_and_goes_into_it():
    scripts = re.findall(r"docker/[\w.]+", DOCKERFILE)
    assert {"docker/install.sh", "docker/user.sh", "docker/healthcheck.py"} <= set(scripts)
    assert [script for script in scripts if not (ROOT / script).exists()] == []
    let_in = set(re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE))
    assert {"docker", "nrm", "api", "workflows", "requirements.txt", "requirements-build.txt"} <= let_in
    assert [path for path in let_in if not (ROOT / path).exists()] == []


@pytest.fixture
def service() -> Iterator[ThreadingHTTPServer]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(self.server.status if self.path == "/readyz" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False)])
def test_the_health_check_says_what_readyz_says(service, status, healthy):
    service.status = status
    assert (health_check(service.server_port) == 0) is healthy


def test_a_service_that_is_down_is_not_healthy(service):
    port = service.server_port
    service.shutdown()
    service.server_close()
    assert health_check(port) != 0


def health_check(port: int) -> int:
    env = {**os.environ, "PORT": str(port)}
    command = [sys.executable, str(ROOT / "docker" / "healthcheck.py")]
    return subprocess.run(command, env=env, check=False, capture_output=True, timeout=30).returncode


@pytest.mark.parametrize(
    "script", sorted([*ROOT.glob("docker/*.sh"), *ROOT.glob(".ci/*.sh"), ROOT / ".ci/run"]), ids=lambda path: path.name
)
def test_scripts_are_shell_that_can_be_read(script):
    shell = script.read_text().splitlines()[0].rpartition("/")[2].split()[-1]
    subprocess.run([shell, "-n", script], check=True, timeout=30)
    assert os.access(script, os.X_OK)
