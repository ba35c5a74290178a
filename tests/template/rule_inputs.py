"""Writes what the rules' targets hand to the function, one file a target, to be fed to the function."""

import sys
from pathlib import Path

from stack import resolved


def inputs():
    """(rule, target, input) of every target of every rule of a stack that keeps one cloud."""
    for name, resource in resolved()["Resources"].items():
        if resource["Type"] == "AWS::Events::Rule":
            for target in resource["Properties"]["Targets"]:
                yield name, target["Id"], target["Input"]


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for rule, target, text in inputs():
        path = folder / f"{rule}-{target}.json"
        path.write_text(text, encoding="utf-8")
        print(path)
