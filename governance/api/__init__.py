"""The machine API of who may change and use what exists (design, section 6.3).

Change requests, grants and requests for them, the compatibility engine, the ledger.
"""
