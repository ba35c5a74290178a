"""Many clouds, end to end: the state machine executed, each invocation played by the built function.

`--function FILE` is the function's executable, `--simcloud FILE` that of the embedded cloud.
"""

import contextlib
import itertools
import json
import signal

import pytest

import clouds_yaml
import declared
from runtime_api import built_function, served_cloud
from state_machine import Throttled, execute
from test_metrics import filed

NAMES = ["blue", "green", "red"]


class Tenancies:
    """Clouds by name, each served by a process of its own, and the clouds.yaml that names them."""

    def __init__(self, request, folder, stack):
        self._simcloud = request.config.getoption("--simcloud")
        self._binary = request.config.getoption("--function")
        self._folder = folder
        self._stack = stack
        self.processes = {}
        self.files = {}
        for name in NAMES:
            self.files[name], self.processes[name] = stack.enter_context(served_cloud(self._simcloud, folder, name))

    def function(self, **settings):
        """The function, told of these clouds; `settings` are what entries say to SnapSentry, by name."""
        document = json.loads(clouds_yaml.document(self.files))
        for name, said in settings.items():
            document["clouds"].setdefault(name, {})["x-snapsentry"] = said
        path = self._folder / "clouds.yaml"
        path.write_text(json.dumps(document), encoding="utf-8")
        self.log = self._folder / "function.log"
        variables = {"OS_CLIENT_CONFIG_FILE": str(path), "SNAPSENTRY_FLEET": "fleet"}
        return self._stack.enter_context(built_function(self._binary, variables, self.log))

    def metrics(self):
        """The metrics lines that the function printed."""
        lines = self.log.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines if '"_aws"' in line]


@pytest.fixture
def tenancies(request, tmp_path):
    with contextlib.ExitStack() as stack:
        yield Tenancies(request, tmp_path, stack)


def tick(function, phase="snapshot", call=None):
    return execute(call or function, {"for": phase}, SpreadSeconds=1)


def test_every_cloud_gets_its_snapshots_and_the_next_tick_finds_nothing_due(tenancies):
    function = tenancies.function()
    assert tick(function).status == "SUCCEEDED"
    first = function.answers()
    assert sorted(cloud for (cloud, _), _, _ in first) == NAMES
    for (cloud, _), answer, failed in first:
        assert not failed, answer
        assert answer["cloud"] == cloud
        assert answer["snapshots"]["created"] > 0
    function.passes.clear()
    assert tick(function).status == "SUCCEEDED"
    for _, answer, failed in function.answers():
        assert not failed, answer
        assert answer["snapshots"]["created"] == 0


def test_a_cloud_that_is_gone_fails_its_own_pass_alone(tenancies):
    function = tenancies.function()
    tenancies.processes["green"].kill()
    assert tick(function).status == "SUCCEEDED"
    outcome = {cloud: (failed, answer) for (cloud, _), answer, failed in function.answers()}
    assert outcome["green"][0]
    assert outcome["green"][1]["errorType"] == "AuthenticationFailed"
    for cloud in ("blue", "red"):
        failed, answer = outcome[cloud]
        assert not failed, answer
        assert answer["snapshots"]["created"] > 0


def test_a_cloud_that_does_not_answer_keeps_no_other_waiting(tenancies):
    function = tenancies.function()
    tenancies.processes["blue"].send_signal(signal.SIGSTOP)
    assert tick(function).status == "SUCCEEDED"
    by_cloud = {one.event["cloud"]: one for one in function.passes}
    for cloud in ("green", "red"):
        assert by_cloud[cloud].wait()["snapshots"]["created"] > 0
    assert not by_cloud["blue"].done.is_set()
    tenancies.processes["blue"].send_signal(signal.SIGCONT)
    assert by_cloud["blue"].wait()["snapshots"]["created"] > 0


def test_a_throttled_cloud_gets_its_pass_a_little_later(tenancies):
    function = tenancies.function()
    refused = itertools.count()

    def throttled(event, kind):
        if event.get("cloud") == "red" and next(refused) < 2:
            raise Throttled
        return function(event, kind)

    assert tick(function, call=throttled).status == "SUCCEEDED"
    assert next(refused) == 3
    assert sorted(cloud for (cloud, _), _, _ in function.answers()) == NAMES


def test_shards_paused_entries_and_faults_are_minded(tenancies):
    function = tenancies.function(blue={"shards": 2}, green={"paused": True}, broken={"shards": 1})
    assert tick(function).status == "SUCCEEDED"
    assert sorted(key for key, _, _ in function.answers()) == [("blue", 0), ("blue", 1), ("red", None)]
    (targets,) = [line for line in tenancies.metrics() if line["Phase"] == "targets"]
    assert (targets["Targets"], targets["Faults"]) == (3, 1)


def test_the_metrics_are_those_that_the_alarms_of_many_clouds_look_at(tenancies):
    function = tenancies.function()
    for phase in ("snapshot", "expire"):
        assert tick(function, phase).status == "SUCCEEDED"
    assert not any(failed for _, _, failed in function.answers())
    assert filed(tenancies.metrics()) == declared.of_many_clouds()
