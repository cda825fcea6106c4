"""Whatever is thrown at the API, it answers as its description says. `make fuzz` goes on longer."""

import pytest

from tests.security.fuzzing import fuzz

_SECONDS, _SEED = 45.0, 3


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_nothing_thrown_at_the_api_is_answered_as_it_should_not_be() -> None:
    report = fuzz(_SECONDS, _SEED)
    print(report.table())
    assert dict(report.wrong) == {}
    assert report.calls.total() > 0
    assert report.good
