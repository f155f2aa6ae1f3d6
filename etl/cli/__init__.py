"""The program `shafaf`: thin verbs over public functions."""
