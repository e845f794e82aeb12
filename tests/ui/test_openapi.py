"""The API does what its description says, whatever is sent: schemathesis makes the requests."""

import pytest
import schemathesis
from hypothesis import HealthCheck, assume, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
LONGEST = 200_000
"""Characters of a body; far larger ones are refused by their size (413), whatever is wrong with them."""
OPERATIONS = [("POST", "/ask"), ("GET", "/articles"), ("GET", "/articles/{article_id}"), ("GET", "/search")]


@pytest.fixture(scope="module")
def described(doors):
    headers = {"authorization": f"Bearer {doors.token}"}
    return schemathesis.openapi.from_url(f"{doors.address}api/openapi.json", headers=headers)


def test_every_operation_is_tried(described):
    assert {(method.upper(), path) for path in described for method in described[path]} == set(OPERATIONS)


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_every_request_is_answered_as_described(described, doors, method, path, mode):
    if (path, mode) == ("/articles/{article_id}", GenerationMode.NEGATIVE):
        pytest.skip("every text may be an id")
    headers = {"authorization": f"Bearer {doors.token}"}

    @settings(max_examples=15, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(described[path][method].as_strategy(generation_mode=mode))
    def asked(case):
        assume(len(repr(case.body)) < LONGEST)
        case.call_and_validate(headers=headers, checks=CHECKS)

    asked()
