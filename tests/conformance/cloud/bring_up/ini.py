"""Configuration files as OpenStack reads them."""

import os


def write(path, sections):
    """Writes a file that only its owner may read: it holds passwords."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 'w') as file:
        for name, options in sections.items():
            file.write(f'[{name}]\n')
            file.writelines(f'{option} = {value}\n' for option, value in options.items())
