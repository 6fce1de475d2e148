"""What the tests themselves rely on when they run on two workers."""

import pytest


def test_a_file_stays_on_one_worker(request):
    if not getattr(request.config.option, "loadgroup", False):
        pytest.skip("not under --dist loadgroup")
    assert request.node.nodeid.endswith(f"@{request.path.name}")
