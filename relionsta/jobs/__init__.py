"""What RELION can be asked: one file per RELION job (options, command, checks), and the files that jobs make.

Pure: nothing here knows Scipion. To add a job, write its file and name it in `registry.py`.
"""
