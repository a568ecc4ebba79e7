"""Ce que le guide dit de son propre chef : l'accueil, le texte de remplacement des figures, les formules de la leçon.

Un texte de remplacement dit ce qui est dessiné à qui ne voit pas la figure. Il ne conclut pas : il est le même dans
l'édition sans les réponses. Ce qu'il met entre guillemets est écrit sur la figure.
"""

WELCOME = (
    "Chaque page suit un script, dans l'ordre de l'énoncé : la leçon, puis, section par section, la question, le code, "
    "ce qu'il affiche et ses figures. Tout vient d'un vrai essai."
)
EDITIONS = {  # avec --corrige, ou non
    True: "Édition avec les réponses, repliées sous les figures : cherchez d'abord.",
    False: "Édition sans les réponses : le code est celui de la version à compléter. Là où il reste à écrire, la page "
    "montre ce que le script affiche d'ici là, et la figure à obtenir.",
}

ALTS = {
    "exercice1-2.2.1": (
        "« Les observations » : un nuage de points, un par observation. Les entrées x1 et x2 sont au sol, la cible "
        "est la hauteur."
    ),
    "exercice1-2.2.2-boucle": (
        "Deux dessins. « Sorties en fonction des cibles » : un point par observation, et la diagonale où la sortie "
        "est égale à la cible. « Chaque paramètre (trait fin : le vrai) » : la valeur de chaque poids et du biais au "
        "fil des itérations, et un trait fin à la hauteur de chaque vraie valeur."
    ),
    "exercice1-2.2.2-perte": (
        "« La perte à chaque itération », en échelle log : une courbe, un carré noir à « 95 % de la descente », un "
        "point noir au but, et un trait fin à la hauteur de la meilleure perte."
    ),
    "exercice1-2.2.2-taux": (
        "« La perte selon le taux » : une courbe par taux, en échelle log sur les deux axes, un point noir là où une "
        "courbe atteint le but, et un trait fin à la hauteur de la meilleure perte."
    ),
    "exercice1-2.2.2-echelle": (
        "« La perte et l'échelle des entrées » : une courbe pour les entrées d'origine, une pour les entrées "
        "divisées, en échelle log sur les deux axes, et un point noir là où une courbe atteint le but."
    ),
    "exercice1-2.2.2-trois-entrees": (
        "« Sorties en fonction des cibles » : un point par observation, et la diagonale où la sortie est égale à la "
        "cible."
    ),
    "exercice1-2.2.3-mini-batch": (
        "Deux dessins, en échelle log, d'une couleur par taille de groupe. « Perte du groupe (couleurs : à droite) » "
        ": la perte à chaque itération. « Perte sur toutes les données » : cette perte selon le nombre d'exemples "
        "lus, et un point noir là où une courbe atteint le but."
    ),
    "exercice1-2.2.3-million": (
        "Deux dessins. « Un pas » : sa durée selon le nombre d'observations, en échelle log, une courbe pour le "
        "gradient complet et une pour les groupes. « Arriver au but » : une barre pour chacun, dont la hauteur est la "
        "durée."
    ),
    "relu_plot-3.1-sigmoide": (
        "« La sigmoïde » : sa courbe en trait plein, sa pente en tirets, et les deux axes, qui se croisent en 0."
    ),
    "relu_plot-3.1-relu": "« ReLU » : la courbe de g(x) en fonction de x, et les deux axes, qui se croisent en 0.",
    "relu_plot-3.1-activations": (
        "Deux dessins, d'une couleur par activation. « Les activations » : g(x) en fonction de x. « Leurs pentes » : "
        "la pente de chacune en fonction de x."
    ),
    "relu_plot-3.1-activations-2": (
        "« softmax : des scores aux probabilités » : une barre par score, dont la hauteur est la probabilité."
    ),
    "exercice2-3.2-donnees": (
        "Deux nuages, un point par fleur : « Les sépales » et « Les pétales ». La longueur est en abscisse, la "
        "largeur en ordonnée ; ronds violets pour setosa, carrés jaunes pour versicolor, triangles bleus pour "
        "virginica."
    ),
    "exercice2-3.2-epoch": (
        "Trois dessins. « Régions et fleurs d'apprentissage » : la longueur et la largeur du pétale, un point par "
        "fleur, et en fond la couleur de l'espèce que dit le réseau. Puis, époque par époque, la perte et "
        "l'exactitude : celles de l'apprentissage en trait plein, celles du test en tirets."
    ),
    "exercice2-3.2-structure": (
        "« Le réseau » : une colonne de ronds par couche, de l'entrée à la sortie ; un trait relie chaque rond à tous "
        "ceux de la colonne suivante."
    ),
    "exercice2-3.2-couche-cachee": (
        "« Nombre de neurones cachés » : la perte médiane à chaque époque, en échelle log, une courbe par nombre de "
        "neurones, et un trait fin à la hauteur du but."
    ),
    "exercice2-3.2-activation": (
        "Deux dessins, « Activations » et « Activations, trois couches » : la perte médiane à chaque époque, en "
        "échelle log, une courbe par activation, et un trait fin à la hauteur du but."
    ),
    "exercice2-3.2-sgd": (
        "Deux dessins de la perte médiane à chaque époque, en échelle log. « Taux, sans moment » : une courbe par "
        "taux. À droite, les moments : une courbe pour chacun. Un trait fin est à la hauteur du but."
    ),
    "exercice3-3.3.1-calcul": (
        "« Un produit de matrices n × n » : sa durée selon n, en échelle log sur les deux axes, une courbe pour NumPy "
        "et une pour PyTorch sur chaque appareil."
    ),
    "exercice3-3.3.2-donnees": (
        "« Les données d'apprentissage (figure 5) » : y en fonction de x, un point par observation."
    ),
    "exercice3-3.3.2-apprentissage": (
        "Deux dessins, « Figure 6 » et « Figure 7 » : les observations, la « meilleure droite » en trait fin, et le "
        "modèle en tirets rouges, d'abord après 50 époques, puis à la fin."
    ),
    "exercice3-3.3.2-perte": (
        "Deux dessins. « La perte (figure 8) » : un rond par époque, et un trait fin à la limite d'une perte "
        "satisfaisante. « Ses deux parts », en échelle log : le carré de la moyenne des écarts en trait plein, leur "
        "variance en tirets. Un trait vertical marque la cassure."
    ),
    "exercice3_nonlinear-3.3.2-droite": (
        "Deux dessins. À gauche, les observations, la « meilleure droite » en trait fin et le modèle en tirets "
        "rouges. À droite, « Les écarts : positif, le point est au-dessus » : l'écart de chaque observation, en "
        "fonction de x, autour d'un trait horizontal en 0."
    ),
    "exercice3_nonlinear-3.3.2-non-lineaire": (
        "Deux dessins. « Figure 10 » : les observations, le polynôme en trait fin, et le modèle en tirets rouges. "
        "« La perte », en échelle log, à chaque époque, avec des pointillés pour la « meilleure droite » et un trait "
        "plein à la limite d'une perte satisfaisante."
    ),
    "exercice3_nonlinear-3.3.2-architecture": (
        "Deux dessins du premier essai : les observations, et une courbe par réseau. À gauche, deux réseaux, « sans "
        "activation » et « tanh » ; à droite, « La sigmoïde », avec plusieurs nombres de neurones."
    ),
    "exercice3_nonlinear-3.3.2-optimiseurs": (
        "« Le premier essai » : les observations, une courbe par optimiseur, et la « meilleure droite » en trait fin."
    ),
}

COVERS = {  # sur la page d'accueil, une figure par script
    "exercice1": "exercice1-2.2.2-taux",
    "relu_plot": "relu_plot-3.1-activations",
    "exercice2": "exercice2-3.2-epoch",
    "exercice3": "exercice3-3.3.2-apprentissage",
    "exercice3_nonlinear": "exercice3_nonlinear-3.3.2-droite",
}

FORMULAS = {  # ce que la leçon calcule : des mots, puis la formule
    "exercice1": [
        ("Les sorties (étape 1) : X est `inputs`, w est `weights`, b est `bias`", r"s = X w + b"),
        ("La perte des n observations (étapes 2 et 3)", r"L = \frac{1}{2n} \sum_{i=1}^{n} (s_i - y_i)^2"),
        (
            "Son gradient pour les poids (étape 5, puis dans 6)",
            r"\frac{\partial L}{\partial w} = \frac{1}{n} X^T (s - y)",
        ),
        (
            "Son gradient pour le biais (étape 5, puis dans 7)",
            r"\frac{\partial L}{\partial b} = \frac{1}{n} \sum_{i=1}^{n} (s_i - y_i)",
        ),
        ("Un pas sur les poids (étape 6), au taux η", r"w \leftarrow w - \eta \frac{\partial L}{\partial w}"),
        ("Un pas sur le biais (étape 7)", r"b \leftarrow b - \eta \frac{\partial L}{\partial b}"),
    ],
    "relu_plot": [
        ("La sigmoïde", r"g(x) = \frac{1}{1 + e^{-x}}"),
        ("La tangente hyperbolique", r"g(x) = \frac{e^{x} - e^{-x}}{e^{x} + e^{-x}}"),
        ("ReLU, comme l'écrit l'énoncé", r"g(x) = \max(0, x)"),
        ("Softmax, pour les scores de 1 à k", r"p_j = \frac{e^{s_j}}{\sum_{i=1}^{k} e^{s_i}}"),
        ("La pente, mesurée entre deux points voisins", r"g'(x) \approx \frac{g(x + h) - g(x - h)}{2h}"),
    ],
    "exercice2": [
        ("Une couche cachée : g est l'activation", r"h = g(x W_1 + b_1)"),
        ("La sortie : une probabilité par espèce", r"p = \mathrm{softmax}(h W_2 + b_2)"),
        (
            "La perte de n fleurs (entropie croisée), où c est la bonne espèce, à une petite pénalité des poids près",
            r"L = - \frac{1}{n} \sum_{i=1}^{n} \ln p_{i,c_i}",
        ),
    ],
    "exercice3": [
        ("Le modèle (étape 1)", r"\hat{y} = w_1 x + b_1"),
        ("La perte (étapes 2 et 3)", r"L = \frac{1}{n} \sum_{i=1}^{n} (\hat{y}_i - y_i)^2"),
        ("Un pas (étapes 6 et 7), au taux η, sur w1", r"w_1 \leftarrow w_1 - \eta \frac{\partial L}{\partial w_1}"),
        ("et sur b1", r"b_1 \leftarrow b_1 - \eta \frac{\partial L}{\partial b_1}"),
    ],
    "exercice3_nonlinear": [
        ("Les données, au bruit près", r"y = x^4"),
        ("La perte (étapes 2 et 3)", r"L = \frac{1}{n} \sum_{i=1}^{n} (\hat{y}_i - y_i)^2"),
    ],
}
