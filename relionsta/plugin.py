"""The plugin, as Scipion sees it: where RELION is, what it can do, how it is installed."""
import os
import sys

import pwem
from pyworkflow import VarTypes
from pyworkflow.utils import Environ

from .runtime.build import RELION_HOME, RelionBuild, RelionNotFound, find_build
from .runtime.folder import runtime_folder


class Plugin(pwem.Plugin):
    """RELION-5 subtomogram averaging."""

    __module__ = __package__  # Scipion finds the plugin's folder by the module of its class
    _homeVar = RELION_HOME
    _pathVars = [RELION_HOME]
    _supportedVersions = ['5.0', '5.1']
    _url = 'https://relion.readthedocs.io'

    @classmethod
    def _defineVariables(cls):
        cls._defineVar(RELION_HOME, str(runtime_folder()), var_type=VarTypes.FOLDER,
                       description='Folder of a RELION 5 (the one that holds bin/). Unset: the private RELION that '
                                   '`scipion3 installb relionsta-relion-5.1` or `python -m relionsta install-relion` '
                                   'installs.')

    @classmethod
    def getBuild(cls) -> RelionBuild:
        """The RELION in use. Raises RelionNotFound with a remedy."""
        return find_build()

    @classmethod
    def getActiveVersion(cls, home=None, versions=None):
        """Version of the RELION in use, from its own --version (never from a folder's name); '' if none."""
        try:
            return cls.getBuild().version_text
        except RelionNotFound:
            return ''

    @classmethod
    def getEnviron(cls):
        """The environment for RELION: its programs come first in PATH, nothing else changes."""
        environ = Environ(os.environ)
        environ.update({'PATH': str(cls.getBuild().home / 'bin')}, position=Environ.BEGIN)
        return environ

    @classmethod
    def validateInstallation(cls):
        """Messages with remedies; empty if RELION can be used."""
        try:
            build = cls.getBuild()
        except RelionNotFound as missing:
            return [str(missing)]
        return [] if build.has_mpi else ['%s has no MPI programs (relion_refine_mpi), which 3D auto-refine needs. '
                                         'Build RELION with MPI.' % build.describe()]

    @classmethod
    def defineBinaries(cls, env):
        folder = runtime_folder()
        env.addPackage('relionsta-relion', version='5.1', tar='void.tgz', default=True,
                       commands=[('%s -m relionsta install-relion' % sys.executable, [str(folder / 'runtime.json')])])
