"""Filters for templates that speak of cases."""
