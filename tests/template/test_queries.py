"""Saved queries: there for this stack's log, and asking for nothing that the function does not print.

Facts: the metrics lines of `--emf FILE`, and the code, whose log lines carry the other fields.
"""

import json
import re

import pytest

from dashboard import body
from parameter_sets import MANY_CLOUDS
from stack import ROOT, STACK, resolved

QUERIES = {
    "Failures by volume",
    "Slowest passes",
    "Deleted and why",
    "Requests by cloud",
    "Failed passes",
    "Clouds, worst first",
}
# What CloudWatch adds to each line, and what Lambda says of an invocation.
OF_AWS = {"@timestamp", "@message", "type", "record.status", "record.errorType", "level"}
COMMANDS = {"filter", "stats", "sort", "limit", "display", "fields"}
WORDS = COMMANDS | {"and", "or", "in", "like", "by", "as", "desc", "asc"}
FUNCTIONS = {"ispresent", "count", "latest", "sum", "max", "bin"}


def saved():
    return {
        resource["Properties"]["Name"]: resource["Properties"]
        for resource in resolved()["Resources"].values()
        if resource["Type"] == "AWS::Logs::QueryDefinition"
    }


def everywhere():
    """Title and text of every query, saved or on the dashboard."""
    for name, properties in saved().items():
        yield name, properties["QueryString"]
    for widget in body(resolved(**MANY_CLOUDS))["widgets"]:
        if widget["type"] == "log":
            yield widget["properties"]["title"], widget["properties"]["query"].partition(" | ")[2]


def stripped(query):
    """The query without its strings and patterns."""
    return re.sub(r"'[^']*'|\"[^\"]*\"|/\(\?i\)[^/]*/", " ", query)


def fields(query):
    """Names of fields that a query asks for: every word that is none of the language and no new name."""
    words = stripped(query)
    given = set(re.findall(r"\bas (\w+)", words))
    called = set(re.findall(r"\b(\w+)\(", words))
    assert called <= FUNCTIONS, called - FUNCTIONS
    names = set(re.findall(r"(?<![\w@.])[@A-Za-z_][\w.]*", words))
    return names - WORDS - FUNCTIONS - given


@pytest.fixture(scope="module")
def printed(request):
    """Members of the metrics lines that were printed, and the code that prints the other lines."""
    path = request.config.getoption("--emf")
    assert path, "give --emf FILE: metrics lines that the function printed"
    members = set()
    for text in path.read_text(encoding="utf-8").splitlines():
        members |= set(json.loads(text))
    code = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "src").rglob("*.rs")))
    return members, code


def test_these_queries_are_saved_under_the_stacks_name():
    assert set(saved()) == {f"{STACK}/{name}" for name in QUERIES}
    for properties in saved().values():
        assert properties["LogGroupNames"] == [f"/aws/lambda/{STACK}"]


@pytest.mark.parametrize("title", [title for title, _ in everywhere()])
def test_a_query_is_made_of_commands(title):
    query = dict(everywhere())[title]
    commands = [part.split()[0] for part in stripped(query).split("|")]
    assert set(commands) <= COMMANDS
    assert len(query) <= 10_000


@pytest.mark.parametrize("title", [title for title, _ in everywhere()])
def test_a_query_asks_for_what_is_printed(title, printed):
    members, code = printed
    unknown = set()
    for name in fields(dict(everywhere())[title]) - OF_AWS:
        of_metrics_line = name[0].isupper()
        known = name in members if of_metrics_line else re.search(rf"\b{name}\b", code)
        if not known:
            unknown.add(name)
    assert unknown == set()


def test_a_failed_pass_is_shown_with_the_message_that_says_what_to_change():
    shown = [query for title, query in everywhere() if title.endswith("Failed passes")]
    assert len(shown) == 2
    for query in shown:
        (display,) = [part for part in query.split("|") if part.split()[0] == "display"]
        assert {"error_type", "error", "record.status"} <= set(re.findall(r"[\w.@]+", display))


def test_what_lines_are_asked_to_say_is_said(printed):
    _, code = printed
    verdicts, messages = set(), set()
    for _, query in everywhere():
        for listed in re.findall(r"verdict in \[([^\]]*)\]", query):
            verdicts |= set(re.findall(r"\w+", listed))
        verdicts |= set(re.findall(r'verdict = "([^"]*)"', query))
        messages |= set(re.findall(r'message = "([^"]*)"', query))
    assert verdicts == {"failed", "invalid", "blocked", "deleted"}
    assert messages == {"snapshot cleaned", "invocation failed"}
    assert {said for said in verdicts | messages if f'"{said}"' not in code} == set()
