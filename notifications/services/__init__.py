"""The writes of this room, one verb each."""
