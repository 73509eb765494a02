"""What exists: domains, topics, event types, schema versions, applications, teams, people.

Lives here: the models everyone points at, their query words, documents about them, their pages.
Does not: who may do what (`governance`), what happens at run time (`delivery`).
Start reading at `models/`, then `querysets.py` and `fields.py`.
"""
