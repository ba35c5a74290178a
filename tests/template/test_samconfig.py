"""samconfig.toml: `sam build && sam deploy --guided` is all there is, and no secret lies in it."""

import tomllib

import pytest
from samcli.commands.build.command import cli as build
from samcli.commands.deploy.command import cli as deploy
from samcli.commands.validate.validate import cli as validate
from samcli.lib.config.samconfig import SamConfig

from parameter_sets import MANY_CLOUDS
from stack import ROOT, resolved

CONFIG = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))


def option(command, name):
    """The option as the SAM CLI itself reads it."""
    return SamConfig(str(ROOT)).get_all([command], "parameters", "default").get(name)


def test_a_deployment_has_a_name_a_place_for_its_package_and_asks_before_it_changes_anything():
    assert SamConfig(str(ROOT)).get_all(["deploy"], "parameters", "default")["stack_name"] == "snapsentry"
    assert option("deploy", "resolve_s3") is True
    assert option("deploy", "confirm_changeset") is True
    assert option("deploy", "fail_on_empty_changeset") is False


def test_it_needs_no_right_to_name_roles():
    assert option("deploy", "capabilities") == "CAPABILITY_IAM"
    resources = resolved(**MANY_CLOUDS, ReportCloud="green")["Resources"].values()
    assert not any("RoleName" in resource["Properties"] for resource in resources if resource["Type"] == "AWS::IAM::Role")


def test_everything_in_the_stack_is_tagged():
    assert option("deploy", "tags") == 'application="snapsentry"'


def test_no_parameter_is_set_here():
    """They belong to one deployment; the guided one writes them, and leaves hidden ones out."""
    assert option("deploy", "parameter_overrides") is None


@pytest.mark.parametrize("command", [build, deploy, validate], ids=lambda command: command.name)
def test_every_option_is_one_that_the_command_has(command):
    listed = {parameter.name for parameter in command.params}
    assert set(CONFIG["default"][command.name]["parameters"]) <= listed


def test_no_other_command_is_configured():
    assert set(CONFIG["default"]) == {"global", "build", "deploy", "validate"}
