"""How a reading came about: which field and rule gave what."""
