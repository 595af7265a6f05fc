"""bot decides, and opens the doors for citizens' channels, officials' browsers, workers and operators."""
