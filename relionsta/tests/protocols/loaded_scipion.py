"""Imported once, by the process that runs of tests are split off from (loaded.py): Scipion with all that its runs load."""
from pyworkflow import Config

Config.getDomain().getProtocols()
Config.getDomain().getObjects()
