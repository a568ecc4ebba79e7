"""La vérification du TP. La table de ce qui est à écrire, dans l'ordre de l'énoncé : leurs numéros en viennent."""

from verification import exercice1, exercice2, exercice3, exercice3_nonlinear, relu_plot

BLANKS = [  # le numéro 1 est le premier
    *exercice1.BLANKS,
    *relu_plot.BLANKS,
    *exercice2.BLANKS,
    *exercice3.BLANKS,
    *exercice3_nonlinear.BLANKS,
]
