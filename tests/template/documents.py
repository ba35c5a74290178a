"""The commands that the documents tell people to type: every `aws …` of every Markdown file."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from stack import ROOT


@dataclass(frozen=True)
class Told:
    """A command as it stands in a document."""

    file: Path
    words: tuple
    # What stands in a sentence names a command, and leaves out what every reader knows.
    is_mentioned: bool

    def __str__(self):
        return f"{self.file}: {shlex.join(self.words)}"


def documents():
    """The Markdown files of the repository."""
    hidden = re.compile(r"^(target.*|\.(?!github$).*)$")
    for path in sorted(ROOT.rglob("*.md")):
        below = path.relative_to(ROOT)
        if not any(hidden.match(part) for part in below.parts[:-1]) and "node_modules" not in below.parts:
            yield below, path.read_text(encoding="utf-8")


def told(program):
    """Every command of a program, each once."""
    found = {}
    for file, text in documents():
        for words, is_mentioned in commands(text, program):
            found.setdefault(words, Told(file, words, is_mentioned))
    return list(found.values())


def commands(text, program):
    """The commands of a text: lines of a block, also such that go on in the next, and what stands between backquotes."""
    fenced, lines = False, iter(text.splitlines())
    begins = re.compile(rf"(?:\$ )?{re.escape(program)} ")
    for line in lines:
        line = line.strip()
        if line.startswith("```"):
            fenced = not fenced
        elif not fenced:
            for quoted in line.split("`")[1::2]:
                if begins.match(quoted):
                    yield tuple(shlex.split(quoted)), True
        elif begins.match(line):
            while line.endswith("\\"):
                line = f"{line[:-1]} {next(lines, '').strip()}"
            yield tuple(shlex.split(line.removeprefix("$ "), comments=True)), False
