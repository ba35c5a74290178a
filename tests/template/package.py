"""What `sam build` made: for each function one executable named bootstrap, for the right machine, nothing else.

    python package.py BUILD_FOLDER
"""

import re
import sys
from pathlib import Path

from samcli.yamlhelper import yaml_parse

# Amazon Linux 2023, the system of provided.al2023.
NEWEST_GLIBC = (2, 34)
ELF_MACHINES = {"x86_64": 62, "arm64": 183}
# Lambda's own limit for a package, unpacked, is 250 MB; a function in Rust that comes near the
# tenth of it carries something that does not belong into it.
LARGEST_BYTES = 25_000_000
FUNCTIONS = ("SnapSentryFunction", "ReportFunction")


def faults_of_executable(bootstrap, architecture):
    if not bootstrap.stat().st_mode & 0o111:
        yield "bootstrap is not executable"
    content = bootstrap.read_bytes()
    if content[:4] != b"\x7fELF" or int.from_bytes(content[18:20], "little") != ELF_MACHINES[architecture]:
        yield f"bootstrap is no {architecture} executable"
    if len(content) > LARGEST_BYTES:
        yield f"bootstrap has {len(content)} bytes, more than {LARGEST_BYTES}"
    versions = {tuple(map(int, found)) for found in re.findall(rb"GLIBC_(\d+)\.(\d+)", content)}
    newer = sorted(version for version in versions if version > NEWEST_GLIBC)
    if newer:
        yield f"bootstrap wants glibc {newer}, newer than the {NEWEST_GLIBC} of provided.al2023"


def faults(build):
    template = yaml_parse((build / "template.yaml").read_text(encoding="utf-8"))
    for function in FUNCTIONS:
        properties = template["Resources"][function]["Properties"]
        package = build / properties["CodeUri"]
        files = sorted(str(path.relative_to(package)) for path in package.rglob("*") if path.is_file())
        if files != ["bootstrap"]:
            yield f"the package of {function} holds {files}, not bootstrap alone"
            continue
        yield from faults_of_executable(package / "bootstrap", "x86_64")
    if template["Globals"]["Function"]["Handler"] != "bootstrap":
        yield f"the built template's Handler is {template['Globals']['Function']['Handler']}"


if __name__ == "__main__":
    found = list(faults(Path(sys.argv[1])))
    for fault in found:
        print(f"sam-build: {fault}", file=sys.stderr)
    sys.exit(bool(found))
