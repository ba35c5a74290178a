"""Keystone as a WSGI application under gunicorn.

Keystone reads the command line when it is imported, and would take gunicorn's for its own.
"""
import sys

sys.argv = ['keystone']
from keystone.wsgi.api import application  # noqa: E402,F401
