"""A real Keystone and a real Cinder on one machine, without containers.

`cloud` puts the parts together in their order; each other module is one part. Only the
standard library is used here: OpenStack's own packages live in an environment of their own
(`packages`), and the few files that run inside that are in `inside/`.
"""
