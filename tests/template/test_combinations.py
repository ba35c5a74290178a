"""Every stack that the parameters can make is one that cfn-lint finds nothing against."""

import itertools
import json

import pytest
from cfnlint import lint
from cfnlint.config import ManualArgs
from cfnlint.core import get_rules

from parameter_sets import CREDENTIALS, LAYER_ARN, MANY_CLOUDS, REPORT_KEY_ARN, REPORT_SECRET_ARN, VPC, WEBHOOK
from stack import REGION, condition_values, refusals, resolved, source, transformed

ORGANISATION = {"PermissionsBoundaryArn": "arn:aws:iam::123456789012:policy/boundary", "RolePath": "/platform/"}
# These parameters decide which resources there are; each combination that the rules let through is linted.
RESOURCE_SWITCHES = {
    "credentials": {name: CREDENTIALS[name] for name in ("application credential", "secret", "secret under a key")},
    "clouds": {"one": {}, "many": MANY_CLOUDS, "many, with a page": {**MANY_CLOUDS, "ReportCloud": "green"}},
    "snapshot schedule": {"on": {}, "off": {"SnapshotScheduleState": "DISABLED"}},
    "expire schedule": {"on": {}, "off": {"ExpireScheduleState": "DISABLED"}},
    "dashboard": {
        "with a page": {"NotificationEmail": "platform@example.com"},
        "with a page of its own secret": {
            "ReportCredentialsSecretArn": REPORT_SECRET_ARN,
            "ReportCredentialsSecretKmsKeyArn": REPORT_KEY_ARN,
        },
        "without": {"CreateReportWidget": "false", "MinManagedVolumes": "0"},
        "none": {"CreateDashboard": "false"},
    },
}
# These decide what functions and roles look like; each combination is linted, with all resources there are.
PROPERTY_SWITCHES = {
    "credentials": CREDENTIALS,
    "clouds": {"one": {}, "many": {**MANY_CLOUDS, "ReportCloud": "green"}},
    "network": {"public": {}, "VPC": VPC},
    "concurrency": {"reserved": {}, "unreserved": {"ReservedConcurrency": "none", "ReportReservedConcurrency": "none"}},
    "the rest": {
        "default": {"ParametersAndSecretsLayerArn": ""},
        "changed": {**WEBHOOK, **ORGANISATION, "Architecture": "x86_64", "ParametersAndSecretsLayerArn": LAYER_ARN},
    },
}
SHARDS = {
    **CREDENTIALS["secret"],
    "SnapshotPassesPerTick": 3,
    "ExpirePassesPerTick": 3,
    "ReservedConcurrency": "6",
}
# Loading the rules takes as long as linting with them.
RULES = get_rules([], [], [])


def combinations(switches):
    """One case for each way to set all switches that the template's rules let through."""
    cases = []
    for choice in itertools.product(*(options.items() for options in switches.values())):
        given = {name: value for _, parameters in choice for name, value in parameters.items()}
        title = ", ".join(f"{switch}: {option}" for switch, (option, _) in zip(switches, choice))
        if refusals(**given) == []:
            cases.append(pytest.param(given, id=title))
    return cases


def findings(template):
    """Errors and warnings; what is mere information is left out."""
    matches = lint(json.dumps(template, indent=1), rules=RULES, config=ManualArgs(regions=[REGION]))
    return [f"{match.rule.id} line {match.linenumber}: {match.message}" for match in matches if match.rule.id[0] in "EW"]


def test_the_transformed_template_is_sound_before_any_parameter_is_chosen():
    assert findings(transformed()) == []


@pytest.mark.parametrize("given", combinations(RESOURCE_SWITCHES))
def test_each_combination_of_resources_is_sound(given):
    assert findings(resolved(**given)) == []


@pytest.mark.parametrize("given", combinations(PROPERTY_SWITCHES))
def test_each_combination_of_properties_is_sound(given):
    assert findings(resolved(**given, NotificationEmail="platform@example.com")) == []


def test_every_condition_of_the_template_is_thrown_both_ways():
    """A new switch must come into the tables above."""
    thrown = {}
    insecure = pytest.param({**CREDENTIALS["password"], "OsInsecure": "true"})
    others = [insecure, pytest.param(SHARDS)]
    for parameter in [*combinations(RESOURCE_SWITCHES), *combinations(PROPERTY_SWITCHES), *others]:
        for name, holds in condition_values(**parameter.values[0]).items():
            thrown.setdefault(name, set()).add(holds)
    assert thrown == {name: {True, False} for name in source()["Conditions"]}


def test_a_stack_with_shards_is_sound():
    assert refusals(**SHARDS) == []
    assert findings(resolved(**SHARDS)) == []


def test_a_stack_without_checks_of_certificates_is_sound():
    assert findings(resolved(**CREDENTIALS["password"], OsInsecure="true")) == []


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"SnapshotSchedule": "cron(3/10 * * * * *)"}, "E3027"),
        ({"TimeoutSeconds": 901}, "E3717"),
        ({"MemorySize": 64}, "E3034"),
        ({"SnapshotTickSeconds": 61}, "E3615"),
        ({"LogRetentionDays": 31}, "E3030"),
    ],
)
def test_the_lint_looks_at_values(change, complaint):
    """Guards the checks above: a value that AWS refuses is found in the resolved template."""
    assert any(finding.startswith(complaint) for finding in findings(resolved(**change)))
