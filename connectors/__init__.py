"""Connectors: departments' systems, read where they stand, as records in Kafka.

A source is read in cycles: number, snapshot, mapping, sending, watermark. What a department means by its
columns stands in one YAML per source; nothing about a department is written in Python.
"""
