"""Least privilege: the statements of every policy, word for word, and not one more."""

import json

import pytest

from parameter_sets import CREDENTIALS, KEY_ARN, MANY_CLOUDS, REPORT_KEY_ARN, REPORT_SECRET_ARN, SECRET_ARN, VPC
from stack import ACCOUNT, REGION, STACK, resolved, stand_in
from statements import (
    ATTACH_TO_VPC,
    BUT_NOT_FROM_THE_CODE,
    DECRYPT_CREDENTIALS,
    READ_CREDENTIALS,
    WRITE_OWN_LOG,
    report_failed_passes,
)

TOPIC = stand_in("AWS::SNS::Topic", "Notifications")
QUEUE = stand_in("AWS::SQS::Queue", "DeadLetterQueue", "Arn")
REPORT_FAILED_PASSES = report_failed_passes(TOPIC)

INTENDED = {
    "application credential": [WRITE_OWN_LOG, REPORT_FAILED_PASSES],
    "password": [WRITE_OWN_LOG, REPORT_FAILED_PASSES],
    "secret": [WRITE_OWN_LOG, REPORT_FAILED_PASSES, READ_CREDENTIALS],
    "secret under a key": [WRITE_OWN_LOG, REPORT_FAILED_PASSES, READ_CREDENTIALS, DECRYPT_CREDENTIALS],
}


def statements_of(role_name, resources):
    """Every statement on a role, from the role itself and from policies attached to it."""
    role = resources[role_name]["Properties"]
    assert "ManagedPolicyArns" not in role, "a managed policy grants what nobody has read"
    documents = [policy["PolicyDocument"] for policy in role.get("Policies", [])]
    for resource in resources.values():
        if resource["Type"] == "AWS::IAM::Policy":
            (attached,) = resource["Properties"]["Roles"]
            if attached == stand_in("AWS::IAM::Role", role_name):
                documents.append(resource["Properties"]["PolicyDocument"])
    assert {document["Version"] for document in documents} == {"2012-10-17"}
    return [statement for document in documents for statement in document["Statement"]]


def in_order(statements):
    return sorted(statements, key=lambda statement: statement["Sid"])


@pytest.mark.parametrize("network", ["public", "VPC"])
@pytest.mark.parametrize("credentials", CREDENTIALS)
def test_the_function_may_do_this_and_no_more(credentials, network):
    intended = list(INTENDED[credentials])
    given = dict(CREDENTIALS[credentials])
    if network == "VPC":
        intended += [ATTACH_TO_VPC, BUT_NOT_FROM_THE_CODE]
        given.update(VPC)
    assert in_order(statements_of("FunctionRole", resolved(**given)["Resources"])) == in_order(intended)


def of_the_report(statement):
    """The same statement, meaning the function that only looks."""
    text = json.dumps(statement)
    return json.loads(text.replace(f"{STACK}:*", f"{STACK}-report:*").replace(f'function:{STACK}"', f'function:{STACK}-report"'))


def of_its_own_secret(statement):
    return json.loads(json.dumps(statement).replace(SECRET_ARN, REPORT_SECRET_ARN).replace(KEY_ARN, REPORT_KEY_ARN))


OWN_SECRET = {"ReportCredentialsSecretArn": REPORT_SECRET_ARN}
OWN_KEY = {**OWN_SECRET, "ReportCredentialsSecretKmsKeyArn": REPORT_KEY_ARN}


@pytest.mark.parametrize(
    ("given", "intended"),
    [
        (CREDENTIALS["application credential"], []),
        (CREDENTIALS["secret"], [READ_CREDENTIALS]),
        (CREDENTIALS["secret under a key"], [READ_CREDENTIALS, DECRYPT_CREDENTIALS]),
        ({**CREDENTIALS["secret under a key"], **OWN_SECRET}, [of_its_own_secret(READ_CREDENTIALS)]),
        (
            {**CREDENTIALS["secret"], **OWN_KEY},
            [of_its_own_secret(READ_CREDENTIALS), of_its_own_secret(DECRYPT_CREDENTIALS)],
        ),
        ({**CREDENTIALS["secret"], **VPC}, [READ_CREDENTIALS, ATTACH_TO_VPC, BUT_NOT_FROM_THE_CODE]),
    ],
)
def test_the_function_that_looks_may_do_this_and_no_more(given, intended):
    """Above all it publishes nothing and invokes nothing."""
    wanted = [of_the_report(statement) for statement in [WRITE_OWN_LOG, *intended]]
    assert in_order(statements_of("ReportRole", resolved(**given)["Resources"])) == in_order(wanted)


def test_only_lambda_takes_the_roles_of_functions_and_each_function_has_its_own():
    resources = resolved()["Resources"]
    for role in ("FunctionRole", "ReportRole"):
        assert resources[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"] == [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ]
    roles = [name for name, resource in resources.items() if resource["Type"] == "AWS::IAM::Role"]
    assert sorted(roles) == ["FunctionRole", "ReportRole"]
    for function, role in {"SnapSentryFunction": "FunctionRole", "ReportFunction": "ReportRole"}.items():
        assert resources[function]["Properties"]["Role"] == stand_in("AWS::IAM::Role", role, "Arn")


def test_the_state_machine_invokes_the_function_and_the_rules_start_the_state_machine():
    resources = resolved(**CREDENTIALS["secret"], **MANY_CLOUDS)["Resources"]
    roles = [name for name, resource in resources.items() if resource["Type"] == "AWS::IAM::Role"]
    assert sorted(roles) == ["FunctionRole", "HandOutRole", "RulesRole"]
    for role, service in {"HandOutRole": "states.amazonaws.com", "RulesRole": "events.amazonaws.com"}.items():
        assert resources[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"] == [
            {
                "Effect": "Allow",
                "Principal": {"Service": service},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
            }
        ]
    assert statements_of("RulesRole", resources) == [
        {
            "Sid": "StartStateMachine",
            "Effect": "Allow",
            "Action": "states:StartExecution",
            "Resource": stand_in("AWS::StepFunctions::StateMachine", "HandOutStateMachine"),
        }
    ]
    invoke, deliver = statements_of("HandOutRole", resources)
    assert invoke == {
        "Sid": "InvokeFunction",
        "Effect": "Allow",
        "Action": "lambda:InvokeFunction",
        "Resource": stand_in("AWS::Lambda::Function", "SnapSentryFunction", "Arn"),
    }
    # What AWS asks for before a state machine writes a log; none of it reads or writes one.
    assert deliver == {
        "Sid": "DeliverLog",
        "Effect": "Allow",
        "Action": [
            "logs:CreateLogDelivery",
            "logs:DeleteLogDelivery",
            "logs:DescribeLogGroups",
            "logs:DescribeResourcePolicies",
            "logs:GetLogDelivery",
            "logs:ListLogDeliveries",
            "logs:PutResourcePolicy",
            "logs:UpdateLogDelivery",
        ],
        "Resource": "*",
    }


def test_only_the_two_rules_put_letters_into_the_queue():
    policy = resolved()["Resources"]["DeadLetterQueuePolicy"]["Properties"]
    assert policy["Queues"] == [stand_in("AWS::SQS::Queue", "DeadLetterQueue")]
    assert policy["PolicyDocument"]["Statement"] == [
        {
            "Sid": "LettersOfTheRules",
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": QUEUE,
            "Condition": {
                "ArnEquals": {
                    "aws:SourceArn": [
                        stand_in("AWS::Events::Rule", "SnapshotRule", "Arn"),
                        stand_in("AWS::Events::Rule", "ExpireRule", "Arn"),
                    ]
                }
            },
        }
    ]


def test_the_queue_keeps_letters_encrypted_for_as_long_as_it_can():
    queue = resolved()["Resources"]["DeadLetterQueue"]["Properties"]
    assert queue["SqsManagedSseEnabled"] is True
    assert queue["MessageRetentionPeriod"] == 14 * 86400


def test_only_this_stacks_alarms_publish_to_the_topic_besides_the_function():
    resources = resolved()["Resources"]
    policy = resources["NotificationsPolicy"]["Properties"]
    assert policy["Topics"] == [TOPIC]
    assert policy["PolicyDocument"]["Statement"] == [
        {
            "Sid": "AlarmsOfThisStack",
            "Effect": "Allow",
            "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Action": "sns:Publish",
            "Resource": TOPIC,
            "Condition": {
                "ArnLike": {"aws:SourceArn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{STACK}-*"},
                "StringEquals": {"aws:SourceAccount": ACCOUNT},
            },
        }
    ]
    # Alarms cannot publish to a topic under the key that SNS provides.
    assert "KmsMasterKeyId" not in resources["Notifications"]["Properties"]


def test_an_address_is_told_only_where_one_is_given():
    assert "NotificationsEmail" not in resolved()["Resources"]
    given = resolved(NotificationEmail="platform@example.com")["Resources"]["NotificationsEmail"]["Properties"]
    assert given == {"TopicArn": TOPIC, "Protocol": "email", "Endpoint": "platform@example.com"}
