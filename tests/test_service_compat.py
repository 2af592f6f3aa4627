"""The form of an existing client."""

import pytest

from serving import inside, running


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    with inside(tmp_path_factory.mktemp("data"), worker=True) as client:
        yield client


def test_ping(client):
    assert client.get("/ping").json() == {"pong": "-"}


def test_ping_of_a_real_server(tmp_path):
    with running(tmp_path) as served:
        assert served.client.get("/ping").json() == {"pong": "-"}
