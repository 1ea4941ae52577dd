"""FSC curves as Scipion objects, so that any viewer of Scipion shows them."""
from pwem.objects import FSC, SetOfFSCs


def addFscSet(protocol, curves):
    """A SetOfFSCs of the run. curves: label -> (spatial frequency in 1/Å, FSC), the order is kept."""
    fscs = SetOfFSCs.create(protocol._getPath())
    for label, (frequency, values) in curves.items():
        fsc = FSC(objLabel=label)
        fsc.setData([float(value) for value in frequency], [float(value) for value in values])
        fscs.append(fsc)
    fscs.write()
    return fscs
