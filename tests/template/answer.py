"""Whether an answer of the function is one to the event that was sent.

    python answer.py EVENT < ANSWER

Event and answer are files of JSON; prints one line on what was answered, or what is wrong with it.
"""

import json
import re
import sys
from datetime import datetime
from pathlib import Path

COUNTS = {"managed", "created", "adopted", "pending", "deferred", "failed", "deleted", "kept", "cleaned"}
# Phases that can be told to change nothing, and say so.
WITH_DRY_RUN = {"snapshot", "expire", "subscribe", "restore"}
OUTCOMES = {"complete", "partial", "deferred"}


def request(event):
    """What is asked: the event itself, or what its envelope carries."""
    return event["detail"] if "detail" in event else event


def is_page(event):
    """Whether a page of the dashboard asks, which names no phase."""
    return "widgetContext" in event or event.get("describe") is True


def faults(event, answer):
    asked = request(event)
    if isinstance(answer, dict) and "errorType" in answer:
        yield f"the invocation failed: {answer}"
        return
    if is_page(event):
        if not isinstance(answer, str) or not answer.strip():
            yield f"the page is no text: {answer!r}"
        return
    if not isinstance(answer, dict):
        yield f"the answer is no object: {answer!r}"
        return
    if answer.get("phase") != asked["phase"]:
        yield f"phase is {answer.get('phase')!r}, not {asked['phase']!r}"
    if asked["phase"] in WITH_DRY_RUN and answer.get("dry_run") != asked.get("dry_run", False):
        yield f"dry_run is {answer.get('dry_run')!r}, not {asked.get('dry_run', False)!r}"
    if not re.fullmatch(r"req-[0-9a-f-]{36}", str(answer.get("run_id"))):
        yield f"run_id is {answer.get('run_id')!r}"
    if "cloud" in asked and answer.get("cloud") != asked["cloud"]:
        yield f"cloud is {answer.get('cloud')!r}, not {asked['cloud']!r}"
    yield from OF_PHASE[asked["phase"]](asked, answer)


def subscription_faults(asked, answer):
    if answer.get("volume_id") != asked["volume_id"]:
        yield f"volume_id is {answer.get('volume_id')!r}, not {asked['volume_id']!r}"
    metadata = answer.get("metadata", {})
    for key in ("x-snapsentry-managed", f"x-snapsentry-{asked['policy']}-enabled"):
        if key not in metadata:
            yield f"the metadata lack {key}: {metadata}"


def pass_faults(asked, answer):
    if answer.get("outcome") not in OUTCOMES:
        yield f"outcome is {answer.get('outcome')!r}"
    if not COUNTS <= set(answer.get("snapshots", {})):
        yield f"snapshots are {answer.get('snapshots')!r}"
    whole = asked["phase"] == "snapshot" and not {"volume_ids", "shard"} & set(asked)
    if whole and not answer.get("volumes", {}).get("managed"):
        yield "no managed volume was seen; the cloud should have some"
    if not answer.get("requests", {}).get("sent"):
        yield "no request was sent"


def targets_faults(asked, answer):
    if answer.get("faults") != []:
        yield f"faults are {answer.get('faults')!r}"
    if not answer.get("targets"):
        yield "there are no targets; the file should have some"
    for target in answer.get("targets", []):
        if target["event"].get("phase") != asked["for"]:
            yield f"a target's event is {target['event']!r}"
        if not 0 <= target["delay_seconds"] <= asked.get("spread_seconds", 120):
            yield f"a target's delay is {target['delay_seconds']!r}"
        datetime.fromisoformat(target["at"])


def report_faults(_, answer):
    for part in ("at", "totals", "volumes", "next_after"):
        if part not in answer:
            yield f"the report lacks {part}"


def restore_faults(asked, answer):
    if answer.get("outcome") not in OUTCOMES:
        yield f"outcome is {answer.get('outcome')!r}"
    if answer.get("restore_id") != asked["restore_id"]:
        yield f"restore_id is {answer.get('restore_id')!r}"
    if not answer.get("volumes"):
        yield "nothing was restored"


OF_PHASE = {
    "snapshot": pass_faults,
    "expire": pass_faults,
    "subscribe": subscription_faults,
    "targets": targets_faults,
    "report": report_faults,
    "restore": restore_faults,
}


def summary(answer):
    if isinstance(answer, str):
        return f"a page of {len(answer)} characters"
    said = {
        "subscribe": lambda: answer["volume_id"],
        "targets": lambda: f"{len(answer['targets'])} events",
        "report": lambda: f"{len(answer['volumes'])} volumes",
    }.get(answer["phase"], lambda: f"{answer['outcome']}, {answer['requests']['sent']} requests")
    return f"{answer['phase']}: {said()}"


if __name__ == "__main__":
    event = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    text = sys.stdin.read()
    try:
        answer = json.loads(text)
    except ValueError:
        sys.exit(f"not JSON: {text.strip()!r}")
    found = list(faults(event, answer))
    if found:
        sys.exit("\n".join(found))
    print(summary(answer))
