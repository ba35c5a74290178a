"""Every metric that an alarm or the dashboard names is one that the function really printed.

`--emf FILE` holds metrics lines of real invocations, one of each phase and one whose event was refused.
"""

import itertools
import json

import pytest

from dashboard import body, metrics
from stack import STACK, resolved

NAMESPACE = "SnapSentry"
# Metrics of AWS' own that are used, and their dimension.
OF_AWS = {
    ("AWS/Lambda", "AsyncEventsDropped", "FunctionName"),
    ("AWS/Lambda", "Duration", "FunctionName"),
    ("AWS/Lambda", "Errors", "FunctionName"),
    ("AWS/Lambda", "Throttles", "FunctionName"),
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName"),
}


def named():
    """(who names it, namespace, metric, dimensions) for all alarms and all lines of the dashboard."""
    template = resolved()
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::CloudWatch::Alarm":
            properties = resource["Properties"]
            dimensions = {dimension["Name"]: dimension["Value"] for dimension in properties["Dimensions"]}
            yield name, properties["Namespace"], properties["MetricName"], dimensions
    for namespace, metric, dimensions, _ in metrics(body(template)):
        yield "Dashboard", namespace, metric, dimensions


OWN = [(who, metric, dimensions) for who, namespace, metric, dimensions in named() if namespace == NAMESPACE]


@pytest.fixture(scope="module")
def lines(request):
    path = request.config.getoption("--emf")
    assert path, "give --emf FILE: metrics lines that the function printed"
    found = []
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        line = json.loads(text)
        assert "_aws" in line, f"line {number} of {path} is no metrics line"
        found.append(line)
    return found


@pytest.fixture(scope="module")
def printed(lines):
    """(metric, the names of its dimensions, its phase) as CloudWatch would file them."""
    filed = set()
    for line in lines:
        for directive in line["_aws"]["CloudWatchMetrics"]:
            assert directive["Namespace"] == NAMESPACE
            for dimensions, metric in itertools.product(directive["Dimensions"], directive["Metrics"]):
                # CloudWatch drops a metric or dimension that is no member of the line.
                assert isinstance(line[metric["Name"]], int | float), metric
                assert all(isinstance(line[dimension], str) for dimension in dimensions), dimensions
                filed.add((metric["Name"], frozenset(dimensions), line.get("Phase")))
    return filed


def test_the_lines_come_from_every_phase_and_from_a_refused_event(lines):
    assert {line["Phase"] for line in lines} >= {"snapshot", "expire", "subscribe", "unknown"}


@pytest.mark.parametrize(("who", "metric", "dimensions"), OWN, ids=lambda value: str(value))
def test_a_metric_that_is_named_is_printed_with_those_dimensions(printed, who, metric, dimensions):
    assert dimensions["Project"] == STACK
    assert (metric, frozenset(dimensions), dimensions["Phase"]) in printed, f"{who} would wait for it for ever"


def test_every_metric_that_is_printed_is_looked_at_by_someone(printed):
    """A metric costs money each month; one that nobody sees should not be printed."""
    assert {metric for metric, _, _ in printed} == {metric for _, metric, _ in OWN}


def test_other_namespaces_are_those_of_aws_with_metrics_that_exist():
    used = set()
    for _, namespace, metric, dimensions in named():
        if namespace != NAMESPACE:
            (dimension,) = dimensions
            used.add((namespace, metric, dimension))
    assert used == OF_AWS
