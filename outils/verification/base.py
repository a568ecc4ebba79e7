"""Une chose à écrire, telle que la décrivent les fichiers des scripts."""

import collections

# script, part : où elle est, « exercice1 », « 2.2.3 » ; consigne : celle de sa marque dans le script ;
# function : la fonction ou la classe qui la contient ; sections : celles qu'on joue ensuite ;
# observe : ce que l'enfant regarde, sans juger ; judge : ce que le parent en conclut, "" si c'est juste ;
# small : des constantes pour que les sections durent peu ; hints : trois indices.
Blank = collections.namedtuple("Blank", "script part consigne function sections observe judge small hints")
