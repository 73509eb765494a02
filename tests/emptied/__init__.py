"""A database engine for tests: PostgreSQL, emptied between them at a fraction of the cost."""
