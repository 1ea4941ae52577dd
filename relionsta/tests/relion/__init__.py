"""Tests on RELION itself, run by pytest; Scipion's own test finder has nothing to do here."""


def load_tests(loader, tests, pattern):
    return tests
