"""Outputs of a step: all of them, or none; and those of an earlier try, whose files are about to go."""
import contextlib


@contextlib.contextmanager
def allOrNone(protocol):
    """Within: outputs are made. Where that fails, those that were made already go again: half a result looks whole."""
    before = dict(protocol.iterOutputAttributes())
    try:
        yield
    except Exception:
        for name, output in list(protocol.iterOutputAttributes()):
            if before.get(name) is not output:
                _drop(protocol, name, output)
        raise
    # Scipion notes a step as finished before it commits the outputs: a kill in between would leave a run without any
    protocol.mapper.commit()


def forgetOutputs(protocol):
    """The run has no outputs any more, in the database that it is stored in; files are left as they are."""
    outputs = list(protocol.iterOutputAttributes())
    if not outputs:
        return
    for name, output in outputs:
        _drop(protocol, name, output)
    protocol._outputs.clear()
    protocol.mapper.deleteRelations(protocol)
    protocol._store()


def dropForgotten(protocol, other):
    """Drop the outputs that `other`, the newer record of the same run, has no longer; Scipion itself only adds."""
    for name, _ in list(protocol.iterOutputAttributes()):
        if not hasattr(other, name):
            delattr(protocol, name)
            protocol._outputs.remove(name)


def _drop(protocol, name, output):
    protocol._deleteChild(name, output)
    delattr(protocol, name)
    if name in protocol._outputs:
        protocol._outputs.remove(name)
