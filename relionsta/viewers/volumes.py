"""Other programs that show maps in three dimensions, as far as they are installed."""
import importlib.util
import os

CHIMERAX = 'ChimeraX'
XMIPP = "Scipion's slices (Xmipp)"


def volumeViewers():
    """The names of the programs that can be used here; may be empty."""
    names = []
    if _chimeraProgram():
        names.append(CHIMERAX)
    # pwem's own viewer of volumes is a Java program that comes with the plugin of Xmipp
    if importlib.util.find_spec('xmipp3') is not None:
        names.append(XMIPP)
    return names


def volumeViews(name, paths, project, protocol):
    """Views that show the maps in the program `name`, one of volumeViewers()."""
    from pwem.viewers import ObjectView
    from pwem.viewers.viewer_chimera import ChimeraView

    if name == CHIMERAX:
        return [ChimeraView([os.path.abspath(path) for path in paths])]
    return [ObjectView(project, protocol.strId(), path) for path in paths]


def _chimeraProgram():
    from pwem.viewers.viewer_chimera import Chimera

    program = Chimera.getProgram()
    return program if program and os.path.exists(program) else None


def chimeraScriptView(path):
    """The view that opens a script in ChimeraX, or None where ChimeraX is not found."""
    from pwem.viewers.viewer_chimera import ChimeraView

    return ChimeraView([os.path.abspath(str(path))]) if _chimeraProgram() else None
