"""Staging relations and policy to groups; pure."""
