"""The processes of a cloud: started apart from this one, found again later, ended for good.

A process is known by its id and the moment it started: an id alone may belong to a stranger by
the time somebody looks again. Each leads a process group of its own, so that its workers end
with it.
"""

import json
import os
import pathlib
import signal
import subprocess
import time


class Failed(Exception):
    """The cloud could not be brought up; the text says which part and why."""


def run(what, command, log, **more):
    """Runs a command to its end; its output goes to the file `log`."""
    with open(log, 'ab') as output:
        done = subprocess.run([str(word) for word in command], stdout=output,
                              stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, **more)
    if done.returncode != 0:
        raise Failed(f'{what} failed:\n{_end_of(log)}')


class Processes:
    """The processes of one cloud."""

    def __init__(self, folder):
        self.folder = folder

    def start(self, name, command, env=None):
        """Starts a process that outlives this one."""
        env = env or {}
        with open(self._output(name), 'ab') as output:
            process = subprocess.Popen(
                [str(word) for word in command], stdout=output, stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL, start_new_session=True, cwd=self.folder.state,
                env={**os.environ, **env})
        # Enough to start it again: a test ends it, and brings it back.
        record = {'pid': process.pid, 'started': _started(process.pid),
                  'command': [str(word) for word in command],
                  'env': {key: value for key, value in env.items()
                          if os.environ.get(key) != value}}
        file = self.folder.run / f'{name}.json'
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 'w') as out:
            json.dump(record, out)

    def signal(self, name, number):
        """Sends a signal to a process and all that it has started; it must be there."""
        if not self._lives(name):
            raise Failed(f'{name} does not run')
        os.killpg(self._record(name)['pid'], number)

    def kill(self, name):
        """Ends one process at once, with all that it has started, and waits for that."""
        group = self._record(name)['pid']
        if self._lives(name):
            os.killpg(group, signal.SIGKILL)
        give_up = time.monotonic() + 10
        while _group_lives(group) and time.monotonic() < give_up:
            time.sleep(0.05)

    def start_again(self, name):
        """Starts a process as it was started before; nothing where it runs."""
        if not self._lives(name):
            record = self._record(name)
            self.start(name, record['command'], record['env'])

    def wait_for(self, name, is_ready, seconds=60):
        """Waits until a started process is ready; fails at once when it has ended."""
        give_up = time.monotonic() + seconds
        while not is_ready():
            if not self._lives(name):
                raise Failed(f'{name} has ended:\n{_end_of(self._output(name))}')
            if time.monotonic() > give_up:
                raise Failed(f'{name} is not ready after {seconds} s:\n'
                             f'{_end_of(self._output(name))}')
            time.sleep(0.1)

    def all_live(self):
        """Whether there are processes, and none of them has ended."""
        names = self.names()
        return bool(names) and all(self._lives(name) for name in names)

    def names(self):
        """What has been started."""
        return [file.stem for file in self.folder.run.glob('*.json')]

    def end(self):
        """Ends all of them at once. Their state is thrown away, so none is asked to tidy up."""
        groups = []
        for file in self.folder.run.glob('*.json'):
            if self._lives(file.stem):
                groups.append(self._record(file.stem)['pid'])
                os.killpg(groups[-1], signal.SIGKILL)
            file.unlink()
        give_up = time.monotonic() + 10
        while any(_group_lives(group) for group in groups) and time.monotonic() < give_up:
            time.sleep(0.05)

    def _output(self, name):
        return self.folder.log / f'{name}.out'

    def _record(self, name):
        return json.loads((self.folder.run / f'{name}.json').read_text())

    def _lives(self, name):
        record = self._record(name)
        return record['started'] is not None and _started(record['pid']) == record['started']


def _stat(pid):
    """The fields of a process's stat from its state on; its name may hold blanks."""
    try:
        return pathlib.Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    except OSError:
        return None


def _started(pid):
    """Clock ticks from boot to the start of a process; `None` for one that has ended, also
    where nobody has taken its exit status yet."""
    stat = _stat(pid)
    return None if stat is None or stat[0] == 'Z' else stat[19]


def _group_lives(group):
    return any(
        (stat := _stat(entry.name)) is not None and stat[0] != 'Z' and stat[2] == str(group)
        for entry in pathlib.Path('/proc').iterdir() if entry.name.isdigit())


def _end_of(log):
    try:
        return '\n'.join(pathlib.Path(log).read_text(errors='replace').splitlines()[-20:])
    except OSError:
        return '(no output)'
