"""The pretend Zalo Bot platform: its methods and six codes, and what citizens do there, without buttons."""
