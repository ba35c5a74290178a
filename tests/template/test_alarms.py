"""Alarms: what each watches, when it rings, whom it tells, and that it says what to do."""

import re

import pytest

from stack import STACK, resolved, source, stand_in

TOPIC = stand_in("AWS::SNS::Topic", "Notifications")
FUNCTION = ("AWS/Lambda", {"FunctionName": STACK})
QUEUE = ("AWS/SQS", {"QueueName": stand_in("AWS::SQS::Queue", "DeadLetterQueue", "QueueName")})
SNAPSHOT = ("SnapSentry", {"Project": STACK, "Phase": "snapshot"})
EXPIRE = ("SnapSentry", {"Project": STACK, "Phase": "expire"})

AT_LEAST, ABOVE, BELOW = "GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "LessThanThreshold"

# Ticks and limits that differ from each other, so that no alarm can read the wrong one.
GIVEN = {
    "SnapshotTickSeconds": 900,
    "ExpireTickSeconds": 7200,
    "OldestDueAgeLimitSeconds": 5000,
    "OldestExpiredAgeLimitSeconds": 30000,
}
# name: (whose metric, metric, statistic, period, periods, comparison, threshold, missing data)
INTENDED = {
    "function-errors": (FUNCTION, "Errors", "Sum", 900, 1, AT_LEAST, 1, "notBreaching"),
    "async-events-dropped": (FUNCTION, "AsyncEventsDropped", "Sum", 900, 1, AT_LEAST, 1, "notBreaching"),
    "no-snapshot-pass": (SNAPSHOT, "DurationMs", "SampleCount", 900, 3, BELOW, 1, "breaching"),
    "no-expire-pass": (EXPIRE, "DurationMs", "SampleCount", 7200, 3, BELOW, 1, "breaching"),
    "snapshots-failed": (SNAPSHOT, "SnapshotsFailed", "Sum", 900, 1, AT_LEAST, 1, "notBreaching"),
    "oldest-due-age": (SNAPSHOT, "OldestDueAgeSeconds", "Maximum", 900, 1, ABOVE, 5000, "ignore"),
    "oldest-expired-age": (EXPIRE, "OldestExpiredAgeSeconds", "Maximum", 7200, 1, ABOVE, 30000, "ignore"),
    "snapshots-deferred": (SNAPSHOT, "SnapshotsDeferred", "Sum", 900, 3, AT_LEAST, 1, "notBreaching"),
    "deletions-deferred": (EXPIRE, "SnapshotsDeferred", "Sum", 7200, 3, AT_LEAST, 1, "notBreaching"),
    "policies-invalid": (SNAPSHOT, "VolumesInvalid", "Maximum", 900, 1, AT_LEAST, 1, "ignore"),
    "dead-letters": (QUEUE, "ApproximateNumberOfMessagesVisible", "Maximum", 300, 1, AT_LEAST, 1, "notBreaching"),
}
OF_PHASE = {
    "SnapshotScheduleState": {
        "no-snapshot-pass",
        "snapshots-failed",
        "oldest-due-age",
        "snapshots-deferred",
        "policies-invalid",
    },
    "ExpireScheduleState": {"no-expire-pass", "oldest-expired-age", "deletions-deferred"},
}


def alarms(**given):
    """The alarms by name, without the stack's name in front."""
    found = {}
    for resource in resolved(**given)["Resources"].values():
        if resource["Type"] == "AWS::CloudWatch::Alarm":
            properties = resource["Properties"]
            assert properties["AlarmName"].startswith(f"{STACK}-")
            found[properties["AlarmName"].removeprefix(f"{STACK}-")] = properties
    return found


def test_there_are_these_alarms_and_no_others():
    assert set(alarms()) == set(INTENDED)


@pytest.mark.parametrize("name", INTENDED)
def test_an_alarm_watches_what_it_should(name):
    (namespace, dimensions), metric, statistic, period, periods, comparison, threshold, missing = INTENDED[name]
    alarm = alarms(**GIVEN)[name]
    assert alarm["Namespace"] == namespace
    assert {dimension["Name"]: dimension["Value"] for dimension in alarm["Dimensions"]} == dimensions
    assert (alarm["MetricName"], alarm["Statistic"], alarm["Period"]) == (metric, statistic, period)
    assert (alarm["EvaluationPeriods"], alarm.get("DatapointsToAlarm", periods)) == (periods, periods)
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == (comparison, threshold)
    assert alarm["TreatMissingData"] == missing


@pytest.mark.parametrize("name", INTENDED)
def test_an_alarm_tells_when_it_rings_and_when_it_is_over_and_says_what_to_do(name):
    alarm = alarms()[name]
    assert alarm["AlarmActions"] == [TOPIC]
    assert alarm["OKActions"] == [TOPIC]
    assert alarm.get("ActionsEnabled", True) is True
    meaning, _, deed = alarm["AlarmDescription"].partition("What to do: ")
    assert len(meaning) > 40
    assert len(deed) > 60
    assert len(alarm["AlarmDescription"]) <= 1024


@pytest.mark.parametrize("switch", OF_PHASE)
def test_a_phase_that_is_switched_off_has_no_alarms(switch):
    assert set(INTENDED) - set(alarms(**{switch: "DISABLED"})) == OF_PHASE[switch]


def test_no_alarm_looks_further_back_than_cloudwatch_allows():
    """A day, or a week where a period is an hour or more."""
    parameters = source()["Parameters"]
    for tick in parameters["ExpireTickSeconds"]["AllowedValues"]:
        snapshot = {"SnapshotTickSeconds": tick} if tick in parameters["SnapshotTickSeconds"]["AllowedValues"] else {}
        for name, alarm in alarms(ExpireTickSeconds=tick, **snapshot).items():
            limit = 604800 if alarm["Period"] >= 3600 else 86400
            assert alarm["Period"] * alarm["EvaluationPeriods"] <= limit, (name, tick)


def test_the_default_limits_leave_room_for_two_ticks():
    defaults = {name: definition["Default"] for name, definition in source()["Parameters"].items()}
    assert defaults["OldestDueAgeLimitSeconds"] >= 2 * defaults["SnapshotTickSeconds"]
    assert defaults["OldestExpiredAgeLimitSeconds"] >= 2 * defaults["ExpireTickSeconds"]


def test_the_readme_says_what_to_do_about_each_alarm(readme):
    documented = set(re.findall(r"^\| `([a-z-]+)` \|", readme, re.MULTILINE))
    assert set(INTENDED) <= documented
    # And speaks of no alarm that there is not: the table stands under its own heading.
    chapter = re.search(r"^#+ Alarms.*?(?=^#+ )", readme, re.MULTILINE | re.DOTALL).group()
    assert set(re.findall(r"^\| `([a-z-]+)` \|", chapter, re.MULTILINE)) == set(INTENDED)
