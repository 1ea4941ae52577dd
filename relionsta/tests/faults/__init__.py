"""The campaign that breaks things on purpose: python -m relionsta.tests.faults (make faults).

A group is a module here with a function `run(ledger)`: it goes through its table of cases, does the harm with the tools
of injectors/ and writes what came of each into the ledger. groups.py lists the groups.
"""
