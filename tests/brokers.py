"""Fixtures: private Redis and RabbitMQ servers, and the environment of processes that a test starts."""

from __future__ import annotations
