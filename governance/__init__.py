"""Who may change and use what exists: access, change requests, checks, grants, the ledger.

Lives here: the verbs that a person causes on a governed thing, the compatibility engine, playbook.
Does not: anything that happens to an event at run time (`delivery`).
Start reading at `access/`, then `governed.py`, `reviews.py` and `ledger.py`.
"""
