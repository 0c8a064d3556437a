"""The contract: Avro files, attribute catalogue, codec, identifiers, subject keys. Imports nothing of ours."""
