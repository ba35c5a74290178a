"""What all checks of the template share: a region, no real AWS account, and where the facts lie."""

import os
from pathlib import Path

import pytest

from stack import REGION, ROOT

# Whatever boto3 finds on this machine must not be used, even by mistake.
os.environ.update(
    AWS_ACCESS_KEY_ID="not-a-key",
    AWS_SECRET_ACCESS_KEY="not-a-secret",
    AWS_SESSION_TOKEN="not-a-token",
    AWS_DEFAULT_REGION=REGION,
    AWS_CONFIG_FILE=os.devnull,
    AWS_SHARED_CREDENTIALS_FILE=os.devnull,
    SAM_CLI_TELEMETRY="0",
)


def pytest_addoption(parser):
    parser.addoption("--emf", type=Path, help="JSON lines: metrics lines that the function printed")
    parser.addoption("--function", type=Path, help="executable of the function, as cargo builds it")
    parser.addoption("--simcloud", type=Path, help="executable of the embedded cloud")
    parser.addoption("--bundle", type=Path, help="folder of a release's bundle that was built")
    parser.addoption(
        "--operations", type=Path, default=ROOT / ".github" / "OPERATIONS.md", help="the document with the tables of settings"
    )
    parser.addoption(
        "--settings", type=Path, default=ROOT / "src" / "settings", help="folder (and file) of the code that reads settings"
    )


def pytest_ignore_collect(collection_path, config):
    """What plays the built function belongs to a run that has it."""
    if collection_path.name == "test_played_by_the_function.py":
        return not (config.getoption("--function") and config.getoption("--simcloud")) or None
    return None


def pytest_configure(config):
    # moto says so of every type that it passes over.
    config.addinivalue_line("filterwarnings", "ignore:Tried to parse:UserWarning")
    # The SAM CLI's own.
    config.addinivalue_line("filterwarnings", "ignore::DeprecationWarning:samcli")
    config.addinivalue_line("filterwarnings", "ignore::DeprecationWarning:samtranslator")


@pytest.fixture(scope="session")
def operations(request):
    return request.config.getoption("--operations").read_text(encoding="utf-8")
