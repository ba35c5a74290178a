"""Keystone, served by gunicorn."""

from . import http, ini, processes

# One thread: Keystone keeps the token of a request where all threads see it, and another's
# roles are then taken for one's own. One worker: without a cache answers take 0.2 s and more,
# and this one is per process.
WORKERS, THREADS = 1, 1


def configure(folder, database):
    """Writes its configuration."""
    keys = {name: folder.state / name
            for name in ('fernet-tokens', 'fernet-receipts', 'credentials')}
    ini.write(folder.etc / 'keystone.conf', {
        'DEFAULT': {'log_file': folder.log / 'keystone.log'},
        'database': {'connection': database},
        'token': {'provider': 'fernet', 'expiration': 3600},
        'fernet_tokens': {'key_repository': keys['fernet-tokens']},
        # Bootstrapping looks at these too, though nobody uses receipts here.
        'fernet_receipts': {'key_repository': keys['fernet-receipts']},
        'credential': {'key_repository': keys['credentials']},
        'cache': {'enabled': 'true', 'backend': 'dogpile.cache.memory'},
        # The least there is: the passwords protect nothing.
        'identity': {'password_hash_rounds': 4},
    })
    return list(keys.values())


def token_checks(url, password):
    """How a service has the tokens of its requests checked here."""
    return {
        'www_authenticate_uri': url.removesuffix('/v3'),
        'auth_url': url,
        'auth_type': 'password',
        'project_domain_name': 'Default',
        'user_domain_name': 'Default',
        'project_name': 'service',
        'username': 'cinder',
        'password': password,
        # Every token is asked about every time, so that a revoked one ends at once.
        'token_cache_time': -1,
    }


def bootstrap(folder, python, keys, url, password, env):
    """Makes its tables, its keys, its administrator and its own catalogue entry."""
    processes.run('bootstrapping Keystone', [
        python, folder.etc / 'keystone_bootstrap.py', folder.etc / 'keystone.conf', url, *keys],
        folder.log / 'keystone-bootstrap.out', env={**env, 'KEYSTONE_PASSWORD': password})


def start(folder, started, environment, port, env):
    """Starts it and waits until it answers."""
    started.start('keystone', [
        environment / 'bin' / 'gunicorn', '--bind', f'127.0.0.1:{port}',
        '--workers', WORKERS, '--worker-class', 'gthread', '--threads', THREADS,
        '--keep-alive', '75', '--worker-tmp-dir', folder.run,
        'keystone_wsgi:application'],
        {**env, 'OS_KEYSTONE_CONFIG_DIR': str(folder.etc)})
    started.wait_for('keystone', lambda: http.is_ok(f'http://127.0.0.1:{port}/v3'))
