"""Exercice 2 : le perceptron multi-couches sur les iris, avec scikit-learn (partie 3.2).

Un `MLPClassifier` reconnaît trois espèces d'iris à quatre mesures de la fleur. Lisez d'abord la partie
« La leçon » : `make_classifier` est l'appel que l'énoncé fait étudier, et `train` sa boucle `for epoch`.
Puis une section par question ; celles qui comparent lisent les listes des réglages.

  python exercice2.py                                       toutes les sections, dans l'ordre de l'énoncé
  python exercice2.py --section 3.2-epoch --corrige         l'apprentissage époque par époque, avec la réponse
  python exercice2.py --section 3.2-epoch --hidden-layer-sizes 10,5 --activation logistic
  python exercice2.py --section 3.2-couche-cachee --hidden-sizes 2,5,20
"""

import argparse
import inspect
import math
import numbers
import os
import re
import signal
import sys
import tempfile
import textwrap
import traceback
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.backends import backend_registry
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgba_array
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

# --- Réglages : changez-les ici, ou par l'option du même nom (--activation relu, --rates 0.01,1) -------
SEED = 0  # la graine du hasard : la même redonne les mêmes nombres
HIDDEN_LAYER_SIZES = [10]  # neurones de chaque couche cachée : [10, 5] en fait deux
ACTIVATION = "tanh"  # ou "logistic" (la sigmoïde), "relu", "identity" (linéaire)
SOLVER = "sgd"  # descente de gradient stochastique ; ou "adam", qui adapte le pas de chaque poids
LEARNING_RATE = 0.1  # taux d'apprentissage
MOMENTUM = 0.9  # moment de "sgd", de 0 à 0.999
BATCH_SIZE = 20  # fleurs d'un mini-batch
EPOCHS = 40  # une époque : chaque fleur d'apprentissage vue une fois
HIDDEN_SIZES = [1, 3, 10, 50]  # 3.2-couche-cachee : les nombres de neurones à comparer
ACTIVATIONS = ["identity", "logistic", "tanh", "relu"]  # 3.2-activation : celles à comparer
RATES = [0.001, 0.1, 10]  # 3.2-sgd : les taux à comparer, sans moment
MOMENTA = [0, 0.9]  # 3.2-sgd : les moments à comparer...
MOMENTA_RATE = 0.01  # ... à ce taux

LIMITS = {  # le plus petit et le plus grand permis ; entre crochets : pour chaque valeur d'une liste ; ou des noms
    "SEED": (0, 4_294_967_295),
    "HIDDEN_LAYER_SIZES": [1, 200],
    "ACTIVATION": ("identity", "logistic", "tanh", "relu"),
    "SOLVER": ("sgd", "adam"),
    "LEARNING_RATE": (1e-9, 1e6),
    "MOMENTUM": (0.0, 0.999),
    "BATCH_SIZE": (1, 120),
    "EPOCHS": (1, 10_000),
    "HIDDEN_SIZES": [1, 200],
    "ACTIVATIONS": ["identity", "logistic", "tanh", "relu"],
    "RATES": [1e-9, 1e6],
    "MOMENTA": [0.0, 0.999],
    "MOMENTA_RATE": (1e-9, 1e6),
}


def refused_together():
    """Ce qu'aucune ligne de LIMITS ne peut dire : une phrase, ou None."""
    if len(HIDDEN_LAYER_SIZES) > 3:
        return f"HIDDEN_LAYER_SIZES (--hidden-layer-sizes) : il faut de 1 à 3 couches, pas {len(HIDDEN_LAYER_SIZES)}"
    return None


# --- La leçon -----------------------------------------------------------------------------------------
def split(seed):
    """Partage les 150 iris, 120 pour apprendre et 30 pour tester, puis centre et réduit les mesures.

    Centrer et réduire : ramener chaque mesure à une moyenne de 0 et un écart-type de 1. Rend inputs (120, 4),
    targets (120,), test_inputs (30, 4), test_targets (30,) et le `scaler`, qui n'a vu que les 120 d'apprentissage.
    """
    inputs, targets = load_iris(return_X_y=True)
    inputs, test_inputs, targets, test_targets = train_test_split(
        inputs, targets, test_size=30, stratify=targets, random_state=seed
    )
    scaler = StandardScaler().fit(inputs)
    return scaler.transform(inputs), targets, scaler.transform(test_inputs), test_targets, scaler


def make_classifier(hidden_layer_sizes, activation, solver, learning_rate, momentum, batch_size):
    """Le réseau, pas encore entraîné."""
    return MLPClassifier(
        hidden_layer_sizes=hidden_layer_sizes,  # nombre de neurones de chaque couche cachée
        activation=activation,  # fonction d'activation de ces neurones
        solver=solver,  # méthode d'optimisation : descente de gradient stochastique, ou adam
        learning_rate_init=learning_rate,  # taux d'apprentissage
        momentum=momentum,  # moment : la part du pas d'avant qu'on ajoute à chaque pas
        batch_size=batch_size,  # nombre de fleurs d'un mini-batch
    )


def train(classifier, inputs, targets, epochs, draw=None):
    """Entraîne le réseau époque par époque ; rend la perte de chacune. `draw(epoch)` : un dessin en direct."""
    loss_history = []
    for epoch in range(epochs):
        classifier.partial_fit(inputs, targets, classes=[0, 1, 2])  # une époque de plus, sans repartir de zéro
        loss_history.append(classifier.loss_)  # moyenne pendant l'époque (`measure` : après elle)
        if draw:
            draw(epoch)
    return loss_history


# --- Partagé ------------------------------------------------------------------------------------------
def counted(number, word):
    """Écrit « 1 itération », « 1000 itérations », « 12 000 itérations »."""
    digits = f"{number:,}".replace(",", "\u00a0") if number >= 10_000 else f"{number}"
    return f"{digits} {word}s" if number > 1 else f"{digits} {word}"


def say(problem):
    """Affiche un diagnostic, s'il y en a un, en lignes d'au plus 100 signes."""
    if problem:
        print(textwrap.fill(problem, 100))


def print_settings(varied):
    """Rappelle les réglages du réseau, sauf `varied`, ce que la section compare : "neurones", "activation" ou rien."""
    layers = " puis ".join(str(size) for size in HIDDEN_LAYER_SIZES)
    neurons = "" if varied == "neurones" else f" Neurones cachés : {layers}."
    activation = "" if varied == "activation" else f" Activation : {ACTIVATION}."
    momentum = f"moment {MOMENTUM:g}" if SOLVER == "sgd" else "moment sans effet"
    print(f"Réglages.{neurons}{activation}")
    print(
        f"Méthode : {SOLVER}, taux {LEARNING_RATE:g}, {momentum}, groupes de {BATCH_SIZE}, {counted(EPOCHS, 'époque')}."
    )


# --- 3.2-donnees : les iris ---------------------------------------------------------------------------
MEASURES = ["longueur du sépale", "largeur du sépale", "longueur du pétale", "largeur du pétale"]  # en cm
SPECIES = ["setosa", "versicolor", "virginica"]
COLOURS = ["tab:purple", "goldenrod", "tab:cyan"]
MARKERS = ["o", "s", "^"]


def draw_flowers(ax, flowers, species, first, second):
    """Deux des quatre mesures (cm), une couleur et une marque par espèce (dessin : à sauter à la première lecture)."""
    for k, name in enumerate(SPECIES):
        points = flowers[species == k]
        ax.plot(points[:, first], points[:, second], MARKERS[k], color=COLOURS[k], markeredgecolor="black", label=name)
    ax.set(xlabel=f"{MEASURES[first]} (cm)", ylabel=f"{MEASURES[second]} (cm)")


def section_flowers():
    """Les iris

    Question : quelle espèce une droite sépare-t-elle des autres ? Lesquelles se mélangent ?
    À regarder : les sépales, puis les pétales.
    """
    flowers, species = load_iris(return_X_y=True)
    print(f"inputs : {flowers.shape}   targets : {species.shape}")
    print(f"Moyennes (cm)       {SPECIES[0]:>12}{SPECIES[1]:>12}{SPECIES[2]:>12}")
    for j, name in enumerate(MEASURES):
        means = [flowers[species == k, j].mean() for k in range(3)]
        print(f"{name:<20}{means[0]:12.2f}{means[1]:12.2f}{means[2]:12.2f}")

    fig, (left, right) = plt.subplots(1, 2, figsize=(13, 6.5), layout="constrained")
    draw_flowers(left, flowers, species, 0, 1)
    draw_flowers(right, flowers, species, 2, 3)
    left.set_title("Les sépales")
    right.set_title("Les pétales")
    right.legend()

    # Réponse
    lengths = flowers[:, 2]
    gap = lengths[species > 0].min() - lengths[species == 0].max()
    low, high = lengths[species == 2].min(), lengths[species == 1].max()
    mixed = ((species > 0) & (lengths >= low) & (lengths <= high)).sum()
    return (
        "Une droite suffit pour setosa : ses pétales sont plus courts que ceux des deux autres espèces, d'au moins "
        f"{gap:.1f} cm. Versicolor et virginica se mélangent : les pétales longs de {low:g} à {high:g} cm "
        f"sont de l'une ou de l'autre ({mixed} fleurs en tout)."
    )


# --- 3.2-epoch : l'apprentissage ----------------------------------------------------------------------
def live(fig):
    """Vrai si `fig` est dans une fenêtre encore ouverte : un dessin en direct a alors un sens."""
    return has_window() and plt.fignum_exists(fig.number)


def draw_regions(ax, classifier, inputs, targets, scaler):
    """Le plan des pétales, les sépales à leur moyenne : les couleurs des espèces, mêlées selon leur probabilité.

    (Dessin : à sauter à la première lecture.)
    """
    lengths, widths = np.meshgrid(np.linspace(0.5, 7.5, 100), np.linspace(0, 3, 100))
    flowers = np.tile(scaler.mean_, (lengths.size, 1))  # (10000, 4)
    flowers[:, 2], flowers[:, 3] = lengths.ravel(), widths.ravel()
    probabilities = classifier.predict_proba(scaler.transform(flowers))  # (10000, 3)
    colours = 0.5 + 0.5 * np.dot(np.nan_to_num(probabilities), to_rgba_array(COLOURS)[:, :3])  # éclaircies
    ax.imshow(colours.reshape(100, 100, 3), extent=(0.5, 7.5, 0, 3), origin="lower", aspect="auto")
    draw_flowers(ax, scaler.inverse_transform(inputs), targets, 2, 3)
    ax.set_title("Régions et fleurs d'apprentissage")
    ax.legend(loc="upper left")


def draw_epoch(fig, axes, classifier, inputs, targets, scaler, history):
    """Les régions, la perte et l'exactitude ; `history` (époques, 4) : perte et exactitude, puis celles du test.

    (Dessin : à sauter à la première lecture.)
    """
    for ax in axes:
        ax.clear()
    draw_regions(axes[0], classifier, inputs, targets, scaler)
    values, epochs = np.reshape(history, (-1, 4)), range(1, len(history) + 1)
    for ax, column, name in [(axes[1], 0, "perte"), (axes[2], 1, "exactitude")]:
        ax.plot(epochs, values[:, column], marker=".", label="apprentissage")
        ax.plot(epochs, values[:, column + 2], marker=".", label="test")
        ax.set(xlabel="époque", ylabel=name)
        ax.legend()
    if history:
        fig.suptitle(
            f"Époque {len(history)} : perte d'apprentissage {values[-1, 0]:.4f}, exactitude {values[-1, 1]:.3f}"
        )


def measure(classifier, inputs, targets):
    """Perte et exactitude (la part de fleurs reconnues).

    La perte est l'entropie croisée : la moyenne de -ln(probabilité donnée à la bonne espèce). Un réseau qui donne 1/3
    à chacune des trois espèces a une perte de ln 3 = 1.1.
    """
    probabilities = np.nan_to_num(classifier.predict_proba(inputs))  # (n, 3) ; nan après une explosion
    chosen = probabilities[np.arange(len(targets)), targets]  # (n,)
    return -np.log(np.clip(chosen, 1e-15, 1)).mean(), (probabilities.argmax(axis=1) == targets).mean()


def section_epoch():
    """L'apprentissage, époque par époque

    Question : à quoi correspond une itération réalisée avec la variable `epoch` ? (Lisez `train`.)
    À regarder : les régions, puis la perte sur les fleurs d'apprentissage et sur celles du test.
    """
    print_settings("rien")
    inputs, targets, test_inputs, test_targets, scaler = split(SEED)
    classifier = make_classifier(HIDDEN_LAYER_SIZES, ACTIVATION, SOLVER, LEARNING_RATE, MOMENTUM, BATCH_SIZE)
    # Un RandomState, et pas un nombre : sinon chaque époque mélangerait les fleurs dans le même ordre.
    classifier.set_params(random_state=np.random.RandomState(SEED))
    fig, axes = plt.subplots(1, 3, figsize=(13, 6.5), layout="constrained", width_ratios=[3, 2, 2])
    history, problem = [], ""

    def draw(epoch):
        history.append([*measure(classifier, inputs, targets), *measure(classifier, test_inputs, test_targets)])
        if epoch % 2 == 0 and live(fig):  # seulement dans une fenêtre (`has_window` : voir Lancement)
            draw_epoch(fig, axes, classifier, inputs, targets, scaler, history)
            plt.pause(0.01)

    try:
        train(classifier, inputs, targets, EPOCHS, draw)
    except ValueError as error:
        if "non-finite" not in str(error):
            raise
        problem = f"La perte explose à l'époque {len(history) + 1} : essayez un taux plus petit."
    print("Perte : 0, parfait ; 1.1, au hasard. Exactitude : la part de fleurs reconnues.")
    print("époque   perte (apprentissage, test)   exactitude (apprentissage, test)")
    for epoch, (loss, score, test_loss, test_score) in enumerate(history, start=1):
        if epoch in (1, 2, 5, 10, 20, 40, 100, 1000) or epoch == len(history):
            print(f"{epoch:6d} {loss:14.4f} {test_loss:10.4f} {score:22.3f} {test_score:10.3f}")
    say(problem)
    draw_epoch(fig, axes, classifier, inputs, targets, scaler, history)

    # Réponse
    if problem:
        return f"Rien à conclure. {problem}"
    groups = math.ceil(len(inputs) / BATCH_SIZE)
    return (
        f"Une itération de `epoch` est un passage sur les {len(inputs)} fleurs d'apprentissage, par groupes de "
        f"{BATCH_SIZE} : {counted(groups, 'mise')} à jour des poids. En {counted(EPOCHS, 'époque')}, cela fait "
        f"{counted(EPOCHS * groups, 'mise')} à jour, et {counted(classifier.t_, 'exemple')} vus."
    )


# --- 3.2-structure : les couches et leurs poids -------------------------------------------------------
def forward(classifier, inputs):
    """Les probabilités (n, 3) calculées à la main : g(A·W + b) couche par couche, puis softmax.

    L'activation g est identity, logistic ou tanh.
    """
    outputs = inputs  # (n, 4)
    for weights, bias in zip(classifier.coefs_[:-1], classifier.intercepts_[:-1]):
        outputs = np.dot(outputs, weights) + bias  # (n, neurones de la couche)
        if classifier.activation == "logistic":
            outputs = 1 / (1 + np.exp(-outputs))
        elif classifier.activation == "tanh":
            outputs = np.tanh(outputs)
    scores = np.dot(outputs, classifier.coefs_[-1]) + classifier.intercepts_[-1]  # (n, 3)
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def draw_network(ax, sizes):
    """Un rond par neurone, un trait par poids ; `sizes` : le nombre de neurones de chaque couche.

    (Dessin : à sauter à la première lecture.)
    """
    heights = [np.linspace(1, -1, size + 2)[1:-1] for size in sizes]
    for layer in range(len(sizes) - 1):
        segments = [[(layer, a), (layer + 1, b)] for a in heights[layer] for b in heights[layer + 1]]
        ax.add_collection(LineCollection(segments, colors="gray", linewidths=0.7))
    names = ["entrée", *["couche cachée"] * (len(sizes) - 2), "sortie"]
    for layer, name in enumerate(names):
        ax.scatter([layer] * sizes[layer], heights[layer], s=3000 / (sizes[layer] + 5), edgecolor="black", zorder=2)
        ax.text(layer, -1.05, name, ha="center", va="top")
    ax.set(title="Le réseau", xlim=(-0.5, len(sizes) - 0.5), ylim=(-1.3, 1))
    ax.axis("off")


def section_structure():
    """La structure du réseau

    Question : combien de neurones dans chaque couche ? Quelle est la taille des matrices de poids ?
    À regarder : chaque rond est un neurone, chaque trait un poids. Comptez-les.
    """
    inputs, targets, test_inputs, _, _ = split(SEED)
    classifier = make_classifier(HIDDEN_LAYER_SIZES, ACTIVATION, SOLVER, 0.001, 0, BATCH_SIZE)
    classifier.set_params(random_state=SEED)
    train(classifier, inputs, targets, 1)  # une époque, à petits pas, suffit à créer les matrices de poids
    # CORRIGÉ : affichez la forme de chaque matrice de poids | classifier, déjà entraîné
    for weights in classifier.coefs_:
        print(weights.shape)
    # FIN DU CORRIGÉ
    if ACTIVATION == "relu":
        print("`forward`, le calcul à la main, ne connaît pas relu.")
    else:
        gap = abs(forward(classifier, test_inputs) - classifier.predict_proba(test_inputs)).max()
        precision = f"à {gap:.1g} près" if gap else "exactement"
        print(f"`forward`, le calcul à la main, donne {precision} les probabilités de predict_proba.")
    fig, ax = plt.subplots(figsize=(12, 6.5), layout="constrained")
    draw_network(ax, [4, *HIDDEN_LAYER_SIZES, 3])

    # Réponse
    hidden = " puis ".join(str(size) for size in HIDDEN_LAYER_SIZES)
    plural = "s" if sum(HIDDEN_LAYER_SIZES) > 1 else ""
    shapes = " puis ".join(str(weights.shape) for weights in classifier.coefs_)
    n_parameters = sum(array.size for array in classifier.coefs_ + classifier.intercepts_)
    return (
        f"4 neurones d'entrée (un par mesure), {hidden} neurone{plural} caché{plural}, 3 de sortie (un par espèce). "
        f"Matrices de poids, de l'entrée vers la sortie : {shapes}. Avec un biais par neurone caché ou de sortie, cela "
        f"fait {counted(n_parameters, 'nombre')} à apprendre."
    )


# --- 3.2-couche-cachee : le nombre de neurones --------------------------------------------------------
GOAL = 0.1  # une perte à atteindre, choisie pour comparer les vitesses
COLUMNS = "Perte finale : médiane (de min à max). Exactitude sur le test : moyenne ± écart-type."


def trials(classifier):
    """Entraîne cinq fois ce réseau, avec d'autres poids de départ et un autre partage des fleurs.

    Rend les pertes (5, époques), infinies si l'essai explose, et les exactitudes sur les fleurs de test (5,).
    """
    losses, scores = np.full((5, EPOCHS), np.inf), np.zeros(5)
    for k in range(5):
        seed = (SEED + k) % 2**32
        inputs, targets, test_inputs, test_targets, _ = split(seed)
        trial = clone(classifier).set_params(random_state=seed, max_iter=EPOCHS, n_iter_no_change=EPOCHS)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # c'est nous qui choisissons le nombre d'époques
                trial.fit(inputs, targets)  # la boucle de `train`, faite par scikit-learn : c'est plus rapide
            losses[k], scores[k] = trial.loss_curve_, trial.score(test_inputs, test_targets)
        except ValueError as error:
            if "non-finite" not in str(error):  # une explosion laisse une perte infinie ; toute autre erreur remonte
                raise
    return losses, scores


def goal_epoch(losses):
    """Première époque où la perte médiane est au plus GOAL ; None si elle n'y arrive pas."""
    reached = np.flatnonzero(np.median(losses, axis=0) <= GOAL)
    return int(reached[0]) + 1 if len(reached) else None


def outcome(losses, scores):
    """Dit en quelques mots ce que font cinq essais."""
    ends, epoch = losses[:, -1], goal_epoch(losses)
    if ends.max() > 1000:
        return f"la perte explose dans {counted((ends > 1000).sum(), 'essai')} sur 5"
    spread = f"perte {np.median(ends):.3f} (de {ends.min():.3f} à {ends.max():.3f})"
    reached = f" ; {GOAL:g} en {counted(epoch, 'époque')}" if epoch else ""
    return f"{spread} ; exactitude {scores.mean():.3f} ± {scores.std():.3f}{reached}"


def compare(ax, title, classifier, name, values):
    """Compare des valeurs d'un argument de MLPClassifier, comme `validation_curve` de scikit-learn.

    `name` est le nom de l'argument. Chaque valeur a une ligne et une courbe, la médiane de cinq essais. Rend
    {valeur: (pertes (5, époques), exactitudes (5,))}.
    """
    print(f"{title} : 5 essais par valeur (autre départ, autre partage des fleurs)")
    values, results = list(dict.fromkeys(values)), {}  # chaque valeur, une seule fois
    shown = values if len(values) <= 5 else values[:4]
    for value in values:
        # Les deux étoiles : avec name = "alpha" et value = 1, c'est set_params(alpha=1).
        losses, scores = trials(clone(classifier).set_params(**{name: value}))
        results[value] = losses, scores
        if value in shown:
            label = f"{value:g}" if isinstance(value, float) else f"{value}"
            print(f"  {label:<9} {outcome(losses, scores)}")
            n_exploded, medians = (losses[:, -1] > 1000).sum(), np.median(losses, axis=0)
            label += f" (explose : {n_exploded} sur 5)" if n_exploded else ""
            drawn = np.where(medians < 1000, medians, np.nan)
            ax.plot(range(1, EPOCHS + 1), drawn, linewidth=2, label=label, marker="o" if EPOCHS == 1 else None)
    if len(values) > len(shown):
        print(f"  et {len(values) - len(shown)} autres valeurs, ni affichées ni dessinées")
    ax.axhline(GOAL, color="black", linewidth=1, label=f"but : {GOAL:g}")
    ax.set(title=title, xlabel="époque", ylabel="perte médiane de 5 essais (échelle log)", yscale="log")
    ax.set_xlim(0, EPOCHS + 1)
    ax.locator_params(axis="x", integer=True)
    ax.yaxis.set_major_formatter("{x:g}")
    ax.legend(title=name)
    return results


def named(value):
    """« 50 neurones » pour un nombre, « tanh » pour un nom."""
    return value if isinstance(value, str) else counted(value, "neurone")


def listed(pairs):
    """« 6 époques avec 50 neurones, 8 avec 10 » : au plus cinq paires (« 6 époques », 50), (« 8 », 10)..."""
    first = [f"{text} avec {named(value)}" for text, value in pairs[:1]]
    return ", ".join(first + [f"{text} avec {value}" for text, value in pairs[1:5]])


def goal_answer(results):
    """Dit en combien d'époques chaque valeur a atteint GOAL, de la plus rapide à la plus lente ; puis les autres."""
    reached, others, exploded, parts = [], [], [], []
    for value, (losses, _) in results.items():
        epoch, end = goal_epoch(losses), np.median(losses[:, -1])
        if epoch:
            reached.append((epoch, value))
        if end >= 1000:
            exploded.append(named(value))
        elif not epoch or end > 2 * GOAL:
            others.append((f"{end:.2f}", value))
    if reached:
        reached.sort()
        fastest, value = reached[0]
        parts.append(f"atteint {GOAL:g} en {listed([(counted(fastest, 'époque'), value), *reached[1:]])}")
    elif others:
        parts.append(f"n'atteint pas {GOAL:g} en {counted(EPOCHS, 'époque')}")
    if others:
        parts.append(f"finit à {listed(others)}")
    if exploded:
        parts.append(f"explose avec {', '.join(exploded[:5])}")
    return f"La perte {' ; elle '.join(parts)}. "


def accuracy_answer(results):
    """Compare les exactitudes moyennes à ce qu'elles changent d'un essai à l'autre."""
    rows = [(scores.mean(), scores.std(), value) for value, (losses, scores) in results.items() if losses.max() < 1000]
    if len(rows) < 2:
        return ""
    low, high = min(rows), max(rows)
    if high[0] - low[0] < 0.0005:
        return f"L'exactitude finale est la même, {high[0]:.3f}. "
    answer = f"L'exactitude finale va de {low[0]:.3f} ({named(low[2])}) à {high[0]:.3f} ({named(high[2])}) : "
    spread, unsteady = max(low[1:], high[1:])
    if high[0] - low[0] > 2 * spread:
        return f"{answer}la différence est nette (±\u00a0{spread:.3f} au plus d'un essai à l'autre). "
    answer += "cinq essais ne permettent pas de conclure "
    return f"{answer}(±\u00a0{spread:.3f} d'un essai à l'autre avec {named(unsteady)}). "


def section_hidden():
    """Le nombre de neurones cachés

    Question : que change le nombre de neurones de la couche cachée, pendant et après l'entraînement ?
    À regarder : la vitesse de descente, la perte finale, puis l'exactitude à côté de sa dispersion (±).
    """
    print_settings("neurones")
    print(COLUMNS)
    classifier = make_classifier(HIDDEN_LAYER_SIZES, ACTIVATION, SOLVER, LEARNING_RATE, MOMENTUM, BATCH_SIZE)
    fig, ax = plt.subplots(figsize=(12, 6.5), layout="constrained")
    # CORRIGÉ : comparez les nombres de neurones de HIDDEN_SIZES | compare, ax, classifier
    results = compare(ax, "Nombre de neurones cachés", classifier, "hidden_layer_sizes", HIDDEN_SIZES)
    # FIN DU CORRIGÉ

    # Réponse
    epochs = [goal_epoch(results[size][0]) or math.inf for size in sorted(results)]
    answer = goal_answer(results) + accuracy_answer(results)
    answer += f"({GOAL:g} : un but arbitraire, pour comparer les vitesses.)"
    if len(epochs) > 1 and epochs == sorted(set(epochs), reverse=True):
        return "Plus il y a de neurones, plus la perte descend vite. " + answer
    return answer


# --- 3.2-activation : la fonction d'activation --------------------------------------------------------
def depth_answer(results):
    """Ce que la profondeur change : trois couches cachées de 10 neurones."""
    ends = {value: np.median(losses[:, -1]) for value, (losses, _) in results.items()}
    answer, exploded, start = "", [], "Avec trois couches (en plus), la perte"
    if "logistic" in ends and 3 * ends.get("tanh", np.inf) < ends["logistic"] < 1.2:  # 1.1 : elle n'a rien appris
        under = np.flatnonzero(np.median(results["logistic"][0], axis=0) < 1)
        passage = f"passe sous 1 à l'époque {under[0] + 1} et " if len(under) else ""
        answer = (
            f"{start} de la sigmoïde {passage}finit à {ends['logistic']:.3g}, celle de tanh à {ends['tanh']:.3g}. La "
            "pente de la sigmoïde vaut au plus 0.25, et scikit-learn la fait partir de poids plus petits : le gradient "
            "s'éteint. "
        )
    for value, (losses, _) in results.items():
        if losses.max() > 1000:
            exploded.append(f"{value} ({counted((losses[:, -1] > 1000).sum(), 'essai')} sur 5)")
    if exploded:
        answer += f"{'La perte' if answer else start} explose avec {', '.join(exploded)}. "
    if answer:
        return answer
    low, high = min(ends, key=ends.get), max(ends, key=ends.get)
    if low == high:
        return f"{start} finit à {ends[low]:.3g}."
    return f"{start} finit entre {ends[low]:.3g} ({low}) et {ends[high]:.3g} ({high})."


def section_activation():
    """La fonction d'activation

    Question : que changent la sigmoïde (logistic) ou la tangente hyperbolique (tanh) ?
    À regarder : à gauche, le réseau des réglages ; à droite, trois couches cachées de 10 neurones.
    """
    print_settings("activation")
    print(COLUMNS)
    classifier = make_classifier(HIDDEN_LAYER_SIZES, ACTIVATION, SOLVER, LEARNING_RATE, MOMENTUM, BATCH_SIZE)
    deep = make_classifier([10, 10, 10], ACTIVATION, SOLVER, LEARNING_RATE, MOMENTUM, BATCH_SIZE)
    fig, (left, right) = plt.subplots(1, 2, figsize=(13, 6.5), layout="constrained", sharey=True)
    # CORRIGÉ : comparez les activations de ACTIVATIONS | compare ; à gauche (left) classifier, à droite (right) deep
    results = compare(left, "Activations", classifier, "activation", ACTIVATIONS)
    deep_results = compare(right, "Activations, trois couches", deep, "activation", ACTIVATIONS)
    # FIN DU CORRIGÉ

    # Réponse
    answer = goal_answer(results) + accuracy_answer(results) + depth_answer(deep_results)
    if "logistic" in results and "tanh" in results:
        slow, fast = goal_epoch(results["logistic"][0]) or math.inf, goal_epoch(results["tanh"][0])
        if fast and slow > 1.5 * fast:
            return "La sigmoïde (logistic) est plus lente que tanh. " + answer
    return answer


# --- 3.2-sgd : le taux et le moment -------------------------------------------------------------------
def endings(results, word):
    """« finit à 0.92 au taux 0.001, 0.14 au taux 0.1 et explose au taux 10 » : la médiane de 5 essais.

    Seulement pour la plus petite valeur, la meilleure et la plus grande.
    """
    values = sorted(results)
    best = values[np.argmin([np.median(results[value][0][:, -1]) for value in values])]
    finite, exploded = [], []
    for value in sorted({values[0], best, values[-1]}):
        end, words = np.median(results[value][0][:, -1]), f"{word} {value:g}" if value else "sans moment"
        if end < 1000:
            finite.append(f"{end:.3g} {words}")
        else:
            exploded.append(words)
    parts = ["finit à " + ", ".join(finite)] if finite else []
    return " et ".join(parts + (["explose " + " et ".join(exploded)] if exploded else []))


def rate_answer(results):
    """Ce que fait le taux, sans moment."""
    ends = [np.median(results[rate][0][:, -1]) for rate in sorted(results)]
    best = ends.index(min(ends))
    if 0 < best < len(ends) - 1 and 1.5 * ends[best] < min(ends[0], ends[-1]) and ends[best] < 1:
        return f"Il faut un taux ni trop petit, ni trop grand : la perte {endings(results, 'au taux')}. "
    return f"Sans moment, la perte {endings(results, 'au taux')}. "


def momentum_answer(results, rate_results):
    """Ce que fait le moment, au taux MOMENTA_RATE ; `rate_results` : les taux, sans moment."""
    facts = f"au taux {MOMENTA_RATE:g}, la perte {endings(results, 'avec un moment de')}. "
    values = sorted(results)
    ends = [np.median(results[value][0][:, -1]) for value in values]
    best = ends.index(min(ends))
    if len(values) == 1 or ends[best] > 1:  # 1.1 : le réseau n'a rien appris
        return f"Ensuite, {facts}"
    if not 1.2 * ends[best] < ends[0]:
        return f"Le moment n'aide {'presque ' if ends[best] < ends[0] else ''}pas ici : {facts}"
    limit = ", s'il n'est pas trop grand" if 1.5 * ends[best] < ends[-1] else ""
    answer, momentum = f"Le moment accélère{limit} : {facts}", values[best]
    factor = 1 / (1 - momentum)
    for rate, (losses, _) in rate_results.items():
        end = np.median(losses[:, -1])
        if values[0] == 0 and np.isclose(rate, MOMENTA_RATE * factor) and abs(ends[best] / end - 1) < 0.1:
            answer += (
                f"Un moment de {momentum:g} agit comme un taux 1/(1 - {momentum:g}) = {factor:.3g} fois plus grand : "
                f"c'est presque la même perte ({end:.3g}) qu'au taux {rate:g} sans moment. "
            )
    return answer


def section_sgd():
    """La descente de gradient stochastique : taux et moment

    Question : comment régler le taux d'apprentissage (learning_rate_init) et le moment (momentum) ?
    À regarder : à gauche, les taux de RATES, sans moment ; à droite, les moments de MOMENTA.
    """
    print("Méthode : sgd (SOLVER, LEARNING_RATE et MOMENTUM ne servent pas ici).")
    print(COLUMNS)
    plain = make_classifier(HIDDEN_LAYER_SIZES, ACTIVATION, "sgd", MOMENTA_RATE, 0, BATCH_SIZE)
    fig, (left, right) = plt.subplots(1, 2, figsize=(13, 6.5), layout="constrained", sharey=True)
    # CORRIGÉ : comparez les taux (RATES), les moments (MOMENTA) | compare, plain ; à gauche (left), à droite (right)
    rate_results = compare(left, "Taux, sans moment", plain, "learning_rate_init", RATES)
    momentum_results = compare(right, f"Moments, au taux {MOMENTA_RATE:g}", plain, "momentum", MOMENTA)
    # FIN DU CORRIGÉ
    both, scores = trials(plain.set_params(learning_rate_init=max(RATES), momentum=max(MOMENTA)))
    say(f"Taux {max(RATES):g} avec un moment de {max(MOMENTA):g} : {outcome(both, scores)}")

    # Réponse
    answer = rate_answer(rate_results) + momentum_answer(momentum_results, rate_results)
    alone = max(np.median(rate_results[max(RATES)][0][:, -1]), np.median(momentum_results[max(MOMENTA)][0][:, -1]))
    end = np.median(both[:, -1])
    if max(MOMENTA) > 0 and alone < 1000 and end > 1.5 * alone:
        result = f"finit à {end:.3g}" if end < 1000 else "explose"
        answer += f"Taux et moment trop grands ensemble : au taux {max(RATES):g} avec un moment de {max(MOMENTA):g}, "
        answer += f"la perte {result}."
    return answer


SECTIONS = {
    "3.2-donnees": section_flowers,
    "3.2-epoch": section_epoch,
    "3.2-structure": section_structure,
    "3.2-couche-cachee": section_hidden,
    "3.2-activation": section_activation,
    "3.2-sgd": section_sgd,
}


# --- Lancement : d'ici à la fin, le même texte dans les cinq scripts ----------------------------------
SCRIPT = Path(globals().get("__file__", "ce script"))  # sans fichier : un texte envoyé à une console


def refuse(message):
    """Dit en une phrase ce qui ne va pas, et s'arrête avec l'état 2."""
    print(f"{SCRIPT.name} : {message}", file=sys.stderr)
    sys.exit(2)


def option_of(name):
    """L'option d'une constante : LEARNING_RATE donne --learning-rate."""
    return "--" + name.lower().replace("_", "-")


def wanted(row):
    """Dit en français ce que permet une ligne de LIMITS."""
    if isinstance(row, list):
        return f"une liste de 1 à 50 valeurs, chacune {wanted(tuple(row))}"
    if isinstance(row[0], str):
        return f"un nom parmi {', '.join(row)}"
    return f"{'un entier' if isinstance(row[0], int) else 'un nombre'} de {row[0]:.15g} à {row[1]:.15g}"


def from_text(row, text):
    """La valeur que donne le texte d'une option ; le texte lui-même s'il n'est pas ce que demande LIMITS."""
    if isinstance(row, list):
        return [from_text(tuple(row), part) for part in text.split(",")]
    try:
        return type(row[0])(text)
    except ValueError:
        return text


def allows(row, value):
    """Vrai si une ligne de LIMITS permet cette valeur."""
    if isinstance(row, list):
        return 1 <= len(value) <= 50 and all(allows(tuple(row), each) for each in value)
    if value is None or isinstance(row[0], str):
        return value in row
    kind = numbers.Integral if isinstance(row[0], int) else numbers.Real
    return isinstance(value, kind) and not isinstance(value, bool) and row[0] <= value <= row[1]


def set_constants(texts):
    """Met chaque option à la place de sa constante ; refuse ce que LIMITS ne permet pas, dans le fichier aussi."""
    for name, row in LIMITS.items():
        value = globals().get(name) if texts[name] is None else from_text(row, str(texts[name]))
        if isinstance(row, list):
            value = list(value) if isinstance(value, (list, tuple, range, np.ndarray)) else [value]
        if not allows(row, value):
            decimal = isinstance(row, tuple) and isinstance(row[0], float) and "," in str(value)
            hint = " (avec un point : 0.1)" if decimal else ""
            refuse(f"{name} ({option_of(name)}) : il faut {wanted(row)}, pas {value!r:.60}{hint}")
        globals()[name] = value
    if refused_together():
        refuse(refused_together())


def sections_under(number):
    """Les sections d'un numéro : lui-même et ce qui est sous lui (2.2 : 2.2.1, 2.2.2-perte...)."""
    return [name for name in SECTIONS if f"{name}-".startswith((f"{number}-", f"{number}."))]


def read_options():
    """Lit la ligne de commande et met les constantes d'accord avec elle ; rend les autres options."""
    parser = argparse.ArgumentParser(None, argparse.SUPPRESS, __doc__, add_help=False, allow_abbrev=False)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    option = parser.add_argument_group("options").add_argument
    option("-h", "--help", action="store_true", help="affiche cette aide")
    option("--section", action="append", metavar="N", help="cette section et ce qui est sous elle ; se répète")
    option("--liste", action="store_true", help="affiche les sections, n'exécute rien")
    option("--corrige", action="store_true", help="affiche la réponse de chaque section")
    option("--figures", metavar="DOSSIER", help="enregistre les figures dans ce dossier, sans les montrer")
    for name, row in LIMITS.items():
        words = f"{wanted(row)} ({name} = {globals().get(name)})"
        option(option_of(name), dest=name, metavar="X", help=words.replace("%", "%%"))
    # Le message d'argparse est en anglais : on n'en garde que le mot refusé.
    refused = r"arguments?:?\s+([^\s:]*)"
    parser.error = lambda message: refuse(
        f"option refusée : {re.search(refused, message)[1]!r:.60}"
        f"{', sans valeur' if 'expected one' in message else ''} ; --help les montre toutes"
    )
    words = sys.argv[1:] if Path(sys.argv[0]).name == SCRIPT.name else []  # sinon, ce sont ceux d'un noyau
    options = parser.parse_args([re.sub(r"^(?=-[\d.])", " ", word) for word in words])  # « -3,4 » : une valeur
    for number in options.section or []:
        if not sections_under(number):
            refuse(f"--section : il faut une section parmi {', '.join(SECTIONS)}, pas {number!r:.60}")
    set_constants(vars(options))
    if options.help:
        parser.print_help()
    return options


def has_window():
    """Vrai si les figures s'ouvrent dans des fenêtres, que quelqu'un fermera."""
    framework = backend_registry.resolve_backend(plt.get_backend())[1]
    return framework in ("tk", "qt", "qt5", "gtk3", "gtk4", "wx", "macosx")


def choose_folder(asked):
    """Le dossier où enregistrer les figures ; None si elles se montrent : fenêtre, carnet, panneau de PyCharm."""
    if "ipykernel" not in sys.modules:
        try:
            plt.switch_backend("agg" if asked else plt.get_backend())
        except Exception:  # ni écran, ni Tk
            plt.switch_backend("agg")
        if not asked and not has_window() and "interagg" not in plt.get_backend():
            return Path("figures")
    if asked:
        try:
            Path(asked).mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=asked).close()
        except OSError:
            refuse(f"--figures : impossible d'écrire dans {asked!r:.60}")
    return Path(asked) if asked else None


def play(name, corrige):
    """Joue une section, dit sa réponse si on la veut ; rend les numéros des figures à montrer."""
    title, _, guide = (inspect.getdoc(SECTIONS[name]) or "").partition("\n")
    print(f"\n=== {name} : {title} ===\n{guide.strip()}\n")
    np.random.seed(SEED)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(SEED)
    before, answer = plt.get_fignums(), None
    try:
        answer = SECTIONS[name]()
    except NotImplementedError as blank:  # ce qui reste à écrire ; PyTorch a la même erreur, avec un autre texte
        if not str(blank).startswith("À vous"):
            raise
        print(f"{blank} ({SCRIPT.name}, ligne {traceback.extract_tb(blank.__traceback__)[-1].lineno})")
        for number in set(plt.get_fignums()) - set(before):
            plt.close(number)
    if corrige and answer is not None:
        answer = re.sub(r" (?=[%:;?!»]|\d+\))|(?<=«) ", "\u00a0", str(answer))  # des espaces insécables
        print("\n" + textwrap.fill(f"Réponse : {answer}", 100, break_on_hyphens=False))
    return [number for number in plt.get_fignums() if number not in before]


def show(figures, folder, name):
    """Montre ensemble les figures d'une section, jusqu'à ce qu'on les ferme, ou les enregistre dans `folder`."""
    n_open = len(plt.get_fignums())  # dans un carnet, avec celles de l'utilisateur
    if figures and not folder:
        if has_window():
            print("Fermez la figure pour continuer." if n_open == 1 else f"Fermez les {n_open} figures pour continuer.")
        plt.show(block=True)
    for k, number in enumerate(figures, start=1):
        if folder:
            file = folder / (f"{SCRIPT.stem}-{name}" + (f"-{k}" if k > 1 else "") + ".png")
            try:
                folder.mkdir(parents=True, exist_ok=True)
                plt.figure(number).savefig(file)
            except OSError:
                refuse(f"impossible d'enregistrer {str(file)!r} (dossier interdit, disque plein...)")
            print(f"Figure : {file}")
        plt.close(number)


def leave(signum, frame):
    """Ctrl+C : s'arrête tout de suite, où qu'on en soit (Tk et scikit-learn avalent l'interruption de Python)."""
    os.write(2, b"Interrompu.\n")
    os._exit(130)


def main():
    """Lit les options, joue les sections demandées ; rend l'état : 0, ou 2 pour un refus."""
    console = hasattr(sys.stdout, "reconfigure")  # ni IDLE, ni un carnet
    if console:
        sys.stdout.reconfigure(errors="replace", line_buffering=True)
        handler = signal.signal(signal.SIGINT, leave)
    try:
        options = read_options()
        if options.liste:
            for name, section in SECTIONS.items():
                print(f"{name:<20} {(inspect.getdoc(section) or '').partition(chr(10))[0]}")
        if options.help or options.liste:
            return 0
        folder, told = choose_folder(options.figures), options.figures
        colours = ["tab:blue", "tab:orange", "tab:green", "tab:red", "tab:purple"]
        curves = plt.cycler(color=colours, linestyle=["-", "--", "-.", ":", (0, (5, 1, 1, 1))])
        style = {"font.size": 14, "figure.raise_window": False, "axes.prop_cycle": curves}
        chosen = [name for number in options.section or SECTIONS for name in sections_under(number)]
        with plt.rc_context(style), np.errstate(over="ignore", invalid="ignore"):
            for name in SECTIONS:
                figures = play(name, options.corrige) if name in chosen else []
                if figures and folder and not told:
                    print("Pas de fenêtre ici : figures dans figures/ (il faut un écran et Tk, voir README.md).")
                    told = True
                show(figures, folder, name)
    except SystemExit as stop:  # un refus
        return stop.code
    except BrokenPipeError:  # le lecteur du tube (head, less) est parti
        os._exit(0)
    finally:
        if console:
            signal.signal(signal.SIGINT, handler)
    return 0


if __name__ == "__main__":
    status = main()
    if status and "ipykernel" not in sys.modules:
        sys.exit(status)
