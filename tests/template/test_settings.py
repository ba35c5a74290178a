"""Every variable in the template is one the settings read, and every setting is in the template or listed.

Facts: the rows of the configuration table in .github/OPERATIONS.md, its list of local and advanced settings, and
the names that stand as strings in the code that reads settings.
"""

import re

import pytest

from stack import source

# Read by the Lambda runtime, the logging library or the extension rather than by the settings.
OF_THE_RUNTIME = {"AWS_LAMBDA_LOG_LEVEL", "AWS_LAMBDA_LOG_FORMAT", "RUST_LOG"}
OF_THE_EXTENSION = {"SECRETS_MANAGER_TIMEOUT_MILLIS"}

NAME = r"(?:OS|SNAPSENTRY|PARAMETERS_SECRETS_EXTENSION|AWS_LAMBDA_LOG)_[A-Z][A-Z_]*[A-Z]|RUST_LOG"


@pytest.fixture(scope="module")
def documented(operations):
    """Names in the first cell of the rows of the configuration table."""
    names = set()
    for cell in re.findall(r"^\| (`_?[A-Z][A-Z_]+`.*?) \|", operations, re.MULTILINE):
        for name in re.findall(r"`([^`]*)`", cell):
            assert re.fullmatch(NAME, name), f"the table of OPERATIONS.md says {name}: spell the variable out"
            names.add(name)
    assert names, "OPERATIONS.md has no table of variables"
    return names


@pytest.fixture(scope="module")
def local_and_advanced(operations):
    """Names in the list of settings that the template leaves out on purpose."""
    section = re.search(r"^#+ Local and advanced settings\n(.*?)(?=^#+ |\Z)", operations, re.MULTILINE | re.DOTALL)
    assert section, "OPERATIONS.md has no section 'Local and advanced settings'"
    return set(re.findall(rf"`({NAME})`", section.group(1)))


@pytest.fixture(scope="module")
def read(request):
    """Names that stand as strings in the settings' code, its tests left out."""
    place = request.config.getoption("--settings")
    files = [path for path in [place.with_suffix(".rs"), *sorted(place.rglob("*.rs"))] if path.name != "tests.rs"]
    files = [path for path in files if path.is_file()]
    assert files, f"no code at {place}"
    names = set()
    for path in files:
        code = path.read_text(encoding="utf-8").split("#[cfg(test)]")[0]
        names |= set(re.findall(rf'"({NAME})"', code))
    return names


def in_template():
    """Names that some stack sets for one of its functions."""
    functions = [source()["Globals"]["Function"]]
    for resource in source()["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            functions.append(resource["Properties"])
    return {name for function in functions for name in function["Environment"]["Variables"]}


def test_every_variable_in_the_template_is_read_by_someone(read):
    assert in_template() - OF_THE_EXTENSION - read == set()


def test_every_variable_in_the_template_is_documented(documented):
    assert in_template() - OF_THE_EXTENSION - documented == set()


def test_what_is_documented_is_read_and_what_is_read_is_documented(documented, read):
    assert documented - OF_THE_RUNTIME == read - OF_THE_RUNTIME


def test_every_setting_is_in_the_template_or_in_the_list_and_in_one_of_them_only(documented, local_and_advanced):
    assert in_template() - OF_THE_EXTENSION | local_and_advanced == documented
    assert in_template() & local_and_advanced == set()


def test_a_name_that_lambda_keeps_for_itself_is_not_set():
    reserved = r"AWS_(LAMBDA|REGION|DEFAULT_REGION|ACCESS|SECRET|SESSION|EXECUTION|XRAY)|_HANDLER|LAMBDA_|TZ$"
    assert [name for name in in_template() if re.match(reserved, name)] == []
