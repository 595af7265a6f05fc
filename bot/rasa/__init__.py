"""Our abilities in Rasa's vocabulary: actions and forms over the same use cases, for whoever drives the talk."""
