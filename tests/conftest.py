"""What all tests share: how much hypothesis tries, and whether golden files are rewritten."""

from __future__ import annotations

import os
from collections.abc import Iterator

import hypothesis
import pytest

# In CI every run must try the same examples, and few of them; a developer wants new ones.
hypothesis.settings.register_profile("dev", deadline=None)
hypothesis.settings.register_profile("ci", max_examples=40, derandomize=True, deadline=None)
hypothesis.settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev")
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write what the compiler now gives into the golden files, then look at the diff",
    )
    parser.addoption(
        "--unsimplified",
        action="store_true",
        help="compile without simplification: derivatives must be right all the same",
    )
    parser.addoption(
        "--every-mix",
        action="store_true",
        help="check all mixes of second order in each test of derivatives, and not by turns",
    )
    parser.addoption(
        "--numba",
        action="store_true",
        help="try each function of the tests of derivatives with Numba too, if it is in its "
        "language",
    )


def pytest_configure(config: pytest.Config) -> None:
    from tests import derivatives

    derivatives.every_mix[0] = config.getoption("--every-mix")
    if config.getoption("--numba"):
        from tests.numba.corpus import check_with_numba

        derivatives.also.append(check_with_numba)


LEFT_OUT = {"--unsimplified": "simplified", "--numba": "crashes_numba"}
"""The marker of what an option leaves out."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for option, marker in LEFT_OUT.items():
        if config.getoption(option):
            left = [item for item in items if item.get_closest_marker(marker)]
            items[:] = [item for item in items if item not in left]
            config.hook.pytest_deselected(items=left)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if config.getoption("--numba"):
        from tests.numba.corpus import summary

        for line in summary():
            terminalreporter.write_line(line)


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be rewritten instead of compared."""
    return bool(request.config.getoption("--update-golden"))


@pytest.fixture(autouse=True, scope="session")
def cache_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Tests leave the user's cache alone; those that start processes hand this one on."""
    os.environ["TANGENT_LIKE_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(autouse=True, scope="session")
def compiler_switches(request: pytest.FixtureRequest) -> None:
    """In tests the invariants of the Wengert list are checked after every pass."""
    from tangent_like import switches

    switches.checking[0] = True
    switches.simplifying[0] = not request.config.getoption("--unsimplified")


@pytest.fixture(autouse=True)
def rules_of_the_test() -> Iterator[None]:
    """Rules that a test registers are gone after it: they are part of what the cache is asked."""
    from tangent_like.rules import registry

    rules, own = dict(registry.rules), set(registry.own)
    yield
    added = registry.own.keys() - own
    for function in added:
        del registry.own[function]
        registry.rules.pop(function, None)  # the test may have done so
        if function in rules:
            registry.rules[function] = rules[function]
    if added:
        registry.changed()
