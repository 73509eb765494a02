"""Pages of the catalog, one noun a file."""
