"""What the product is held against: the bare server, and what most teams would build."""
