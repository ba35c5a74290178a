"""Requests to the cloud's own services, as far as bringing it up needs them."""

import json
import urllib.error
import urllib.request

from .processes import Failed

# Proxies are for the outside.
_open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


def is_ok(url):
    """Whether something answers there with a success."""
    try:
        with _open(url, timeout=5) as answer:
            return answer.status < 300
    except OSError:
        return False


def call(method, url, token=None, body=None):
    """The headers and the JSON of a success."""
    headers = {'Content-Type': 'application/json'}
    if token:
        headers['X-Auth-Token'] = token
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with _open(request, timeout=60) as answer:
            text = answer.read()
            return answer.headers, json.loads(text) if text else None
    except urllib.error.HTTPError as error:
        raise Failed(f'{method} {url} answered {error.code}: {error.read().decode()}') from None


def password_token(keystone, user, password, project):
    """A token for a project, and what Keystone says about it."""
    domain = {'id': 'default'}
    headers, body = call('POST', f'{keystone}/auth/tokens', body={'auth': {
        'identity': {'methods': ['password'], 'password': {'user': {
            'name': user, 'domain': domain, 'password': password}}},
        'scope': {'project': {'name': project, 'domain': domain}}}})
    return headers['X-Subject-Token'], body['token']
