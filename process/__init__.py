"""What every running process shares: how it is set, what it goes by, what it says, how it ends.

Of ours, only the contract (`schemas`) is imported here, so that everything else of ours may import it.
"""
