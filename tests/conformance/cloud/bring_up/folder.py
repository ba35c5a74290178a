"""The folder that a cloud lives in: what lies where, so that nothing lies anywhere else."""

import contextlib
import fcntl
import json
import os
import pathlib
import shutil

# Everything that a cloud may leave in its folder; `down` removes these and nothing else.
PARTS = ('etc', 'run', 'log', 'state', 'database', 'broker', 'behaviour')


class Folder:
    """The paths in a cloud's folder."""

    def __init__(self, path):
        self.path = pathlib.Path(path).absolute()
        self.etc = self.path / 'etc'
        self.run = self.path / 'run'
        self.log = self.path / 'log'
        self.state = self.path / 'state'
        self.database = self.path / 'database'
        self.broker = self.path / 'broker'
        # One file a volume: what the storage is to do with its snapshots.
        self.behaviour = self.path / 'behaviour'
        # What a client has to know; written last, so that its presence means a whole cloud.
        self.description = self.path / 'cloud.json'
        self._lock = self.path / 'lock'

    def exists(self):
        return self.path.is_dir()

    def make(self):
        for part in PARTS:
            (self.path / part).mkdir(parents=True, exist_ok=True)

    def remove_contents(self):
        for part in PARTS:
            shutil.rmtree(self.path / part, ignore_errors=True)
        self.description.unlink(missing_ok=True)

    def remove_if_empty(self):
        self._lock.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.path.rmdir()

    @contextlib.contextmanager
    def locked(self):
        """Only one `up` or `down` works in a folder at a time."""
        self.path.mkdir(parents=True, exist_ok=True)
        with open(self._lock, 'w') as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def describe(self, description):
        # It holds the administrator's password.
        temporary = self.description.with_suffix('.new')
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 'w') as file:
            json.dump(description, file, indent=1)
        temporary.rename(self.description)

    def read_description(self):
        try:
            return json.loads(self.description.read_text())
        except (OSError, ValueError):
            return None
