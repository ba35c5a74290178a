"""Cinder: its API, its scheduler and its volume service, a process each.

The volume service is Cinder's own; only the last step, touching a disk, is replaced by a
storage that stores nothing and misbehaves on demand (`inside/storage.py`).
"""

from . import http, ini, processes
from .keystone import token_checks

SERVICES = ('api', 'scheduler', 'volume')
WORKERS = 2
# Seconds. Long enough for a machine that is busy with a build.
SERVICE_DOWN_TIME = 12


def configure(folder, environment, database, broker, keystone, port, page_size, password):
    """Writes its configuration."""
    shipped = environment / 'etc' / 'cinder'
    state = folder.state / 'cinder'
    state.mkdir(exist_ok=True)
    ini.write(folder.etc / 'cinder.conf', {
        'DEFAULT': {
            'log_dir': folder.log,
            'state_path': state,
            'host': 'storage-host',
            'my_ip': '127.0.0.1',
            'osapi_volume_listen': '127.0.0.1',
            'osapi_volume_listen_port': port,
            'osapi_volume_workers': WORKERS,
            'osapi_max_limit': page_size,
            'api_paste_config': shipped / 'api-paste.ini',
            'resource_query_filters_file': shipped / 'resource_filters.json',
            'rootwrap_config': shipped / 'rootwrap.conf',
            'auth_strategy': 'keystone',
            'transport_url': broker,
            'enabled_backends': 'storage',
            'default_volume_type': 'plain',
            'allow_availability_zone_fallback': 'true',
            'quota_volumes': -1,
            'quota_snapshots': -1,
            'quota_gigabytes': -1,
            'per_volume_size_limit': -1,
            'periodic_interval': 10,
            # What the storage says about itself is lost where the scheduler does not listen
            # yet; a minute is long to wait for the next time.
            'backend_stats_polling_interval': 3,
            'report_interval': 2,
            # From here on the scheduler takes a service that does not report for dead. Cinder's
            # own default is a minute.
            'service_down_time': SERVICE_DOWN_TIME,
            'scheduler_driver_init_wait_time': 1,
            'rpc_response_timeout': 30,
        },
        'database': {'connection': database, 'max_pool_size': 20},
        'oslo_concurrency': {'lock_path': folder.state / 'locks'},
        'oslo_messaging_rabbit': {'rabbit_quorum_queue': 'false'},
        'keystone_authtoken': {
            **token_checks(keystone, password),
            # Access rules name the service like this; without it each of them is refused.
            'service_type': 'block-storage',
            'service_token_roles': 'service',
            'service_token_roles_required': 'true',
        },
        'storage': {
            'volume_driver': 'storage.Storage',
            'volume_backend_name': 'storage',
        },
    })


def make_tables(folder, environment, env):
    """Makes its tables."""
    processes.run('making the tables of Cinder', [
        environment / 'bin' / 'cinder-manage', '--config-file', folder.etc / 'cinder.conf',
        'db', 'sync'], folder.log / 'cinder-manage.out', env=env)


def start(folder, started, environment, port, env):
    """Starts its processes and waits until the API answers."""
    for service in SERVICES:
        started.start(f'cinder-{service}', [
            environment / 'bin' / f'cinder-{service}',
            '--config-file', folder.etc / 'cinder.conf'],
            {**env, 'STORAGE_BEHAVIOUR': str(folder.behaviour)})
    healthy = f'http://127.0.0.1:{port}/healthcheck'
    started.wait_for('cinder-api', lambda: http.is_ok(healthy))
