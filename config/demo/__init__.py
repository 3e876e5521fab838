"""The demonstration: a fictional desk with people, customers and sixty cases with a past made by the real moves."""
