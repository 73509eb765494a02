"""Transports against real servers, friendly and hostile, on the loopback interface."""
