"""The template as CloudFormation sees it: transformed by SAM, then resolved for one set of parameters.

cfn-lint and the checks on alarms look at what a deployment really creates, so conditions, `Fn::If`,
`Ref` and `Fn::Sub` are carried out here the way CloudFormation documents them. What only exists after
creation (a queue's ARN, a topic's name) is a stand-in that can be recognised.
"""

import copy
import functools
import os
import re
from pathlib import Path

from samcli.yamlhelper import yaml_parse
from samtranslator.translator.transform import transform

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "template.yaml"

REGION = "eu-central-1"
ACCOUNT = "123456789012"
STACK = "snapsentry-blue"
# SAM asks for one, whatever it is.
os.environ.setdefault("AWS_DEFAULT_REGION", REGION)

PSEUDO_PARAMETERS = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::StackName": STACK,
    "AWS::URLSuffix": "amazonaws.com",
}
NO_VALUE = object()


class ManagedPolicies:
    """SAM asks for the account's managed policies; the template uses none, so there are none."""

    @staticmethod
    def load():
        return {}


@functools.cache
def _parsed():
    return yaml_parse(TEMPLATE.read_text(encoding="utf-8"))


def source():
    """The template as written, parsed; a copy that may be changed."""
    return copy.deepcopy(_parsed())


def parameter_values(template, **given):
    """The parameters' defaults, and over them those given."""
    unknown = set(given) - set(template["Parameters"])
    assert not unknown, f"not parameters of the template: {sorted(unknown)}"
    return {name: given.get(name, definition.get("Default")) for name, definition in template["Parameters"].items()}


def transformed(template=None, **given):
    """What SAM makes of the template, with the package's place filled in as `sam package` does."""
    template = source() if template is None else template
    template["Globals"]["Function"]["CodeUri"] = "s3://packages/snapsentry"
    values = parameter_values(template, **given)
    return transform(template, values, ManagedPolicies())


def resolved(**given):
    """The transformed template with no condition, parameter or intrinsic function left in it."""
    template = transformed(**given)
    return _Resolver(template, parameter_values(template, **given)).template()


def condition_values(**given):
    """Each condition of the template, and whether it holds with these parameters."""
    template = source()
    resolver = _Resolver(template, parameter_values(template, **given))
    return {name: resolver.holds(name) for name in template["Conditions"]}


def refusals(**given):
    """What the template's rules say against these parameters, before anything is made."""
    template = source()
    resolver = _Resolver(template, parameter_values(template, **given))
    return [
        assertion["AssertDescription"]
        for rule in template["Rules"].values()
        if "RuleCondition" not in rule or resolver.holds(rule["RuleCondition"])
        for assertion in rule["Assertions"]
        if not resolver.holds(assertion["Assert"])
    ]


class _Resolver:
    def __init__(self, template, values):
        self._template = template
        self._values = {name: self._typed(name, value) for name, value in values.items()}
        self._conditions = template.get("Conditions", {})

    def _typed(self, name, value):
        kind = self._template["Parameters"][name]["Type"]
        if kind == "CommaDelimitedList":
            return value.split(",")
        if kind == "Number":
            return int(value)
        return value

    def template(self):
        kept = {
            name: resource
            for name, resource in self._template["Resources"].items()
            if "Condition" not in resource or self.holds(resource["Condition"])
        }
        self._names = set(kept)
        resources = {}
        for name, resource in kept.items():
            resource = {key: value for key, value in resource.items() if key != "Condition"}
            resources[name] = self._value(resource)
        outputs = {}
        for name, output in self._template.get("Outputs", {}).items():
            if "Condition" not in output or self.holds(output["Condition"]):
                outputs[name] = self._value({key: value for key, value in output.items() if key != "Condition"})
        return {
            "AWSTemplateFormatVersion": self._template["AWSTemplateFormatVersion"],
            "Resources": resources,
            "Outputs": outputs,
        }

    def holds(self, condition):
        if isinstance(condition, str):
            return self.holds(self._conditions[condition])
        ((function, argument),) = condition.items()
        if function == "Condition":
            return self.holds(self._conditions[argument])
        if function == "Fn::Equals":
            left, right = (self._value(side) for side in argument)
            return str(left) == str(right)
        if function == "Fn::Not":
            return not self.holds(argument[0])
        if function == "Fn::And":
            return all(self.holds(part) for part in argument)
        if function == "Fn::Or":
            return any(self.holds(part) for part in argument)
        # These two exist in rules only.
        if function == "Fn::Contains":
            values, wanted = (self._value(side) for side in argument)
            return str(wanted) in values
        if function == "Fn::EachMemberEquals":
            values, wanted = (self._value(side) for side in argument)
            return all(value == wanted for value in values)
        raise AssertionError(f"unknown condition function {function}")

    def _value(self, node):
        if isinstance(node, list):
            return [value for value in map(self._value, node) if value is not NO_VALUE]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            ((function, argument),) = node.items()
            if function == "Ref":
                return self._ref(argument)
            if function == "Fn::GetAtt":
                return self._attribute(argument if isinstance(argument, str) else ".".join(argument))
            if function == "Fn::If":
                condition, then, otherwise = argument
                return self._value(then if self.holds(condition) else otherwise)
            if function == "Fn::Join":
                return argument[0].join(str(part) for part in self._value(argument[1]))
            if function == "Fn::Sub":
                return self._sub(argument)
            assert not function.startswith("Fn::"), f"unknown function {function}"
        values = {key: self._value(value) for key, value in node.items()}
        return {key: value for key, value in values.items() if value is not NO_VALUE}

    def _ref(self, name):
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in PSEUDO_PARAMETERS:
            return PSEUDO_PARAMETERS[name]
        if name in self._values:
            return self._values[name]
        return self._reference(name, None)

    def _attribute(self, text):
        name, attribute = text.split(".", 1)
        return self._reference(name, attribute)

    def _reference(self, name, attribute):
        """What `Ref` or `Fn::GetAtt` of a resource gives, as far as it is known before creation."""
        assert name in self._names, f"{name} is referred to, but not created with these parameters"
        return stand_in(self._template["Resources"][name]["Type"], name, attribute)

    def _sub(self, argument):
        text, variables = argument if isinstance(argument, list) else (argument, {})
        variables = {name: self._value(value) for name, value in variables.items()}

        def put_in(match):
            name = match.group(1)
            if name in variables:
                return str(variables[name])
            return str(self._attribute(name) if "." in name else self._ref(name))

        return re.sub(r"\$\{([A-Za-z0-9:.]+)\}", put_in, text)


_NAMES = {
    "SnapSentryFunction": STACK,
    "ReportFunction": f"{STACK}-report",
    "LogGroup": f"/aws/lambda/{STACK}",
    "ReportLogGroup": f"/aws/lambda/{STACK}-report",
    "HandOutLogGroup": f"/aws/vendedlogs/states/{STACK}",
}
_ARNS = {
    "AWS::CloudWatch::Alarm": "cloudwatch:{region}:{account}:alarm:{name}",
    "AWS::Events::Rule": "events:{region}:{account}:rule/{name}",
    "AWS::IAM::Role": "iam::{account}:role/{name}",
    "AWS::Lambda::Function": "lambda:{region}:{account}:function:{name}",
    "AWS::Logs::LogGroup": "logs:{region}:{account}:log-group:{name}:*",
    "AWS::SNS::Topic": "sns:{region}:{account}:{name}",
    "AWS::SQS::Queue": "sqs:{region}:{account}:{name}",
    "AWS::StepFunctions::StateMachine": "states:{region}:{account}:stateMachine:{name}",
}
# Types whose `Ref` is their ARN.
_REF_IS_ARN = {"AWS::SNS::Topic", "AWS::StepFunctions::StateMachine"}


def stand_in(kind, name, attribute=None):
    """The value of a reference to a resource of this type and logical name."""
    physical = _NAMES.get(name, f"{STACK}-{name}")
    arn = "arn:aws:" + _ARNS[kind].format(region=REGION, account=ACCOUNT, name=physical)
    if attribute == "Arn" or (attribute is None and kind in _REF_IS_ARN):
        return arn
    if attribute is None and kind == "AWS::SQS::Queue":
        return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{physical}"
    assert attribute in (None, "QueueName"), f"{kind} has no stand-in for {attribute}"
    return physical
