"""A real program's calls on the model, at their real addresses.

`start.py` makes an address space from maps, `process.py` makes one call of a log on it, `program.py` follows all
processes of a log, `layout.py` holds what came out against the process's maps.
"""
