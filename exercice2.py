"""Exercice 2 : le perceptron multi-couches sur les iris, avec scikit-learn (partie 3.2).

Un `MLPClassifier` reconnaît trois espèces d'iris à quatre mesures de la fleur. La boucle `for epoch in ...` de
`train` est celle que l'énoncé fait analyser ; les autres sections changent une chose à la fois (neurones cachés,
activation, descente de gradient) et mesurent ce que cela change, plusieurs fois, pour ne pas conclure au hasard.

  python exercice2.py                                       toutes les sections, dans l'ordre de l'énoncé
  python exercice2.py --section 3.2-epoch --corrige         l'apprentissage époque par époque, avec la réponse
  python exercice2.py --section 3.2-epoch --hidden 10,5 --activation relu
  python exercice2.py --section 3.2-structure --solver adam --epochs 300
"""

import argparse
import inspect
import math
import os
import shlex
import sys
import tempfile
import warnings
from pathlib import Path
from unittest import mock

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.backends import backend_registry
from matplotlib.collections import LineCollection
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import confusion_matrix, log_loss
from sklearn.model_selection import RepeatedStratifiedKFold, train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.neural_network._stochastic_optimizers import BaseOptimizer
from sklearn.preprocessing import StandardScaler

MEASURES = ["longueur du sépale", "largeur du sépale", "longueur du pétale", "largeur du pétale"]  # en cm
SPECIES = ["setosa", "versicolor", "virginica"]
COLOURS = np.array([[0.12, 0.47, 0.71], [1.0, 0.5, 0.05], [0.17, 0.63, 0.17]])  # bleu, orange, vert
MARKERS = ["o", "s", "^"]
ACTIVATIONS = ["identity", "logistic", "tanh", "relu"]
EXPLOSION = 1000 * math.log(3)  # mille fois la perte de qui répond au hasard : les poids ont explosé
GOAL = 0.1  # une perte à atteindre, pour comparer les vitesses


# --- Calcul -------------------------------------------------------------------------------------------
def split(seed):
    """Partage stratifié des 150 iris : 120 pour apprendre, 30 pour vérifier, centrés et réduits sur les 120.

    Rend inputs (120, 4), targets (120,), test_inputs (30, 4), test_targets (30,) et le `scaler` ajusté.
    """
    inputs, targets = load_iris(return_X_y=True)
    inputs, test_inputs, targets, test_targets = train_test_split(
        inputs, targets, test_size=30, stratify=targets, random_state=seed
    )
    scaler = StandardScaler().fit(inputs)
    return scaler.transform(inputs), targets, scaler.transform(test_inputs), test_targets, scaler


def make_classifier(seed, hidden, activation, solver, learning_rate, momentum, batch_size, schedule="constant"):
    """Le réseau. `momentum` vaut 0.9 par défaut dans scikit-learn : ici on le dit toujours.

    Un `RandomState`, et non un entier : sinon chaque `partial_fit` mélangerait les données dans le même ordre.
    """
    return MLPClassifier(
        hidden_layer_sizes=hidden,
        activation=activation,
        solver=solver,
        learning_rate=schedule,
        learning_rate_init=learning_rate,
        momentum=momentum,
        batch_size=batch_size,
        random_state=np.random.RandomState(seed),
    )


def learn(classifier, call):
    """Exécute `call()`, un apprentissage de `classifier` ; rend False si la perte a explosé.

    scikit-learn avale Ctrl+C et se contente d'un avertissement : celui-là redevient une interruption.
    """
    with warnings.catch_warnings(), np.errstate(over="ignore", invalid="ignore"):  # un taux énorme déborde
        warnings.filterwarnings("error", message="Training interrupted by user")
        # Le nombre d'époques est choisi, pas trouvé : s'arrêter avant la convergence est voulu.
        warnings.filterwarnings("ignore", category=ConvergenceWarning)
        try:
            call()
        except UserWarning as warning:
            if "interrupted" not in str(warning):
                raise
            raise KeyboardInterrupt from None
        except ValueError as error:
            if "non-finite" not in str(error):
                raise
            return False
    return classifier.loss_ < EXPLOSION


def measure(classifier, inputs, targets):
    """Perte (entropie croisée moyenne) et exactitude de `classifier` sur ces observations."""
    probabilities = classifier.predict_proba(inputs)  # (n, 3)
    return log_loss(targets, probabilities, labels=[0, 1, 2]), np.mean(probabilities.argmax(axis=1) == targets)


def train(classifier, inputs, targets, n_epochs, on_epoch=None):
    """Entraîne époque par époque, en appelant `on_epoch(epoch)` après chacune ; rend le nombre d'époques faites.

    Une époque est un passage sur toutes les observations, par petits groupes : un pas de gradient par groupe.
    """
    for epoch in range(n_epochs):
        if not learn(classifier, lambda: classifier.partial_fit(inputs, targets, classes=[0, 1, 2])):
            return epoch  # les poids ont explosé
        if on_epoch is not None:
            on_epoch(epoch + 1)
    return n_epochs


def count_parameters(classifier):
    """Nombre de poids et de biais."""
    return sum(values.size for values in classifier.coefs_ + classifier.intercepts_)


def forward(classifier, inputs):
    """Les probabilités (n, 3) calculées à la main : g(A·W + b) couche par couche, puis softmax."""
    functions = {
        "identity": lambda x: x,
        "logistic": lambda x: 1 / (1 + np.exp(-x)),
        "tanh": np.tanh,
        "relu": lambda x: np.maximum(0, x),
    }
    outputs = inputs  # (n, 4)
    for weights, bias in zip(classifier.coefs_[:-1], classifier.intercepts_[:-1]):
        outputs = functions[classifier.activation](np.dot(outputs, weights) + bias)  # (n, neurones)
    scores = np.dot(outputs, classifier.coefs_[-1]) + classifier.intercepts_[-1]  # (n, 3)
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def petal_regions(classifier, scaler, n=120):
    """Probabilités (n, n, 3) sur une grille du plan des pétales, les sépales restant à leur moyenne."""
    lengths, widths = np.meshgrid(np.linspace(0.5, 7.5, n), np.linspace(-0.2, 2.8, n))
    grid = np.zeros((n * n, 4))  # 0 est la moyenne, une fois les mesures centrées
    grid[:, 2] = (lengths.ravel() - scaler.mean_[2]) / scaler.scale_[2]
    grid[:, 3] = (widths.ravel() - scaler.mean_[3]) / scaler.scale_[3]
    return classifier.predict_proba(grid).reshape(n, n, 3)


def cross_validate(seed, n_epochs, n_repeats, **settings):
    """Entraîne ce réglage sur 5 découpages des 150 iris, `n_repeats` fois, avec des poids de départ différents.

    Rend les pertes d'apprentissage (essais, époques), NaN après une explosion ; l'exactitude (essais,) sur les
    fleurs mises de côté, 1/3 (le hasard) après une explosion ; et le nombre de paramètres. Même `seed`, mêmes
    découpages : deux réglages se comparent essai par essai. `fit` fait ici la boucle de `train` en un seul appel,
    deux fois plus vite.
    """
    inputs, targets = load_iris(return_X_y=True)
    folds = RepeatedStratifiedKFold(n_splits=5, n_repeats=n_repeats, random_state=seed)
    losses, accuracies = [], []
    for run, (own, held_out) in enumerate(folds.split(inputs, targets)):
        scaler = StandardScaler().fit(inputs[own])
        classifier = make_classifier(1000 * seed + run, **settings)
        patience = 10 if settings.get("schedule") == "adaptive" else n_epochs  # sinon, ne pas s'arrêter avant
        classifier.set_params(max_iter=n_epochs, n_iter_no_change=patience)
        ok = learn(classifier, lambda: classifier.fit(scaler.transform(inputs[own]), targets[own]))
        curve = list(getattr(classifier, "loss_curve_", []))
        losses.append(curve + [np.nan if not ok else curve[-1]] * (n_epochs - len(curve)))
        accuracies.append(classifier.score(scaler.transform(inputs[held_out]), targets[held_out]) if ok else 1 / 3)
    losses = np.array(losses)
    losses[losses >= EXPLOSION] = np.nan
    return losses, np.array(accuracies), count_parameters(classifier)


def epochs_to_goal(losses):
    """Pour chaque essai, première époque où la perte est au plus GOAL ; inf si c'est jamais. Rend (essais,)."""
    return np.array([np.append(np.flatnonzero(curve <= GOAL) + 1.0, math.inf)[0] for curve in losses])


def clearly_better(first, second):
    """Vrai si l'exactitude `first` (essais,) dépasse `second`, essai par essai, de plus de deux erreurs-types.

    Les essais partagent des fleurs : l'erreur-type est celle de Nadeau et Bengio (2003), corrigée pour cela.
    """
    differences = first - second
    error = np.std(differences, ddof=1) * math.sqrt(1 / len(differences) + 1 / 4)  # 1/4 : 30 fleurs pour 120
    return differences.mean() > 2 * error


# --- Dessin -------------------------------------------------------------------------------------------
def draw_species(ax, flowers, species, first, second):
    """Deux des quatre mesures, une couleur et une marque par espèce."""
    for k, name in enumerate(SPECIES):
        ax.scatter(
            flowers[species == k, first], flowers[species == k, second], color=COLOURS[k], marker=MARKERS[k], label=name
        )
    ax.set(xlabel=f"{MEASURES[first]} (cm)", ylabel=f"{MEASURES[second]} (cm)")
    ax.legend()


def draw_regions(ax, flowers, species, title):
    """Le plan des pétales : un fond à colorier (rendu, pour `set_data`) et les fleurs."""
    background = ax.imshow(np.ones((2, 2, 3)), extent=(0.5, 7.5, -0.2, 2.8), origin="lower", aspect="auto")
    for k in range(3):
        points = flowers[species == k]
        ax.scatter(
            points[:, 2], points[:, 3], color=COLOURS[k], marker=MARKERS[k], s=25, edgecolor="black", linewidth=0.5
        )
    ax.set(title=title, xlabel="longueur du pétale (cm)", ylabel="largeur du pétale (cm)")
    return background


def blend(probabilities):
    """Couleur de fond : le mélange des couleurs des espèces, pesé par leurs probabilités, éclairci."""
    return 0.4 + 0.6 * probabilities @ COLOURS


def draw_progress(ax, reference, title, ylabel):
    """Deux courbes vides, apprentissage et test, que `extend` remplira ; rend les deux."""
    (train_line,) = ax.plot([], [], "-", linewidth=2.5, label="apprentissage")
    (test_line,) = ax.plot([], [], "--", linewidth=2.5, label="test")
    ax.axhline(reference[1], color="black", linewidth=0.8, label=reference[0])
    ax.set(title=title, xlabel="époque", ylabel=ylabel)
    ax.legend()
    return train_line, test_line


def extend(lines, values):
    """Met les deux courbes à jour ; `values` (époques, 2)."""
    for line, column in zip(lines, np.transpose(values)):
        line.set_data(range(len(column)), column)
    lines[0].axes.relim()
    lines[0].axes.autoscale_view()


def draw_confusion(ax, matrix):
    """Matrice de confusion : une ligne par vraie espèce."""
    ax.imshow(matrix, cmap="Blues")
    for (row, column), count in np.ndenumerate(matrix):
        ax.text(column, row, count, ha="center", va="center", color="white" if count > matrix.max() / 2 else "black")
    ax.set_xticks(range(3), SPECIES, fontsize=11)
    ax.set_yticks(range(3), SPECIES, fontsize=11, rotation=90, va="center")
    ax.set(title="Confusion (test)", xlabel="espèce prédite", ylabel="vraie espèce")


def draw_network(ax, classifier, names):
    """Le réseau : un rond par neurone, un trait par poids, d'autant plus épais que le poids est grand.

    Au-delà de mille poids dans une couche, seuls les mille plus grands sont dessinés.
    """
    sizes = [classifier.coefs_[0].shape[0]] + [weights.shape[1] for weights in classifier.coefs_]
    heights = [np.linspace(1, -1, size + 2)[1:-1] for size in sizes]
    largest = max(np.abs(weights).max() for weights in classifier.coefs_)
    for layer, weights in enumerate(classifier.coefs_):
        chosen = np.argsort(-np.abs(weights), axis=None)[:1000]
        origins, ends = np.unravel_index(chosen, weights.shape)
        values = weights[origins, ends]
        lines = [[(layer, heights[layer][i]), (layer + 1, heights[layer + 1][j])] for i, j in zip(origins, ends)]
        colours = np.where(values > 0, "tab:red", "tab:blue")
        widths, styles = 0.2 + 5 * np.abs(values) / largest, np.where(values > 0, "-", "--")
        ax.add_collection(
            LineCollection(lines, linewidths=widths, colors=colours, linestyles=styles, alpha=0.6, zorder=1)
        )
    for layer, column in enumerate(heights):
        size = 350 if len(column) <= 12 else 60 if len(column) <= 60 else 5
        ax.scatter([layer] * len(column), column, s=size, color="white", edgecolor="black")
        kind = "entrées" if layer == 0 else "sorties" if layer == len(heights) - 1 else "couche cachée"
        ax.text(layer, -1.05, f"{kind}\n{len(column)} neurone{'s' if len(column) > 1 else ''}", ha="center", va="top")
    for height, name in zip(heights[0], names):
        ax.text(-0.1, height, name, ha="right", va="center", fontsize=12)
    for height, name in zip(heights[-1], SPECIES):
        ax.text(len(heights) - 1 + 0.1, height, name, va="center", fontsize=12)
    ax.set(title="Les poids appris : rouge plein > 0, bleu tireté < 0")
    ax.set(xlim=(-0.9, len(heights) - 0.3), ylim=(-1.35, 1))
    ax.axis("off")


def draw_curves(ax, results, title):
    """Perte d'apprentissage de chaque réglage : médiane des essais et quartiles, échelle log."""
    styles = ["-", "--", "-.", ":", (0, (5, 1, 1, 1)), (0, (1, 1)), (0, (8, 2)), (0, (3, 3, 1, 3))]
    for style, (name, (losses, _, _)) in zip(styles * 3, results.items()):
        whole = losses[:, np.cumsum(np.isnan(losses).any(axis=0)) == 0]  # jusqu'à la première explosion
        epochs = np.arange(1, whole.shape[1] + 1)
        (line,) = ax.plot(epochs, np.median(whole, axis=0), linestyle=style, linewidth=2.5, label=name)
        ax.fill_between(epochs, *np.percentile(whole, [25, 75], axis=0), color=line.get_color(), alpha=0.15)
    ax.axhline(math.log(3), color="black", linewidth=0.8, label="au hasard : ln 3")
    ax.axhline(GOAL, color="black", linestyle=":", linewidth=0.8, label=f"but : {GOAL:g}")
    ax.set(title=title, xlabel="époque", ylabel="perte (échelle log)", yscale="log")
    ax.legend(fontsize=11, ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.12))


def draw_grid(ax, rates, momenta, values):
    """Perte finale de chaque couple taux × moment ; `values` (taux, moments)."""
    ax.imshow(np.log10(values), cmap="viridis_r")
    for (row, column), value in np.ndenumerate(values):
        ax.text(column, row, f"{value:.3f}", ha="center", va="center", bbox={"color": "white", "alpha": 0.7})
    ax.set_xticks(range(len(momenta)), [f"{momentum:g}" for momentum in momenta])
    ax.set_yticks(range(len(rates)), [f"{rate:g}" for rate in rates])
    ax.set(title="Perte finale (médiane)", xlabel="moment (momentum)", ylabel="taux (learning_rate_init)")


# --- Sections -----------------------------------------------------------------------------------------
def settings_of(args, **changes):
    """Les réglages de la ligne de commande, avec `changes` à la place de certains."""
    settings = {
        "hidden": args.hidden,
        "activation": args.activation,
        "solver": args.solver,
        "learning_rate": args.learning_rate or (0.01 if args.solver == "adam" else 0.1),
        "momentum": 0.9 if args.momentum is None else args.momentum,
        "batch_size": args.batch_size,
    }
    return settings | changes


def explosion_sentence(epoch, settings):
    return f"Les poids ont explosé à l'époque {epoch + 1} : le taux {settings['learning_rate']:g} est trop grand."


def compare(args, n_epochs, n_repeats, variants):
    """Mesure chaque réglage de `variants` (nom : changements) et imprime sa ligne du tableau aussitôt."""
    print(f"{5 * n_repeats} essais par réglage, {n_epochs} époques ; exactitude : moyenne ± écart-type des essais.")
    print(f"{'réglage':<27} exactitude         époques jusqu'à {GOAL:g}   perte finale   paramètres")
    results = {}
    for name, changes in variants.items():
        results[name] = cross_validate(args.seed, n_epochs, n_repeats, **settings_of(args, **changes))
        losses, accuracies, n_parameters = results[name]
        goal, final = np.median(epochs_to_goal(losses)), np.median(losses[:, -1])
        shown = "jamais" if goal == math.inf else f"{goal:g}", "explosé" if np.isnan(final) else f"{final:.4f}"
        score = f"{accuracies.mean():.3f} ± {accuracies.std():.3f}"
        print(f"{name:<27} {score} {shown[0]:>17} {shown[1]:>16} {n_parameters:12d}")
    return results


def listing(names):
    """Des noms de réglages à la suite, ou leur nombre s'il y en a trop."""
    return " ; ".join(names) or "aucun" if len(names) <= 4 else f"{len(names)} réglages"


def ranking_sentence(results):
    """Le réglage à la meilleure exactitude, et ceux qu'il bat vraiment : le reste est dans la dispersion."""
    best = max(results, key=lambda name: results[name][1].mean())
    beaten = [name for name in results if name != best and clearly_better(results[best][1], results[name][1])]
    return (
        f"La plus grande exactitude moyenne est ici {results[best][1].mean():.3f}, avec « {best} ».\n"
        f"L'avance dépasse deux erreurs-types sur : {listing(beaten)}. Ailleurs elle est dans la dispersion\n"
        "des essais : une autre graine peut changer l'ordre."
    )


def speed_sentence(results):
    """La vitesse de chaque réglage : époques jusqu'à la perte GOAL, et ceux qui sont lents à coup sûr."""
    goals = {name: epochs_to_goal(losses) for name, (losses, _, _) in results.items()}
    medians = {name: np.median(values) for name, values in goals.items()}
    fast = min(medians, key=medians.get)
    reached = " ; ".join(f"{name} : {value:g}" for name, value in medians.items() if value < math.inf)
    slow = [name for name in goals if goals[name].min() > goals[fast].max()]
    return (
        f"Époques jusqu'à la perte {GOAL:g}, médiane des essais qui y arrivent pour moitié au moins :\n"
        f"  {reached or 'aucun réglage'}.\n"
        f"Plus lents que « {fast} » dans tous les essais : {listing(slow)}."
    )


def section_data(args):
    """Les iris

    150 fleurs, 4 mesures en centimètres, 3 espèces de 50 fleurs.
    À regarder : quelle espèce se sépare des autres d'un trait, et lesquelles se mêlent ?
    """
    flowers, species = load_iris(return_X_y=True)
    print(f"inputs : {flowers.shape}   targets : {species.shape}   fleurs par espèce : {np.bincount(species).tolist()}")
    print("Moyennes (cm)           " + "".join(f"{name:>12}" for name in SPECIES))
    for j, name in enumerate(MEASURES):
        print(f"  {name:<22}" + "".join(f"{flowers[species == k, j].mean():12.2f}" for k in range(3)))
    _, targets, _, test_targets, _ = split(args.seed)
    sizes = np.bincount(targets).tolist(), np.bincount(test_targets).tolist()
    print(f"Partage stratifié, par espèce : {sizes[0]} pour apprendre, {sizes[1]} pour vérifier.")
    petals = flowers[:, 2]
    gap = petals[species > 0].min() - petals[species == 0].max()
    low, high = petals[species == 2].min(), petals[species == 1].max()
    mixed = np.sum((species > 0) & (petals >= low) & (petals <= high))
    print(f"Longueur du pétale : {gap:.1f} cm séparent setosa des deux autres ;")
    print(f"de {low:g} à {high:g} cm, {mixed} fleurs de versicolor et de virginica sont mêlées.")
    fig, (left, right) = plt.subplots(1, 2, figsize=(14, 6.5), layout="constrained")
    draw_species(left, flowers, species, 0, 1)
    draw_species(right, flowers, species, 2, 3)
    left.set_title("Les sépales : deux espèces se mêlent")
    right.set_title("Les pétales : setosa est à part")
    show(fig, args)
    return (
        f"Setosa se sépare seule : {gap:.1f} cm de longueur de pétale la séparent des autres.\n"
        f"Versicolor et virginica se touchent : {mixed} fleurs sont dans la zone commune."
    )


def section_epoch(args):
    """L'apprentissage, époque par époque

    Question : à quoi correspond une itération faite avec la variable `epoch` ? Lisez la boucle de `train`.
    À regarder : les régions se former dans le plan des pétales, la perte descendre depuis ln 3, et l'écart entre
    apprentissage et test. Dans une fenêtre, tout se dessine en direct ; fermez-la, l'apprentissage continue.
    """
    inputs, targets, test_inputs, test_targets, scaler = split(args.seed)
    settings, n_epochs = settings_of(args), args.epochs or 100
    flowers, species = scaler.inverse_transform(inputs), targets
    print(f"Réglages : {settings['hidden']} neurones cachés, {settings['activation']}, {settings['solver']}, ", end="")
    print(f"taux {settings['learning_rate']:g}, groupes de {settings['batch_size']}, {n_epochs} époques")
    fig, axes = plt.subplots(2, 3, figsize=(16, 9.5), layout="constrained")
    middle = max(1, n_epochs // 10)
    titles = ("Avant", f"Après {middle} époque{'s' if middle > 1 else ''}", "À la fin")
    before, during, after = (draw_regions(ax, flowers, species, title) for ax, title in zip(axes[0], titles))
    loss_lines = draw_progress(axes[1, 0], ("ln 3", math.log(3)), "Perte", "entropie croisée")
    score_lines = draw_progress(axes[1, 1], ("au hasard : 1/3", 1 / 3), "Exactitude", "part de fleurs reconnues")

    # Un jumeau de même graine, à qui un taux minuscule ne fait rien apprendre : le réseau d'avant l'entraînement.
    twin = make_classifier(args.seed, **{**settings, "learning_rate": 1e-12})
    train(twin, inputs, targets, 1)
    before.set_data(blend(petal_regions(twin, scaler)))
    classifier = make_classifier(args.seed, **settings)
    rows = [[*measure(twin, inputs, targets), *measure(twin, test_inputs, test_targets)]]
    print("époque   perte (apprentissage, test)   exactitude (apprentissage, test)")

    def on_epoch(epoch):
        rows.append([*measure(classifier, inputs, targets), *measure(classifier, test_inputs, test_targets)])
        if epoch == middle:
            during.set_data(blend(petal_regions(classifier, scaler)))
        if epoch % max(1, n_epochs // 10) == 0:
            print_row(epoch)
        if epoch % 2 == 0 and args.window and plt.fignum_exists(fig.number):
            after.set_data(blend(petal_regions(classifier, scaler)))
            extend(loss_lines, np.array(rows)[:, [0, 2]])
            extend(score_lines, np.array(rows)[:, [1, 3]])
            plt.pause(0.01)
            fig.set_layout_engine(
                "none"
            )  # la mise en page est faite : la refaire à chaque image coûte plus que l'image

    def print_row(epoch):
        loss, score, test_loss, test_score = rows[epoch]
        print(f"{epoch:6d} {loss:14.4f} {test_loss:10.4f} {score:22.3f} {test_score:10.3f}")

    print_row(0)
    # scikit-learn ne dit pas combien de pas il fait : compter les appels de la fonction qui les fait.
    update = BaseOptimizer.update_params
    with mock.patch.object(BaseOptimizer, "update_params", autospec=True, side_effect=update) as updates:
        done = train(classifier, inputs, targets, n_epochs, on_epoch)
    expected = n_epochs * math.ceil(len(inputs) / settings["batch_size"])
    print(f"Perte avant : {rows[0][0]:.4f} ; répondre au hasard coûte ln 3 = {math.log(3):.4f}.")
    exploded = done < n_epochs
    if exploded:
        print(explosion_sentence(done, settings))
    else:
        print(f"Exemples vus : {classifier.t_} ; en théorie {n_epochs} × {len(inputs)} = {n_epochs * len(inputs)}.")
        print(f"Mises à jour des poids : {updates.call_count} ; en théorie {expected}, soit {n_epochs} fois le nombre")
        print(f"de groupes, {len(inputs)} / {settings['batch_size']} arrondi au-dessus.")
        after.set_data(blend(petal_regions(classifier, scaler)))
        matrix = confusion_matrix(test_targets, classifier.predict(test_inputs))
        print("Confusion (lignes : vraies espèces) : " + " / ".join(str(row.tolist()) for row in matrix))
        draw_confusion(axes[1, 2], matrix)
    extend(loss_lines, np.array(rows)[:, [0, 2]])
    extend(score_lines, np.array(rows)[:, [1, 3]])
    fig.suptitle("Le réseau apprend (sépales à leur moyenne)")
    show(fig, args)
    if exploded:
        return explosion_sentence(done, settings)
    return (
        f"Une itération de `epoch` est un passage sur les {len(inputs)} fleurs d'apprentissage, par groupes de\n"
        f"{settings['batch_size']}. En {n_epochs} époques, {updates.call_count} mises à jour des poids : "
        f"{updates.call_count // n_epochs} par époque.\n"
        f"Perte d'apprentissage : {rows[0][0]:.3f} avant (ln 3 = {math.log(3):.3f}), {rows[-1][0]:.3f} à la fin ;\n"
        f"perte de test à la fin : {rows[-1][2]:.3f}.\n"
        f"Sur les 30 fleurs du test, {round(30 * rows[-1][3])} sont reconnues ; une seule fleur y pèse 3 points."
    )


def section_structure(args):
    """La structure du réseau

    Questions : combien de neurones dans chaque couche ? Quelle est la taille des matrices de poids ?
    À regarder : chaque trait est un poids. Les couches se lisent de gauche à droite.
    """
    inputs, targets, test_inputs, _, _ = split(args.seed)
    settings, n_epochs = settings_of(args), args.epochs or 100
    classifier = make_classifier(args.seed, **settings)
    done = train(classifier, inputs, targets, n_epochs)
    if done < n_epochs:
        print(explosion_sentence(done, settings))
        fig, ax = plt.subplots(figsize=(10, 6), layout="constrained")
        ax.set(title="Poids perdus : le taux est trop grand", xlabel="époque", ylabel="perte d'apprentissage")
        ax.plot(range(1, done + 1), classifier.loss_curve_[:done], "o-")
        show(fig, args)
        return explosion_sentence(done, settings)
    sizes = [inputs.shape[1], *settings["hidden"], 3]
    print("couche         neurones   matrice de poids   biais")
    for k, (weights, bias) in enumerate(zip(classifier.coefs_, classifier.intercepts_)):
        name = "sortie" if k == len(settings["hidden"]) else f"cachée {k + 1}"
        print(f"{name:<14} {len(bias):8d}   {str(weights.shape):<16}   {bias.shape}")
    theory = sum((n_in + 1) * n_out for n_in, n_out in zip(sizes, sizes[1:]))
    print(f"Paramètres : {count_parameters(classifier)} ; en théorie, somme des (entrées + 1) × sorties = {theory}.")
    gap = np.max(np.abs(forward(classifier, test_inputs) - classifier.predict_proba(test_inputs)))
    print(f"g(A·W + b) écrit à la main et predict_proba : plus grand écart {gap:.0e}.")
    fig, ax = plt.subplots(figsize=(13, 8), layout="constrained")
    draw_network(ax, classifier, MEASURES)
    show(fig, args)
    shapes = ", ".join(str(weights.shape) for weights in classifier.coefs_)
    return (
        f"Couches : 4 entrées, {', '.join(map(str, settings['hidden']))} neurones cachés, 3 sorties (une par espèce).\n"
        f"Matrices de poids, de l'entrée à la sortie : {shapes} ; {count_parameters(classifier)} paramètres en tout.\n"
        f"Le calcul à la main donne les mêmes probabilités, à {gap:.0e} près."
    )


def section_hidden(args):
    """Le nombre de neurones cachés

    Question : que change le nombre de neurones de la couche cachée, pendant et après l'entraînement ?
    À regarder : la vitesse de descente, puis l'exactitude à côté de sa dispersion : un écart plus petit qu'elle
    ne veut rien dire.
    """
    shapes = ((1,), (3,), (10,), (50,), (10, 10))
    variants = {f"caché : {','.join(map(str, hidden))}": {"hidden": hidden} for hidden in shapes}
    results = compare(args, args.epochs or 40, 2, variants)
    fig, ax = plt.subplots(figsize=(12, 7), layout="constrained")
    draw_curves(ax, results, "Plus de neurones : descente plus rapide ?")
    show(fig, args)
    return speed_sentence(results) + "\n" + ranking_sentence(results)


def section_activation(args):
    """La fonction d'activation

    Question : que changent la sigmoïde (logistic), tanh ou ReLU ? L'identité sert de témoin : avec elle, le réseau
    entier est linéaire.
    À regarder : la vitesse de descente, et la forme des frontières.
    """
    results = compare(args, args.epochs or 40, 2, {name: {"activation": name} for name in ACTIVATIONS})
    fig, ax = plt.subplots(figsize=(12, 7), layout="constrained")
    draw_curves(ax, results, "La perte selon l'activation")
    show(fig, args)
    inputs, targets, _, _, scaler = split(args.seed)
    fig, axes = plt.subplots(2, 2, figsize=(13, 10), layout="constrained")
    bends = {}
    for ax, name in zip(axes.flat, ACTIVATIONS):
        classifier = make_classifier(args.seed, **settings_of(args, activation=name))
        background = draw_regions(ax, scaler.inverse_transform(inputs), targets, name)
        if train(classifier, inputs, targets, args.epochs or 40) < (args.epochs or 40):
            ax.set_title(f"{name} : poids explosés")
            continue
        regions = petal_regions(classifier, scaler)
        background.set_data(blend(regions))
        if not math.isnan(value := bend(regions)):
            bends[name] = value
    fig.suptitle("Les régions, sépales à leur moyenne")
    show(fig, args)
    print("Courbure de la frontière versicolor / virginica (plus grand écart à une droite, en cm de pétale) :")
    shown = ", ".join(f"{name} {value:.3f}" for name, value in bends.items()) or "aucune frontière dans le dessin"
    print(f"  {shown}")
    return (
        f"{speed_sentence(results)}\n{ranking_sentence(results)}\n"
        f"Plus grand écart de la frontière versicolor / virginica à une droite (cm) : {shown}.\n"
        "Avec identity tout le réseau est linéaire : cette frontière est une droite, à l'arrondi près."
    )


def bend(regions):
    """Plus grand écart (cm) de la frontière entre les espèces 2 et 3 à sa droite des moindres carrés.

    La frontière est lue sur la grille de `petal_regions`, ligne par ligne, par interpolation.
    """
    n = len(regions)
    lengths, widths = np.linspace(0.5, 7.5, n), np.linspace(-0.2, 2.8, n)
    scores = np.log(regions[..., 2] + 1e-300) - np.log(regions[..., 1] + 1e-300)  # (n, n), nul sur la frontière
    points = []
    for width, row in zip(widths, scores):
        for j in np.flatnonzero((row[:-1] < 0) & (row[1:] >= 0))[:1]:
            points.append((width, lengths[j] - row[j] * (lengths[j + 1] - lengths[j]) / (row[j + 1] - row[j])))
    if len(points) < 3:
        return math.nan
    heights, positions = np.transpose(points)
    return np.max(np.abs(positions - np.polyval(np.polyfit(heights, positions, 1), heights)))


def section_sgd(args):
    """La descente de gradient stochastique : taux et moment

    Question : comment régler le taux d'apprentissage (learning_rate_init) et le moment (momentum) ?
    À regarder : trop petit, rien ne bouge ; trop grand, la perte saute. Le moment accélère comme un taux plus
    grand : en régime permanent, il multiplie le pas par 1 / (1 - momentum).
    """
    rates, momenta = (0.001, 0.01, 0.1, 1.0, 10.0), (0.0, 0.5, 0.9)
    variants = {
        f"sgd {rate:g}, moment {momentum:g}": {"solver": "sgd", "learning_rate": rate, "momentum": momentum}
        for rate in rates
        for momentum in momenta
    }
    variants["sgd 1, moment 0.9, adaptive"] = {
        "solver": "sgd",
        "learning_rate": 1.0,
        "momentum": 0.9,
        "schedule": "adaptive",
    }
    variants["adam 0.01"] = {"solver": "adam", "learning_rate": 0.01}
    results = compare(args, args.epochs or 40, 1, variants)
    grid = list(variants)[: len(rates) * len(momenta)]
    finals = {name: np.median(np.nan_to_num(losses[:, -1], nan=10.0)) for name, (losses, _, _) in results.items()}
    fig, (left, right) = plt.subplots(1, 2, figsize=(16, 7.5), layout="constrained", width_ratios=[3, 2])
    shown = [
        "sgd 0.001, moment 0",
        "sgd 0.001, moment 0.9",
        "sgd 0.01, moment 0",
        "sgd 0.1, moment 0",
        "sgd 0.1, moment 0.9",
    ]
    shown += ["sgd 10, moment 0.9", "sgd 1, moment 0.9", "sgd 1, moment 0.9, adaptive", "adam 0.01"]
    draw_curves(left, {name: results[name] for name in shown}, "Du trop lent au trop rapide")
    table = np.reshape([finals[name] for name in grid], (len(rates), len(momenta)))
    draw_grid(right, rates, momenta, table)
    show(fig, args)
    print("Même pas permanent, taux / (1 - moment) = 0.1 : perte finale ", end="")
    print(f"{finals['sgd 0.01, moment 0.9']:.3f} et {finals['sgd 0.1, moment 0']:.3f}.")
    best, slowest = min(grid, key=finals.get), max(grid, key=finals.get)
    n_lower = np.sum(results["sgd 1, moment 0.9, adaptive"][0][:, -1] < results["sgd 1, moment 0.9"][0][:, -1])
    constant, adaptive = finals["sgd 1, moment 0.9"], finals["sgd 1, moment 0.9, adaptive"]
    return (
        f"Dans la grille, perte finale la plus petite : {finals[best]:.3f} avec « {best} » ;\n"
        f"la plus grande : {finals[slowest]:.3f} avec « {slowest} ».\n"
        "Même pas permanent, taux / (1 - moment) = 0.1, perte finale :\n"
        f"{finals['sgd 0.01, moment 0.9']:.3f} au taux 0.01 et au moment 0.9, "
        f"{finals['sgd 0.1, moment 0']:.3f} au taux 0.1 sans moment.\n"
        f"{speed_sentence(results)}\n"
        f"Adam, au taux 0.01, finit à {finals['adam 0.01']:.4f}.\n"
        f"Au taux 1 et au moment 0.9, le taux constant finit à {constant:.3f} et le taux adaptatif à {adaptive:.3f} ;\n"
        f"l'adaptatif finit plus bas dans {n_lower} essais sur 5.\n"
        f"{ranking_sentence(results)}"
    )


SECTIONS = {
    "3.2-donnees": section_data,
    "3.2-epoch": section_epoch,
    "3.2-structure": section_structure,
    "3.2-couche-cachee": section_hidden,
    "3.2-activation": section_activation,
    "3.2-sgd": section_sgd,
}


# --- Options propres à ce script ----------------------------------------------------------------------
def layer_sizes(text):
    """Lit « 10 » ou « 10,5 » : le nombre de neurones de chaque couche cachée."""
    return tuple(int(size) for size in text.split(","))


def add_options(parser):
    hidden = checked(
        layer_sizes,
        "de 1 à 3 entiers de 1 à 1000 séparés par des virgules",
        lambda sizes: isinstance(sizes, tuple) and len(sizes) <= 3 and all(1 <= size <= 1000 for size in sizes),
    )
    activation = checked(str, "une activation parmi " + ", ".join(ACTIVATIONS), lambda name: name in ACTIVATIONS)
    solver = checked(str, "sgd ou adam", lambda name: name in ("sgd", "adam"))
    positive = checked(float, "un nombre positif", lambda value: 0 < value < math.inf)
    momentum = checked(float, "un nombre de 0 à 1, 1 exclu", lambda value: 0 <= value < 1)
    size = checked(int, "un entier de 1 à 120", lambda value: 1 <= value <= 120)
    count = checked(int, "un entier de 1 à 10000", lambda value: 1 <= value <= 10_000)
    option = parser.add_argument
    option("--hidden", metavar="N,...", type=hidden, default=(10,), help="neurones par couche cachée (défaut : 10)")
    option("--activation", metavar="NOM", type=activation, default="tanh", help="activation (défaut : %(default)s)")
    option("--solver", metavar="NOM", type=solver, default="sgd", help="sgd ou adam (défaut : %(default)s)")
    option("--learning-rate", metavar="X", type=positive, help="taux (défaut : 0.1 avec sgd, 0.01 avec adam)")
    option("--momentum", metavar="X", type=momentum, help="moment de sgd (défaut : 0.9)")
    option("--batch-size", metavar="N", type=size, default=20, help="taille des groupes (défaut : %(default)s)")
    option("--epochs", metavar="N", type=count, help="époques (défaut : 100, ou 40 par essai comparé)")


def check_options(args):
    """Rend une phrase si des options se contredisent, sinon None."""
    if args.momentum is not None and args.solver == "adam":
        return "option --momentum : elle n'a de sens qu'avec --solver sgd"


# --- Lancement : d'ici à la fin, le même texte dans les cinq scripts ------------------------------------
def checked(kind, wanted, accepts):
    """Rend la fonction qui lit une option : elle en fait un `kind` que `accepts` approuve, ou la refuse."""

    def read(text):
        try:
            value = kind(text)
        except ValueError:
            value = math.nan  # aucune comparaison ne l'accepte
        if not accepts(value):
            raise argparse.ArgumentTypeError(f"il faut {wanted}, pas « {text} »")
        return value

    return read


def sections_under(number):
    """Les sections d'un numéro : lui-même et ce qui est sous lui (2.2 : 2.2.1, 2.2.2-perte...)."""
    return [name for name in SECTIONS if f"{name}-".startswith((f"{number}-", f"{number}."))]


def has_window():
    """Vrai si matplotlib peut ouvrir une fenêtre ici."""
    try:
        plt.switch_backend(plt.get_backend())
    except ImportError:  # ni écran, ni Tk
        return False
    return backend_registry.resolve_backend(plt.get_backend())[1] is not None


def show(fig, args):
    """Montre la figure jusqu'à ce qu'on la ferme ; sans fenêtre, l'enregistre."""
    if not args.window:
        args.n_saved += 1
        suffix = f"-{args.n_saved}" if args.n_saved > 1 else ""
        file = args.folder / f"{Path(__file__).stem}-{args.current}{suffix}.png"
        libraries = [sys.modules[name] for name in ("numpy", "matplotlib", "sklearn", "torch") if name in sys.modules]
        versions = ", ".join(f"{library.__name__} {library.__version__}" for library in libraries)
        fig.savefig(file, metadata={"Command": args.command, "Seed": str(args.seed), "Software": versions})
        print(f"Figure : {file}")
    elif plt.fignum_exists(fig.number):  # une figure fermée pendant l'apprentissage le reste
        plt.show()
    plt.close(fig)


def read_options():
    """Lit et vérifie toutes les options, avant tout calcul ; si l'une est mauvaise, une phrase et l'état 2."""
    style = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=style, add_help=False, allow_abbrev=False)

    def refuse(message):
        for english, french in (
            ("unrecognized arguments", "pas d'option de ce nom"),
            ("expected one argument", "il manque sa valeur"),
            ("ignored explicit argument", "elle ne prend pas de valeur, or il y a"),
            ("argument -", "option -"),
            (": ", " : "),
        ):
            message = message.replace(english, french, 1)
        parser.exit(2, f"{parser.prog} : {message}\n")

    parser.error = refuse  # argparse parle anglais
    section = checked(str, "une section parmi " + ", ".join(SECTIONS), sections_under)
    seed = checked(int, "un entier de 0 à 4294967295", lambda value: 0 <= value < 2**32)
    option = parser.add_argument
    option("-h", "--help", action="help", help="affiche cette aide")
    option(
        "--section", action="append", metavar="N", type=section, help="cette section et celles sous elle ; répétable"
    )
    option("--liste", action="store_true", help="affiche les sections, n'exécute rien")
    option("--corrige", action="store_true", help="affiche la réponse après chaque section")
    option("--seed", metavar="N", type=seed, default=0, help="graine du hasard (défaut : %(default)s)")
    option("--figures", metavar="DOSSIER", help="enregistre les figures dans ce dossier au lieu de les montrer")
    add_options(parser)
    args = parser.parse_args()
    if args.liste:
        for name, function in SECTIONS.items():
            print(f"{name:<20} {inspect.getdoc(function).splitlines()[0]}")
        parser.exit()
    wanted = [name for number in args.section or SECTIONS for name in sections_under(number)]
    args.chosen = [name for name in SECTIONS if name in wanted]
    args.command = "python " + shlex.join(sys.argv)
    if not any(word.startswith("--seed") for word in sys.argv):
        args.command += f" --seed {args.seed}"
    if problem := check_options(args):
        refuse(problem)
    args.window = args.figures is None and has_window()
    args.folder = Path(args.figures or "figures")
    if not args.window:
        plt.switch_backend("agg")
        try:
            args.folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=args.folder).close()
        except OSError:
            refuse(f"impossible d'écrire dans le dossier « {args.folder} »")
    return args


def main():
    """Déroule les sections demandées et rend l'état de sortie."""
    try:
        if hasattr(sys.stdout, "reconfigure"):  # absent dans IDLE
            sys.stdout.reconfigure(errors="replace", line_buffering=True)
        args = read_options()
        if not args.window and args.figures is None:
            print(f"Pas de fenêtre ici : figures dans {args.folder}/ (il faut un écran et Tk, voir README.md).")
        plt.rcParams.update({"figure.raise_window": False, "font.size": 14})
        for name in args.chosen:
            title, _, guide = inspect.getdoc(SECTIONS[name]).partition("\n")
            print(f"\n=== {name} : {title} ===\n{guide.strip()}\n")
            args.current, args.n_saved = name, 0
            answer = SECTIONS[name](args)
            if args.corrige:
                print(f"\nCorrigé : {answer}")
        print(f"\nPour rejouer : {args.command}")
    except KeyboardInterrupt:
        print("Interrompu.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # le lecteur du tube (head, less) est parti
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (MemoryError, OSError) as error:
        print(f"Arrêt, il manque de la mémoire ou du disque : {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
