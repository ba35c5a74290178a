"""Makes Keystone's keys, tables and administrator in one process: CONFIG URL KEYS...

Importing Keystone takes longer than all of that, so running its own command once for each
step would take four times as long. KEYS are the folders for keys.
"""
import base64
import os
import sys

from keystone.cmd import cli

config, url, *key_folders = sys.argv[1:]

for folder in key_folders:
    os.makedirs(folder, mode=0o700, exist_ok=True)
    for name in ('0', '1'):
        file = os.open(os.path.join(folder, name), os.O_WRONLY | os.O_CREAT, 0o600)
        os.write(file, base64.urlsafe_b64encode(os.urandom(32)))
        os.close(file)

cli.main(argv=['keystone-manage', '--config-file', config, 'db_sync'])
# `main` registers its options and cannot do so twice; this is what it ends with.
cli.CONF(project='keystone', args=[
    '--config-file', config, 'bootstrap',
    '--bootstrap-username', 'admin', '--bootstrap-project-name', 'admin',
    '--bootstrap-role-name', 'admin', '--bootstrap-password', os.environ['KEYSTONE_PASSWORD'],
    '--bootstrap-service-name', 'keystone', '--bootstrap-region-id', 'RegionOne',
    '--bootstrap-public-url', url, '--bootstrap-internal-url', url,
    '--bootstrap-admin-url', url])
cli.CONF.command.cmd_class.main()
