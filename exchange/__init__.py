"""Reconciliation: departments' records in, what the registry says of each subject out."""
