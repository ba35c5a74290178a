"""Parameters: each says what it is, refuses what cannot be right, and stands in its group in the console."""

import re

import click
import pytest
from click.testing import CliRunner
from samcli.commands.deploy.guided_context import GuidedContext

from stack import source

PARAMETERS = source()["Parameters"]
INTERFACE = source()["Metadata"]["AWS::CloudFormation::Interface"]
SECRET = {"OsApplicationCredentialSecret", "OsPassword", "WebhookUrl", "WebhookPassword"}

SECRET_ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:snapsentry/blue-a1B2c3"
PEM = "-----BEGIN CERTIFICATE-----\nMIIBfake+/=\n-----END CERTIFICATE-----\n"

ACCEPTED = {
    "CredentialsSecretArn": [SECRET_ARN, "arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:x-a1B2c3"],
    "CredentialsSecretKmsKeyArn": ["arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"],
    "ParametersAndSecretsLayerArn": [
        "arn:aws:lambda:eu-central-1:187925254637:layer:AWS-Parameters-and-Secrets-Lambda-Extension-Arm64:12"
    ],
    "OsAuthUrl": ["https://keystone.example.com:5000/v3", "http://10.0.0.1/identity"],
    "OsCacert": [PEM, PEM + PEM, "/opt/ca.pem"],
    "SnapshotSchedule": ["rate(10 minutes)", "rate(1 hour)", "cron(0/15 6-18 ? * MON-FRI *)"],
    "ExpireSchedule": ["rate(1 day)", "cron(38 * * * ? *)"],
    "ReservedConcurrency": ["none", "1", "9"],
    "StuckAfter": ["500ms", "2s", "5m", "6h"],
    "SubnetIds": ["subnet-0a1b2c3d", "subnet-0a1b2c3d4e5f60718"],
    "SecurityGroupIds": ["sg-0a1b2c3d4e5f60718"],
    "NotificationEmail": ["platform@example.com"],
    "Phases": ["snapshot,expire,targets", "snapshot,expire,targets,subscribe,report", "snapshot,expire,targets,restore"],
    "PermissionsBoundaryArn": ["arn:aws:iam::123456789012:policy/platform/boundary", "arn:aws:iam::aws:policy/PowerUserAccess"],
    "RolePath": ["/", "/platform/", "/platform/backup/"],
    "ReportCloud": ["green", "eu-1.blue_2"],
    "ReportCredentialsSecretArn": [SECRET_ARN],
    "WebhookUrl": ["none", "https://chat.example.com/hooks/not-a-secret"],
}
REFUSED = {
    # The first without its six random characters: IAM would then match nothing.
    "CredentialsSecretArn": ["arn:aws:secretsmanager:eu-central-1:123456789012:secret:blue", "blue"],
    "CredentialsSecretKmsKeyArn": ["arn:aws:kms:eu-central-1:123456789012:alias/blue", "alias/blue"],
    "ParametersAndSecretsLayerArn": ["arn:aws:lambda:eu-central-1:187925254637:layer:without-version"],
    "OsAuthUrl": ["keystone.example.com", "https://a b"],
    "OsCacert": ["ca.pem", "MIIBfake"],
    "SnapshotSchedule": ["rate(1 minutes)", "rate(10 minute)", "cron(0 * * * *)", "every minute", "at(2026-01-01T00:00:00)"],
    "ExpireSchedule": ["rate(0 hours)", "cron()"],
    "ReservedConcurrency": ["0", "-1", "None", ""],
    "StuckAfter": ["6", "0h", "6 h", "six hours", ""],
    "OperationTimeout": ["30", "30 s"],
    "DeadlineMargin": ["2", "-2s"],
    "SubnetIds": ["vpc-0a1b2c3d", "subnet-"],
    "SecurityGroupIds": ["subnet-0a1b2c3d"],
    "NotificationEmail": ["platform", "a@b", "a@b.c d"],
    # Without what the rules invoke nothing would be taken or removed.
    "Phases": ["subscribe", "snapshot", "snapshot,expire", "snapshot, expire, targets", "snapshot,expire,targets,prune"],
    "PermissionsBoundaryArn": ["boundary", "arn:aws:iam::123456789012:role/boundary"],
    "RolePath": ["platform", "/platform", "platform/", ""],
    "ReportCloud": ["a/b", "a b", "x" * 65],
    "ReportCredentialsSecretArn": ["blue"],
    "ManyClouds": ["yes", ""],
    "WebhookUrl": ["", "chat.example.com/hooks"],
    "WebhookUsername": ["user:password"],
}


def accepts(name, value):
    """Whether CloudFormation would take this value for this parameter."""
    definition = PARAMETERS[name]
    if "AllowedValues" in definition and value not in definition["AllowedValues"]:
        return False
    # CloudFormation uses Java's expressions; those here mean the same in Python with \Z for $.
    pattern = definition.get("AllowedPattern")
    if pattern and not re.fullmatch(pattern.replace("$|", r"\Z|").removesuffix("$"), value):
        return False
    if definition["Type"] == "Number":
        return definition.get("MinValue", value) <= value <= definition.get("MaxValue", value)
    return True


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_parameter_says_what_it_is_and_what_it_takes(name):
    definition = PARAMETERS[name]
    assert len(definition["Description"]) > 20
    bounded = "MinValue" in definition and "MaxValue" in definition
    assert "AllowedValues" in definition or "AllowedPattern" in definition or bounded
    if "AllowedPattern" in definition:
        assert definition["ConstraintDescription"].startswith("must ")
        assert definition["AllowedPattern"].startswith("^")
        assert definition["AllowedPattern"].endswith("$")


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_default_is_acceptable_so_that_the_guided_deployment_asks_for_nothing_more(name):
    assert accepts(name, PARAMETERS[name]["Default"])


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in ACCEPTED.items() for value in values])
def test_a_good_value_is_taken(name, value):
    assert accepts(name, value)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in REFUSED.items() for value in values])
def test_a_bad_value_is_refused(name, value):
    assert not accepts(name, value)


def test_every_parameter_stands_in_exactly_one_group_of_the_console_under_a_label_of_its_own():
    grouped = [name for group in INTERFACE["ParameterGroups"] for name in group["Parameters"]]
    assert sorted(grouped) == sorted(PARAMETERS)
    assert all(group["Label"]["default"] for group in INTERFACE["ParameterGroups"])
    assert list(INTERFACE["ParameterLabels"]) == grouped
    assert all(label["default"] for label in INTERFACE["ParameterLabels"].values())


def test_the_questions_that_matter_come_first():
    first = INTERFACE["ParameterGroups"][0]["Parameters"]
    assert first == ["CredentialsSecretArn", "NotificationEmail", "ManyClouds"]
    # The guided deployment asks in the order of the template.
    assert list(PARAMETERS)[:3] == first


def test_secrets_and_nothing_else_are_hidden():
    assert {name for name, definition in PARAMETERS.items() if definition.get("NoEcho")} == SECRET


def test_a_hidden_parameter_goes_nowhere_but_into_the_functions_environment():
    def references(node, path=()):
        if isinstance(node, dict):
            for key, value in node.items():
                if key == "Ref" and value in SECRET:
                    yield path
                elif key == "Fn::Sub" and any("${%s}" % name in str(value) for name in SECRET):
                    yield path
                else:
                    yield from references(value, (*path, key))
        elif isinstance(node, list):
            for item in node:
                yield from references(item, path)

    template = source()
    places = set(references({name: template[name] for name in ("Globals", "Resources", "Outputs")}))
    # Those of the login reach both functions, those of the webhook only the one that acts.
    shared = ("Globals", "Function", "Environment", "Variables")
    own = ("Resources", "SnapSentryFunction", "Properties", "Environment", "Variables")
    assert {path for path in places if path[: len(shared)] != shared and path[: len(own)] != own} == set()
    assert len(places) == len(SECRET)


def test_the_guided_deployment_can_be_answered_with_enter_and_with_none_where_input_is_hidden():
    answers = {}

    @click.command()
    def deploy():
        context = GuidedContext("template.yaml", None, None, None, None, None)
        answers.update(context.prompt_parameters(PARAMETERS, {}, "", ""))

    typed = "".join("none\n" if definition.get("NoEcho") else "\n" for definition in PARAMETERS.values())
    result = CliRunner().invoke(deploy, input=typed)
    assert result.exit_code == 0, result.output
    given = {name: answer["Value"] for name, answer in answers.items()}
    assert given == {name: str(definition["Default"]) for name, definition in PARAMETERS.items()}
