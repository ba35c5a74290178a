"""Puts a release's bundle together: the package, a template that takes it, and their checksums.

    python bundle.py ARCHITECTURE BOOTSTRAP FOLDER
"""

import hashlib
import re
import shutil
import sys
import zipfile
from pathlib import Path

from package import faults_of_executable

ROOT = Path(__file__).resolve().parents[2]
# The earliest that a zip can say.
NO_DATE = (1980, 1, 1, 0, 0, 0)
PACKAGE = "bootstrap.zip"


def write_package(bootstrap, path):
    """A zip of the one executable that does not tell when or by whom it was made."""
    entry = zipfile.ZipInfo("bootstrap", NO_DATE)
    entry.create_system = 3
    entry.external_attr = 0o100755 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(path, "w") as package:
        package.writestr(entry, bootstrap.read_bytes(), compresslevel=9)


def exchanged(pattern, replacement, text, times):
    """Replaces, and insists on how often."""
    text, found = re.subn(pattern, replacement, text, flags=re.MULTILINE)
    assert found == times, f"{pattern} stands {found} times in the template, not {times}"
    return text


def bundled_template(text, architecture):
    """The template with the package in place of the sources, for its one architecture."""
    text = exchanged(r"^    CodeUri: \.$", f"    CodeUri: {PACKAGE}", text, 1)
    text = exchanged(
        r"^    Metadata:\n      BuildMethod: rust-cargolambda\n      BuildProperties:\n        Binary: snapsentry\n",
        "    Metadata:\n      SkipBuild: true\n",
        text,
        2,
    )
    return exchanged(
        r"^    Default: arm64\n    AllowedValues: \[arm64, x86_64\]\n    Description: .*\n",
        f"    Default: {architecture}\n    AllowedValues: [{architecture}]\n"
        "    Description: Instruction set of the package in this bundle.\n",
        text,
        1,
    )


def write(architecture, bootstrap, folder):
    write_package(bootstrap, folder / PACKAGE)
    template = (ROOT / "template.yaml").read_text(encoding="utf-8")
    (folder / "template.yaml").write_text(bundled_template(template, architecture), encoding="utf-8")
    for name in ("samconfig.toml", "LICENSE"):
        shutil.copyfile(ROOT / name, folder / name)
    sums = [
        f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n"
        for name in ("LICENSE", PACKAGE, "samconfig.toml", "template.yaml")
    ]
    (folder / "SHA256SUMS").write_text("".join(sums), encoding="utf-8")


if __name__ == "__main__":
    architecture, bootstrap, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    found = list(faults_of_executable(bootstrap, architecture))
    for fault in found:
        print(f"bundle: {fault}", file=sys.stderr)
    if found:
        sys.exit(1)
    write(architecture, bootstrap, folder)
