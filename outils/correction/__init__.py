"""Ce dont se sert corriger.py : lire les rendus, isoler les scripts, écrire les tableaux."""
