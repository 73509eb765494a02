"""How machines sign in: an API key as a bearer token or in X-API-Key."""
