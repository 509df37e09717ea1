"""The random objects of round_trips.py, the same every time, as many as ten seconds reach."""

import pytest

pytest.importorskip("torch")

from round_trips import send  # noqa: E402


def test_random_objects_survive_both_ways():
    done, findings = send(first=0, seconds=10, cases_max=2000, tell=print)
    assert not findings, findings[0]
    assert done >= 50
