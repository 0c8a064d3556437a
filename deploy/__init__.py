"""Everything that is not one of the running packages: sample data, and what runs them."""
