"""The transformed template created by moto, an implementation of AWS that is not ours, and inspected there.

moto evaluates conditions, functions and parameters by itself. It passes over alarms, the subscription,
the policies of queue and topic and the event-invoke configuration: the other checks look at these.
"""

import ast
import json
import shlex

import boto3
import pytest
from moto import mock_aws

from parameter_sets import CREDENTIALS, MANY_CLOUDS, REPORT_SECRET_ARN, SECRET_ARN, WEBHOOK
from stack import REGION, STACK, transformed
from statements import (
    ATTACH_TO_VPC,
    BUT_NOT_FROM_THE_CODE,
    DECRYPT_CREDENTIALS,
    READ_CREDENTIALS,
    WRITE_OWN_LOG,
    report_failed_passes,
)

EVERYWHERE = {
    "SNAPSENTRY_PROJECT": STACK,
    "OS_REGION_NAME": "",
    "OS_INTERFACE": "",
    "OS_CACERT": "",
    "SNAPSENTRY_MAX_CONCURRENCY": "16",
    "SNAPSENTRY_MAX_CREATING": "64",
    "SNAPSENTRY_KEEP_LAST": "1",
    "SNAPSENTRY_STUCK_AFTER": "6h",
    "SNAPSENTRY_OPERATION_TIMEOUT": "30s",
    "SNAPSENTRY_DEADLINE_MARGIN": "2s",
    "SNAPSENTRY_PHASES": "",
}
PLAIN_LOGIN = {
    "OS_AUTH_URL": "",
    "OS_APPLICATION_CREDENTIAL_ID": "",
    "OS_USERNAME": "",
    "OS_USER_DOMAIN_NAME": "",
    "OS_PROJECT_NAME": "",
    "OS_PROJECT_DOMAIN_NAME": "",
}
ENVIRONMENT = {
    "application credential": {
        **EVERYWHERE,
        **PLAIN_LOGIN,
        "OS_AUTH_URL": "https://keystone.example.com:5000/v3",
        "OS_APPLICATION_CREDENTIAL_ID": "0123456789abcdef0123456789abcdef",
        "OS_APPLICATION_CREDENTIAL_SECRET": "not-a-secret",
    },
    "password": {
        **EVERYWHERE,
        **PLAIN_LOGIN,
        "OS_AUTH_URL": "https://keystone.example.com:5000/v3",
        "OS_USERNAME": "snapsentry",
        "OS_PASSWORD": "not-a-password",
        "OS_USER_DOMAIN_NAME": "Default",
        "OS_PROJECT_NAME": "blue",
        "OS_PROJECT_DOMAIN_NAME": "Default",
    },
    "secret": {
        **EVERYWHERE,
        "SNAPSENTRY_CREDENTIALS_SECRET": SECRET_ARN,
        "SECRETS_MANAGER_TIMEOUT_MILLIS": "5000",
    },
}


class Created:
    """One stack in moto's account, and what can be asked of it."""

    def __init__(self, given):
        boto3.client("s3").create_bucket(
            Bucket="packages", CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        boto3.client("s3").put_object(Bucket="packages", Key="snapsentry", Body=b"a package")
        cloudformation = boto3.client("cloudformation")
        cloudformation.create_stack(
            StackName=STACK,
            TemplateBody=json.dumps(transformed(**given)),
            Parameters=[{"ParameterKey": name, "ParameterValue": str(value)} for name, value in given.items()],
            Capabilities=["CAPABILITY_IAM"],
        )
        (stack,) = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
        assert stack["StackStatus"] == "CREATE_COMPLETE"
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        self.function = boto3.client("lambda").get_function(FunctionName=STACK)

    def environment(self, function=STACK):
        configuration = boto3.client("lambda").get_function(FunctionName=function)["Configuration"]
        return {name: str(value) for name, value in configuration["Environment"]["Variables"].items()}

    def statements(self, function=STACK):
        iam = boto3.client("iam")
        arn = boto3.client("lambda").get_function(FunctionName=function)["Configuration"]["Role"]
        (role,) = [role for role in iam.list_roles()["Roles"] if role["Arn"] == arn]
        assert iam.list_attached_role_policies(RoleName=role["RoleName"])["AttachedPolicies"] == []
        documents = [
            iam.get_role_policy(RoleName=role["RoleName"], PolicyName=name)["PolicyDocument"]
            for name in iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]
        ]
        # A document that stood in the role itself comes back from moto as Python text.
        documents = [ast.literal_eval(document) if isinstance(document, str) else document for document in documents]
        return {statement["Sid"]: statement for document in documents for statement in document["Statement"]}

    def rules(self):
        events = boto3.client("events")
        return {
            target["Id"]: (rule, target)
            for rule in events.list_rules()["Rules"]
            for target in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
        }


@pytest.fixture
def create():
    with mock_aws():
        yield Created


@pytest.mark.parametrize("credentials", ENVIRONMENT)
def test_the_function_gets_this_environment_and_no_more(create, credentials):
    assert create(CREDENTIALS[credentials]).environment() == ENVIRONMENT[credentials]


def test_a_secret_leaves_no_plain_login_beside_it_even_if_both_are_given(create):
    both = {**CREDENTIALS["password"], **CREDENTIALS["application credential"], **CREDENTIALS["secret"]}
    assert create(both).environment() == ENVIRONMENT["secret"]


def test_settings_of_the_cloud_the_pass_and_the_webhook_reach_the_function(create):
    given = {
        **CREDENTIALS["secret"],
        **WEBHOOK,
        "OsRegionName": "RegionOne",
        "OsInterface": "internal",
        "OsCacert": "/opt/ca.pem",
        "OsInsecure": "true",
        "MaxConcurrency": 8,
        "MaxCreating": 20,
        "KeepLast": 3,
        "StuckAfter": "12h",
        "OperationTimeout": "45s",
        "DeadlineMargin": "5s",
        "Phases": "snapshot,expire,targets,subscribe",
    }
    assert create(given).environment() == {
        "SNAPSENTRY_PROJECT": STACK,
        "SNAPSENTRY_CREDENTIALS_SECRET": SECRET_ARN,
        "SECRETS_MANAGER_TIMEOUT_MILLIS": "5000",
        "OS_REGION_NAME": "RegionOne",
        "OS_INTERFACE": "internal",
        "OS_CACERT": "/opt/ca.pem",
        "OS_INSECURE": "true",
        "SNAPSENTRY_MAX_CONCURRENCY": "8",
        "SNAPSENTRY_MAX_CREATING": "20",
        "SNAPSENTRY_KEEP_LAST": "3",
        "SNAPSENTRY_STUCK_AFTER": "12h",
        "SNAPSENTRY_OPERATION_TIMEOUT": "45s",
        "SNAPSENTRY_DEADLINE_MARGIN": "5s",
        "SNAPSENTRY_PHASES": "snapshot,expire,targets,subscribe",
        "SNAPSENTRY_WEBHOOK_URL": "https://chat.example.com/hooks/not-a-secret",
        "SNAPSENTRY_WEBHOOK_USERNAME": "snapsentry",
        "SNAPSENTRY_WEBHOOK_PASSWORD": "not-a-password",
    }


def test_the_function_that_looks_serves_nothing_else_and_makes_no_snapshot(create):
    given = {**CREDENTIALS["secret"], **WEBHOOK, "ReportCredentialsSecretArn": REPORT_SECRET_ARN}
    only_looking = {name: value for name, value in EVERYWHERE.items() if name != "SNAPSENTRY_MAX_CREATING"}
    assert create(given).environment(f"{STACK}-report") == {
        **only_looking,
        "SNAPSENTRY_PHASES": "report",
        "SNAPSENTRY_CREDENTIALS_SECRET": REPORT_SECRET_ARN,
        "SECRETS_MANAGER_TIMEOUT_MILLIS": "5000",
    }


def test_the_function_that_looks_has_a_role_of_its_own(create):
    created = create(CREDENTIALS["secret"])
    own_log = {**WRITE_OWN_LOG, "Resource": WRITE_OWN_LOG["Resource"].replace(f"{STACK}:*", f"{STACK}-report:*")}
    assert created.statements(f"{STACK}-report") == {"WriteOwnLog": own_log, "ReadCredentials": READ_CREDENTIALS}


def test_for_many_clouds_the_rules_start_the_state_machine_and_keep_their_dead_letters(create):
    created = create({**CREDENTIALS["secret"], **MANY_CLOUDS})
    assert created.environment() == {**ENVIRONMENT["secret"], "SNAPSENTRY_FLEET": STACK}
    (machine,) = boto3.client("stepfunctions").list_state_machines()["stateMachines"]
    assert machine["stateMachineArn"] == created.outputs["StateMachineArn"]
    roles = {role["Arn"] for role in boto3.client("iam").list_roles()["Roles"]}
    for phase, (_, target) in created.rules().items():
        assert json.loads(target["Input"]) == {"for": phase}
        assert target["Arn"] == machine["stateMachineArn"]
        assert target["RoleArn"] in roles
        queue = target["DeadLetterConfig"]["Arn"].rsplit(":", 1)[1]
        assert created.outputs["DeadLetterQueueUrl"].endswith(f"/{queue}")
    # Nothing but the state machine invokes the function.
    with pytest.raises(boto3.client("lambda").exceptions.ResourceNotFoundException):
        boto3.client("lambda").get_policy(FunctionName=STACK)


def test_roles_have_the_path_and_the_boundary_that_the_organisation_asks_for(create):
    boundary = boto3.client("iam").create_policy(
        PolicyName="boundary",
        PolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        ),
    )["Policy"]["Arn"]
    create({**CREDENTIALS["secret"], **MANY_CLOUDS, "PermissionsBoundaryArn": boundary, "RolePath": "/platform/"})
    roles = boto3.client("iam").list_roles()["Roles"]
    assert len(roles) == 3
    for role in roles:
        assert role["Path"] == "/platform/"
        role = boto3.client("iam").get_role(RoleName=role["RoleName"])["Role"]
        assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == boundary


def test_the_outputs_say_what_to_type_next(create):
    outputs = create(CREDENTIALS["application credential"]).outputs
    for name, request in {
        "Next1DryRun": {"phase": "snapshot", "dry_run": True},
        "Next2Subscribe": {"phase": "subscribe", "volume_id": "VOLUME", "policy": "daily"},
    }.items():
        words = shlex.split(outputs[name])
        assert words[:7] == ["aws", "lambda", "invoke", "--region", REGION, "--function-name", STACK]
        assert json.loads(words[words.index("--payload") + 1]) == request
        assert words[-1] == "/dev/stdout"
    assert outputs["Next3Dashboard"] == outputs["DashboardUrl"]


def test_the_outputs_for_many_clouds_name_one(create):
    outputs = create({**CREDENTIALS["secret"], **MANY_CLOUDS, "CreateDashboard": "false"}).outputs
    for name in ("Next1DryRun", "Next2Subscribe"):
        words = shlex.split(outputs[name])
        assert json.loads(words[words.index("--payload") + 1])["cloud"] == "CLOUD"
    assert outputs["Next3Dashboard"] == f"aws logs tail /aws/lambda/{STACK} --region {REGION} --follow"


def test_rules_hand_the_request_to_the_function_and_may_invoke_it(create):
    created = create(CREDENTIALS["application credential"])
    rules = created.rules()
    assert set(rules) == {"snapshot", "expire"}
    policy = json.loads(boto3.client("lambda").get_policy(FunctionName=STACK)["Policy"])
    allowed = {}
    for statement in policy["Statement"]:
        assert statement["Effect"] == "Allow"
        assert statement["Action"] == "lambda:InvokeFunction"
        assert statement["Principal"] == {"Service": "events.amazonaws.com"}
        allowed[statement["Condition"]["ArnLike"]["AWS:SourceArn"]] = statement["Resource"]
    for phase, (rule, target) in rules.items():
        assert json.loads(target["Input"]) == {"phase": phase}
        assert target["Arn"] == created.outputs["FunctionArn"]
        assert allowed.pop(rule["Arn"]) == created.outputs["FunctionArn"]
        assert rule["State"] == "ENABLED"
        queue = target["DeadLetterConfig"]["Arn"].rsplit(":", 1)[1]
        assert created.outputs["DeadLetterQueueUrl"].endswith(f"/{queue}")
    assert allowed == {}
    assert {phase: rule["ScheduleExpression"] for phase, (rule, _) in rules.items()} == {
        "snapshot": "cron(3/10 * * * ? *)",
        "expire": "cron(38 * * * ? *)",
    }
    assert [target["RetryPolicy"]["MaximumEventAgeInSeconds"] for _, target in rules.values()] == [600, 3600]


def test_the_switches_turn_rules_off(create):
    created = create({**CREDENTIALS["application credential"], "SnapshotScheduleState": "DISABLED"})
    states = {phase: rule["State"] for phase, (rule, _) in created.rules().items()}
    assert states == {"snapshot": "DISABLED", "expire": "ENABLED"}


def test_concurrency_is_reserved_unless_left_out(create):
    assert create(CREDENTIALS["application credential"]).function["Concurrency"] == {"ReservedConcurrentExecutions": 2}


def test_concurrency_can_be_left_out(create):
    created = create({**CREDENTIALS["application credential"], "ReservedConcurrency": "none"})
    assert "Concurrency" not in created.function


def test_the_role_has_these_statements(create):
    created = create(CREDENTIALS["application credential"])
    report = report_failed_passes(created.outputs["NotificationsTopicArn"])
    assert created.statements() == {"WriteOwnLog": WRITE_OWN_LOG, "ReportFailedPasses": report}


def test_a_role_with_secret_key_and_vpc_has_those_besides(create):
    ec2 = boto3.client("ec2")
    network = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=network, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="f", Description="f", VpcId=network)["GroupId"]
    created = create({**CREDENTIALS["secret under a key"], "SubnetIds": subnet, "SecurityGroupIds": group})
    report = report_failed_passes(created.outputs["NotificationsTopicArn"])
    assert created.statements() == {
        "WriteOwnLog": WRITE_OWN_LOG,
        "ReportFailedPasses": report,
        "ReadCredentials": READ_CREDENTIALS,
        "DecryptCredentials": DECRYPT_CREDENTIALS,
        "AttachToVpc": ATTACH_TO_VPC,
        "ButNotFromTheCode": BUT_NOT_FROM_THE_CODE,
    }
    joined = created.function["Configuration"]["VpcConfig"]
    assert (joined["SubnetIds"], joined["SecurityGroupIds"]) == ([subnet], [group])


def test_topic_log_group_and_dashboard_are_there(create):
    created = create({**CREDENTIALS["secret"], "LogRetentionDays": 90})
    (topic,) = boto3.client("sns").list_topics()["Topics"]
    assert topic["TopicArn"] == created.outputs["NotificationsTopicArn"]
    groups = boto3.client("logs").describe_log_groups()["logGroups"]
    assert {group["logGroupName"]: group["retentionInDays"] for group in groups} == {
        created.outputs["LogGroupName"]: 90,
        f"{created.outputs['LogGroupName']}-report": 90,
    }
    (dashboard,) = boto3.client("cloudwatch").list_dashboards()["DashboardEntries"]
    shown = boto3.client("cloudwatch").get_dashboard(DashboardName=dashboard["DashboardName"])
    assert len(json.loads(shown["DashboardBody"])["widgets"]) == 14


def test_a_dashboard_that_is_not_wanted_is_not_created(create):
    created = create({**CREDENTIALS["application credential"], "CreateDashboard": "false"})
    assert boto3.client("cloudwatch").list_dashboards()["DashboardEntries"] == []
    assert "DashboardUrl" not in created.outputs
