"""Exercice 2 : le perceptron multi-couches sur les iris, avec scikit-learn (partie 3.2).

Un `MLPClassifier` reconnaît trois espèces d'iris à quatre mesures de la fleur. La boucle `for epoch` de
`train` est celle que l'énoncé fait analyser ; les autres sections changent un réglage à la fois.

  python exercice2.py                                       toutes les sections, dans l'ordre de l'énoncé
  python exercice2.py --section 3.2-epoch --corrige         l'apprentissage époque par époque, avec la réponse
  python exercice2.py --section 3.2-epoch --hidden 10,5 --activation sigmoïde
  python exercice2.py --section 3.2-epoch --solver adam --learning-rate 0.01
"""

import argparse
import contextlib
import inspect
import math
import os
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
from matplotlib.colors import to_rgb
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold, cross_validate, train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

# --- Réglages : changez-les ici, ou par une option (--activation relu) --------------------------------
HIDDEN_LAYER_SIZES = (10,)  # neurones de chaque couche cachée : (10, 5) en fait deux
ACTIVATION = "tanh"  # ou "logistic" (la sigmoïde), "relu", "identity" (linéaire)
SOLVER = "sgd"  # descente de gradient stochastique ; ou "adam"
LEARNING_RATE = 0.1  # taux d'apprentissage
MOMENTUM = 0.9  # moment de "sgd", de 0 à 1
BATCH_SIZE = 20  # fleurs d'un mini-batch
EPOCHS = 40


# --- La leçon -----------------------------------------------------------------------------------------
def split(seed):
    """Partage les 150 iris, 120 pour apprendre et 30 pour tester, puis centre et réduit les mesures.

    Rend inputs (120, 4), targets (120,), test_inputs (30, 4), test_targets (30,) et le `scaler`, qui n'a vu que
    les 120 premières.
    """
    inputs, targets = load_iris(return_X_y=True)
    inputs, test_inputs, targets, test_targets = train_test_split(
        inputs, targets, test_size=30, stratify=targets, random_state=seed
    )
    scaler = StandardScaler().fit(inputs)
    return scaler.transform(inputs), targets, scaler.transform(test_inputs), test_targets, scaler


def train(classifier, inputs, targets, test_inputs, test_targets, epochs, on_epoch):
    """Entraîne époque par époque, et appelle `on_epoch` après chacune pour le dessin.

    Rend `history` (époques, 4) : perte et exactitude d'apprentissage, perte et exactitude de test. Elle est plus
    courte si la perte explose.
    """
    history = []
    with safe_training():  # pour que Ctrl+C marche, et qu'une explosion ne soit pas une erreur (voir plus bas)
        for epoch in range(epochs):
            classifier.partial_fit(inputs, targets, classes=[0, 1, 2])
            if classifier.loss_ > EXPLOSION:
                break
            loss, score = measure(classifier, inputs, targets)
            test_loss, test_score = measure(classifier, test_inputs, test_targets)
            history.append([loss, score, test_loss, test_score])
            on_epoch(epoch, np.array(history))
    return np.array(history)


def forward(classifier, inputs):
    """Les probabilités (n, 3) calculées à la main : g(A·W + b) couche par couche, puis softmax."""
    outputs = inputs  # (n, 4)
    for weights, bias in zip(classifier.coefs_[:-1], classifier.intercepts_[:-1]):
        outputs = np.dot(outputs, weights) + bias  # (n, neurones de la couche)
        if classifier.activation == "logistic":
            outputs = 1 / (1 + np.exp(-outputs))
        elif classifier.activation == "tanh":
            outputs = np.tanh(outputs)
        elif classifier.activation == "relu":
            outputs = np.maximum(0, outputs)
    scores = np.dot(outputs, classifier.coefs_[-1]) + classifier.intercepts_[-1]  # (n, 3)
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


# --- Mesures ------------------------------------------------------------------------------------------
EXPLOSION = 1000  # répondre au hasard coûte ln 3 = 1.1 : une perte pareille ne redescendra pas
N_FOLDS = 5  # parts de la validation croisée : autant d'essais par réglage
GOAL = 0.1  # une perte à atteindre, pour comparer les vitesses
WORSE_THAN_CHANCE = 1.5 * math.log(3)  # ln 3 = 1.1 : la perte de qui répond au hasard


def measure(classifier, inputs, targets):
    """Perte (entropie croisée : la moyenne de -ln de la probabilité donnée à la bonne espèce) et exactitude."""
    return log_loss(targets, classifier.predict_proba(inputs), labels=[0, 1, 2]), classifier.score(inputs, targets)


@contextlib.contextmanager
def safe_training():
    """Entoure un apprentissage : rend Ctrl+C, que scikit-learn avale, et arrête sans erreur s'il explose."""
    with warnings.catch_warnings(), np.errstate(over="ignore", invalid="ignore"):
        warnings.filterwarnings("error", message="Training interrupted by user")
        warnings.filterwarnings("ignore", category=ConvergenceWarning)  # le nombre d'époques est choisi
        try:
            yield
        except UserWarning as warning:
            if "interrupted" in str(warning):
                raise KeyboardInterrupt from None
            raise
        except ValueError as error:
            if "non-finite" not in str(error):
                raise


def cross_validated(seed, settings, epochs):
    """Validation croisée : on coupe les iris en N_FOLDS, et chaque part sert une fois de test.

    Rend la perte d'apprentissage médiane (époques,), et les N_FOLDS exactitudes, sur les fleurs mises de côté ; None
    si la perte explose.
    """
    inputs, targets = load_iris(return_X_y=True)
    np.random.seed(seed)  # sans random_state, chaque essai tire d'autres poids, et tout se répète d'une fois à l'autre
    classifier = MLPClassifier(**settings, max_iter=epochs, n_iter_no_change=epochs)
    folds = StratifiedKFold(n_splits=N_FOLDS, shuffle=True, random_state=seed)
    model, result = make_pipeline(StandardScaler(), classifier), None
    with safe_training():
        result = cross_validate(model, inputs, targets, cv=folds, return_estimator=True, error_score="raise")
    if result is None:
        return None
    curves = np.array([estimator[-1].loss_curve_ for estimator in result["estimator"]])  # (essais, époques)
    if curves.max() > EXPLOSION:
        return None
    return np.median(curves, axis=0), result["test_score"]


def epochs_to_goal(result):
    """Première époque où la perte est au plus GOAL ; None si elle n'y arrive pas, ou n'y reste pas."""
    if result is None or result[0][-1] > 2 * GOAL:
        return None
    for epoch, loss in enumerate(result[0], start=1):
        if loss <= GOAL:
            return epoch
    return None


# --- Ce qui sert à plusieurs sections -----------------------------------------------------------------
MEASURES = ["longueur du sépale", "largeur du sépale", "longueur du pétale", "largeur du pétale"]  # en cm
SPECIES = {"setosa": "tab:purple", "versicolor": "goldenrod", "virginica": "tab:cyan"}  # espèce : couleur
MARKERS = ["o", "s", "^"]


def settings_of(args, **changes):
    """Les réglages, sous les noms de MLPClassifier, avec `changes` à la place de certains."""
    settings = {
        "hidden_layer_sizes": args.hidden,
        "activation": args.activation,
        "solver": args.solver,
        "learning_rate_init": args.learning_rate,
        "momentum": args.momentum,
        "batch_size": args.batch_size,
    }
    return settings | changes


def counted(number, word):
    """Écrit « 1 neurone », « 10 neurones »."""
    return f"{number} {word}" + ("s" if number > 1 else "")


def sizes_text(sizes):
    """Écrit « 10 neurones cachés », « 10 puis 5 neurones cachés »."""
    plural = "s" if sizes[-1] > 1 else ""
    return f"{' puis '.join(str(size) for size in sizes)} neurone{plural} caché{plural}"


def relative_gap(result, other):
    """Écart relatif entre les pertes finales de deux réglages."""
    return abs(result[0][-1] / other[0][-1] - 1)


def describe(result):
    """Dit ce que fait la perte : « est à 0.1 en 7 époques », « explose »..."""
    goal = epochs_to_goal(result)
    if result is None:
        return "explose"
    if goal is not None:
        return f"est à {GOAL:g} en {counted(goal, 'époque')}"
    losses = result[0]
    if losses[-1] > WORSE_THAN_CHANCE:
        return "diverge, pire qu'au hasard"
    if losses.min() <= GOAL:
        return f"passe par {GOAL:g}, puis remonte"
    return f"n'est pas à {GOAL:g} en {counted(len(losses), 'époque')}"


def compare(args, variants):
    """Mesure chaque réglage (nom : réglages) et imprime sa ligne ; rend {nom: (pertes, exactitudes) ou None}."""
    print(f"La perte, en {N_FOLDS} essais par réglage (exactitude : sur des fleurs mises de côté) :")
    results = {}
    for name, settings in variants.items():
        result = cross_validated(args.seed, settings, args.epochs)
        results[name], ending = result, ""
        if result is not None:
            ending = f"fin {result[0][-1]:.4f}, exactitude {result[1].mean():.3f} ± {result[1].std():.3f}"
        print(f"  {name:<22} {describe(result):<30} {ending}")
    return results


def speed_sentence(results):
    """Dit ce que fait la perte avec chaque réglage ; ceux qui font la même chose sont dits ensemble."""
    names = {}  # par exemple {"est à 0.1 en 7 époques": ["tanh", "relu"]}
    for name, result in results.items():
        names.setdefault(describe(result), []).append(name)
    return "La perte " + " ; ".join(f"{text} ({', '.join(names[text])})" for text in names) + ". "


def accuracy_sentence(results):
    """Compare les exactitudes à leur dispersion."""
    scores = [result[1] for result in results.values() if result is not None]
    if len(scores) < 2:
        return ""
    means, spreads = np.mean(scores, axis=1), np.std(scores, axis=1)
    low, high = means.argmin(), means.argmax()
    text = f"Exactitudes de {means[low]:.3f} à {means[high]:.3f} : "
    if means[high] - means[low] > spreads[low] + spreads[high]:
        text += "une vraie différence, plus grande que"
    else:
        text += "pas de vraie différence, vu"
    return text + f" leurs dispersions (± {spreads[low]:.2f} et ± {spreads[high]:.2f}). "


def history_sentence(history):
    """Dit si la perte diverge, ou si la perte de test remonte quand l'autre descend : le surapprentissage.

    On compare des quarts de l'apprentissage, en moyenne : d'une époque à l'autre, une perte tremble.
    """
    if history[-1, 0] > WORSE_THAN_CHANCE:
        return f" La perte finit à {history[-1, 0]:.2g}, pire qu'au hasard : les pas sont trop grands."
    if len(history) < 8:
        return ""
    quarters = [part[:, [0, 2]].mean(axis=0) for part in np.array_split(history, 4)]  # (perte, perte de test)
    loss, test_loss = np.transpose(quarters)  # (4,) et (4,)
    lowest = test_loss.argmin()
    if test_loss[-1] > 1.1 * test_loss[lowest] and loss[-1] < loss[lowest]:
        return (
            f" La perte de test remonte à la fin, de {test_loss[lowest]:.3f} à {test_loss[-1]:.3f} (moyennes sur un "
            "quart des époques), alors que celle d'apprentissage descend : c'est le surapprentissage."
        )
    return ""


def draw_losses(ax, results, title):
    """La perte médiane de chaque réglage qui n'a pas explosé, échelle log."""
    for (name, result), style in zip(results.items(), [".-", ".--", ".-.", ".:"]):
        if result is not None:
            ax.plot(range(1, len(result[0]) + 1), result[0], style, linewidth=2, label=name)
    ax.axhline(GOAL, color="black", linewidth=1, label=f"perte de {GOAL:g}")
    ax.set(title=title, xlabel="époque", ylabel="perte d'apprentissage (échelle log)", yscale="log")
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))


def extend(lines, history):
    """Met les courbes à jour ; `history` (époques, 4), une colonne par courbe."""
    for line, values in zip(lines, history.T):
        line.set_data(range(1, len(values) + 1), values)
        line.axes.relim()
        line.axes.autoscale_view()


def draw_network(ax, sizes):
    """Un rond par neurone, un trait par poids ; `sizes` : le nombre de neurones de chaque couche."""
    heights = [np.linspace(1, -1, size + 2)[1:-1] for size in sizes]
    for layer, (left, right) in enumerate(zip(heights, heights[1:])):
        segments = [[(layer, a), (layer + 1, b)] for a in left for b in right]
        ax.add_collection(LineCollection(segments, colors="gray", linewidths=0.7))
    for layer, column in enumerate(heights):
        kind = "couche cachée"
        if layer in (0, len(sizes) - 1):
            kind = "sortie" if layer else "entrée"
        ax.scatter([layer] * len(column), column, s=3000 / (len(column) + 5), edgecolor="black", zorder=2)
        ax.text(layer, -1.05, kind, ha="center", va="top")
    ax.set(title="Le réseau", xlim=(-0.5, len(sizes) - 0.5), ylim=(-1.3, 1))
    ax.axis("off")


def draw_grid(ax, rates, momenta, finals):
    """La perte finale de chaque couple taux, moment ; `finals` (taux, moments), nan si la perte a explosé."""
    ax.imshow(np.log10(finals), cmap="viridis_r", aspect="auto")
    for (row, column), final in np.ndenumerate(finals):
        text = "explose" if np.isnan(final) else f"{final:.3f}"
        ax.text(column, row, text, ha="center", va="center", bbox={"color": "white", "alpha": 0.8})
    ax.set_xticks(range(len(momenta)), [f"moment {momentum:g}" for momentum in momenta])
    ax.set_yticks(range(len(rates)), [f"taux {rate:g}" for rate in rates])
    ax.set(title="Perte finale")


def draw_flowers(ax, flowers, species, first, second):
    """Deux des quatre mesures (cm), une couleur et une marque par espèce."""
    for k, (name, colour) in enumerate(SPECIES.items()):
        points = flowers[species == k]
        ax.scatter(points[:, first], points[:, second], color=colour, marker=MARKERS[k], edgecolor="black", label=name)
    ax.set(xlabel=f"{MEASURES[first]} (cm)", ylabel=f"{MEASURES[second]} (cm)")


def petal_regions(classifier, scaler):
    """Probabilités (200, 200, 3) dans le plan des pétales, les sépales restant à leur moyenne."""
    lengths, widths = np.meshgrid(np.linspace(0.5, 7.5, 200), np.linspace(0, 3, 200))
    flowers = np.tile(scaler.mean_, (lengths.size, 1))  # (40000, 4)
    flowers[:, 2], flowers[:, 3] = lengths.ravel(), widths.ravel()
    return classifier.predict_proba(scaler.transform(flowers)).reshape(200, 200, 3)


def blend(probabilities):
    """La couleur de chaque point : celles des trois espèces, mêlées selon leurs probabilités, puis éclaircies."""
    colours = np.array([to_rgb(colour) for colour in SPECIES.values()])  # (3, 3)
    return 0.5 + 0.5 * np.dot(probabilities, colours)


def draw_regions(ax, inputs, targets, scaler, title):
    """Le plan des pétales, avec ses fleurs ; rend le fond, que `set_data` colorie."""
    background = ax.imshow(np.ones((200, 200, 3)), extent=(0.5, 7.5, 0, 3), origin="lower", aspect="auto")
    draw_flowers(ax, scaler.inverse_transform(inputs), targets, 2, 3)
    ax.set(title=title)
    ax.legend(loc="upper left")
    return background


# --- Sections -----------------------------------------------------------------------------------------
def section_data(args):
    """Les iris

    Question : quelle espèce une droite sépare-t-elle des autres ? Lesquelles se mélangent ?
    À regarder : les sépales, puis les pétales.
    """
    flowers, species = load_iris(return_X_y=True)
    print(f"inputs : {flowers.shape}   targets : {species.shape}")
    print("Moyennes (cm)      " + "".join(f"{name:>12}" for name in SPECIES))
    for j, name in enumerate(MEASURES):
        print(f"{name:<19}" + "".join(f"{flowers[species == k, j].mean():12.2f}" for k in range(3)))
    fig, (left, right) = plt.subplots(1, 2, figsize=(14, 6.5), layout="constrained")
    draw_flowers(left, flowers, species, 0, 1)
    draw_flowers(right, flowers, species, 2, 3)
    left.set_title("Les sépales")
    right.set_title("Les pétales")
    right.legend()
    show(fig, args)
    lengths = flowers[:, 2]
    gap = lengths[species > 0].min() - lengths[species == 0].max()
    low, high = lengths[species == 2].min(), lengths[species == 1].max()
    mixed = ((species > 0) & (lengths >= low) & (lengths <= high)).sum()
    return (
        f"Setosa : ses pétales sont plus courts que les autres d'au moins {gap:.1f} cm. Versicolor et virginica se "
        f"mélangent : entre {low:g} et {high:g} cm de longueur de pétale on trouve les deux ({mixed} fleurs)."
    )


def section_epoch(args):
    """L'apprentissage, époque par époque

    Question : à quoi correspond une itération réalisée avec la variable `epoch` ? (Lisez `train`.)
    À regarder : les régions, puis la perte sur les fleurs d'apprentissage et sur celles du test.
    """
    inputs, targets, test_inputs, test_targets, scaler = split(args.seed)
    # Un RandomState, et pas un nombre : sinon chaque époque mélangerait les fleurs dans le même ordre.
    classifier = MLPClassifier(**settings_of(args), random_state=np.random.RandomState(args.seed))
    fig, axes = plt.subplots(1, 3, figsize=(19, 6.5), layout="constrained")
    background = draw_regions(axes[0], inputs, targets, scaler, "Les régions (sépales à leur moyenne)")
    lines = []  # dans l'ordre des colonnes de `history`
    for style, name in [(".-", "apprentissage"), (".--", "test")]:
        lines += axes[1].plot([], [], style, label=name) + axes[2].plot([], [], style, label=name)
    for ax, title in zip(axes[1:], ["Perte", "Exactitude"]):
        ax.set(title=title, xlabel="époque")
        ax.legend()

    def on_epoch(epoch, history):  # le dessin en direct, une époque sur deux
        if args.window and epoch % 2 == 0 and plt.fignum_exists(fig.number):
            background.set_data(blend(petal_regions(classifier, scaler)))
            extend(lines, history)
            plt.pause(0.01)

    history = train(classifier, inputs, targets, test_inputs, test_targets, args.epochs, on_epoch)
    print("Perte : entropie croisée (0 : parfait ; 1.1 : au hasard). Exactitude : part de fleurs reconnues.")
    print("époque   perte (apprentissage, test)   exactitude (apprentissage, test)")
    for epoch, (loss, score, test_loss, test_score) in enumerate(history, start=1):
        if epoch in (1, 2, 5, 10, 20, 100, 1000) or epoch == len(history):
            print(f"{epoch:6d} {loss:14.4f} {test_loss:10.4f} {score:22.3f} {test_score:10.3f}")
    extend(lines, history)
    if len(history) < args.epochs:
        print(f"La perte explose à l'époque {len(history) + 1}.")
        show(fig, args)
        return f"La perte explose : le taux {args.learning_rate:g} est trop grand."
    background.set_data(blend(petal_regions(classifier, scaler)))
    show(fig, args)
    groups = math.ceil(len(inputs) / args.batch_size)
    answer = (
        f"C'est un passage sur les {len(inputs)} fleurs d'apprentissage, par groupes de {args.batch_size} : "
        f"{counted(groups, 'mise')} à jour des poids par époque. En {counted(args.epochs, 'époque')} : "
        f"{counted(args.epochs * groups, 'mise')} à jour, {classifier.t_} exemples vus. Fleurs du test reconnues à la "
        f"fin : {history[-1, 3] * 30:.0f} sur 30."
    )
    return answer + history_sentence(history)


def section_structure(args):
    """La structure du réseau

    Question : combien de neurones dans chaque couche ? Quelle est la taille des matrices de poids ?
    À regarder : chaque rond est un neurone, chaque trait un poids. Comptez-les.
    """
    inputs, targets, test_inputs, _, _ = split(args.seed)
    classifier = MLPClassifier(hidden_layer_sizes=args.hidden, activation=args.activation, random_state=args.seed)
    classifier.partial_fit(inputs, targets, classes=[0, 1, 2])  # une époque suffit à créer les matrices
    gap = abs(forward(classifier, test_inputs) - classifier.predict_proba(test_inputs)).max()
    near = f"à {gap:.0e} près" if gap else "exactement"
    print("Ajoutez à la fin de cette section : for weights in classifier.coefs_: print(weights.shape)")
    print(f"`forward`, le calcul à la main, donne {near} les probabilités de predict_proba.")
    fig, ax = plt.subplots(figsize=(12, 8), layout="constrained")
    draw_network(ax, [4, *args.hidden, 3])
    show(fig, args)
    shapes = " puis ".join(str(weights.shape) for weights in classifier.coefs_)
    products = " + ".join(f"{weights.shape[0]}×{weights.shape[1]} + {len(weights.T)}" for weights in classifier.coefs_)
    n_parameters = sum(array.size for array in classifier.coefs_ + classifier.intercepts_)
    return (
        f"4 entrées (une par mesure), {sizes_text(args.hidden)}, 3 sorties (une par espèce). Matrices de poids, de "
        f"l'entrée vers la sortie : {shapes}. Avec un biais par neurone : {products} = {n_parameters} nombres à "
        "apprendre."
    )


def section_hidden(args):
    """Le nombre de neurones cachés

    Question : que change le nombre de neurones de la couche cachée, pendant et après l'entraînement ?
    À regarder : la vitesse de descente, la perte finale, puis l'exactitude à côté de sa dispersion (±).
    """
    variants = {}
    for size in [1, 3, 10, 50]:
        variants[counted(size, "neurone")] = settings_of(args, hidden_layer_sizes=(size,))
    results = compare(args, variants)
    fig, ax = plt.subplots(figsize=(12, 6.5), layout="constrained")
    draw_losses(ax, results, "La perte selon le nombre de neurones cachés")
    show(fig, args)
    goals = [epochs_to_goal(result) or math.inf for result in results.values()]
    answer = ""
    if all(few > many for few, many in zip(goals, goals[1:])):
        answer = "Plus il y a de neurones, plus la perte descend vite, en nombre d'époques. "
    return answer + speed_sentence(results) + accuracy_sentence(results)


def section_activation(args):
    """La fonction d'activation

    Question : que changent la sigmoïde (logistic) ou la tangente hyperbolique (tanh) ?
    À regarder : la vitesse de descente ; puis les frontières, sans activation (identity) et avec tanh.
    """
    names = ["identity", "logistic", "tanh", "relu"]
    results = compare(args, {name: settings_of(args, activation=name) for name in names})
    fig, ax = plt.subplots(figsize=(12, 6.5), layout="constrained")
    draw_losses(ax, results, "La perte selon l'activation")
    show(fig, args)

    inputs, targets, _, _, scaler = split(args.seed)
    fig, axes = plt.subplots(1, 2, figsize=(15, 6.5), layout="constrained")
    for ax, name in zip(axes, ["identity", "tanh"]):
        background = draw_regions(ax, inputs, targets, scaler, f"{name} : la perte explose")
        settings = settings_of(args, activation=name)
        classifier = MLPClassifier(**settings, max_iter=300, n_iter_no_change=300, random_state=args.seed)
        with safe_training():
            classifier.fit(inputs, targets)
            regions = petal_regions(classifier, scaler)  # (200, 200, 3)
            background.set_data(blend(regions))
            ax.contour(regions.argmax(axis=2), levels=[0.5, 1.5], extent=background.get_extent(), colors="black")
            ax.set_title(f"{name}, après 300 époques")
    show(fig, args)
    answer = ""
    slow, fast = epochs_to_goal(results["logistic"]), epochs_to_goal(results["tanh"])
    if slow and fast and slow > 1.5 * fast:
        answer = "La sigmoïde (logistic) est plus lente que tanh. "
    return (
        f"{answer}{speed_sentence(results)}{accuracy_sentence(results)}Avec identity tout le réseau est linéaire, et "
        "ses frontières sont des droites ; avec tanh elles peuvent se courber."
    )


def section_sgd(args):
    """La descente de gradient stochastique : taux et moment

    Question : comment régler le taux d'apprentissage (learning_rate_init) et le moment (momentum) ?
    À regarder : la perte finale de chaque couple ; puis ce que le moment change à la descente.
    """
    rates, momenta, variants = [0.001, 0.01, 0.1, 1, 10], [0, 0.9], {}
    for rate in rates:
        for momentum in momenta:
            settings = settings_of(args, solver="sgd", learning_rate_init=rate, momentum=momentum)
            variants[f"taux {rate:g}, moment {momentum:g}"] = settings
    results = compare(args, variants)
    finals = [np.nan if result is None else result[0][-1] for result in results.values()]

    fig, (left, right) = plt.subplots(1, 2, figsize=(18, 7), layout="constrained", width_ratios=[2, 3])
    draw_grid(left, rates, momenta, np.reshape(finals, (len(rates), len(momenta))))
    shown = ["taux 0.001, moment 0", "taux 0.1, moment 0", "taux 0.1, moment 0.9", "taux 10, moment 0.9"]
    draw_losses(right, {name: results[name] for name in shown}, "La perte selon le taux et le moment")
    show(fig, args)
    slow, _, good, wild = [epochs_to_goal(results[name]) for name in shown]
    answer = ""
    if good and not slow and not wild:
        answer = "Il faut un taux ni trop petit, ni trop grand. "
    for word, name in [("Petit", shown[0]), ("Moyen", shown[2]), ("Grand", shown[3])]:
        answer += f"{word} ({name}) : la perte {describe(results[name])}. "
    with_momentum, without = results["taux 0.01, moment 0.9"], results["taux 0.1, moment 0"]
    control = results["taux 0.01, moment 0"]  # sans le moment, la perte doit finir ailleurs
    known = with_momentum and without and control
    if known and relative_gap(with_momentum, without) < 0.25 < relative_gap(control, without):
        answer += (
            "Un moment de 0.9 agit comme un pas 1/(1-0.9) = 10 fois plus grand : la perte finit à "
            f"{with_momentum[0][-1]:.3f} au taux 0.01 avec lui, à {without[0][-1]:.3f} au taux 0.1 sans lui."
        )
    return answer


SECTIONS = {
    "3.2-donnees": section_data,
    "3.2-epoch": section_epoch,
    "3.2-structure": section_structure,
    "3.2-couche-cachee": section_hidden,
    "3.2-activation": section_activation,
    "3.2-sgd": section_sgd,
}


# --- Options de ce script -----------------------------------------------------------------------------
def layer_sizes(text):
    """Lit « 10 », « 10,5 » ou « (10, 5) » : le nombre de neurones de chaque couche cachée."""
    return tuple(int(size) for size in text.strip("()").split(",") if size.strip())


def activation_name(text):
    """Le nom de scikit-learn : « sigmoïde », celui de l'énoncé, y est « logistic »."""
    return "logistic" if text in ("sigmoïde", "sigmoide") else text


def add_options(parser):
    """Une option par réglage. str : argparse vérifie la constante comme si elle venait de la ligne de commande."""
    names = ["identity", "logistic", "sigmoïde", "tanh", "relu"]
    hidden = checked(
        layer_sizes,
        "de 1 à 3 entiers de 1 à 200, séparés par des virgules",
        lambda sizes: 1 <= len(sizes) <= 3 and min(sizes) >= 1 and max(sizes) <= 200,
    )
    activation = checked(activation_name, f"une activation parmi {', '.join(names)}", lambda name: name in names)
    solver = checked(str, "sgd ou adam", lambda name: name in ("sgd", "adam"))
    rate = checked(float, "un nombre positif (avec un point : 0.01)", lambda value: 0 < value <= 1e100)
    momentum = checked(float, "un nombre de 0 à 1, 1 exclu", lambda value: 0 <= value < 1)
    size = checked(int, "un entier de 1 à 120", lambda value: 1 <= value <= 120)
    count = checked(int, "un entier de 1 à 10000", lambda value: 1 <= value <= 10_000)
    option = parser.add_argument
    option("--hidden", metavar="N,N", type=hidden, default=str(HIDDEN_LAYER_SIZES), help="(défaut : %(default)s)")
    option("--activation", metavar="NOM", type=activation, default=str(ACTIVATION), help="(défaut : %(default)s)")
    option("--solver", metavar="NOM", type=solver, default=str(SOLVER), help="(défaut : %(default)s)")
    option("--learning-rate", metavar="X", type=rate, default=str(LEARNING_RATE), help="(défaut : %(default)s)")
    option("--momentum", metavar="X", type=momentum, default=str(MOMENTUM), help="(défaut : %(default)s)")
    option("--batch-size", metavar="N", type=size, default=str(BATCH_SIZE), help="(défaut : %(default)s)")
    option("--epochs", metavar="N", type=count, default=str(EPOCHS), help="(défaut : %(default)s)")


def check_options(args):
    """Rien à vérifier de plus."""


# --- Lancement : d'ici à la fin, le même texte dans les cinq scripts ----------------------------------
def checked(kind, wanted, accepts):
    """Rend la fonction qui lit une option : elle en fait un `kind` que `accepts` approuve, ou la refuse."""

    def read(text):
        try:
            value = kind(text)
            if accepts(value):
                return value
        except ValueError:  # pas un `kind` : on le dit plus bas
            pass
        raise argparse.ArgumentTypeError(f"il faut {wanted}, pas {text!r}")

    return read


def sections_under(number):
    """Les sections d'un numéro : lui-même et ce qui est sous lui (2.2 : 2.2.1, 2.2.2-perte...)."""
    return [name for name in SECTIONS if f"{name}-".startswith((f"{number}-", f"{number}."))]


def refuse(message):
    """Dit en une phrase ce qui ne va pas et s'arrête, avec l'état 2."""
    print(f"{Path(__file__).name} : option refusée : {message}", file=sys.stderr)
    sys.exit(2)


def read_options():
    """Lit et vérifie toutes les options, avant tout calcul."""
    style = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=style, add_help=False, allow_abbrev=False)
    parser.error = refuse
    section = checked(str, "une section parmi " + ", ".join(SECTIONS), sections_under)
    seed = checked(int, "un entier de 0 à 4294967295", lambda value: 0 <= value < 2**32)
    option = parser.add_argument
    option("-h", "--help", action="help", help="affiche cette aide")
    option("--section", action="append", metavar="N", type=section, help="cette section et ce qui est sous elle")
    option("--liste", action="store_true", help="affiche les sections, n'exécute rien")
    option("--corrige", action="store_true", help="affiche la réponse après chaque section")
    option("--seed", metavar="N", type=seed, default=0, help="graine du hasard (défaut : %(default)s)")
    option("--figures", metavar="DOSSIER", type=Path, help="enregistre les figures dans ce dossier, sans les montrer")
    add_options(parser)
    args = parser.parse_args()
    wanted = [name for number in args.section or SECTIONS for name in sections_under(number)]
    args.chosen = [name for name in SECTIONS if name in wanted]
    check_options(args)
    return args


def choose_screen(args):
    """Une fenêtre (`args.window`), un dossier (`args.folder`) ou, dans un carnet, ni l'un ni l'autre."""
    in_notebook = "ipykernel" in sys.modules
    if not in_notebook:
        try:
            plt.switch_backend("agg" if args.figures else plt.get_backend())
        except ImportError:  # ni écran, ni Tk
            plt.switch_backend("agg")
    args.window = args.figures is None and backend_registry.resolve_backend(plt.get_backend())[1] is not None
    args.folder = args.figures if args.figures or args.window or in_notebook else Path("figures")
    if args.folder:
        try:
            args.folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=args.folder).close()
        except OSError:
            refuse(f"impossible d'écrire dans le dossier {str(args.folder)!r}")
        if args.figures is None:
            print("Pas de fenêtre ici : figures dans figures/ (il faut un écran et Tk, voir README.md).")


def show(fig, args):
    """Montre la figure jusqu'à ce qu'on la ferme, ou l'enregistre dans `args.folder`."""
    if args.folder:
        args.n_saved += 1
        suffix = f"-{args.n_saved}" if args.n_saved > 1 else ""
        file = args.folder / f"{Path(__file__).stem}-{args.current}{suffix}.png"
        fig.savefig(file)
        print(f"Figure : {file}")
    elif plt.fignum_exists(fig.number):  # une figure fermée pendant l'apprentissage le reste
        if args.window:
            print("Fermez la figure pour continuer.")
        plt.show(block=True)
    plt.close(fig)


def main():
    """Déroule les sections demandées et rend l'état de sortie."""
    try:
        if hasattr(sys.stdout, "reconfigure"):  # absent dans IDLE et dans un carnet
            sys.stdout.reconfigure(errors="replace", line_buffering=True)
        args = read_options()
        if args.liste:
            for name, function in SECTIONS.items():
                print(f"{name:<20} {inspect.getdoc(function).splitlines()[0]}")
            return 0
        choose_screen(args)
        with plt.rc_context({"figure.raise_window": False, "font.size": 14}):
            for name in args.chosen:
                title, _, guide = inspect.getdoc(SECTIONS[name]).partition("\n")
                print(f"\n=== {name} : {title} ===\n{guide.strip()}\n")
                args.current, args.n_saved = name, 0
                try:
                    answer = SECTIONS[name](args)
                except NotImplementedError as blank:  # ce qu'une version élève laisse à écrire
                    place = traceback.extract_tb(blank.__traceback__)[-1]
                    print(f"À vous : {blank} ({Path(place.filename).name}, ligne {place.lineno})")
                    plt.close()
                    continue
                if args.corrige:
                    for mark in "%:;":  # pas en début de ligne : une espace insécable devant
                        answer = answer.replace(f" {mark}", f"\u00a0{mark}")
                    print()
                    for line in f"Corrigé : {answer}".splitlines():
                        print(textwrap.fill(line, 100, break_on_hyphens=False))
    except SystemExit as stop:  # une option refusée, ou --help
        return stop.code
    except KeyboardInterrupt:
        print("Interrompu.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # le lecteur du tube (head, less) est parti
        os._exit(0)
    return 0


if __name__ == "__main__":
    status = main()
    if "ipykernel" not in sys.modules:  # dans un carnet, sys.exit afficherait un message
        sys.exit(status)
