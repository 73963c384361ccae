"""What holds for every test: the environment's commands are found, and STRICT=1 allows no skip."""

import gc
import os
from collections.abc import Generator

import pytest

from autograder.environ import put_tools_on_path

put_tools_on_path()
STRICT = os.environ.get("STRICT", "") not in ("", "0")


def forbid_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skip into a failure that names its reason; an expected failure stays what it is."""
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{reason} (STRICT=1 allows no skipped test)"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if STRICT:
        forbid_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if STRICT:
        forbid_skip(report)
    return report


@pytest.fixture(scope="module", autouse=True)
def _freeze() -> None:
    """Let the collector pass over what earlier modules left: with PyTorch, TensorFlow and some
    7,000 results in one process it would take most of the time otherwise."""
    gc.collect()
    gc.freeze()
