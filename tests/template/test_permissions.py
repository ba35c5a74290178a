"""Least privilege: the statements of every policy, word for word, and not one more."""

import pytest

from parameter_sets import CREDENTIALS, VPC
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


def statements_of_the_role(resources):
    """Every statement on the function's role, from the role itself and from policies attached to it."""
    role = resources["FunctionRole"]["Properties"]
    assert "ManagedPolicyArns" not in role, "a managed policy grants what nobody has read"
    documents = [policy["PolicyDocument"] for policy in role.get("Policies", [])]
    for resource in resources.values():
        if resource["Type"] == "AWS::IAM::Policy":
            assert resource["Properties"]["Roles"] == [stand_in("AWS::IAM::Role", "FunctionRole")]
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
    assert in_order(statements_of_the_role(resolved(**given)["Resources"])) == in_order(intended)


def test_only_lambda_takes_the_role_and_the_function_has_no_other():
    resources = resolved()["Resources"]
    assert resources["FunctionRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"] == [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ]
    assert [name for name, resource in resources.items() if resource["Type"] == "AWS::IAM::Role"] == ["FunctionRole"]
    role = stand_in("AWS::IAM::Role", "FunctionRole", "Arn")
    assert resources["SnapSentryFunction"]["Properties"]["Role"] == role


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
