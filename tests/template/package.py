"""What `sam build` made: one executable named bootstrap, for the right machine and system, nothing else."""

import re
import sys
from pathlib import Path

from samcli.yamlhelper import yaml_parse

# Amazon Linux 2023, the system of provided.al2023.
NEWEST_GLIBC = (2, 34)
ELF_X86_64 = 62
# Lambda's own limit for a package, unpacked, is 250 MB; a function in Rust that comes near the
# tenth of it carries something that does not belong into it.
LARGEST_BYTES = 25_000_000


def faults(build):
    package = build / "SnapSentryFunction"
    files = sorted(str(path.relative_to(package)) for path in package.rglob("*") if path.is_file())
    if files != ["bootstrap"]:
        yield f"the package holds {files}, not bootstrap alone"
        return
    bootstrap = package / "bootstrap"
    if not bootstrap.stat().st_mode & 0o111:
        yield "bootstrap is not executable"
    content = bootstrap.read_bytes()
    if content[:4] != b"\x7fELF" or int.from_bytes(content[18:20], "little") != ELF_X86_64:
        yield "bootstrap is no x86_64 executable"
    if len(content) > LARGEST_BYTES:
        yield f"bootstrap has {len(content)} bytes, more than {LARGEST_BYTES}"
    versions = {tuple(map(int, found)) for found in re.findall(rb"GLIBC_(\d+)\.(\d+)", content)}
    newer = sorted(version for version in versions if version > NEWEST_GLIBC)
    if newer:
        yield f"bootstrap wants glibc {newer}, newer than the {NEWEST_GLIBC} of provided.al2023"

    template = yaml_parse((build / "template.yaml").read_text(encoding="utf-8"))
    properties = template["Resources"]["SnapSentryFunction"]["Properties"]
    if (build / properties["CodeUri"]).resolve() != package.resolve():
        yield f"the built template's CodeUri is {properties['CodeUri']}"
    if properties["Handler"] != "bootstrap":
        yield f"the built template's Handler is {properties['Handler']}"


if __name__ == "__main__":
    found = list(faults(Path(sys.argv[1])))
    for fault in found:
        print(f"sam-build: {fault}", file=sys.stderr)
    sys.exit(bool(found))
