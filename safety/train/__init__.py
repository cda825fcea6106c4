"""How the trained parts of the screen and the scrubber are made; nothing here is served."""
