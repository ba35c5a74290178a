"""The function: what is built, how it is run, and what becomes of an event that it could not handle."""

import pytest

from parameter_sets import CREDENTIALS, LAYER_ARN, VPC
from stack import STACK, resolved, source, stand_in


def function(**given):
    return resolved(**given)["Resources"]["SnapSentryFunction"]["Properties"]


def test_cargo_lambda_builds_the_binary_of_the_package():
    written = source()["Resources"]["SnapSentryFunction"]
    assert written["Metadata"] == {"BuildMethod": "rust-cargolambda", "BuildProperties": {"Binary": "snapsentry"}}
    assert written["Properties"]["CodeUri"] == "."
    assert function()["Runtime"] == "provided.al2023"
    assert function()["Handler"] == "bootstrap"


def test_it_carries_the_stacks_name_and_runs_on_arm_unless_told_otherwise():
    assert function()["FunctionName"] == STACK
    assert function()["Architectures"] == ["arm64"]
    assert function(Architecture="x86_64")["Architectures"] == ["x86_64"]


def test_memory_and_time_out_are_parameters():
    assert (function()["MemorySize"], function()["Timeout"]) == (256, 300)
    changed = function(MemorySize=1024, TimeoutSeconds=900)
    assert (changed["MemorySize"], changed["Timeout"]) == (1024, 900)


def test_two_executions_are_reserved_and_none_leaves_that_out():
    assert function()["ReservedConcurrentExecutions"] == "2"
    assert function(ReservedConcurrency="9")["ReservedConcurrentExecutions"] == "9"
    assert "ReservedConcurrentExecutions" not in function(ReservedConcurrency="none")


def test_a_failed_event_is_not_repeated_is_dropped_after_a_tick_and_is_reported():
    (config,) = [
        resource["Properties"]
        for resource in resolved(SnapshotTickSeconds=900)["Resources"].values()
        if resource["Type"] == "AWS::Lambda::EventInvokeConfig"
    ]
    assert config == {
        "FunctionName": STACK,
        "Qualifier": "$LATEST",
        "MaximumRetryAttempts": 0,
        "MaximumEventAgeInSeconds": 900,
        "DestinationConfig": {"OnFailure": {"Destination": stand_in("AWS::SNS::Topic", "Notifications")}},
    }


def test_every_tick_that_may_be_chosen_is_an_age_that_lambda_takes():
    ticks = source()["Parameters"]["SnapshotTickSeconds"]["AllowedValues"]
    assert all(60 <= tick <= 21600 for tick in ticks)


def test_it_logs_json_to_its_own_log_group_at_a_level_that_lets_metrics_through():
    assert function(LogLevel="DEBUG")["LoggingConfig"] == {
        "LogFormat": "JSON",
        "ApplicationLogLevel": "DEBUG",
        "SystemLogLevel": "INFO",
        "LogGroup": f"/aws/lambda/{STACK}",
    }
    assert source()["Parameters"]["LogLevel"]["AllowedValues"] == ["TRACE", "DEBUG", "INFO"]
    group = resolved(LogRetentionDays=90)["Resources"]["LogGroup"]["Properties"]
    assert group["LogGroupName"] == f"/aws/lambda/{STACK}"
    assert group["RetentionInDays"] == 90


def test_a_loop_of_invocations_is_ended():
    assert function()["RecursiveLoop"] == "Terminate"


def test_the_policies_that_lambda_looks_for_at_creation_exist_before_the_function():
    depends = resolved()["Resources"]["SnapSentryFunction"]["DependsOn"]
    assert sorted(depends) == ["ReportFailedPassesPolicy", "WriteOwnLogPolicy"]


@pytest.mark.parametrize("name", ["secret", "secret under a key"])
def test_the_extension_comes_with_a_secret(name):
    assert function(**CREDENTIALS[name])["Layers"] == [LAYER_ARN]


@pytest.mark.parametrize("name", ["application credential", "password"])
def test_the_extension_stays_away_without_a_secret(name):
    assert "Layers" not in function(**CREDENTIALS[name], ParametersAndSecretsLayerArn=LAYER_ARN)


def test_a_vpc_is_joined_only_where_subnets_are_given():
    assert "VpcConfig" not in function()
    assert function(**VPC)["VpcConfig"] == {
        "SubnetIds": VPC["SubnetIds"].split(","),
        "SecurityGroupIds": VPC["SecurityGroupIds"].split(","),
    }


def test_what_costs_money_or_holds_rights_is_tagged():
    resources = resolved(**CREDENTIALS["secret"])["Resources"]
    for name in ("SnapSentryFunction", "LogGroup", "FunctionRole", "DeadLetterQueue", "Notifications"):
        tags = {tag["Key"]: tag["Value"] for tag in resources[name]["Properties"]["Tags"]}
        assert tags["application"] == "snapsentry", name
