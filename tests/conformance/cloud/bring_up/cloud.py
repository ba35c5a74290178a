"""The whole cloud: its parts in the order in which they need each other."""

import concurrent.futures
import os
import pathlib
import secrets
import shutil

from . import (cinder, glance, http, keystone, mariadb, packages, ports, rabbitmq, tenancy)
from .processes import Processes

INSIDE = pathlib.Path(__file__).parent / 'inside'


def up(folder, packages_folder, page_size, say):
    """Brings the cloud up, unless it is."""
    started = Processes(folder)
    if is_up(folder, started):
        say('the cloud is up already')
        return
    down(folder)
    folder.make()
    environment, client = packages.install(packages_folder, folder.log, say)
    (keystone_port, cinder_port, glance_port, database_port, broker_port, distribution_port,
     names_port) = ports.free(7)
    password = secrets.token_hex(16)
    keystone_url = f'http://127.0.0.1:{keystone_port}/v3'
    cinder_url = f'http://127.0.0.1:{cinder_port}'
    glance_url = f'http://127.0.0.1:{glance_port}'

    for file in INSIDE.glob('*.py'):
        shutil.copy(file, folder.etc)
    env = {**os.environ, 'PYTHONPATH': str(folder.etc), 'PYTHONWARNINGS': 'ignore'}
    # Without .pyc files each of the five processes would compile OpenStack anew.
    env.pop('PYTHONDONTWRITEBYTECODE', None)
    keys = keystone.configure(folder, mariadb.url('keystone', database_port, password))
    cinder.configure(folder, environment, mariadb.url('cinder', database_port, password),
                     rabbitmq.url(broker_port), keystone_url, cinder_port, page_size, password)

    glance.configure(folder, environment, mariadb.url('glance', database_port, password),
                     keystone_url, glance_url, password)

    rabbitmq.start(folder, started, broker_port, distribution_port, names_port)
    mariadb.start(folder, started, database_port, password)
    say('MariaDB is up')
    with concurrent.futures.ThreadPoolExecutor() as pool:
        tables = pool.submit(cinder.make_tables, folder, environment, env)
        images = pool.submit(glance.make_tables, folder, environment, env)
        python = environment / 'bin' / 'python'
        keystone.bootstrap(folder, python, keys, keystone_url, password, env)
        keystone.start(folder, started, environment, keystone_port, env)
        say('Keystone is up')
        images.result()
        glance.start(folder, started, environment, glance_port, env)
        tables.result()
    rabbitmq.wait(started, broker_port)
    cinder.start(folder, started, environment, cinder_port, env)
    say('Cinder answers')
    glance.wait(started, glance_port)
    say('Glance answers')
    tenancy.fill(keystone_url, cinder_url, glance_url, password)
    folder.describe({
        'keystone': keystone_url,
        'cinder': cinder_url,
        'glance': glance_url,
        'client': str(client / 'bin' / 'openstack'),
        'database_url': f'mysql://{mariadb.USER}:{password}@127.0.0.1:{database_port}/cinder',
        'region': tenancy.REGION,
        'admin_password': password,
        'osapi_max_limit': page_size,
        'service_down_time': cinder.SERVICE_DOWN_TIME,
        'behaviour': str(folder.behaviour),
        'logs': {name: str(folder.log / f'cinder-{name}.log') for name in cinder.SERVICES},
        'database': mariadb.version(),
    })
    say('the cloud is up')


def is_up(folder, started):
    """Whether all of it is there and answers."""
    described = folder.read_description()
    return (described is not None and started.all_live()
            and http.is_ok(described['keystone'])
            and http.is_ok(f'{described["cinder"]}/healthcheck'))


def down(folder):
    """Ends whatever runs and removes what it left."""
    Processes(folder).end()
    folder.remove_contents()
