"""Outputs of a step: all of them, or none."""
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
                protocol._deleteChild(name, output)
                if name in protocol._outputs:
                    protocol._outputs.remove(name)
        raise
