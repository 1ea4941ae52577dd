"""RELION-5 subtomogram averaging inside Scipion."""

__version__ = '0.1.0'
_logo = 'relionsta_logo.png'
_references = ['Burt2024', 'Zivanov2022']


def __getattr__(name):
    """The plugin class, when Scipion asks for it: the pure rooms of the package must not need Scipion."""
    if name == 'Plugin':
        from .plugin import Plugin
        return Plugin
    raise AttributeError('module %r has no attribute %r' % (__name__, name))
