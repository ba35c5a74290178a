"""A release's bundle: deployed as it is, without a build; the same bytes whenever and wherever it is made.

`--bundle FOLDER` is one that was really built; without it the package holds a stand-in for the executable.
"""

import hashlib
import json
import os
import zipfile

import boto3
import pytest
from moto import mock_aws
from samcli.commands.package.package_context import PackageContext
from samcli.yamlhelper import yaml_parse

import bundle
from parameter_sets import CREDENTIALS
from stack import REGION, ROOT, STACK, refusals, source, transformed


@pytest.fixture(params=["arm64", "x86_64"])
def architecture(request):
    return request.param


@pytest.fixture
def folder(request, tmp_path, architecture):
    built = request.config.getoption("--bundle")
    if built and template_of(built)["Parameters"]["Architecture"]["Default"] == architecture:
        return built
    executable = tmp_path / "bootstrap"
    executable.write_bytes(b"not really an executable")
    made = tmp_path / "bundle"
    made.mkdir()
    bundle.write(architecture, executable, made)
    return made


def template_of(folder):
    return yaml_parse((folder / "template.yaml").read_text(encoding="utf-8"))


def test_a_bundle_is_the_same_bytes_whenever_and_wherever_it_is_made(tmp_path, architecture):
    made = []
    for number, when in enumerate([1_000_000_000, 1_790_000_000]):
        executable = tmp_path / str(number) / "bootstrap"
        executable.parent.mkdir()
        executable.write_bytes(bytes(range(256)) * 4096)
        os.utime(executable, (when, when))
        executable.chmod(0o700 if number else 0o755)
        folder = tmp_path / f"bundle-{number}"
        folder.mkdir()
        bundle.write(architecture, executable, folder)
        made.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert made[0] == made[1]
    assert set(made[0]) == {"LICENSE", "SHA256SUMS", "bootstrap.zip", "samconfig.toml", "template.yaml"}


def test_the_package_holds_one_executable(folder):
    with zipfile.ZipFile(folder / "bootstrap.zip") as package:
        (entry,) = package.infolist()
    assert entry.filename == "bootstrap"
    assert entry.external_attr >> 16 == 0o100755
    assert entry.date_time == (1980, 1, 1, 0, 0, 0)


def test_the_checksums_are_those_of_the_files(folder):
    lines = [line.split("  ") for line in (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()]
    assert {name for _, name in lines} >= {"LICENSE", "bootstrap.zip", "samconfig.toml", "template.yaml"}
    for digest, name in lines:
        assert digest == hashlib.sha256((folder / name).read_bytes()).hexdigest(), name


def test_the_template_is_the_one_of_the_sources_but_for_the_package_and_its_architecture(folder, architecture):
    bundled, written = template_of(folder), source()
    assert bundled["Globals"]["Function"].pop("CodeUri") == "bootstrap.zip"
    assert written["Globals"]["Function"].pop("CodeUri") == "."
    assert bundled["Parameters"].pop("Architecture") == {
        "Type": "String",
        "Default": architecture,
        "AllowedValues": [architecture],
        "Description": "Instruction set of the package in this bundle.",
    }
    written["Parameters"].pop("Architecture")
    for name in ("SnapSentryFunction", "ReportFunction"):
        assert bundled["Resources"][name].pop("Metadata") == {"SkipBuild": True}
        written["Resources"][name].pop("Metadata")
    assert bundled == written


@pytest.fixture
def deployed(folder, tmp_path, architecture):
    """The stack that `sam deploy` makes of the bundle: the package uploaded, the template sent."""
    given = CREDENTIALS["application credential"]
    assert refusals(**given) == []
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket="packages", CreateBucketConfiguration={"LocationConstraint": REGION})
        packaged = tmp_path / "packaged.yaml"
        PackageContext(
            template_file=str(folder / "template.yaml"),
            s3_bucket="packages",
            image_repository=None,
            image_repositories=None,
            s3_prefix="snapsentry",
            kms_key_id=None,
            output_template_file=str(packaged),
            use_json=False,
            force_upload=False,
            no_progressbar=True,
            metadata=None,
            region=REGION,
            profile=None,
        ).run()
        boto3.client("cloudformation").create_stack(
            StackName=STACK,
            TemplateBody=json.dumps(transformed(yaml_parse(packaged.read_text(encoding="utf-8")), Architecture=architecture)),
            Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in given.items()],
            Capabilities=["CAPABILITY_IAM"],
        )
        yield


@pytest.mark.usefixtures("deployed")
def test_a_deployment_takes_the_package_as_it_is(folder):
    (stack,) = boto3.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    # One package serves both functions.
    (stored,) = boto3.client("s3").list_objects_v2(Bucket="packages")["Contents"]
    content = boto3.client("s3").get_object(Bucket="packages", Key=stored["Key"])["Body"].read()
    assert content == (folder / "bootstrap.zip").read_bytes()
    for name in (STACK, f"{STACK}-report"):
        function = boto3.client("lambda").get_function(FunctionName=name)["Configuration"]
        assert function["CodeSize"] == len(content)


WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_has_the_least_rights_and_takes_actions_at_one_commit(path):
    workflow = yaml_parse(path.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    writing = [name for name, job in workflow["jobs"].items() if "permissions" in job]
    assert writing == (["release"] if path.name == "release.yml" else [])
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] <= 90
        for step in job["steps"]:
            if "uses" in step:
                assert len(step["uses"].partition("@")[2]) == 40, step["uses"]
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False


def test_a_release_bundles_both_architectures():
    workflow = yaml_parse((ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8"))
    matrix = workflow["jobs"]["bundle"]["strategy"]["matrix"]["include"]
    assert {one["architecture"] for one in matrix} == {"arm64", "x86_64"}
    runs = [step.get("run", "") for step in workflow["jobs"]["bundle"]["steps"]]
    assert any("tests/template/bundle ${{ matrix.architecture }}" in run for run in runs)
