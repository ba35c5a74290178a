"""Rules: what cannot work is refused in words before CloudFormation makes anything, and nothing else is."""

import itertools
import re

import pytest

from parameter_sets import CREDENTIALS, MANY_CLOUDS, REPORT_SECRET_ARN, VPC, WEBHOOK
from stack import refusals, source

SECRET, PLAIN, PASSWORD = (CREDENTIALS[name] for name in ("secret", "application credential", "password"))
SUBNETS, GROUPS = ({name: value} for name, value in VPC.items())

REFUSED = {
    "no login": ({}, "There is no login"),
    "an address without a login": ({"OsAuthUrl": PLAIN["OsAuthUrl"]}, "The login is not complete"),
    "a login without an address": ({**PLAIN, "OsAuthUrl": ""}, "There is no login"),
    "an application credential without its secret": (
        {**PLAIN, "OsApplicationCredentialSecret": "none"},
        "The login is not complete",
    ),
    "a user without a password": ({**PASSWORD, "OsPassword": "none"}, "The login is not complete"),
    "a user without a project": ({**PASSWORD, "OsProjectName": ""}, "The login is not complete"),
    "an application credential and a password": ({**PLAIN, **PASSWORD}, "There are two logins"),
    "a project for an application credential": ({**PLAIN, "OsProjectName": "blue"}, "There are two logins"),
    "a secret and an application credential": ({**SECRET, **PLAIN}, "There are two logins"),
    "a secret and a password": ({**SECRET, **PASSWORD}, "There are two logins"),
    "a secret and a left-over address": ({**SECRET, "OsAuthUrl": PLAIN["OsAuthUrl"]}, "There are two logins"),
    "a secret and a left-over project": ({**SECRET, "OsProjectDomainName": "Default"}, "There are two logins"),
    "a key without its secret": (
        {**PLAIN, "CredentialsSecretKmsKeyArn": CREDENTIALS["secret under a key"]["CredentialsSecretKmsKeyArn"]},
        "of use only with CredentialsSecretArn",
    ),
    "a secret for the page alone": (
        {**PLAIN, "ReportCredentialsSecretArn": REPORT_SECRET_ARN},
        "of use only with CredentialsSecretArn",
    ),
    "subnets without security groups": ({**PLAIN, **SUBNETS}, "belong together"),
    "security groups without subnets": ({**PLAIN, **GROUPS}, "belong together"),
    "one execution for two phases": ({**PLAIN, "ReservedConcurrency": "1"}, "keep the other phase out"),
    "two executions for shards": ({**PLAIN, "SnapshotPassesPerTick": 4}, "below the number of shards"),
    "two executions for shards that expire": ({**PLAIN, "ExpirePassesPerTick": 2}, "below the number of shards"),
    "many clouds without a secret": ({**PLAIN, **MANY_CLOUDS}, "ManyClouds needs CredentialsSecretArn"),
    "many clouds with the concurrency of one": (
        {**SECRET, **MANY_CLOUDS, "ReservedConcurrency": "2"},
        "Give at least 10, or none",
    ),
    "many clouds in one region": ({**SECRET, **MANY_CLOUDS, "OsRegionName": "RegionOne"}, "would override"),
    "many clouds by one interface": ({**SECRET, **MANY_CLOUDS, "OsInterface": "internal"}, "would override"),
    "many clouds under one authority": ({**SECRET, **MANY_CLOUDS, "OsCacert": "/opt/ca.pem"}, "would override"),
    "many clouds without checks": ({**SECRET, **MANY_CLOUDS, "OsInsecure": "true"}, "would override"),
    "one cloud by name": ({**PLAIN, "ReportCloud": "green"}, "of use only with ManyClouds"),
}
TAKEN = {
    **CREDENTIALS,
    "a password with domains": {**PASSWORD, "OsUserDomainName": "people"},
    "a network": {**SECRET, **VPC},
    "one phase with one execution": {**PLAIN, "ReservedConcurrency": "1", "ExpireScheduleState": "DISABLED"},
    "no concurrency": {**PLAIN, "ReservedConcurrency": "none"},
    "shards": {**PLAIN, "SnapshotPassesPerTick": 4, "ReservedConcurrency": "5"},
    "shards without reserved executions": {**PLAIN, "SnapshotPassesPerTick": 4, "ReservedConcurrency": "none"},
    "one cloud in a region": {**SECRET, "OsRegionName": "RegionOne", "OsInterface": "internal"},
    "many clouds": {**SECRET, **MANY_CLOUDS},
    "ten at a time": {**SECRET, **MANY_CLOUDS, "ReservedConcurrency": "10"},
    "many clouds, nothing reserved": {**SECRET, **MANY_CLOUDS, "ReservedConcurrency": "none"},
    "many clouds and a page": {**SECRET, **MANY_CLOUDS, "ReportCloud": "green"},
    "a secret for the page": {**SECRET, "ReportCredentialsSecretArn": REPORT_SECRET_ARN},
    "the rest": {**SECRET, **WEBHOOK, "NotificationEmail": "platform@example.com"},
}


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused_in_words(case):
    given, words = REFUSED[case]
    assert any(words in refusal for refusal in refusals(**given)), refusals(**given)


@pytest.mark.parametrize("case", TAKEN)
def test_it_is_taken(case):
    assert refusals(**TAKEN[case]) == []


def test_a_login_is_a_secret_or_one_of_the_two_plain_ones():
    """Every combination of the three: exactly those with one login are taken."""
    logins = [SECRET, PLAIN, PASSWORD]
    for chosen in itertools.product([False, True], repeat=3):
        given = {name: value for login, is_given in zip(logins, chosen) if is_given for name, value in login.items()}
        assert (refusals(**given) == []) == (sum(chosen) == 1), chosen


def test_every_rule_has_refused_something():
    """A new rule must come into the table above."""
    said = {refusal for given, _ in REFUSED.values() for refusal in refusals(**given)}
    assert said == {
        assertion["AssertDescription"] for rule in source()["Rules"].values() for assertion in rule["Assertions"]
    }


def test_a_refusal_says_which_parameters_to_change():
    parameters = source()["Parameters"]
    for rule in source()["Rules"].values():
        for assertion in rule["Assertions"]:
            words = re.findall(r"\w+", assertion["AssertDescription"])
            assert set(words) & set(parameters), assertion["AssertDescription"]


def test_rules_use_what_cloudformation_knows_in_rules():
    known = {"Fn::And", "Fn::Contains", "Fn::EachMemberEquals", "Fn::Equals", "Fn::Not", "Fn::Or", "Ref"}

    def functions(node):
        if isinstance(node, dict):
            for key, value in node.items():
                if key == "Ref" or key.startswith("Fn::") or key == "Condition":
                    yield key
                yield from functions(value)
        elif isinstance(node, list):
            for item in node:
                yield from functions(item)

    assert set(functions(source()["Rules"])) <= known
