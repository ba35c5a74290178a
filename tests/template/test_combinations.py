"""Every stack that the parameters can make is one that cfn-lint finds nothing against."""

import itertools
import json

import pytest
from cfnlint import lint
from cfnlint.config import ManualArgs
from cfnlint.core import get_rules

from parameter_sets import CREDENTIALS, VPC, WEBHOOK
from stack import REGION, condition_values, resolved, source, transformed

# These parameters decide which resources there are; each combination is linted.
RESOURCE_SWITCHES = {
    "credentials": {name: CREDENTIALS[name] for name in ("application credential", "secret", "secret under a key")},
    "snapshot schedule": {"on": {}, "off": {"SnapshotScheduleState": "DISABLED"}},
    "expire schedule": {"on": {}, "off": {"ExpireScheduleState": "DISABLED"}},
    "e-mail": {"none": {}, "one": {"NotificationEmail": "platform@example.com"}},
    "dashboard": {"yes": {}, "no": {"CreateDashboard": "false"}},
}
# These decide what the function and its role look like; each combination is linted, with all
# resources there are.
PROPERTY_SWITCHES = {
    "credentials": CREDENTIALS,
    "network": {"public": {}, "VPC": VPC},
    "concurrency": {"reserved": {}, "unreserved": {"ReservedConcurrency": "none"}},
    "the rest": {"default": {}, "changed": {**WEBHOOK, "Architecture": "x86_64", "OsInsecure": "true"}},
}
# Loading the rules takes as long as linting with them.
RULES = get_rules([], [], [])


def combinations(switches):
    """One case for each way to set all switches."""
    cases = []
    for choice in itertools.product(*(options.items() for options in switches.values())):
        given = {name: value for _, parameters in choice for name, value in parameters.items()}
        title = ", ".join(f"{switch}: {option}" for switch, (option, _) in zip(switches, choice))
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
    for parameter in [*combinations(RESOURCE_SWITCHES), *combinations(PROPERTY_SWITCHES)]:
        for name, holds in condition_values(**parameter.values[0]).items():
            thrown.setdefault(name, set()).add(holds)
    assert thrown == {name: {True, False} for name in source()["Conditions"]}


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
