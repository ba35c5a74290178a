"""Glance: its API alone, for the metadata definitions that Horizon makes forms of."""

from . import http, ini, processes
from .keystone import token_checks


def configure(folder, environment, database, keystone, url, password):
    """Writes its configuration."""
    images = folder.state / 'images'
    images.mkdir(exist_ok=True)
    ini.write(folder.etc / 'glance-api.conf', {
        'DEFAULT': {
            'log_file': folder.log / 'glance-api.log',
            'enabled_backends': 'folder:file',
            'worker_self_reference_url': url,
        },
        'glance_store': {'default_backend': 'folder'},
        'folder': {'filesystem_store_datadir': images},
        'os_glance_staging_store': {'filesystem_store_datadir': folder.state / 'staging'},
        'os_glance_tasks_store': {'filesystem_store_datadir': folder.state / 'tasks'},
        'database': {'connection': database},
        'oslo_concurrency': {'lock_path': folder.state / 'locks'},
        'paste_deploy': {
            'flavor': 'keystone',
            'config_file': environment / 'etc' / 'glance' / 'glance-api-paste.ini',
        },
        'keystone_authtoken': token_checks(keystone, password),
    })


def make_tables(folder, environment, env):
    """Makes its tables."""
    processes.run('making the tables of Glance', [
        environment / 'bin' / 'glance-manage', '--config-file', folder.etc / 'glance-api.conf',
        'db_sync'], folder.log / 'glance-manage.out', env=env)


def start(folder, started, environment, port, env):
    """Starts it; `wait` waits until it answers."""
    started.start('glance-api', [
        environment / 'bin' / 'gunicorn', '--bind', f'127.0.0.1:{port}', '--workers', 1,
        '--worker-class', 'gthread', '--threads', 1, '--worker-tmp-dir', folder.run,
        'glance.wsgi.api:application'],
        {**env, 'OS_GLANCE_CONFIG_DIR': str(folder.etc)})


def wait(started, port):
    """Waits until it answers."""
    started.wait_for('glance-api', lambda: http.is_ok(f'http://127.0.0.1:{port}/healthcheck'))
