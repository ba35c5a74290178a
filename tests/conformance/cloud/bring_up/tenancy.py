"""What a fresh Keystone and Cinder lack: a catalogue, Cinder's own user, and volume types.

Projects and users are not made here: a test makes its own.
"""

import time

from . import http
from .processes import Failed

REGION = 'RegionOne'
VOLUME_TYPES = {'plain': {}, 'shared': {'multiattach': '<is> True'}}


def fill(keystone, cinder, glance, password):
    """Fills the catalogue and gives the ids of the volume types."""
    token, told = http.password_token(keystone, 'admin', password, 'admin')

    def make(kind, path, **fields):
        return http.call('POST', f'{keystone}/{path}', token, {kind: fields})[1][kind]['id']

    # Both of the shapes that clouds have: with the project in the address, and without.
    for service_type, url in (('volumev3', f'{cinder}/v3/$(project_id)s'),
                              ('block-storage', f'{cinder}/v3'),
                              ('image', glance)):
        service = make('service', 'services', type=service_type, name=service_type)
        for interface in ('public', 'internal', 'admin'):
            make('endpoint', 'endpoints', service_id=service, interface=interface, url=url,
                 region_id=REGION)
    project = make('project', 'projects', name='service', domain_id='default')
    user = make('user', 'users', name='cinder', password=password, domain_id='default')
    roles = http.call('GET', f'{keystone}/roles', token)[1]['roles']
    for role in roles:
        if role['name'] in ('admin', 'service'):
            http.call('PUT', f'{keystone}/projects/{project}/users/{user}/roles/{role["id"]}',
                      token)
    _wait_for_services(cinder, token)
    for name, specs in VOLUME_TYPES.items():
        http.call('POST', f'{cinder}/v3/types', token, {'volume_type': {
            'name': name, 'extra_specs': {'volume_backend_name': 'storage', **specs}}})
    _prove(cinder, token)


def _wait_for_services(cinder, token):
    give_up = time.monotonic() + 60
    while True:
        services = http.call('GET', f'{cinder}/v3/os-services', token)[1]['services']
        up = {service['binary'] for service in services if service['state'] == 'up'}
        if {'cinder-scheduler', 'cinder-volume'} <= up:
            return
        if time.monotonic() > give_up:
            raise Failed(f'not all of Cinder came up: {services}')
        time.sleep(0.2)


def _prove(cinder, token):
    """Makes a volume until one becomes available: at first the scheduler has not heard of the
    storage yet, and the volume ends in error."""
    give_up = time.monotonic() + 60
    while True:
        volume = http.call('POST', f'{cinder}/v3/volumes', token, {
            'volume': {'size': 1, 'name': 'proof'}})[1]['volume']['id']
        while True:
            status = http.call('GET', f'{cinder}/v3/volumes/{volume}',
                               token)[1]['volume']['status']
            if status == 'available' or status.startswith('error'):
                break
            time.sleep(0.1)
        http.call('DELETE', f'{cinder}/v3/volumes/{volume}', token)
        if status == 'available':
            return
        if time.monotonic() > give_up:
            raise Failed('a volume could not be made; see the log of cinder-scheduler')
        time.sleep(0.3)
