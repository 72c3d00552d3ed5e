"""The words of the house: frozen values and pure rules. No I/O, no clock, no foreign library."""
