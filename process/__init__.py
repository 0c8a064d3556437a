"""What every running process shares: how it is set, what it says, how it ends.

Nothing of ours is imported here, so that everything of ours may import it.
"""
