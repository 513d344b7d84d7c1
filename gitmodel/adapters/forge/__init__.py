"""Forges through their APIs: one small HTTP client, one module per forge."""
