"""What has to be installed: MariaDB and RabbitMQ from Debian, OpenStack from PyPI.

Python's packages are pinned one by one in `requirements.lock`. They live in an environment of
their own, named after the lock's content, so that a changed lock makes a new one and an old
one is never half right. Debian's are those of its stable release, and are the only thing that
is installed for the whole machine.
"""

import concurrent.futures
import contextlib
import hashlib
import importlib.util
import os
import pathlib
import shutil
import sys

from . import processes

HERE = pathlib.Path(__file__).parent
LOCK = HERE.parent / 'requirements.lock'
# The command `openstack`, apart: it wants other versions of what OpenStack's services use too.
CLIENT_LOCK = HERE.parent / 'client.lock'
DEFAULT_FOLDER = HERE.parents[3] / 'target' / 'openstack-packages'
# Resolves and unpacks ten times as fast as pip.
INSTALLER = 'uv==0.13.9'

RABBITMQ = pathlib.Path('/usr/lib/rabbitmq/bin/rabbitmq-server')
MARIADB = pathlib.Path('/usr/sbin/mariadbd')


def install(folder, log, say):
    """Installs what is missing and gives the environments of the services and of the client."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        debian = pool.submit(_install_debian, log / 'install-debian.out')
        if not _can_make_environments():
            debian.result()
        environments = [_install_python(pathlib.Path(folder), lock, name,
                                        log / 'install-python.out')
                        for lock, name in ((LOCK, 'openstack'), (CLIENT_LOCK, 'client'))]
        say('Keystone, Cinder, Glance and their client are installed')
        debian.result()
        say('MariaDB and RabbitMQ are installed')
    return environments


def _can_make_environments():
    """Debian packs this part of Python apart."""
    return importlib.util.find_spec('ensurepip') is not None


def _install_debian(log):
    wanted = []
    if not MARIADB.exists():
        wanted.append('mariadb-server')
    if not RABBITMQ.exists():
        wanted.append('rabbitmq-server')
    if not _can_make_environments():
        wanted.append('python3-venv')
    if not wanted:
        return
    if os.geteuid() != 0 or not shutil.which('apt-get'):
        raise processes.Failed(
            f'these Debian packages are missing: {" ".join(wanted)}. Install them, or run this '
            'as root on Debian to have it done')
    env = {**os.environ, 'DEBIAN_FRONTEND': 'noninteractive'}
    with _no_services_started():
        processes.run('apt-get update', ['apt-get', 'update', '-qq'], log, env=env)
        processes.run('apt-get install', [
            'apt-get', 'install', '-y', '-qq', '--no-install-recommends',
            '-o', 'DPkg::Lock::Timeout=120', *wanted], log, env=env)


@contextlib.contextmanager
def _no_services_started():
    """Debian starts a service as soon as it is installed, unless this script says no."""
    policy = pathlib.Path('/usr/sbin/policy-rc.d')
    if policy.exists():
        yield
        return
    policy.write_text('#!/bin/sh\nexit 101\n')
    policy.chmod(0o755)
    try:
        yield
    finally:
        policy.unlink()


def _install_python(folder, lock, name, log):
    python = sys.executable if sys.version_info[:2] == (3, 11) else shutil.which('python3.11')
    if python is None:
        raise processes.Failed(f'{lock.name} is for Python 3.11, and there is none')
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
    environment = folder / f'{name}-{digest}'
    done = environment / 'complete'
    if done.exists():
        return environment
    folder.mkdir(parents=True, exist_ok=True)
    installer = folder / 'installer'
    if not (installer / 'bin' / 'uv').exists():
        processes.run('making an environment', [python, '-m', 'venv', installer], log)
        processes.run('installing uv', [
            installer / 'bin' / 'pip', 'install', '--quiet', INSTALLER], log)
    uv = installer / 'bin' / 'uv'
    processes.run('making an environment', [
        uv, 'venv', '--quiet', '--clear', '--python', python, environment], log)
    processes.run(f'installing {name}', [
        uv, 'pip', 'install', '--quiet', '--python', environment / 'bin' / 'python',
        '--requirement', lock], log)
    done.touch()
    return environment
