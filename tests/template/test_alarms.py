"""Alarms: what each watches, when it rings, whom it tells, and that it says what to do."""

import re

import pytest

from parameter_sets import MANY_CLOUDS
from stack import STACK, resolved, source, stand_in

TOPIC = stand_in("AWS::SNS::Topic", "Notifications")
FUNCTION = ("AWS/Lambda", {"FunctionName": STACK})
QUEUE = ("AWS/SQS", {"QueueName": stand_in("AWS::SQS::Queue", "DeadLetterQueue", "QueueName")})
SNAPSHOT = ("SnapSentry", {"Project": STACK, "Phase": "snapshot"})
EXPIRE = ("SnapSentry", {"Project": STACK, "Phase": "expire"})
TARGETS = ("SnapSentry", {"Fleet": STACK, "Phase": "targets"})

AT_LEAST, ABOVE, BELOW = "GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "LessThanThreshold"

# Ticks and limits that differ from each other, so that no alarm can read the wrong one.
GIVEN = {
    "SnapshotTickSeconds": 900,
    "ExpireTickSeconds": 7200,
    "OldestDueAgeLimitSeconds": 5000,
    "OldestBlockedAgeLimitSeconds": 700000,
    "OldestExpiredAgeLimitSeconds": 30000,
    "SnapshotPassesPerTick": 8,
    "ExpirePassesPerTick": 3,
    "MinManagedVolumes": 40,
}
# name: (whose metric, metric, statistic, period, periods (or how many of how many), comparison, threshold, missing data)
INTENDED = {
    "function-errors": (FUNCTION, "Errors", "Sum", 900, 1, AT_LEAST, 1, "notBreaching"),
    "async-events-dropped": (FUNCTION, "AsyncEventsDropped", "Sum", 900, 1, AT_LEAST, 1, "notBreaching"),
    # By a metric that a failed pass does not report, so that a pass that saw nothing counts as none.
    "no-snapshot-pass": (SNAPSHOT, "OldestDueAgeSeconds", "SampleCount", 900, 6, BELOW, 8, "breaching"),
    "no-expire-pass": (EXPIRE, "OldestExpiredAgeSeconds", "SampleCount", 7200, 6, BELOW, 3, "breaching"),
    "snapshots-failed": (SNAPSHOT, "SnapshotsFailed", "Sum", 900, (1, 2), AT_LEAST, 1, "ignore"),
    "oldest-due-age": (SNAPSHOT, "OldestDueAgeSeconds", "Maximum", 900, (1, 2), ABOVE, 5000, "ignore"),
    "oldest-blocked-age": (SNAPSHOT, "OldestBlockedAgeSeconds", "Maximum", 900, (1, 2), ABOVE, 700000, "ignore"),
    "oldest-expired-age": (EXPIRE, "OldestExpiredAgeSeconds", "Maximum", 7200, (1, 2), ABOVE, 30000, "ignore"),
    "snapshots-deferred": (SNAPSHOT, "SnapshotsDeferred", "Sum", 900, 3, AT_LEAST, 1, "ignore"),
    "deletions-deferred": (EXPIRE, "SnapshotsDeferred", "Sum", 7200, 3, AT_LEAST, 1, "ignore"),
    "policies-invalid": (SNAPSHOT, "VolumesInvalid", "Maximum", 900, (1, 2), AT_LEAST, 1, "ignore"),
    "volumes-lost": (EXPIRE, "VolumesLost", "Maximum", 7200, (1, 2), AT_LEAST, 1, "ignore"),
    "no-volumes-managed": (SNAPSHOT, "VolumesManaged", "Sum", 900, 6, BELOW, 40, "ignore"),
    "dead-letters": (QUEUE, "ApproximateNumberOfMessagesVisible", "Maximum", 300, 1, AT_LEAST, 1, "notBreaching"),
}
OF_MANY_CLOUDS = {"targets-faulty", "executions-failed", "passes-missing"}
OF_PHASE = {
    "SnapshotScheduleState": {
        "no-snapshot-pass",
        "snapshots-failed",
        "oldest-due-age",
        "oldest-blocked-age",
        "snapshots-deferred",
        "policies-invalid",
        "no-volumes-managed",
    },
    "ExpireScheduleState": {"no-expire-pass", "oldest-expired-age", "deletions-deferred", "volumes-lost"},
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
    assert set(alarms(**MANY_CLOUDS)) == set(INTENDED) | OF_MANY_CLOUDS


@pytest.mark.parametrize("clouds", ["one", "many"])
@pytest.mark.parametrize("name", INTENDED)
def test_an_alarm_watches_what_it_should(name, clouds):
    (namespace, dimensions), metric, statistic, period, periods, comparison, threshold, missing = INTENDED[name]
    if clouds == "many" and namespace == "SnapSentry":
        # The metrics of many clouds carry the fleet's name first.
        dimensions = {"Fleet": STACK, "Phase": dimensions["Phase"]}
    alarm = alarms(**GIVEN, **(MANY_CLOUDS if clouds == "many" else {}))[name]
    assert alarm["Namespace"] == namespace
    assert {dimension["Name"]: dimension["Value"] for dimension in alarm["Dimensions"]} == dimensions
    assert (alarm["MetricName"], alarm["Statistic"], alarm["Period"]) == (metric, statistic, period)
    to_alarm, looked_at = periods if isinstance(periods, tuple) else (periods, periods)
    assert alarm["EvaluationPeriods"] == looked_at
    assert alarm.get("DatapointsToAlarm", looked_at) == to_alarm
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == (comparison, threshold)
    assert alarm["TreatMissingData"] == missing


LONGER_WITHOUT_SHARDS = {"no-snapshot-pass": 3, "no-expire-pass": 3, "snapshots-deferred": 3, "deletions-deferred": 3}


@pytest.mark.parametrize("name", INTENDED)
def test_of_one_project_without_shards_an_alarm_looks_no_further_back_than_it_has_to(name):
    alarm, ticks = alarms()[name], LONGER_WITHOUT_SHARDS.get(name, 1)
    assert (alarm["EvaluationPeriods"], alarm.get("DatapointsToAlarm", ticks)) == (ticks, ticks)


def test_an_entry_that_cannot_be_read_rings():
    alarm = alarms(**GIVEN, **MANY_CLOUDS)["targets-faulty"]
    assert {dimension["Name"]: dimension["Value"] for dimension in alarm["Dimensions"]} == TARGETS[1]
    assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) == ("SnapSentry", "Faults", "Maximum")
    assert (alarm["Period"], alarm["EvaluationPeriods"], alarm["Threshold"]) == (900, 1, 1)
    assert (alarm["ComparisonOperator"], alarm["TreatMissingData"]) == (AT_LEAST, "ignore")


def computed(alarm):
    """The expression of an alarm on several metrics, and the metrics by their id."""
    (expression,) = [metric for metric in alarm["Metrics"] if "Expression" in metric]
    assert expression.get("ReturnData", True) is True
    metrics = {}
    for metric in alarm["Metrics"]:
        if "MetricStat" in metric:
            assert metric["ReturnData"] is False
            statistics = metric["MetricStat"]
            dimensions = {one["Name"]: one["Value"] for one in statistics["Metric"]["Dimensions"]}
            name = (statistics["Metric"]["Namespace"], statistics["Metric"]["MetricName"])
            metrics[metric["Id"]] = (*name, dimensions, statistics["Stat"], statistics["Period"])
    return expression["Expression"], metrics


def test_an_execution_that_failed_or_took_too_long_rings():
    alarm = alarms(**GIVEN, **MANY_CLOUDS)["executions-failed"]
    machine = {"StateMachineArn": stand_in("AWS::StepFunctions::StateMachine", "HandOutStateMachine")}
    assert computed(alarm) == (
        "FILL(failed, 0) + FILL(timed_out, 0)",
        {
            "failed": ("AWS/States", "ExecutionsFailed", machine, "Sum", 900),
            "timed_out": ("AWS/States", "ExecutionsTimedOut", machine, "Sum", 900),
        },
    )
    assert (alarm["EvaluationPeriods"], alarm["Threshold"], alarm["ComparisonOperator"]) == (1, 1, AT_LEAST)
    assert alarm["TreatMissingData"] == "notBreaching"


def test_passes_that_are_wanted_and_do_not_come_ring():
    alarm = alarms(**GIVEN, **MANY_CLOUDS)["passes-missing"]
    assert computed(alarm) == (
        "0.996 * wanted - FILL(snapshot, 0) - FILL(expire, 0)",
        {
            "wanted": ("SnapSentry", "Targets", {"Fleet": STACK, "Phase": "targets"}, "Sum", 21600),
            "snapshot": ("SnapSentry", "DurationMs", {"Fleet": STACK, "Phase": "snapshot"}, "SampleCount", 21600),
            "expire": ("SnapSentry", "DurationMs", {"Fleet": STACK, "Phase": "expire"}, "SampleCount", 21600),
        },
    )
    assert (alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]) == (2, 2)
    assert (alarm["Threshold"], alarm["ComparisonOperator"], alarm["TreatMissingData"]) == (1, AT_LEAST, "ignore")


def test_the_alarm_on_managed_volumes_can_be_turned_off():
    assert set(INTENDED) - set(alarms(MinManagedVolumes=0)) == {"no-volumes-managed"}


@pytest.mark.parametrize("name", [*INTENDED, *sorted(OF_MANY_CLOUDS)])
def test_an_alarm_tells_when_it_rings_and_when_it_is_over_and_says_what_to_do(name):
    alarm = alarms(**MANY_CLOUDS)[name]
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


OWN_COUNTS = sorted(name for name, intended in INTENDED.items() if intended[0] in (SNAPSHOT, EXPIRE))


@pytest.mark.parametrize("name", OWN_COUNTS)
def test_a_cloud_that_goes_down_calls_no_alarm_off(name):
    """A failed pass reports nothing: what rang before goes on ringing, or begins to."""
    assert alarms()[name]["TreatMissingData"] in {"ignore", "breaching"}


NAMES_A_CLOUD = sorted(set(OWN_COUNTS) - {"no-snapshot-pass", "no-expire-pass", "no-volumes-managed", "volumes-lost"})


@pytest.mark.parametrize("name", [*NAMES_A_CLOUD, "volumes-lost", "passes-missing"])
def test_where_one_of_many_clouds_is_meant_the_text_says_how_to_find_it(name):
    assert "saved query \"Clouds, worst first\"" in alarms(**MANY_CLOUDS)[name]["AlarmDescription"]


def test_every_saved_query_that_a_text_names_is_there():
    template = resolved(**MANY_CLOUDS)["Resources"]
    saved = {
        resource["Properties"]["Name"].removeprefix(f"{STACK}/")
        for resource in template.values()
        if resource["Type"] == "AWS::Logs::QueryDefinition"
    }
    texts = " ".join(alarm["AlarmDescription"] for alarm in alarms(**MANY_CLOUDS).values())
    named = set(re.findall(r'saved query "([^"]+)"', texts))
    assert named
    assert named <= saved


def test_no_alarm_looks_further_back_than_cloudwatch_allows():
    """A day, or a week where a period is an hour or more."""
    parameters = source()["Parameters"]
    for tick in parameters["ExpireTickSeconds"]["AllowedValues"]:
        snapshot = {"SnapshotTickSeconds": tick} if tick in parameters["SnapshotTickSeconds"]["AllowedValues"] else {}
        shards = {"SnapshotPassesPerTick": 4, "ExpirePassesPerTick": 4}
        for name, alarm in alarms(ExpireTickSeconds=tick, **snapshot, **shards, **MANY_CLOUDS).items():
            statistics = [metric["MetricStat"] for metric in alarm.get("Metrics", []) if "MetricStat" in metric]
            for period in [one["Period"] for one in statistics or [alarm]]:
                limit = 604800 if period >= 3600 else 86400
                assert period * alarm["EvaluationPeriods"] <= limit, (name, tick)


def test_the_default_limits_leave_room_for_two_ticks():
    defaults = {name: definition["Default"] for name, definition in source()["Parameters"].items()}
    assert defaults["OldestDueAgeLimitSeconds"] >= 2 * defaults["SnapshotTickSeconds"]
    assert defaults["OldestExpiredAgeLimitSeconds"] >= 2 * defaults["ExpireTickSeconds"]


def test_the_documents_say_what_to_do_about_each_alarm(operations):
    documented = set(re.findall(r"^\| `([a-z-]+)` \|", operations, re.MULTILINE))
    assert set(INTENDED) <= documented
    # And speaks of no alarm that there is not: the table stands under its own heading.
    chapter = re.search(r"^#+ Alarms.*?(?=^#+ )", operations, re.MULTILINE | re.DOTALL).group()
    assert set(re.findall(r"^\| `([a-z-]+)` \|", chapter, re.MULTILINE)) == set(INTENDED) | OF_MANY_CLOUDS
