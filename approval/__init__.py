"""The approval side: the registry as a view, items as data, and a verdict for every material an item asks for."""
