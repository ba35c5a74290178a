"""Schedules: one rule per phase with a constant input, apart from each other and from the full hour."""

import json

import pytest

from parameter_sets import MANY_CLOUDS
from stack import STACK, resolved, source, stand_in

RULES = {"snapshot": "SnapshotRule", "expire": "ExpireRule"}
TICKS = {"snapshot": "SnapshotTickSeconds", "expire": "ExpireTickSeconds"}


def rule(phase, **given):
    return resolved(**given)["Resources"][RULES[phase]]["Properties"]


def minutes(expression):
    """The minutes of the hour at which an hourly or shorter cron expression fires."""
    fields = expression.removeprefix("cron(").removesuffix(")").split()
    assert fields[1:] == ["*", "*", "*", "?", "*"], expression
    start, _, step = fields[0].partition("/")
    return set(range(int(start), 60, int(step))) if step else {int(start)}


def test_there_is_one_rule_for_each_phase_that_is_scheduled():
    rules = {name for name, resource in resolved()["Resources"].items() if resource["Type"] == "AWS::Events::Rule"}
    assert rules == set(RULES.values())


@pytest.mark.parametrize("phase", RULES)
def test_a_rule_hands_over_exactly_the_request_and_keeps_what_it_cannot_deliver(phase):
    (target,) = rule(phase, **{TICKS[phase]: 1800})["Targets"]
    assert json.loads(target.pop("Input")) == {"phase": phase}
    assert target == {
        "Id": phase,
        "Arn": stand_in("AWS::Lambda::Function", "SnapSentryFunction", "Arn"),
        "RetryPolicy": {"MaximumEventAgeInSeconds": 1800},
        "DeadLetterConfig": {"Arn": stand_in("AWS::SQS::Queue", "DeadLetterQueue", "Arn")},
    }


@pytest.mark.parametrize("phase", RULES)
def test_for_many_clouds_a_rule_starts_the_state_machine_with_what_it_is_for(phase):
    (target,) = rule(phase, **MANY_CLOUDS)["Targets"]
    assert json.loads(target["Input"]) == {"for": phase}
    assert target["Arn"] == stand_in("AWS::StepFunctions::StateMachine", "HandOutStateMachine")
    assert target["RoleArn"] == stand_in("AWS::IAM::Role", "RulesRole", "Arn")
    assert target["DeadLetterConfig"] == {"Arn": stand_in("AWS::SQS::Queue", "DeadLetterQueue", "Arn")}


@pytest.mark.parametrize("phase", RULES)
def test_schedule_and_switch_are_parameters(phase):
    prefix = phase.capitalize()
    assert rule(phase)["State"] == "ENABLED"
    changed = rule(phase, **{f"{prefix}Schedule": "rate(2 hours)", f"{prefix}ScheduleState": "DISABLED"})
    assert changed["ScheduleExpression"] == "rate(2 hours)"
    assert changed["State"] == "DISABLED"


def test_the_phases_keep_away_from_each_other_and_from_the_full_hour():
    snapshot, expire = (minutes(rule(phase)["ScheduleExpression"]) for phase in RULES)
    assert 0 not in snapshot | expire
    assert min((a - b) % 60 for a in snapshot for b in expire) >= 3
    assert min((b - a) % 60 for a in snapshot for b in expire) >= 3


@pytest.mark.parametrize("phase", RULES)
def test_the_default_tick_is_the_length_of_the_default_schedule(phase):
    fired = sorted(minutes(rule(phase)["ScheduleExpression"]))
    gaps = {(later - earlier) * 60 for earlier, later in zip(fired, [*fired[1:], fired[0] + 60])}
    assert gaps == {source()["Parameters"][TICKS[phase]]["Default"]}


@pytest.mark.parametrize("phase", RULES)
def test_only_the_rule_may_invoke_the_function(phase):
    permissions = [
        resource["Properties"]
        for resource in resolved()["Resources"].values()
        if resource["Type"] == "AWS::Lambda::Permission"
    ]
    assert len(permissions) == len(RULES)
    assert {
        "Action": "lambda:InvokeFunction",
        "FunctionName": STACK,
        "Principal": "events.amazonaws.com",
        "SourceArn": stand_in("AWS::Events::Rule", RULES[phase], "Arn"),
    } in permissions
