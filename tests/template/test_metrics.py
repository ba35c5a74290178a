"""Every metric that an alarm or the dashboard names is one that the function declares, and the other way round.

`--emf FILE` holds metrics lines of real invocations, one of each phase and one whose event was refused.
"""

import itertools
import json

import pytest

import declared
from dashboard import body, metrics, searched
from parameter_sets import MANY_CLOUDS
from stack import STACK, resolved

# Metrics of AWS' own that are used, and their dimension.
OF_AWS = {
    ("AWS/Lambda", "AsyncEventsDropped", "FunctionName"),
    ("AWS/Lambda", "Duration", "FunctionName"),
    ("AWS/Lambda", "Errors", "FunctionName"),
    ("AWS/Lambda", "Throttles", "FunctionName"),
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName"),
}
OF_AWS_FOR_MANY = {
    ("AWS/States", "ExecutionsFailed", "StateMachineArn"),
    ("AWS/States", "ExecutionsTimedOut", "StateMachineArn"),
}


def of_alarm(properties):
    """(namespace, metric, dimensions) of all that an alarm watches."""
    watched = [one["MetricStat"]["Metric"] for one in properties.get("Metrics", []) if "MetricStat" in one]
    for metric in watched or [properties]:
        dimensions = {dimension["Name"]: dimension["Value"] for dimension in metric["Dimensions"]}
        yield metric["Namespace"], metric["MetricName"], dimensions


def named(**given):
    """(who names it, namespace, metric, dimensions) for all alarms and all lines of the dashboard."""
    template = resolved(**given)
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::CloudWatch::Alarm":
            for metric in of_alarm(resource["Properties"]):
                yield name, *metric
    for namespace, metric, dimensions, _ in metrics(body(template)):
        yield "Dashboard", namespace, metric, dimensions


def own(**given):
    return [
        (who, metric, dimensions)
        for who, namespace, metric, dimensions in named(**given)
        if namespace == declared.NAMESPACE
    ]


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


def filed(lines):
    """(metric, the names of its dimensions, its phase) as CloudWatch would file these lines."""
    found = set()
    for line in lines:
        for directive in line["_aws"].get("CloudWatchMetrics", []):
            assert directive["Namespace"] == declared.NAMESPACE
            for dimensions, metric in itertools.product(directive["Dimensions"], directive["Metrics"]):
                # CloudWatch drops a metric or dimension that is no member of the line.
                assert isinstance(line[metric["Name"]], int | float), metric
                assert all(isinstance(line[dimension], str) for dimension in dimensions), dimensions
                found.add((metric["Name"], frozenset(dimensions), line.get("Phase")))
    return found


def test_the_lines_come_from_every_phase_and_from_a_refused_event(lines):
    assert {line["Phase"] for line in lines} >= {"snapshot", "expire", "subscribe", "unknown"}


def test_the_function_declares_these_metrics_and_no_others(lines):
    of_one = [line for line in lines if "Fleet" not in line]
    assert filed(of_one) == declared.of_one_cloud()


@pytest.mark.parametrize("clouds", ["one", "many"])
def test_a_metric_that_is_named_is_declared_with_those_dimensions(clouds):
    given, filed, dimension = {
        "one": ({}, declared.of_one_cloud(), "Project"),
        "many": (MANY_CLOUDS, declared.of_many_clouds(), "Fleet"),
    }[clouds]
    waiting_for_ever = [
        (who, metric)
        for who, metric, dimensions in own(**given)
        if (metric, frozenset(dimensions), dimensions["Phase"]) not in filed or dimensions[dimension] != STACK
    ]
    assert waiting_for_ever == []
    assert set(searched(body(resolved(**given)))) <= filed


@pytest.mark.parametrize("clouds", ["one", "many"])
def test_every_metric_that_is_declared_is_looked_at_by_someone(clouds):
    """A metric costs money each month; one that nobody sees should not be declared."""
    given, filed = {
        "one": ({}, declared.of_one_cloud()),
        "many": (MANY_CLOUDS, declared.of_many_clouds() - declared.of_each_cloud()),
    }[clouds]
    looked_at = {(metric, frozenset(dimensions), dimensions["Phase"]) for _, metric, dimensions in own(**given)}
    assert filed - looked_at == set()


def test_other_namespaces_are_those_of_aws_with_metrics_that_exist():
    for given, wanted in [({}, OF_AWS), (MANY_CLOUDS, OF_AWS | OF_AWS_FOR_MANY)]:
        used = set()
        for _, namespace, metric, dimensions in named(**given):
            if namespace != declared.NAMESPACE:
                (dimension,) = dimensions
                used.add((namespace, metric, dimension))
        assert used == wanted
