"""RabbitMQ: how Cinder's processes talk to each other."""

from . import packages, ports


def start(folder, started, port, distribution_port, names_port):
    """Starts it; `wait` waits until it is ready."""
    (folder.etc / 'rabbitmq-plugins').write_text('[].\n')
    (folder.etc / 'rabbitmq.conf').write_text('log.console.level = warning\n')
    # Erlang would start its name server by itself, as a daemon that nobody ends.
    env = {'ERL_EPMD_PORT': str(names_port), 'ERL_EPMD_ADDRESS': '127.0.0.1'}
    started.start('epmd', ['epmd'], env)
    started.wait_for('epmd', lambda: ports.answers(names_port))
    # Debian's own starter insists on a user and on folders; this one takes ours.
    started.start('rabbitmq', [packages.RABBITMQ], {
        **env,
        'HOME': str(folder.broker),
        'RABBITMQ_NODENAME': f'snapsentry{port}@localhost',
        'RABBITMQ_NODE_IP_ADDRESS': '127.0.0.1',
        'RABBITMQ_NODE_PORT': str(port),
        'RABBITMQ_DIST_PORT': str(distribution_port),
        'RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS': '-kernel inet_dist_use_interface {127,0,0,1}',
        'RABBITMQ_MNESIA_BASE': str(folder.broker / 'mnesia'),
        'RABBITMQ_LOG_BASE': str(folder.log),
        'RABBITMQ_CONFIG_FILE': str(folder.etc / 'rabbitmq'),
        'RABBITMQ_ENABLED_PLUGINS_FILE': str(folder.etc / 'rabbitmq-plugins'),
        'RABBITMQ_PID_FILE': str(folder.run / 'rabbitmq.pid'),
    })


def wait(started, port):
    """Waits until it accepts connections."""
    started.wait_for('rabbitmq', lambda: ports.answers(port))


def url(port):
    """How oslo.messaging finds it."""
    return f'rabbit://guest:guest@127.0.0.1:{port}/'
