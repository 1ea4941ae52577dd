"""Scenes that RELION projects and averages again, with Scipion in between: what test_scenes.py and the docs' table use."""


def load_tests(loader, tests, pattern):
    return tests
