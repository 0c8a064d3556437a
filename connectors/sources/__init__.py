"""Sources: how a department's rows are read. Each kind gives snapshots, and says what stops it."""
