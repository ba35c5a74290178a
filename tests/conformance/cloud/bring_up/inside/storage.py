"""A storage that stores nothing, and misbehaves on demand.

Cinder's own volume manager calls it, so states, messages and quotas are Cinder's. What it does
with the snapshots of a volume is told by the file `$STORAGE_BEHAVIOUR/VOLUME_ID.json`, read
anew at every call: a list of orders that all apply, as

    [{"behaviour": "create_slowly", "seconds": 3},
     {"behaviour": "create_fails", "named": "managed-daily-*"}]

`named` is a shell pattern for the snapshot's name. Other orders do not end a call that hangs:
it returns when the file is gone. `volume_...` is for new volumes made from its snapshots.
"""
import fnmatch
import json
import os
import time

from cinder import exception
from cinder import interface
from cinder.volume import driver

NAP = 0.2


def _file(snapshot):
    return os.path.join(os.environ['STORAGE_BEHAVIOUR'], f'{snapshot.volume_id}.json')


def _orders(snapshot):
    try:
        with open(_file(snapshot)) as file:
            orders = json.load(file)
    except FileNotFoundError:
        return []
    name = snapshot.display_name or ''
    return [order for order in orders if fnmatch.fnmatchcase(name, order.get('named', '*'))]


def _behave(verb, snapshot):
    for order in _orders(snapshot):
        if order['behaviour'] == f'{verb}_slowly':
            time.sleep(order['seconds'])
        elif order['behaviour'] == f'{verb}_hangs':
            while os.path.exists(_file(snapshot)):
                time.sleep(NAP)
        elif order['behaviour'] == f'{verb}_fails':
            raise exception.VolumeBackendAPIException(data='told to fail')
        elif order['behaviour'] == f'{verb}_busy':
            raise exception.SnapshotIsBusy(snapshot_name=snapshot.name)


@interface.volumedriver
class Storage(driver.VolumeDriver):
    VERSION = '1'

    def do_setup(self, context):
        pass

    def check_for_setup_error(self):
        pass

    def get_volume_stats(self, refresh=False):
        return {
            'volume_backend_name': 'storage', 'vendor_name': 'SnapSentry',
            'driver_version': self.VERSION, 'storage_protocol': 'iSCSI',
            'pools': [{
                'pool_name': 'storage', 'total_capacity_gb': 1000000,
                'free_capacity_gb': 1000000, 'provisioned_capacity_gb': 0,
                'max_over_subscription_ratio': '20.0', 'thin_provisioning_support': True,
                'thick_provisioning_support': False, 'reserved_percentage': 0,
                'multiattach': True, 'QoS_support': False, 'filter_function': None,
                'goodness_function': None,
            }],
        }

    def create_volume(self, volume):
        pass

    def delete_volume(self, volume):
        pass

    def create_snapshot(self, snapshot):
        _behave('create', snapshot)

    def delete_snapshot(self, snapshot):
        _behave('delete', snapshot)

    def create_volume_from_snapshot(self, volume, snapshot):
        _behave('volume', snapshot)

    def ensure_export(self, context, volume):
        pass

    def create_export(self, context, volume, connector):
        pass

    def remove_export(self, context, volume):
        pass

    def initialize_connection(self, volume, connector, **kwargs):
        return {'driver_volume_type': 'iscsi', 'data': {}}

    def terminate_connection(self, volume, connector, **kwargs):
        pass
