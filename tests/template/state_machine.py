"""The state machine of many clouds, really executed by moto, with the function played by whoever is given.

moto's CloudFormation makes a state machine that does not run, so the resolved definition is created by
the API. Only time is real: what waits, waits.
"""

import contextlib
import json
import threading
import time
from datetime import UTC, datetime

import boto3
import moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_lambda as integration
from moto import mock_aws
from moto.awslambda_simple.models import LambdaSimpleBackend
from moto.core.exceptions import JsonRESTError

from parameter_sets import CREDENTIALS, MANY_CLOUDS
from stack import resolved

SETTINGS = {"stepfunctions": {"execute_state_machine": True}, "lambda": {"use_docker": False}}
LONGEST_SECONDS = 120


class Throttled(JsonRESTError):
    """Lambda takes no event at the moment."""

    code = 429

    def __init__(self):
        super().__init__("TooManyRequestsException", "Rate exceeded")


class FunctionFailed(Exception):
    """The function answered an error of this type."""

    def __init__(self, error_type, message):
        super().__init__(message)
        self.answer = {"errorType": error_type, "errorMessage": message}


def definition(**given):
    """The definition as it is deployed."""
    template = resolved(**CREDENTIALS["secret"], **MANY_CLOUDS, **given)
    return template["Resources"]["HandOutStateMachine"]["Properties"]["DefinitionString"]


class Execution:
    """One execution that has ended, and the invocations that it made."""

    def __init__(self, described, invocations, seconds):
        self.status = described["status"]
        self.error = described.get("error")
        self.cause = described.get("cause")
        self.invocations = invocations
        self.seconds = seconds

    def handed_over(self):
        """The events that were accepted for Lambda's own queue."""
        return [event for event, kind, accepted, _ in self.invocations if kind == "Event" and accepted]


@contextlib.contextmanager
def _playing(function):
    """In place of moto's function: `function(event, invocation type)` answers, or raises one of the above."""
    invocations, lock = [], threading.Lock()

    def invoke(backend, function_name, qualifier, body, headers, response_headers):
        event = json.loads(body)
        kind = headers.get("X-Amz-Invocation-Type", "RequestResponse")
        with lock:
            invocations.append((event, kind, False, datetime.now(UTC)))
            place = len(invocations) - 1
        try:
            answer = function(event, kind)
        except FunctionFailed as failed:
            response_headers["x-amz-function-error"] = "Unhandled"
            answer = failed.answer
        with lock:
            invocations[place] = (event, kind, True, invocations[place][3])
        return json.dumps(answer).encode()

    of_moto, parameters = LambdaSimpleBackend.invoke, integration._SUPPORTED_API_PARAM_BINDINGS["invoke"]
    # moto leaves the type of an invocation out; Step Functions hands it on.
    missing = {"InvocationType"} - parameters
    LambdaSimpleBackend.invoke = invoke
    parameters |= missing
    try:
        yield invocations
    finally:
        LambdaSimpleBackend.invoke = of_moto
        parameters -= missing


def execute(function, request, **given):
    """Executes the machine once with what a rule hands over."""
    with _playing(function) as invocations, mock_aws(config=SETTINGS):
        role = boto3.client("iam").create_role(RoleName="machine", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        states = boto3.client("stepfunctions")
        machine = states.create_state_machine(name="machine", definition=definition(**given), roleArn=role)
        started = time.monotonic()
        execution = states.start_execution(stateMachineArn=machine["stateMachineArn"], input=json.dumps(request))
        while True:
            described = states.describe_execution(executionArn=execution["executionArn"])
            seconds = time.monotonic() - started
            if described["status"] != "RUNNING":
                return Execution(described, invocations, seconds)
            assert seconds < LONGEST_SECONDS, f"still running: {invocations}"
            time.sleep(0.05)
