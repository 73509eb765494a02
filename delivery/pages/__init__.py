"""Pages of delivery, one noun a file."""
