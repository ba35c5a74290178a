"""Every `aws …` of the documents is typed, with the real command, against an implementation of AWS."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import boto3
import pytest
import requests
from moto.server import ThreadedMotoServer

from documents import commands, documents, told
from stack import ROOT

# What the implementation of AWS does not have: such a command is held to the real command's own grammar.
# Its beginning, and why.
NOT_CARRIED_OUT = {}
# The documents are for version 2 of the command, and PyPI has version 1. What only the later one knows, with how many
# words it takes; this one says what is meant without it.
ONLY_IN_VERSION_2 = {"--cli-binary-format": 1}

AWS = told("aws")

FUNCTION = "snapsentry-shop"
SECRET = "snapsentry/shop"
# What readers put in place of a word.
PLACEHOLDERS = {
    "STACK": FUNCTION,
    "SERVER": "37fc854f-0c5e-4d4a-8b11-5a3a0c9a4f10",
    "VOLUME": "b1f4c9de-6b0e-4a53-9a35-2c4f0b1c9f55",
    "SECRET": SECRET,
}
A_PLACEHOLDER = re.compile(r"\b[A-Z][A-Z_]{2,}\b")


class Account:
    """An account, and a folder with the files that the documents tell people to have."""

    def __init__(self, address, folder):
        self._environment = {**os.environ, "AWS_ENDPOINT_URL": address, "AWS_PAGER": ""}
        self._folder = folder
        requests.post(f"{address}/moto-api/reset", timeout=10)
        # The function itself is played elsewhere; here no container starts.
        requests.post(f"{address}/moto-api/config", json={"lambda": {"use_docker": False}}, timeout=10)
        self._client = lambda service: boto3.client(service, endpoint_url=address)
        (folder / "events").symlink_to(ROOT / "events")

    def add_a_secret(self):
        self._client("secretsmanager").create_secret(Name=SECRET, SecretString="{}")

    def secret(self):
        return self._client("secretsmanager").get_secret_value(SecretId=SECRET)["SecretString"]

    def write(self, name, text):
        (self._folder / name).write_text(text, encoding="utf-8")

    def type(self, words):
        command = [str(Path(sys.executable).parent / words[0]), *words[1:]]
        return subprocess.run(
            command, cwd=self._folder, env=self._environment, capture_output=True, text=True, timeout=60, check=False
        )


@pytest.fixture(scope="module")
def address():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def account(address, tmp_path):
    return Account(address, tmp_path)


def filled_in(words):
    words = [A_PLACEHOLDER.sub(lambda word: PLACEHOLDERS.get(word[0], word[0]), word) for word in words]
    for option, values in ONLY_IN_VERSION_2.items():
        if option in words:
            at = words.index(option)
            del words[at : at + 1 + values]
    return words


def login():
    """The file that the documents tell people to write."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"^\$ cat login\.json\n(.*?)^\$ ", readme, re.DOTALL | re.MULTILINE)
    return shown


def is_carried_out(command):
    return not command.is_mentioned and not any(str(command).startswith(begin) for begin in NOT_CARRIED_OUT)


def test_a_deployment_that_is_told_is_of_the_stack_that_the_reader_has():
    """Without a name it would be another one: samconfig.toml has one for whoever gives none."""
    typed = [(file, rest) for file, text in documents() for rest in re.findall(r"&& sam deploy(.*)", text)]
    assert typed
    assert [file for file, rest in typed if not re.match(r" --(stack-name|guided)\b", rest)] == []


def test_there_are_commands_to_type():
    assert [command for command in AWS if is_carried_out(command)]
    assert [command for command in AWS if command.is_mentioned]


@pytest.mark.parametrize("command", [one for one in AWS if is_carried_out(one)], ids=str)
def test_what_is_typed_as_it_stands_is_carried_out(account, command):
    account.write("login.json", login())
    words = filled_in(command.words)
    if "put-secret-value" in words:
        account.add_a_secret()
    done = account.type(words)
    assert done.returncode == 0, done.stderr
    if "--secret-string" in words:
        assert set(json.loads(account.secret())) >= {"OS_AUTH_URL", "OS_APPLICATION_CREDENTIAL_ID"}


@pytest.mark.parametrize("command", [one for one in AWS if not is_carried_out(one)], ids=str)
def test_what_is_only_named_exists(account, command):
    """Whatever it leaves out: what is there is a command, with options of that command."""
    done = account.type([*filled_in(command.words), "--generate-cli-skeleton"])
    left_out = "the following arguments are required" in done.stderr
    assert done.returncode == 0 or left_out, done.stderr


@pytest.mark.parametrize("command", AWS, ids=str)
def test_no_placeholder_is_left_to_guess(command):
    left = {word for part in command.words for word in A_PLACEHOLDER.findall(part) if word not in PLACEHOLDERS}
    assert not left, f"put into {Path(__file__).name} what they stand for"


@pytest.mark.parametrize("command", [one for one in AWS if "--payload" in one.words], ids=str)
def test_what_is_sent_to_the_function_is_a_request(command):
    words = filled_in(command.words)
    payload = words[words.index("--payload") + 1]
    if payload.startswith("file://"):
        payload = (ROOT / payload.removeprefix("file://")).read_text(encoding="utf-8")
    assert json.loads(payload)["phase"]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("aws", "secretsmanager", "make-secret"), "Invalid choice"),
        (("aws", "secretsmanager", "create-secret", "--name", "x", "--title", "x"), "Unknown options: --title"),
        (("aws", "secretsmanager", "put-secret-value", "--secret-id", "y", "--secret-string", "z"), "NotFound"),
    ],
)
def test_a_command_that_does_not_work_would_be_noticed(account, words, complaint):
    done = account.type(words)
    assert done.returncode != 0
    assert complaint in done.stderr


def test_commands_are_found_in_blocks_and_in_sentences():
    text = "Say `aws sts get-caller-identity`.\n```console\n$ aws s3 ls \\\n    s3://x  # all\n$ ls\n```\naws is not one.\n"
    assert list(commands(text, "aws")) == [
        (("aws", "sts", "get-caller-identity"), True),
        (("aws", "s3", "ls", "s3://x"), False),
    ]


def test_the_documents_of_all_folders_are_read():
    read = {str(file) for file, _ in documents()}
    assert read >= {"README.md", ".github/OPERATIONS.md", "events/README.md", "tests/README.md"}
