"""A clouds.yaml from files of OS_* variables, as `simcloud serve --env-file` writes them.

    python clouds_yaml.py NAME=ENV_FILE... > clouds.yaml     one entry a name
    python clouds_yaml.py --is-for-one EVENT                 whether the event wants a clouds.yaml
"""

import json
import shlex
import sys
from pathlib import Path

PREFIX = "OS_"
# Everything else of a login stands under `auth`.
BESIDE_AUTH = {"auth_type", "region_name", "interface"}


def variables(path):
    """The variables of an env file."""
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        for word in shlex.split(line, comments=True):
            name, assigned, value = word.partition("=")
            if assigned:
                found[name] = value
    return found


def entry(path):
    """One cloud's entry."""
    settings = {name.removeprefix(PREFIX).lower(): value for name, value in variables(path).items() if name.startswith(PREFIX)}
    beside = {name: value for name, value in settings.items() if name in BESIDE_AUTH}
    return {**beside, "auth": {name: value for name, value in settings.items() if name not in BESIDE_AUTH}}


def document(files):
    """A clouds.yaml; JSON is YAML."""
    return json.dumps({"clouds": {name: entry(path) for name, path in files.items()}}, indent=2)


def wants_clouds(event):
    """Whether an event can be answered only where there is a clouds.yaml."""
    asked = event.get("detail", event)
    return asked.get("phase") == "targets" or "cloud" in asked


if __name__ == "__main__":
    if sys.argv[1] == "--is-for-one":
        sys.exit(not wants_clouds(json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))))
    print(document({name: Path(path) for name, _, path in (word.partition("=") for word in sys.argv[1:])}))
