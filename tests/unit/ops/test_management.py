"""What answers at the management address may be any web server: that is said in words."""

from collections.abc import Callable

import httpx
import pytest

from services.ops.management import Management, NoManagement
from services.ops.policies import Policy

CALLS: dict[str, Callable[[Management], object]] = {
    "version": lambda api: api.version(),
    "bindings": lambda api: api.bindings("presswork.storage"),
    "policies": lambda api: api.policies(),
    "put": lambda api: api.put(Policy("ours", "^presswork", {"max-length": 1}, 100)),
}


def answering(code: int, text: str) -> Management:
    transport = httpx.MockTransport(lambda _: httpx.Response(code, text=text))
    return Management(httpx.Client(base_url="http://elsewhere/api", transport=transport), "/")


@pytest.mark.parametrize("call", CALLS)
def test_a_web_server_without_the_api_is_told_from_it(call: str) -> None:
    with pytest.raises(NoManagement, match="elsewhere"):
        CALLS[call](answering(404, "<html>not found</html>"))


@pytest.mark.parametrize("text", ["<html>log in</html>", "[1]", '{"error": "x"}', "null"])
@pytest.mark.parametrize("call", ["version", "bindings", "policies"])
def test_a_page_that_is_no_answer_is_told_from_one(call: str, text: str) -> None:
    with pytest.raises(NoManagement, match="elsewhere is no management API"):
        CALLS[call](answering(200, text))
