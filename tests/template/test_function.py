"""The function: what is built, how it is run, and what becomes of an event that it could not handle."""

import pytest

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from parameter_sets import CREDENTIALS, LAYER_ARN, MANY_CLOUDS, VPC
from stack import REGION, STACK, resolved, source, stand_in


def function(name="SnapSentryFunction", **given):
    return resolved(**given)["Resources"][name]["Properties"]


@pytest.mark.parametrize("name", ["SnapSentryFunction", "ReportFunction"])
def test_cargo_lambda_builds_the_binary_of_the_package(name):
    """The same for both functions, so that it is built once."""
    written = source()
    assert written["Resources"][name]["Metadata"] == {
        "BuildMethod": "rust-cargolambda",
        "BuildProperties": {"Binary": "snapsentry"},
    }
    assert written["Globals"]["Function"]["CodeUri"] == "."
    assert function(name)["Runtime"] == "provided.al2023"
    assert function(name)["Handler"] == "bootstrap"


def test_the_function_that_looks_is_apart_from_the_one_that_acts():
    report = function("ReportFunction")
    assert report["FunctionName"] == f"{STACK}-report"
    assert report["Role"] != function()["Role"]
    assert report["LoggingConfig"]["LogGroup"] == f"/aws/lambda/{STACK}-report"
    assert report["Environment"]["Variables"]["SNAPSENTRY_PHASES"] == "report"
    assert "SNAPSENTRY_WEBHOOK_URL" not in report["Environment"]["Variables"]
    resources = resolved()["Resources"].values()
    configured = [one for one in resources if one["Type"] == "AWS::Lambda::EventInvokeConfig"]
    assert [one["Properties"]["FunctionName"] for one in configured] == [STACK]
    targets = [
        target["Arn"] for one in resources if one["Type"] == "AWS::Events::Rule" for target in one["Properties"]["Targets"]
    ]
    assert stand_in("AWS::Lambda::Function", "ReportFunction", "Arn") not in targets


def test_the_function_that_looks_reserves_executions_of_its_own():
    assert function("ReportFunction")["ReservedConcurrentExecutions"] == "2"
    assert "ReservedConcurrentExecutions" not in function("ReportFunction", ReportReservedConcurrency="none")


@pytest.mark.parametrize(
    ("given", "there"),
    [
        ({}, True),
        ({"CreateReportWidget": "false"}, False),
        ({"CreateDashboard": "false"}, False),
        # A page needs a cloud to begin with.
        (MANY_CLOUDS, False),
        ({**MANY_CLOUDS, "ReportCloud": "green"}, True),
    ],
)
def test_the_function_that_looks_comes_with_its_page(given, there):
    resources = resolved(**given)["Resources"]
    assert {name for name in resources if name.startswith("Report") and name != "ReportFailedPassesPolicy"} == (
        {"ReportFunction", "ReportLogGroup", "ReportRole", "ReportWriteOwnLogPolicy"} if there else set()
    )


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


@pytest.mark.parametrize("name", ["SnapSentryFunction", "ReportFunction"])
@pytest.mark.parametrize("credentials", ["secret", "secret under a key"])
def test_the_extension_comes_with_a_secret(name, credentials):
    assert function(name, **CREDENTIALS[credentials])["Layers"] == [LAYER_ARN]


@pytest.mark.parametrize(("architecture", "spelt"), [("arm64", "arm64"), ("x86_64", "x86")])
def test_the_extension_is_found_by_itself(architecture, spelt):
    given = {**CREDENTIALS["secret"], "ParametersAndSecretsLayerArn": "", "Architecture": architecture}
    parameter = f"/aws/service/aws-parameters-and-secrets-lambda-extension/{spelt}/latest"
    assert function(**given)["Layers"] == [f"{{{{resolve:ssm:{parameter}}}}}"]


@pytest.mark.parametrize("name", ["application credential", "password"])
def test_the_extension_stays_away_without_a_secret(name):
    assert "Layers" not in function(**CREDENTIALS[name], ParametersAndSecretsLayerArn=LAYER_ARN)


def test_a_vpc_is_joined_only_where_subnets_are_given():
    assert "VpcConfig" not in function()
    assert function(**VPC)["VpcConfig"] == {
        "SubnetIds": VPC["SubnetIds"].split(","),
        "SecurityGroupIds": VPC["SecurityGroupIds"].split(","),
    }


def test_whatever_takes_tags_is_tagged():
    given = {**CREDENTIALS["secret"], **MANY_CLOUDS, "ReportCloud": "green"}
    untagged = []
    for name, resource in resolved(**given)["Resources"].items():
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, resource["Type"]).schema
        if "Tags" not in schema["properties"]:
            continue
        tags = {tag["Key"]: tag["Value"] for tag in resource["Properties"].get("Tags", [])}
        if tags.get("application") != "snapsentry":
            untagged.append(name)
    assert untagged == []


def test_every_role_takes_a_boundary_and_a_path():
    given = {"PermissionsBoundaryArn": "arn:aws:iam::123456789012:policy/boundary", "RolePath": "/platform/"}
    resources = resolved(**MANY_CLOUDS, ReportCloud="green", **given)["Resources"]
    roles = {name: one["Properties"] for name, one in resources.items() if one["Type"] == "AWS::IAM::Role"}
    assert set(roles) == {"FunctionRole", "ReportRole", "HandOutRole", "RulesRole"}
    for role in roles.values():
        assert role["PermissionsBoundary"] == given["PermissionsBoundaryArn"]
        assert role["Path"] == "/platform/"
    assert "PermissionsBoundary" not in resolved()["Resources"]["FunctionRole"]["Properties"]
