"""Looks at the dashboard's page with a browser, as CloudWatch would show it.

    browser.py PURIFY PAGES SCREENSHOTS

PURIFY is DOMPurify's script, PAGES the folder into which the tests of the function have written
pages, SCREENSHOTS where pictures for people are left.
"""

import html
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
WIDTHS = [400, 800, 1600]
# What a dashboard has behind a widget.
BACKGROUNDS = {"light": "#ffffff", "dark": "#161d26"}
PAGES = {"light": "light", "dark": "dark", "well": "light"}
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --hide-scrollbars "
    "--disable-background-networking --disable-component-update --disable-sync "
    "--force-device-scale-factor=1"
).split()

# States that the pages are about, and what a strip shows of them.
STATES = {"lost", "invalid", "late", "blocked", "creating", "protected", "off"}
LOOKS = {"covered", "held", "creating", "missing", "blocked", "next"}
NAMES = [
    "web-1-root",
    "db-data",
    "orders-archive-of-a-long-name-that-somebody-chose",
    "wiped-by-another-tool",
    "<img src=x onerror=alert(1)><b>bold</b>",
]


def chromium(document, *arguments):
    """Runs the browser over this document, with a profile of its own."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    with tempfile.TemporaryDirectory() as profile:
        command = [browser, *FLAGS, f"--user-data-dir={profile}", *arguments, document.as_uri()]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if ran.returncode != 0:
        sys.exit(f"{browser} ended with {ran.returncode}: {ran.stderr[-2000:]}")
    return ran.stdout


def document(purify, page, theme, width):
    """The page in a frame of a dashboard, with what measures it."""

    def script(text):
        return "<script>" + text.replace("</script", "<\\/script") + "</script>"

    data = f"const PAGE = {json.dumps(page)}; const WIDTH = {width};".replace("</", "<\\/")
    return (
        '<!doctype html><meta charset="utf-8">'
        f"<body style='margin:0;background:{BACKGROUNDS[theme]}'>"
        f"<div id='frame' style='width:{width}px'></div><pre id='result' hidden></pre>"
        + script(purify)
        + script(data)
        + script((HERE / "harness.js").read_text())
    )


def look(purify, name, page, theme, width, screenshots):
    """What a browser makes of a page at this width; a picture is left beside it."""
    written = screenshots / f"{name}-{width}.html"
    written.write_text(document(purify, page, theme, width))
    window = max(width, 500)
    dumped = chromium(written, f"--window-size={window},1200", "--dump-dom")
    result = re.search(r'<pre id="result" hidden="">(.*?)</pre>', dumped, re.S)
    if not result or not result[1]:
        sys.exit(f"{written}: the page was not measured")
    seen = json.loads(html.unescape(result[1]))
    picture = screenshots / f"{name}-{width}.png"
    chromium(written, f"--window-size={window},{seen['height'] + 4}", f"--screenshot={picture}")
    return seen


def faults(name, width, seen):
    """What is wrong with what was seen."""
    yield from seen["problems"]
    if seen["styled"] != 1:
        yield "the style was lost"
    if seen["forbidden"]:
        yield "a name has become an element"
    if seen["narrow"] != (width <= 700):
        yield f"rows stand side by side at {width} px: {not seen['narrow']}"
    text = " ".join(seen["texts"])
    if "Looked at" not in text:
        yield "it does not say when it was looked at"
    # What is not known looks like what is over, only paler.
    paints = [shape["paint"] for look, shape in seen["shapes"].items() if look != "unknown"]
    if len(set(paints)) < len(paints):
        yield f"two looks have one colour: {seen['shapes']}"
    for look, shape in seen["shapes"].items():
        if shape["titled"] != shape["count"]:
            yield f"{look}: shapes without a tooltip"
        if look in LOOKS and shape["contrast"] < 3:
            yield f"{look}: contrast of {shape['contrast']:.2f}"
    if name == "well":
        if "All is well" not in text:
            yield "all is well, and it does not say so"
        return
    if missing := STATES - seen["badges"].keys():
        yield f"states that are not shown: {missing}"
    if len(set(seen["badges"].values())) < 7:
        yield f"two states have one colour: {seen['badges']}"
    if missing := LOOKS - seen["shapes"].keys():
        yield f"looks that are not shown: {missing}"
    for wanted in NAMES:
        if wanted not in seen["texts"]:
            yield f"the name {wanted!r} is not to be read"
    if not any(click.get("after") for click in seen["clicks"]):
        yield "there is no way to the next page"


def main():
    purify, pages, screenshots = (pathlib.Path(one).resolve() for one in sys.argv[1:])
    screenshots.mkdir(parents=True, exist_ok=True)
    found = 0
    for name, theme in PAGES.items():
        page = (pages / f"{name}.html").read_text()
        for width in WIDTHS:
            seen = look(purify.read_text(), name, page, theme, width, screenshots)
            for fault in faults(name, width, seen):
                print(f"{name} at {width} px: {fault}", file=sys.stderr)
                found += 1
            print(f"{name} at {width} px: lowest text contrast {seen['lowest']:.1f}")
    if found:
        sys.exit(f"{found} faults")
    print(f"pictures are in {screenshots}")


main()
