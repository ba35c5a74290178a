"""MariaDB: the database of Keystone and Cinder.

SQLite would be less work, but answers 500 under a few writers at once; and what Cinder answers
depends on its database (whole seconds, letter case, emoji), which is MySQL's kind nearly
everywhere.
"""

import getpass
import subprocess

from . import packages, ports, processes

USER = 'openstack'


def start(folder, started, port, password):
    """Starts it with an empty database for each service."""
    log = folder.log / 'mariadb-install-db.out'
    owner = getpass.getuser()
    processes.run('mariadb-install-db', [
        'mariadb-install-db', '--no-defaults', f'--user={owner}', '--skip-test-db',
        f'--datadir={folder.database}', '--auth-root-authentication-method=normal'], log)
    script = folder.etc / 'mariadb.sql'
    script.touch(mode=0o600)
    script.write_text(
        f"CREATE USER IF NOT EXISTS '{USER}'@'127.0.0.1' IDENTIFIED BY '{password}';\n"
        f"GRANT ALL ON *.* TO '{USER}'@'127.0.0.1';\n"
        "DROP USER IF EXISTS root@localhost;\n"
        'CREATE DATABASE IF NOT EXISTS keystone;\n'
        'CREATE DATABASE IF NOT EXISTS cinder;\n'
        'CREATE DATABASE IF NOT EXISTS glance;\n')
    started.start('mariadb', [
        packages.MARIADB, '--no-defaults', f'--user={owner}', f'--datadir={folder.database}',
        # No Unix socket: its path could be longer than 107 characters.
        '--socket=', '--bind-address=127.0.0.1', f'--port={port}', '--skip-name-resolve',
        f'--pid-file={folder.run}/mariadb.pid', f'--init-file={script}',
        '--character-set-server=utf8mb4', '--max-connections=500',
        # It is thrown away: nothing has to survive a crash.
        '--innodb-flush-log-at-trx-commit=0', '--sync-binlog=0', '--innodb-doublewrite=0',
        '--innodb-log-file-size=32M', '--innodb-buffer-pool-size=64M',
        '--performance-schema=OFF'])
    started.wait_for('mariadb', lambda: ports.answers(port))


def url(database, port, password):
    """How SQLAlchemy finds a database."""
    return f'mysql+pymysql://{USER}:{password}@127.0.0.1:{port}/{database}?charset=utf8mb4'


def version():
    """The version that is installed."""
    told = subprocess.run([packages.MARIADB, '--version'], capture_output=True, text=True)
    return told.stdout.strip()
