"""The examples of docs/deploy: they are YAML, and what they name is there."""

import re
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from avatalk import VideoRequest, cli, settings
from avatalk.jobs.api import Jobs

DEPLOY = Path(__file__).parents[1] / "docs" / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
KUBERNETES = list(yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text()))


def of_kind(kind):
    return {item["metadata"]["name"]: item for item in KUBERNETES if item["kind"] == kind}


def containers():
    return [
        container
        for item in of_kind("Deployment").values()
        for container in item["spec"]["template"]["spec"]["containers"]
    ]


def test_the_commands_are_commands():
    given = [COMPOSE["services"][name]["command"] for name in ("server", "worker")]
    given += [container["args"] for container in containers()]
    found = re.search(r"^CMD (\[.*\])$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    given.append(yaml.safe_load(found[1]))
    app = get_command(cli.app)
    for command in given:
        assert all(isinstance(word, str) for word in command)
        name, *options = command
        app.commands[name].make_context(name, options)  # which refuses what it does not know


def test_the_variables_are_settings():
    known = {setting.variable for setting in settings.SETTINGS}
    text = "".join(path.read_text() for path in DEPLOY.iterdir())
    named = set(re.findall(r"AVATALK_[A-Z_]+", text))
    assert {"AVATALK_DATABASE_URL", "AVATALK_STORAGE"} <= named <= known


def test_the_parts_fit_together():
    services = COMPOSE["services"]
    for service in services.values():
        assert set(service.get("depends_on", {})) <= set(services)
    assert set(COMPOSE["volumes"]) == {"database", "objects"}
    deployments = of_kind("Deployment")
    for item in deployments.values():
        spec = item["spec"]
        assert spec["selector"]["matchLabels"] == spec["template"]["metadata"]["labels"]
    for item in of_kind("ScaledObject").values():
        assert item["spec"]["scaleTargetRef"]["name"] in deployments
        assert item["spec"]["triggers"][0]["authenticationRef"]["name"] in of_kind("TriggerAuthentication")
    secret = of_kind("Secret")["avatalk"]["stringData"]
    for item in of_kind("TriggerAuthentication").values():
        assert item["spec"]["secretTargetRef"][0]["key"] in secret
    (service,) = of_kind("Service").values()
    assert service["spec"]["selector"] == deployments["server"]["spec"]["template"]["metadata"]["labels"]
    for item in deployments.values():
        pod = item["spec"]["template"]["spec"]
        args = pod["containers"][0]["args"]
        if "--grace" in args:
            assert pod["terminationGracePeriodSeconds"] > float(args[args.index("--grace") + 1])


@pytest.mark.parametrize(("name", "fields"), [("worker", {}), ("worker-gpu", {"device": "cuda"})])
def test_the_number_of_workers_follows_the_queue(postgres, tmp_path, name, fields):
    jobs = Jobs(postgres.get_uri(), str(tmp_path))
    query = of_kind("ScaledObject")[name]["spec"]["triggers"][0]["metadata"]["query"]

    def count():
        return jobs.db.run(
            lambda connection: connection.exec_driver_sql(query.replace("%", "%%")).scalar_one()
        )

    before = count()
    job_id = jobs.submit(VideoRequest(text="Yes.", **fields))
    assert count() == before + 1
    other = jobs.submit(VideoRequest(text="Yes."))
    assert count() == before + (2 if name == "worker" else 1)
    for made in (job_id, other):
        jobs.delete(made)
    assert count() == before
    jobs.close()
