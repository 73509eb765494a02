"""Fixtures: a browser and a whole running portal for the journeys."""

from __future__ import annotations
