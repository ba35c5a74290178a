"""Many clouds: the state machine hands each cloud its event at its instant, whatever becomes of the others.

The function is played by a small stand-in that answers `targets` as the function does.
"""

import json
import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from parameter_sets import CREDENTIALS, MANY_CLOUDS
from stack import REGION, ROOT, STACK, resolved, stand_in
from state_machine import FunctionFailed, Throttled, definition, execute

FOR_SNAPSHOT = {"for": "snapshot"}


class Function:
    """Answers `targets` for these clouds, `delays` seconds after its arrival; takes every other event."""

    def __init__(self, clouds, delays=None, throttles=None, faults=()):
        self.clouds = clouds
        self.delays = delays or {}
        self.throttles = dict(throttles or {})
        self.faults = list(faults)
        self.asked = []
        self.at = {}

    def __call__(self, event, kind):
        name = event["cloud"] if kind == "Event" else "targets"
        if self.throttles.get(name, 0) > 0:
            self.throttles[name] -= 1
            raise Throttled
        if kind == "Event":
            return None
        self.asked.append(event)
        targets = []
        for cloud in self.clouds:
            delay = self.delays.get(cloud, 0)
            self.at[cloud] = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=delay)
            at = self.at[cloud].strftime("%Y-%m-%dT%H:%M:%SZ")
            targets.append({"delay_seconds": delay, "at": at, "event": {"phase": event["for"], "cloud": cloud}})
        return {"phase": "targets", "run_id": "req-1", "targets": targets, "faults": self.faults}


def clouds_of(execution):
    return sorted(event["cloud"] for event in execution.handed_over())


@pytest.mark.parametrize("phase", ["snapshot", "expire"])
def test_each_cloud_gets_its_event_once_through_lambdas_own_queue(phase):
    function = Function(["blue", "green", "red"])
    execution = execute(function, {"for": phase}, SpreadSeconds=90)
    assert execution.status == "SUCCEEDED"
    assert function.asked == [{"phase": "targets", "for": phase, "spread_seconds": 90}]
    assert execution.handed_over() == [event for event, kind, _, _ in execution.invocations if kind == "Event"]
    assert sorted(execution.handed_over(), key=lambda event: event["cloud"]) == [
        {"phase": phase, "cloud": cloud} for cloud in ("blue", "green", "red")
    ]


def test_an_event_waits_for_its_instant():
    function = Function(["early", "late"], delays={"early": 1, "late": 6})
    execution = execute(function, FOR_SNAPSHOT)
    assert clouds_of(execution) == ["early", "late"]
    for event, kind, _, when in execution.invocations:
        if kind == "Event":
            # moto reckons what it waits from the instant at which the state began, and so ends early by
            # what lies between; on a busy machine that is a second and more.
            assert when >= function.at[event["cloud"]] - timedelta(seconds=3)


def test_instants_are_absolute_so_that_a_queue_of_waiting_ones_takes_no_longer():
    """Step Functions waits for 40 at a time: sixty delays of three seconds must not become two rounds of them."""
    clouds = [f"cloud-{number}" for number in range(60)]
    function = Function(clouds, delays=dict.fromkeys(clouds, 3))
    execution = execute(function, FOR_SNAPSHOT)
    assert clouds_of(execution) == sorted(clouds)
    (wait,) = [state for state in map_states().values() if state["Type"] == "Wait"]
    assert wait["TimestampPath"] == "$.at"
    assert "SecondsPath" not in wait


def test_shards_are_handed_over_as_they_are():
    class OfShards(Function):
        def __call__(self, event, kind):
            answer = super().__call__(event, kind)
            if kind != "Event":
                for index, target in enumerate(answer["targets"]):
                    target["event"]["shard"] = {"index": index, "count": 2}
            return answer

    execution = execute(OfShards(["green", "green"]), FOR_SNAPSHOT)
    assert sorted(event["shard"]["index"] for event in execution.handed_over()) == [0, 1]


def test_throttling_is_tried_again():
    execution = execute(Function(["blue", "green"], throttles={"targets": 1, "green": 2}), FOR_SNAPSHOT)
    assert execution.status == "SUCCEEDED"
    assert clouds_of(execution) == ["blue", "green"]


def test_one_that_cannot_be_handed_over_stops_no_other_and_fails_the_execution_in_the_end():
    execution = execute(Function(["blue", "green", "red", "white"], throttles={"green": 99}), FOR_SNAPSHOT)
    assert clouds_of(execution) == ["blue", "red", "white"]
    assert (execution.status, execution.error) == ("FAILED", "NotHandedOver")
    assert execution.cause.startswith("1 events could not be handed to Lambda: ")
    (named,) = json.loads(execution.cause.partition(": ")[2])
    assert named["event"] == {"phase": "snapshot", "cloud": "green"}
    assert named["error"] == "Lambda.TooManyRequestsException"


def test_all_that_cannot_be_handed_over_are_counted():
    clouds = ["blue", "green", "red"]
    execution = execute(Function(clouds, throttles=dict.fromkeys(clouds, 99)), FOR_SNAPSHOT)
    assert execution.error == "NotHandedOver"
    assert execution.cause.startswith("3 events could not be handed to Lambda: ")


def test_targets_that_cannot_be_told_fail_the_execution_at_once():
    def function(event, kind):
        raise FunctionFailed("InvalidConfiguration", "the secret holds no clouds.yaml")

    execution = execute(function, FOR_SNAPSHOT)
    assert (execution.status, execution.error) == ("FAILED", "InvalidConfiguration")
    assert "the secret holds no clouds.yaml" in execution.cause
    assert len(execution.invocations) == 1


def test_a_fault_of_one_entry_keeps_no_other_from_its_pass():
    function = Function(["blue"], faults=[{"cloud": "red", "error": "auth.auth_url is missing"}])
    execution = execute(function, FOR_SNAPSHOT)
    assert execution.status == "SUCCEEDED"
    assert clouds_of(execution) == ["blue"]


def test_where_all_are_paused_there_is_nothing_to_do():
    execution = execute(Function([]), FOR_SNAPSHOT)
    assert execution.status == "SUCCEEDED"
    assert execution.handed_over() == []


def map_states():
    return json.loads(definition())["States"]["HandOut"]["ItemProcessor"]["States"]


def longest(task):
    """Seconds that a task can take with all its retries."""
    (retry,) = task["Retry"]
    waits = [
        min(retry["IntervalSeconds"] * retry["BackoffRate"] ** number, retry.get("MaxDelaySeconds", 10**9))
        for number in range(retry["MaxAttempts"])
    ]
    return sum(waits) + task["TimeoutSeconds"]


def test_the_longest_spread_and_all_retries_fit_into_the_five_minutes_of_an_express_workflow():
    machine = resolved(**CREDENTIALS["secret"], **MANY_CLOUDS)["Resources"]["HandOutStateMachine"]["Properties"]
    assert machine["StateMachineType"] == "EXPRESS"
    parsed = json.loads(definition(SpreadSeconds=240))
    assert parsed["TimeoutSeconds"] <= 300
    spread = parsed["States"]["Targets"]["Parameters"]["Payload"]["spread_seconds"]
    assert spread == 240
    # The spread begins when the function is asked, so that what comes before is at most one answer.
    assert parsed["States"]["Targets"]["TimeoutSeconds"] + spread + longest(map_states()["Invoke"]) <= 300


def test_what_fails_is_logged_with_its_cause():
    machine = resolved(**CREDENTIALS["secret"], **MANY_CLOUDS)["Resources"]["HandOutStateMachine"]["Properties"]
    group = stand_in("AWS::Logs::LogGroup", "HandOutLogGroup", "Arn")
    assert machine["LoggingConfiguration"] == {
        "Level": "ERROR",
        "IncludeExecutionData": True,
        "Destinations": [{"CloudWatchLogsLogGroup": {"LogGroupArn": group}}],
    }
    assert group == f"arn:aws:logs:{REGION}:123456789012:log-group:/aws/vendedlogs/states/{STACK}:*"


def test_only_this_stacks_function_is_invoked():
    function = stand_in("AWS::Lambda::Function", "SnapSentryFunction", "Arn")
    states = json.loads(definition())["States"]
    for task in (states["Targets"], map_states()["Invoke"]):
        assert task["Resource"] == "arn:aws:states:::lambda:invoke"
        assert task["Parameters"]["FunctionName"] == function


def validated(text):
    """What asl-validator says of a definition."""
    folder = subprocess.run([ROOT / "tests/template/node"], capture_output=True, text=True, check=True).stdout.strip()
    command = [f"{folder}/node_modules/.bin/asl-validator", "--json-definition", text]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_validator_that_is_not_ours_finds_nothing_against_it():
    checked = validated(definition())
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ('"Next": "AllHandedOver"', '"Next": "AllHandedOut"'),
        ('"Next": "NotHandedOver"', '"Next": "Forgotten"'),
        ('"TimestampPath": "$.at"', '"TimestampPath": "at"'),
    ],
)
def test_the_validator_looks_at_where_it_goes(right, wrong):
    assert right in definition()
    assert validated(definition().replace(right, wrong)).returncode != 0
