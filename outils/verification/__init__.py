"""La vérification du TP. Les numéros de ce qui est à écrire viennent d'une seule table, a_ecrire.txt."""

import collections
from pathlib import Path

from verification import exercice1, exercice2, exercice3, exercice3_nonlinear, relu_plot

# observe : ce que l'enfant regarde, sans juger ; judge : ce que le parent en conclut, "" si c'est juste.
Blank = collections.namedtuple("Blank", "script part consigne function sections observe judge hints")


def read_table():
    """Les choses à écrire, dans l'ordre de la table : la première a le numéro 1."""
    modules = [exercice1, relu_plot, exercice2, exercice3, exercice3_nonlinear]
    named = {module.__name__.rpartition(".")[2]: module for module in modules}
    blanks = []
    for block in Path(__file__).with_name("a_ecrire.txt").read_text(encoding="utf-8").strip().split("\n\n")[1:]:
        first, second, *hints = block.splitlines()
        number, script, part, consigne = first.split(" | ")
        function, sections, key = second.strip().split(" | ")
        assert int(number) == len(blanks) + 1
        observe, judge = (getattr(named[script], f"{verb}_{key}") for verb in ("observe", "judge"))
        hints = [hint.strip().removeprefix("- ") for hint in hints]
        blanks.append(Blank(script, part, consigne, function, sections.split(), observe, judge, hints))
    return blanks


BLANKS = read_table()
