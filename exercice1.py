"""Exercice 1 : un neurone linéaire entraîné à la main avec NumPy (parties 2.2.1 à 2.2.3).

Le neurone calcule y = x1·w1 + x2·w2 + b. On lui montre des observations, il doit retrouver les poids et
le biais. Ce fichier suit l'énoncé, de haut en bas : les réglages, la leçon, puis une section par question.
Lisez d'abord la partie « La leçon » : tout est dans la boucle de `train`, avec les étapes (1) à (7). Le
reste, ce sont des mesures et des figures ; ce qui suit « # Réponse » n'est affiché qu'avec --corrige.

  python exercice1.py                                       toutes les sections, dans l'ordre de l'énoncé
  python exercice1.py --section 2.2.2-boucle                une seule section
  python exercice1.py --section 2.2.2 --corrige             toutes celles de 2.2.2, avec les réponses
  python exercice1.py --section 2.2.2-perte --learning-rate 0.03
"""

import argparse
import inspect
import numbers
import os
import re
import signal
import sys
import tempfile
import textwrap
import time
import traceback
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.backends import backend_registry

# --- Réglages : changez-les ici, ou par l'option du même nom (--learning-rate 0.03, --rates 0.01,0.03) --
SEED = 0  # la graine du hasard : la même redonne les mêmes nombres
N_OBSERVATIONS = 1000
TRUE_WEIGHTS = [3, -4]  # les poids à retrouver, un par entrée : [3, -4, 1] ajoute une entrée
TRUE_BIAS = 5  # le biais à retrouver
NOISE = 0.1  # le bruit est tiré entre -NOISE et NOISE
LEARNING_RATE = 0.01  # taux d'apprentissage
N_ITERATIONS = None  # None : 100, 1000 ou 10 000 selon la section ; 250 : 250 itérations, dans toutes
RATES = [0.001, 0.01, 0.03, 0.07]  # 2.2.2-taux : les taux à comparer
SCALE = 10  # 2.2.2-echelle : ce nombre divise les entrées...
RAW_RATE = 0.05  # ... le taux pour les entrées telles quelles...
SCALED_RATE = 1.5  # ... et le taux pour les entrées divisées
BATCH_SIZES = [1, 4, 32]  # 2.2.3-mini-batch : les tailles de groupe (mini-batch) à comparer
BATCH_SIZE = 32  # 2.2.3-million : la taille d'un groupe

# D'ici à la leçon : de quoi refuser un réglage qui n'a pas de sens. Inutile de le lire.
LIMITS = {  # le plus petit et le plus grand permis ; entre crochets : pour chaque valeur d'une liste
    "SEED": (0, 4_294_967_295),
    "N_OBSERVATIONS": (2, 10_000_000),
    "TRUE_WEIGHTS": [-1000.0, 1000.0],
    "TRUE_BIAS": (-1000.0, 1000.0),
    "NOISE": (0.0, 1000.0),
    "LEARNING_RATE": (1e-9, 1e6),
    "N_ITERATIONS": (1, 100_000, None),
    "RATES": [1e-9, 1e6],
    "SCALE": (1e-3, 1e3),
    "RAW_RATE": (1e-9, 1e6),
    "SCALED_RATE": (1e-9, 1e6),
    "BATCH_SIZES": [1, 100_000],
    "BATCH_SIZE": (1, 100_000),
}


def refused_together():
    """Ce qu'aucune ligne de LIMITS ne peut dire : une phrase, ou None. Tous les groupes sont tirés d'un coup."""
    largest = max(BATCH_SIZE, min(max(BATCH_SIZES), N_OBSERVATIONS))
    if (N_ITERATIONS or 1000) * largest > 5_000_000:
        return f"{N_ITERATIONS or 1000} itérations par groupes de {largest} : il faudrait trop de mémoire"
    if N_OBSERVATIONS * len(TRUE_WEIGHTS) > 20_000_000:
        return f"{N_OBSERVATIONS} observations de {len(TRUE_WEIGHTS)} entrées : il faudrait trop de mémoire"
    return None


# --- La leçon -----------------------------------------------------------------------------------------
def make_data(rng, n_observations, true_weights, true_bias, noise):
    """Tire n observations de d entrées : `inputs` (n, d), entre -10 et 10, et `targets` (n, 1), avec du bruit."""
    inputs = rng.uniform(-10, 10, size=(n_observations, len(true_weights)))  # (n, d) : une colonne par entrée
    noises = rng.uniform(-noise, noise, size=(n_observations, 1))  # (n, 1)
    column = np.reshape(true_weights, (len(true_weights), 1))  # (d, 1)
    targets = np.dot(inputs, column) + true_bias + noises  # (n, 1)
    return inputs, targets


def make_parameters(rng, n_inputs):
    """Tire au hasard les paramètres de départ, entre -0.2 et 0.2 : `weights` (d, 1) et `bias` (1,)."""
    weights = rng.uniform(-0.2, 0.2, size=(n_inputs, 1))
    bias = rng.uniform(-0.2, 0.2, size=1)
    return weights, bias


def train(inputs, targets, weights, bias, learning_rate, n_iterations, batch_size=None, rng=None):
    """Entraîne le neurone, par gradient complet ou, avec `batch_size`, par mini-batch.

    Rend `loss_history`, la perte de chaque itération (celle du groupe s'il y en a un), et `path`, la liste des
    (weights, bias) : `path[k]` après k itérations, `path[-1]` à la fin.
    """
    loss_history, path = [], [(weights, bias)]
    x, y = inputs, targets  # entrées et cibles d'une itération : toutes les observations...
    if batch_size:
        # CORRIGÉ : tirez au hasard groups, les groupes (mini-batch) | rng, inputs ; n_iterations groupes de batch_size
        groups = rng.integers(len(inputs), size=(n_iterations, batch_size))  # une ligne de numéros par itération
        # FIN DU CORRIGÉ
    for k in range(n_iterations):
        if batch_size:
            # CORRIGÉ : prenez dans x et y le groupe numéro k | inputs, targets, groups
            x, y = inputs[groups[k]], targets[groups[k]]  # ... ou celles du groupe numéro k
            # FIN DU CORRIGÉ
        outputs = np.dot(x, weights) + bias  # (1) propager les entrées vers la sortie : (n, 1)
        deltas = outputs - y  # (2) écarts aux cibles : (n, 1)
        loss = (deltas**2).sum() / 2 / len(x)  # (3) perte
        loss_history.append(loss)  # (4) la garder, pour la tracer
        deltas_scaled = deltas / len(x)  # (5) chaque observation compte pour 1/n
        weights = weights - learning_rate * np.dot(x.T, deltas_scaled)  # (6) un pas contre le gradient des poids
        bias = bias - learning_rate * deltas_scaled.sum()  # (7) un pas contre le gradient du biais
        path.append((weights, bias))
    return loss_history, path


# --- Partagé ------------------------------------------------------------------------------------------
def setup(n_observations):
    """Tire de la graine les données et les paramètres de départ ; rend aussi `rng`, pour tirer des groupes."""
    rng = np.random.default_rng(SEED)
    inputs, targets = make_data(rng, n_observations, TRUE_WEIGHTS, TRUE_BIAS, NOISE)
    weights, bias = make_parameters(rng, len(TRUE_WEIGHTS))
    return rng, inputs, targets, weights, bias


def counted(number, word):
    """Écrit « 1 itération », « 1000 itérations », « 12 000 itérations »."""
    digits = f"{number:,}".replace(",", "\u00a0") if number >= 10_000 else f"{number}"
    return f"{digits} {word}s" if number > 1 else f"{digits} {word}"


def wrong_shapes(inputs, targets, weights, bias):
    """Vrai si une forme est fausse, et dit laquelle."""
    n, d = len(inputs), np.size(inputs) // len(inputs)
    shapes = [
        ("inputs", np.shape(inputs), (n, d)),
        ("targets", np.shape(targets), (n, 1)),
        ("weights", np.shape(weights), (d, 1)),
        ("bias", np.shape(np.ravel(bias)), (1,)),
    ]
    for name, found, expected in shapes:
        if found != expected:
            print(f"{name} est de forme {found}, il faut {expected} (inputs est de forme {np.shape(inputs)}).")
            return True
    return False


# --- 2.2.1 : l'apprentissage par minimisation ---------------------------------------------------------
def data_answer(true_loss):
    """La réponse de la section qui suit ; `true_loss` : la perte avec les vrais nombres."""
    terms = [f"{weight:g}·x{j}" for j, weight in enumerate(TRUE_WEIGHTS[:5], start=1)]
    if len(TRUE_WEIGHTS) > 5:
        terms.append("...")
    formula = " + ".join([*terms, f"{TRUE_BIAS:g}"]).replace("+ -", "- ")
    noise = f"plus un bruit d'au plus {NOISE:g}" if NOISE > 0 else "sans bruit"
    answer = f"Une cible vaut {formula}, {noise}. Apprendre, c'est retrouver ces nombres. "
    if NOISE == 0 or 10 * len(terms) > N_OBSERVATIONS:  # sans bruit, ou si peu d'observations qu'on l'apprend aussi
        return answer
    return answer + (
        "Le bruit, lui, ne s'apprend pas : même avec les vrais nombres, la perte (la moitié du carré moyen des écarts) "
        f"est {true_loss:.3g}."
    )


def section_data():
    """Les données synthétiques

    Travail à faire : lisez `make_data`. De quoi est faite une cible ?
    À regarder : ce que dessinent les points.
    """
    _, inputs, targets, weights, bias = setup(N_OBSERVATIONS)
    if wrong_shapes(inputs, targets, weights, bias):
        return None
    n_shown = min(inputs.shape[1], 5)  # au-delà de cinq entrées, la figure serait illisible
    print(f"inputs : {inputs.shape}   targets : {targets.shape}")
    print(f"Les premières observations ({counted(n_shown, 'entrée')}, puis la cible) :")
    print(np.column_stack([inputs[:, :n_shown], targets])[:5].round(3))
    rest = targets - np.dot(inputs, np.reshape(TRUE_WEIGHTS, (-1, 1))) - TRUE_BIAS  # (n, 1) : le bruit
    strange = abs(rest).max() > NOISE + 1e-6 or (len(inputs) > 20 and abs(rest).max() < NOISE / 2)
    if strange:
        print(
            f"De la formule aux cibles il y a jusqu'à {abs(rest).max():.3g}, NOISE vaut {NOISE:g} : relisez make_data."
        )

    fig = plt.figure(figsize=(12, 6.5))
    if inputs.shape[1] == 2:
        ax = fig.add_axes([0, 0, 1, 0.92], projection="3d")
        ax.scatter(inputs[:1000, 0], inputs[:1000, 1], targets[:1000, 0])
        ax.view_init(elev=20, azim=-150)
        ax.set(xlabel="\nx1", ylabel="\nx2", zlabel="cible", xticks=[-10, 0, 10], yticks=[-10, 0, 10])
    else:
        for j, ax in enumerate(fig.subplots(1, n_shown, sharey=True, squeeze=False)[0]):
            ax.plot(inputs[:1000, j], targets[:1000], "o", markersize=3)
            ax.set(xlabel=f"x{j + 1}", ylabel="cible" if j == 0 else "")
    fig.suptitle("Les observations")

    # Réponse
    if strange:
        return "Rien à conclure : les cibles ne suivent pas les réglages."
    return data_answer((rest**2).mean() / 2)


# --- 2.2.2 : la résolution du problème d'apprentissage ------------------------------------------------
# D'abord des outils, qu'on peut lire plus tard ; la première section est `section_loop`.
def least_squares(inputs, targets):
    """Calcule la meilleure solution d'un coup, sans descente (moindres carrés).

    Rend `best` (d+1,), les poids puis le biais ; `best_loss`, sa perte ; et `curvature` = X'X/n (d+1, d+1), la
    courbure de la perte, où X (n, d+1) est `inputs` suivi d'une colonne de 1 : l'entrée du biais.
    """
    extended = np.column_stack([inputs, np.ones(len(inputs))])  # (n, d+1)
    column = np.reshape(targets, (len(inputs), -1))  # (n, 1), même quand l'élève a oublié une dimension
    best = np.linalg.lstsq(extended, column, rcond=None)[0]  # (d+1, 1)
    best_loss = ((np.dot(extended, best) - column) ** 2).sum() / 2 / len(inputs)
    return best[:, 0], best_loss, np.dot(extended.T, extended) / len(inputs)


def apart(first, second):
    """Écrit deux nombres avec assez de chiffres, trois au moins, pour qu'on voie qu'ils diffèrent."""
    for digits in range(3, 17):
        texts = f"{first:.{digits}g}", f"{second:.{digits}g}"
        if texts[0] != texts[1]:
            break
    return texts


def unusable(results, n_iterations):
    """Dit pourquoi on ne peut rien tirer de ce que `train` a rendu ; rend "" si c'est bien ce qu'il faut."""
    if not isinstance(results, tuple) or len(results) != 2 or not isinstance(results[0], list):
        return "train ne rend pas « loss_history, path » : relisez sa dernière ligne."
    loss_history, path = results
    n_numbers = sum(isinstance(loss, numbers.Real) for loss in loss_history)
    if n_numbers != n_iterations:
        fact = f"loss_history a {counted(n_numbers, 'nombre')} pour {counted(n_iterations, 'itération')}"
        return f"{fact} : relisez les étapes (3) et (4), le range, un break, l'indentation du return."
    if len(path) != n_iterations + 1 or not isinstance(path[1], (tuple, list)):
        return "path ne reçoit pas une fois (weights, bias) par itération : relisez path.append."
    for name, step, start, end in [("weights", 6, path[0][0], path[1][0]), ("bias", 7, path[0][1], path[1][1])]:
        if start is end:
            return (
                f"{name} est le même tableau avant et après un pas : l'étape ({step}) manque, ou s'écrit avec « -= »."
            )
        if np.size(start) != np.size(end):
            pair = f"{np.shape(end)}, au lieu de {np.shape(start)}"
            return f"{name} devient de forme {pair} : suivez les formes, de l'étape (1) à l'étape ({step})."
    return ""


def diagnostic(inputs, targets, loss_history, parameters, learning_rate, batch_size):
    """Dit en une phrase, « un fait : sa cause », pourquoi un apprentissage a échoué ; rend "" sinon.

    La limite du taux, 2 / la plus grande valeur propre de X'X/n, ne vaut que pour le gradient complet ; elle n'est
    dite dépassée que si les deux premiers pas, refaits ici, sont ceux de l'énoncé.
    """
    best, best_loss, curvature = least_squares(inputs, targets)
    gaps = parameters[[0, -1]] - best
    first_loss, last_loss = best_loss + (np.dot(gaps, curvature) * gaps).sum(axis=1) / 2  # au départ, à la fin
    over = [k for k, loss in enumerate([*loss_history, last_loss]) if not loss <= 1000 * first_loss]
    fact = f"La perte explose (× 1000) à l'itération {over[0]}" if over else ""
    if batch_size:
        return fact and f"{fact} : le taux {learning_rate:g} est trop grand pour des groupes de {batch_size}."
    if not np.isclose(loss_history[0], first_loss):
        pair = " au lieu de ".join(apart(loss_history[0], first_loss))
        return f"La première perte n'est pas celle des formules de l'énoncé : {pair} ; relisez les étapes (1) à (4)."
    if not over and last_loss > 1.01 * min(loss_history) + 1e-12 * first_loss:
        fact = "La perte monte"
    limit = 2 / np.linalg.eigvalsh(curvature)[-1]
    rate_text, limit_text = apart(learning_rate, limit)
    for k in range(min(2, len(loss_history))):
        moved, expected = parameters[k] - parameters[k + 1], learning_rate * np.dot(curvature, parameters[k] - best)
        if not np.allclose(moved, expected, rtol=1e-5, atol=1e-9 * abs(expected).max()):
            ratios = np.round(moved / expected, 3) + 0.0  # 1 : le pas de l'énoncé, taux × gradient
            advice = f"{ratios[0]:g} fois le bon pour les poids, {ratios[-1]:g} fois pour b"
            if fact and learning_rate <= limit:
                advice = f"relisez les étapes (5) à (7), et le signe en (2) ; le pas n° {k + 1} vaut {advice}"
                return f"{fact} : le taux {rate_text} est sous la limite ({limit_text}) : {advice}."
            return f"Le pas n° {k + 1} n'est pas celui de l'énoncé : {advice} ; relisez les étapes (5) à (7)."
    return fact and f"{fact} : le taux {rate_text} dépasse la limite, {limit_text}."


def learn(inputs, targets, weights, bias, learning_rate, n_iterations, batch_size=None, rng=None):
    """Appelle `train`, et regarde ce qu'elle a fait ; rend les trois choses que rend `examine`."""
    if wrong_shapes(inputs, targets, weights, bias):
        return [], None, ""
    results = train(inputs, targets, weights, bias, learning_rate, n_iterations, batch_size, rng)
    return examine(results, inputs, targets, learning_rate, n_iterations, batch_size)


def examine(results, inputs, targets, learning_rate, n_iterations, batch_size=None):
    """Regarde ce que `train` a rendu, `results`.

    Rend loss_history ; parameters (k, d+1), les poids et le biais après chaque itération, jusqu'à une explosion ; et
    le diagnostic, "" si tout va bien. Si on ne peut rien en tirer, le dit et rend loss_history vide.
    """
    fault = unusable(results, n_iterations)
    if fault:
        print(textwrap.fill(fault, 100))
        return [], None, fault
    loss_history, path = results
    parameters = np.array([np.append(weights, bias) for weights, bias in path])  # (k, d+1)
    problem = diagnostic(inputs, targets, loss_history, parameters, learning_rate, batch_size)
    if batch_size and problem:  # le taux d'un mini-batch n'est accusé que si le gradient complet, lui, réussit
        whole = learn(inputs, targets, path[0][0], path[0][1], learning_rate, n_iterations)[2]
        fact, cause = problem.partition(" : ")[0], whole.partition(" : ")[2]
        problem = f"{fact} : {cause}" if whole.startswith("La perte ") else whole or problem
    return loss_history, parameters[abs(parameters).max(axis=1) < 1e6], textwrap.fill(problem, 100)


def print_parameters(parameters, best, true_values):
    """Tableau des paramètres : à la fin, les meilleurs possibles, les vrais. Au plus quatre poids, et le biais."""
    print(f"Après {counted(len(parameters) - 1, 'itération')} :")
    print(f"{'':<6}{'appris':>12}{'le meilleur':>14}{'vrai':>10}")
    names = [f"w{j}" for j in range(1, len(best))] + ["b"]
    rows = list(zip(names, parameters[-1], best, true_values))
    for name, found, best_value, true_value in rows[:-1][:4] + rows[-1:]:
        print(f"{name:<6}{found:12.5g}{best_value:14.5g}{true_value:10.5g}")


def print_losses(loss_history, best_loss):
    """Affiche quelques pertes, et la meilleure possible."""
    for iteration in [0, 1, 2, 5, 10, 100, 1000, 10_000]:
        if iteration < len(loss_history) and loss_history[iteration] < 1e15:
            print(f"itération {iteration:5d} : perte = {loss_history[iteration]:.6g}")
    print(f"meilleure perte possible (moindres carrés) : {best_loss:.3g}")


def plot_outputs(ax, inputs, targets, parameters):
    """Les sorties du neurone en fonction des cibles : s'il est parfait, tout est sur la diagonale."""
    outputs = np.dot(inputs[:1000], parameters[:-1]) + parameters[-1]  # (n,)
    ends = [targets[:1000].min(), targets[:1000].max()]
    ax.plot(targets[:1000, 0], outputs, "o", markersize=4, alpha=0.6, label="observations")
    ax.plot(ends, ends, "k-", linewidth=1, label="sortie = cible")
    ax.set(title="Sorties en fonction des cibles", xlabel="cible", ylabel="sortie du neurone")
    ax.legend()


def plot_parameters(ax, parameters, true_values):
    """Chaque paramètre à chaque itération, et sa vraie valeur en trait fin. Au plus quatre poids, et le biais."""
    names = [f"w{j}" for j in range(1, len(true_values))] + ["b"]
    curves = list(zip(names, parameters.T, true_values))
    for name, values, true_value in curves[:-1][:4] + curves[-1:]:
        (line,) = ax.plot(values, linewidth=3, label=name)
        ax.axhline(true_value, color=line.get_color(), linewidth=1)
    end, missing = len(parameters) - 1, true_values[-1] - parameters[-1, -1]
    if 0.05 < abs(missing) < 1 + 2 * abs(true_values[-1]):  # le biais n'est pas arrivé : on montre ce qui manque
        ax.annotate("", (end, true_values[-1]), (end, parameters[-1, -1]), arrowprops={"arrowstyle": "<->"})
        ax.annotate(f"il manque {missing:.3g}  ", (end, true_values[-1] - missing / 2), ha="right", va="center")
    ax.set(title="Chaque paramètre (trait fin : le vrai)", xlabel="itération", ylabel="valeur")
    ax.legend()


def bias_answer(parameters, best, curvature, largest_input):
    """La réponse de la section qui suit quand seul le biais n'est pas arrivé."""
    start, last = parameters[0, -1] - best[-1], parameters[-1, -1] - best[-1]
    answer = f"Le biais n'est pas arrivé : {' au lieu de '.join(apart(parameters[-1, -1], best[-1]))}. "
    theory = (1 - LEARNING_RATE) ** (len(parameters) - 1)  # ce qu'il doit rester de son erreur
    if abs(last / start - theory) > 0.1 * theory or curvature.diagonal()[:-1].min() < 5:
        return answer
    return answer + (
        f"Son entrée vaut toujours 1, celles des poids vont jusqu'à {largest_input:.2g} : à écart égal, son gradient "
        f"est bien plus petit. Chaque itération n'enlève que {100 * LEARNING_RATE:g} % de son erreur ; à la fin, il en "
        f"reste {100 * last / start:.2g} %."
    )


def section_loop():
    """La boucle forward/backward

    Travail à faire : retrouvez dans `train` les étapes (1) à (7) de l'énoncé.
    À regarder : la perte, puis chaque paramètre. Sont-ils tous arrivés à leur vraie valeur ?
    """
    _, inputs, targets, weights, bias = setup(N_OBSERVATIONS)
    loss_history, parameters, problem = learn(inputs, targets, weights, bias, LEARNING_RATE, N_ITERATIONS or 100)
    if not loss_history:
        return None
    best, best_loss, curvature = least_squares(inputs, targets)
    true_values = np.append(TRUE_WEIGHTS, TRUE_BIAS)  # (d+1,)
    print_losses(loss_history, best_loss)
    print_parameters(parameters, best, true_values)
    if problem:
        print(problem)

    fig, (left, right) = plt.subplots(1, 2, figsize=(13, 6.5), layout="constrained")
    plot_outputs(left, inputs, targets, parameters[-1])
    plot_parameters(right, parameters, true_values)

    # Réponse
    if problem:
        return f"Rien à conclure. {problem}"
    if len(inputs) < len(best):
        return f"{len(inputs)} observations pour {len(best)} paramètres : plusieurs solutions se valent."
    gaps = abs(parameters[-1] - best)  # (d+1,)
    if gaps.max() < 0.05:
        answer = f"Oui, tous sont arrivés à leur meilleure valeur, à {gaps.max():.2g} près. "
        if abs(best - true_values).max() > 0.05:
            answer += f"Mais les meilleures valeurs sont jusqu'à {abs(best - true_values).max():.2g} des vraies."
        return answer
    worst = gaps[:-1].argmax()
    if gaps[worst] > 0.05:
        return f"Non : w{worst + 1} vaut {' au lieu de '.join(apart(parameters[-1, worst], best[worst]))}."
    return bias_answer(parameters, best, curvature, abs(inputs).max())


def goal_of(best_loss):
    """Le but des descentes, et son nom : 5 % au-dessus de la meilleure perte, ou un millionième si elle est nulle."""
    if 1.05 * best_loss > 1e-6:
        return 1.05 * best_loss, f"5 % au-dessus de la meilleure perte ({best_loss:.3g})"
    return 1e-6, "un millionième (la meilleure perte est presque nulle)"


def first_under(losses, level):
    """Numéro de la première perte au plus égale à `level` ; None s'il n'y en a pas."""
    for iteration, loss in enumerate(losses):
        if loss <= level:
            return iteration
    return None


def when(count, problem):
    """Dit en quelques mots ce qu'a donné un apprentissage : quand le but est atteint, ou le fait du diagnostic."""
    if problem:
        return problem.partition(" : ")[0]
    return "but pas atteint" if count is None else f"but atteint à l'itération {count}"


def finish_losses(ax, title, targets, best_loss, level, xlabel="itération"):
    """Termine un dessin de pertes : échelle log, meilleure perte, et un point noir là où une courbe atteint `level`."""
    for line in [line for line in ax.lines if len(line.get_xdata()) > 0]:
        if len(line.get_xdata()) < 10 and line.get_marker() == "None":
            line.set_marker(".")  # une ligne d'un seul point ne se verrait pas
        count = first_under(line.get_ydata(), level)
        if count is not None:
            ax.plot(line.get_xdata()[count], line.get_ydata()[count], "ko", markersize=7, zorder=4)
    if level > 0:
        ax.plot([], [], "ko", markersize=7, label="but atteint")
    lowest = max(best_loss, 1e-6)
    ax.axhline(lowest, color="black", linewidth=1, label="meilleure perte" if best_loss > 1e-6 else "un millionième")
    highest = 10 * max(1, (targets**2).mean())  # la moyenne : deux fois la perte d'un neurone qui répond 0
    ax.set(title=title, xlabel=xlabel, ylabel="perte (échelle log)", yscale="log", ylim=(lowest / 2, highest))
    if "log" in xlabel:
        ax.set_xscale("symlog", linthresh=1)  # 0, puis 1, 10, 100...
        ax.set_xlim(left=0)
    ax.legend()


def section_loss():
    """La perte en fonction du nombre d'itérations

    Question : à partir de combien d'itérations la perte commence-t-elle à converger ?
    À regarder : le carré, quand 95 % de la descente est faite ; puis le point noir, au but.
    """
    _, inputs, targets, weights, bias = setup(N_OBSERVATIONS)
    loss_history, _, problem = learn(inputs, targets, weights, bias, LEARNING_RATE, N_ITERATIONS or 1000)
    if not loss_history:
        return None
    best_loss = least_squares(inputs, targets)[1]
    level, words = goal_of(best_loss)
    print_losses(loss_history, best_loss)
    print(f"But : {words}.")
    if problem:
        print(problem)

    fig, ax = plt.subplots(figsize=(12, 6.5), layout="constrained")
    # CORRIGÉ : tracez loss_history sur ax | ax, loss_history
    ax.plot(loss_history, linewidth=2, label=f"taux {LEARNING_RATE:g}")
    # FIN DU CORRIGÉ
    finish_losses(ax, "La perte à chaque itération", targets, best_loss, level)
    nearly = first_under(loss_history, best_loss + 0.05 * (loss_history[0] - best_loss))
    if nearly is not None:
        ax.plot(nearly, loss_history[nearly], "ks", markersize=9, label="95 % de la descente")
        ax.legend()

    # Réponse
    if problem:
        return f"Rien à conclure. {problem}"
    end, reached = f"à l'itération {len(loss_history) - 1}, la dernière", first_under(loss_history, level)
    if nearly is None:
        return f"Pas encore : {end}, il reste plus de 5 % de la descente, du départ à la meilleure perte."
    answer = f"Elle commence à converger vers l'itération {nearly} : 95 % de la descente est faite, du départ à la "
    answer += "meilleure perte. "
    if reached is None:
        return answer + f"Le but, {words}, n'est pas atteint {end}."
    if reached <= nearly:
        return answer + f"Le but, {words}, est alors déjà atteint."
    return answer + (
        f"Le but, {words}, est atteint à l'itération {reached} : plus on approche du minimum, plus le gradient est "
        "petit, et les pas aussi."
    )


def rates_answer(reached, too_large, limit, n_iterations):
    """La réponse de la section qui suit ; `reached` : des (taux, itération du but), dans l'ordre des taux."""
    rates, counts = [rate for rate, _ in reached], [count for _, count in reached]
    fastest = counts.index(min(counts)) if reached else 0
    limit_words = apart(limit, min(too_large) if too_large else 0)[0]
    if not reached:
        answer = f"Aucun de ces taux ne mène au but d'ici l'itération {n_iterations - 1}. "
    elif fastest > 0 and counts[: fastest + 1] == sorted(set(counts[: fastest + 1]), reverse=True):
        answer = f"Plus le taux est grand, plus c'est rapide, sous une limite, ici {limit_words} : but à l'itération "
        answer += f"{counts[0]} au taux {rates[0]:g}, {counts[fastest]} au taux {rates[fastest]:g}. "
    else:
        answer = f"Le but est atteint au plus tôt à l'itération {counts[fastest]}, au taux {rates[fastest]:g}. "
    if reached and counts[fastest] < counts[-1] and 0.9 * limit < rates[-1]:
        answer += f"Tout près de la limite, c'est plus long : {counts[-1]} au taux {rates[-1]:g}. "
    pairs = [(small, large) for small, a in reached for large, b in reached if 9 * b < a < 11 * b]
    for small, large in [pair for pair in pairs if np.isclose(pair[1], 10 * pair[0])][:1]:
        answer += f"Un taux dix fois plus petit ({small:g} au lieu de {large:g}) demande dix fois plus d'itérations. "
    if not too_large:
        return answer + f"Au-dessus de la limite, {limit_words}, la perte finirait par exploser."
    names = ", ".join(f"{rate:g}" for rate in too_large[:5])
    return answer + (
        f"Au-dessus de la limite, {limit_words} (taux {names}), la perte explose ou monte : chaque pas saute de "
        "l'autre côté du minimum, plus loin qu'avant."
    )


def kept(results, values):
    """Vrai si `results` a, pour chaque valeur d'une liste, le couple que rend `train` ; sinon, dit ce qui manque."""
    pairs = [pair for pair in results if isinstance(pair, (tuple, list)) and len(pair) == 2]
    if len(pairs) == len(results) == len(values):
        return True
    print("Pas de tableau : dans results, il n'y a pas ce que rend `train` pour chaque courbe.")
    return False


def section_rates():
    """Plusieurs taux d'apprentissage

    Question : recommencez avec d'autres taux. Que constatez-vous ?
    À regarder : ce que devient la courbe de chaque taux de RATES (LEARNING_RATE ne sert pas ici).
    """
    _, inputs, targets, weights, bias = setup(N_OBSERVATIONS)
    _, best_loss, curvature = least_squares(inputs, targets)
    level, words = goal_of(best_loss)
    n_iterations = N_ITERATIONS or 10_000
    results = []  # gardez-y ce que rend `train` pour chaque taux : le tableau en vient
    if not learn(inputs, targets, weights, bias, RATES[0], 5)[0]:  # un essai de `train`, en cinq itérations
        return None
    print(f"Au plus {counted(n_iterations, 'itération')} par taux. But : {words}.")
    fig, ax = plt.subplots(figsize=(12, 6.5), layout="constrained")
    # CORRIGÉ : entraînez par taux (RATES), gardez, tracez | train, n_iterations, ax ; gardez dans results
    for rate in RATES:
        results.append(train(inputs, targets, weights, bias, rate, n_iterations))
        if len(results) <= 5:  # plus de courbes ne se liraient pas
            ax.plot(results[-1][0], linewidth=2, label=f"taux {rate:g}")
    # FIN DU CORRIGÉ
    finish_losses(ax, "La perte selon le taux", targets, best_loss, level, "itération (échelle log)")
    counts, problems = [], []
    for rate, result in zip(RATES, results if kept(results, RATES) else []):
        loss_history, _, problem = examine(result, inputs, targets, rate, n_iterations)
        counts.append(first_under(loss_history, level))
        problems.append(problem)
        if len(counts) <= 10:
            print(f"  taux {rate:<8g} {when(counts[-1], problem)}")
    mistakes = [problem for problem in problems if problem and "dépasse la limite" not in problem]  # pas le taux
    for problem in (mistakes or [problem for problem in problems if problem])[:1]:
        print(problem)
    if len(RATES) > 5:
        print(f"{len(RATES)} taux : les 5 premiers sont dessinés, les 10 premiers affichés.")

    # Réponse
    if mistakes:
        return f"Rien à conclure. {mistakes[0]}"
    too_large = sorted({rate for rate, problem in zip(RATES, problems) if problem})
    arrived = {(rate, count) for rate, count in zip(RATES, counts) if count is not None and rate not in too_large}
    return rates_answer(sorted(arrived), too_large, 2 / np.linalg.eigvalsh(curvature)[-1], n_iterations)


def scale_answer(raw_count, count, raw_values, values):
    """La réponse de la section qui suit, ou "" si ces réglages ne montrent rien.

    `values` : valeurs propres de X'X/n, de la plus petite à la plus grande.
    """
    fair = raw_values[-1] * RAW_RATE > 1  # plus de la moitié de la limite : les entrées d'origine ont leur chance
    better = values[0] > 1e-9 and 2 * values[-1] / values[0] < raw_values[-1] / raw_values[0]
    if count is None or raw_count is None or not 0 < count < raw_count or not fair or not better:
        return ""
    return (
        f"On arrive au but {raw_count / count:.0f} fois plus vite : en {counted(count, 'itération')} au lieu de "
        f"{raw_count}. Avec les entrées d'origine, la perte est une vallée étroite, "
        f"{raw_values[-1] / raw_values[0]:.0f} fois plus courbée dans une direction que dans une autre : un taux assez "
        f"petit pour l'une est trop petit pour l'autre. Divisées, {values[-1] / values[0]:.1f} fois seulement : la "
        f"limite passe de {2 / raw_values[-1]:.3g} à {2 / values[-1]:.3g}. "
    )


def section_scale():
    """Des entrées plus petites (en plus)

    Question : que gagne-t-on à diviser les entrées par SCALE, et à prendre un taux plus grand ?
    À regarder : les deux courbes ; ce sont les mêmes observations, et la même boucle.
    """
    _, inputs, targets, weights, bias = setup(N_OBSERVATIONS)
    small, n_iterations = inputs / SCALE, N_ITERATIONS or 1000
    raw_losses, _, raw_problem = learn(inputs, targets, weights, bias, RAW_RATE, n_iterations)
    if not raw_losses:
        return None
    losses, parameters, problem = learn(small, targets, weights, bias, SCALED_RATE, n_iterations)
    best, best_loss, raw_curvature = least_squares(inputs, targets)
    level, words = goal_of(best_loss)
    raw_count, count = first_under(raw_losses, level), first_under(losses, level)
    print(f"But : {words}.")
    print(f"entrées d'origine, taux {RAW_RATE:g} : {when(raw_count, raw_problem)}")
    print(f"entrées divisées par {SCALE:g}, taux {SCALED_RATE:g} : {when(count, problem)}")
    if raw_problem or problem:
        print(raw_problem or problem)

    fig, ax = plt.subplots(figsize=(12, 6.5), layout="constrained")
    ax.plot(raw_losses, linewidth=2, label=f"d'origine, taux {RAW_RATE:g}")
    ax.plot(losses, linewidth=2, label=f"divisées par {SCALE:g}, taux {SCALED_RATE:g}")
    finish_losses(ax, "La perte et l'échelle des entrées", targets, best_loss, level, "itération (échelle log)")

    # Réponse
    if raw_problem or problem:
        return f"Rien à conclure. {raw_problem or problem}"
    curvature = least_squares(small, targets)[2]
    answer = scale_answer(raw_count, count, np.linalg.eigvalsh(raw_curvature), np.linalg.eigvalsh(curvature))
    if not answer:
        return (
            f"Ces réglages ne le montrent pas (d'origine : {when(raw_count, '')} ; divisées : {when(count, '')}). Avec "
            "ceux du début, les entrées divisées arrivent au but dix fois plus vite."
        )
    weights = parameters[-1, :-1] / SCALE  # les poids des entrées d'origine
    if abs(weights - best[:-1]).max() > 0.05:
        return answer
    shown = ", ".join(f"{weight:.3g}" for weight in weights[:5])
    return f"{answer}Divisés par {SCALE:g}, les poids trouvés redonnent ceux des entrées d'origine : {shown}."


def wrong_formula(inputs, targets, true_values):
    """Vrai si les trois entrées ou les cibles ne sont pas celles de l'énoncé, et le dit."""
    if np.ndim(inputs) != 2 or len(inputs[0]) != 3:
        print(f"inputs est de forme {np.shape(inputs)} : il faut une ligne par observation, et trois colonnes.")
        return True
    if np.shape(targets) != (len(inputs), 1):
        return False  # `learn` le dira
    rest = abs(targets[:, 0] - np.dot(inputs, true_values[:3]) - true_values[3]).max()
    if rest > max(NOISE, 0.1) + 1e-6:
        print(f"Une cible est à {rest:.3g} de la formule, bien plus que le bruit : relisez targets.")
    return rest > max(NOISE, 0.1) + 1e-6


def section_three_inputs():
    """Une troisième entrée

    Travail à faire : ajoutez une entrée x3 et apprenez cible = 2·x1 + 4·x2 - 3·x3 + 3 + bruit.
    À regarder : les formes de `inputs` et de `weights`, et ce qui change dans `train`.
    """
    rng, true_values = np.random.default_rng(SEED), np.array([2, 4, -3, 3])
    # CORRIGÉ : tirez de quoi apprendre avec trois entrées | rng, N_OBSERVATIONS ; nommez inputs, targets, weights, bias
    x1 = rng.uniform(-10, 10, size=(N_OBSERVATIONS, 1))
    x2 = rng.uniform(-10, 10, size=(N_OBSERVATIONS, 1))
    x3 = rng.uniform(-10, 10, size=(N_OBSERVATIONS, 1))
    noise = rng.uniform(-NOISE, NOISE, size=(N_OBSERVATIONS, 1))
    inputs = np.column_stack((x1, x2, x3))
    targets = 2 * x1 + 4 * x2 - 3 * x3 + 3 + noise
    weights, bias = rng.uniform(-0.2, 0.2, size=(3, 1)), rng.uniform(-0.2, 0.2, size=1)
    # FIN DU CORRIGÉ
    print(f"inputs : {np.shape(inputs)}   targets : {np.shape(targets)}   weights : {np.shape(weights)}")
    if wrong_formula(inputs, targets, true_values):
        return None
    loss_history, parameters, problem = learn(inputs, targets, weights, bias, LEARNING_RATE, N_ITERATIONS or 1000)
    if not loss_history:
        return None
    best = least_squares(inputs, targets)[0]
    print_parameters(parameters, best, true_values)
    if problem:
        print(problem)

    fig, ax = plt.subplots(figsize=(9, 6.5), layout="constrained")
    plot_outputs(ax, inputs, targets, parameters[-1])

    # Réponse
    gaps = abs(parameters[-1] - best)
    if problem:
        return f"Rien à conclure. {problem}"
    if len(inputs) < 4:
        return f"{len(inputs)} observations pour 4 paramètres : plusieurs solutions se valent."
    if gaps.max() > 0.05:
        worst = gaps.argmax()
        pair = " au lieu de ".join(apart(parameters[-1, worst], best[worst]))
        return f"Pas encore : à l'itération {len(loss_history)}, {['w1', 'w2', 'w3', 'b'][worst]} vaut {pair}."
    return (
        "Rien ne change dans `train` : `inputs` a une colonne de plus, `weights` une ligne de plus, et np.dot fait le "
        f"reste. Les paramètres appris sont les vrais, à {abs(parameters[-1] - true_values).max():.2g} près."
    )


# --- 2.2.3 : le gradient stochastique, par mini-batch -------------------------------------------------
def full_losses(parameters, best, best_loss, curvature):
    """Perte sur toutes les données, pour chaque ligne de `parameters` (k, d+1) : (k,).

    La perte est une parabole, dont `best` est le minimum : on la calcule sans relire les observations.
    """
    gaps = parameters - best  # (k, d+1)
    excess = (np.dot(gaps, curvature) * gaps).sum(axis=1) / 2  # jamais négatif, à l'arrondi près
    return best_loss + abs(excess)


def wrong_groups():
    """Vrai si `train` prend mal ses mini-batchs, et le dit.

    On l'essaie sur une matrice identité : un pas ne bouge alors que les poids des observations du groupe.
    """
    n, size, rate, rng = 8, 3, 0.1, np.random.default_rng(SEED)
    inputs, targets, weights, bias = np.eye(n), np.arange(1.0, n + 1).reshape(n, 1), np.full((n, 1), 0.5), np.ones(1)
    loss_history, _, problem = learn(inputs, targets, weights, bias, rate, 5)  # le gradient complet d'abord
    if not loss_history:
        return True
    loss_history, path = train(inputs, targets, weights, bias, rate, 5, size, rng)
    shares = []  # combien de fois chaque observation compte dans chaque pas
    for (weights, bias), (after, _) in zip(path, path[1:]):
        shares.append(size / rate * (weights - after)[:, 0] / (weights + bias - targets)[:, 0])
    shares = np.array(shares)  # (5, n)
    loss = (shares[0] * (1.5 - targets[:, 0]) ** 2).sum() / 2 / size  # au départ, chaque sortie vaut 0.5 + 1
    if problem:
        print(problem)
    elif not np.isfinite(loss_history).all():
        print("Un mini-batch est vide : ses numéros sortent de la liste des observations.")
    elif not np.allclose(shares, shares.round()) or not np.allclose(shares.sum(axis=1), size):
        print("Un pas n'est pas la moyenne de son mini-batch : divisez par len(x), x et y du même groupe.")
    elif np.allclose(shares, shares[0]):
        print("C'est toujours le même mini-batch : il en faut un autre à chaque itération.")
    elif not np.isclose(loss_history[0], loss):
        print("La perte d'un mini-batch n'est pas celle de son groupe : divisez par len(x).")
    else:
        return False
    return True


def shaking(loss_history):
    """De combien la perte change d'une itération à la suivante, sur les cent dernières, par rapport à elle-même."""
    tail = np.array(loss_history[-100:])
    return abs(np.diff(tail)).sum() / tail.sum()


def follow_groups(left, right, runs, inputs, targets):
    """Affiche et dessine ce que donne chaque taille de groupe ; `runs` : des (taille, ce que `train` a rendu).

    La dernière taille, toutes les observations, manque encore à gauche. Rend {taille: (tremblement, perte à la fin,
    itération du but)}, les diagnostics, et celui de la dernière.
    """
    best, best_loss, curvature = least_squares(inputs, targets)
    level, measures, failed = goal_of(best_loss)[0], {}, []
    for k, (size, result) in enumerate(runs):
        batch, last = size if size < len(inputs) else None, k == len(runs) - 1
        n_iterations = len(runs[-1][1][0])
        loss_history, parameters, problem = examine(result, inputs, targets, LEARNING_RATE, n_iterations, batch)
        if not loss_history:
            continue
        losses = full_losses(parameters, best, best_loss, curvature)  # (n_iterations + 1,) : sur toutes les données
        count = first_under(losses, level)
        if problem:
            failed.append(problem)
        else:
            measures[size] = shaking(loss_history), losses[-max(1, n_iterations // 10) :].mean(), count
        if k < 10 or last:
            print(f"  groupes de {size:<8} {when(count, problem)}")
        if k < 4 or last:
            right.plot(size * np.arange(len(losses)), losses, linewidth=2, label=f"groupes de {size}")
    left.plot(losses[:-1], linewidth=2)
    return measures, failed, problem


def mini_batch_answer(results, best_loss):
    """La réponse de la section qui suit ; `results` : {taille: (tremblement, perte à la fin, itération du but)}."""
    *small, n = sorted(results)  # n : toutes les observations
    shakes = [results[size][0] for size in [*small, n]]
    answer = ""
    if small and shakes == sorted(set(shakes), reverse=True):
        answer += "Plus le groupe est petit, moins la courbe est lisse : son gradient dépend des exemples tirés. "
    if small and results[small[0]][2] and results[n][2]:  # ni jamais, ni dès le départ
        answer += (
            f"Pour passer sous le but, il suffit de lire {counted(small[0] * results[small[0]][2], 'exemple')} par "
        )
        answer += (
            f"groupes de {small[0]}, au lieu de {counted(n * results[n][2], 'exemple')} avec toutes les observations. "
        )
    if small and best_loss > 1e-6 and results[n][2] is not None:
        parts = [f"{100 * results[size][1] / best_loss - 100:.0f} % (groupes de {size})" for size in small[:4]]
        answer += (
            f"À la fin, la perte moyenne sur toutes les données reste au-dessus de la meilleure de {', '.join(parts)}."
        )
    return answer or (
        "Ces réglages ne le montrent pas. Avec ceux du début, plus le groupe est petit, moins la courbe est lisse, et "
        "moins il faut lire d'exemples pour arriver au but."
    )


def section_mini_batch():
    """Le gradient stochastique par mini-batch

    Travail à faire : à chaque itération, calculez le gradient sur un petit groupe tiré au hasard.
    Question : comment évolue la perte avec le nombre d'itérations, et avec la taille du groupe ?
    À regarder : à gauche, l'allure des courbes ; à droite, combien d'exemples il a fallu lire.
    """
    rng, inputs, targets, weights, bias = setup(N_OBSERVATIONS)
    if wrong_groups() or wrong_shapes(inputs, targets, weights, bias):
        return None
    best_loss = least_squares(inputs, targets)[1]
    level, words = goal_of(best_loss)
    n_iterations = N_ITERATIONS or 1000
    results = []  # gardez-y ce que rend `train` pour chaque taille : le tableau en vient, et la figure de droite
    sizes = [min(size, len(inputs)) for size in BATCH_SIZES]  # au plus toutes les observations
    print(f"Taux {LEARNING_RATE:g}, {counted(n_iterations, 'itération')}. But : {words}.")
    fig, (left, right) = plt.subplots(1, 2, figsize=(13, 6.5), layout="constrained")
    plt.sca(left)
    # CORRIGÉ : entraînez par taille (BATCH_SIZES), tracez | train, rng, n_iterations, left ; gardez dans results
    for size in sizes:
        batch = size if size < len(inputs) else None  # None : c'est le gradient complet
        results.append(train(inputs, targets, weights, bias, LEARNING_RATE, n_iterations, batch, rng))
        if len(results) <= 4:  # plus de courbes ne se liraient pas
            left.plot(results[-1][0], linewidth=2)
    # FIN DU CORRIGÉ
    runs = list(zip(sizes, results)) if kept(results, sizes) else []
    runs.append((len(inputs), train(inputs, targets, weights, bias, LEARNING_RATE, n_iterations)))  # gradient complet
    measures, failed, problem = follow_groups(left, right, runs, inputs, targets)
    for sentence in failed[-1:] if problem else failed[:1]:
        print(sentence)
    finish_losses(left, "Perte du groupe (couleurs : à droite)", targets, best_loss, 0)
    left.set_ylim(bottom=level / 100)
    finish_losses(right, "Perte sur toutes les données", targets, best_loss, level, "exemples lus (échelle log)")

    # Réponse
    if problem:  # celui du gradient complet
        return f"Rien à conclure. {problem}"
    return " ".join([*failed[:1], mini_batch_answer(measures, best_loss)])


def fastest_steps(inputs, targets, weights, bias, batch_size, rng):
    """Durées (s) d'un pas complet et d'un pas de mini-batch : la plus courte de cinq mesures, à tour de rôle."""
    full, mini = [], []
    for _ in range(5):
        start = time.perf_counter()
        train(inputs, targets, weights, bias, 0, 1)  # au taux 0 : rien ne bouge, et le pas coûte autant
        middle = time.perf_counter()
        train(inputs, targets, weights, bias, 0, 100, batch_size, rng)
        full.append(middle - start)
        mini.append((time.perf_counter() - middle) / 100)
    return min(full), min(mini)


def million_answer(steps, counts):
    """La réponse de la section qui suit ; `steps` : durées (s) d'un pas complet et de mini-batch, selon la taille."""
    (small_full, small_mini), (full, mini) = steps[0], steps[-1]
    answer = f"Avec un million d'observations, un pas complet coûte {full / mini:.0f} fois un pas de mini-batch"
    if None in counts:
        answer += f" (gradient complet : {when(counts[0], '')} ; mini-batch : {when(counts[1], '')}). "
    else:
        answer += f" ; pour arriver au but, il faut environ {counts[0] * full:.2g} s ({counts[0]} pas) contre "
        answer += f"{counts[1] * mini:.2g} s ({counts[1]} pas). "
    answer += f"De 1000 à un million d'observations, un pas complet dure {full / small_full:.0f} fois plus : il les "
    answer += f"relit toutes. Un pas de mini-batch ne lit que son groupe : {mini / small_mini:.1f} fois"
    return answer + (", presque rien." if mini < 3 * small_mini else ".")


def plot_million(sizes, steps, counts):
    """À gauche, la durée d'un pas selon le nombre d'observations ; à droite, le temps jusqu'au but."""
    _, (left, right) = plt.subplots(1, 2, figsize=(13, 6.5), layout="constrained")
    names = ["gradient complet", f"groupes de {BATCH_SIZE}"]
    left.plot(sizes, steps, linewidth=2, marker="o", label=names)
    left.set(title="Un pas", xlabel="nombre d'observations (échelle log)", ylabel="durée (s, échelle log)")
    left.set(xscale="log", yscale="log")
    left.legend()
    bars = right.bar(names, [(count or 0) * step for count, step in zip(counts, steps[-1])], color=["C0", "C1"])
    texts = ["pas atteint" if n is None else f"{n * step:.2g} s" for n, step in zip(counts, steps[-1])]
    right.bar_label(bars, texts)
    right.set(title="Arriver au but", ylabel="durée (s)")


def section_million():
    """Un million d'observations (en plus)

    Question : que coûte l'apprentissage quand les données grandissent ?
    À regarder : ce que coûte un pas selon le nombre d'observations, puis le temps pour descendre.
    """
    _, inputs, targets, weights, bias = setup(1000)  # d'abord en petit : une faute y coûte moins cher
    loss_history, _, problem = learn(inputs, targets, weights, bias, LEARNING_RATE, 2)
    if not loss_history or wrong_groups():
        return None
    rng, inputs, targets, weights, bias = setup(1_000_000)
    sizes, steps, n_iterations = [1000, 10_000, 100_000, 1_000_000], [], N_ITERATIONS or 1000
    for n in sizes:
        steps.append(fastest_steps(inputs[:n], targets[:n], weights, bias, BATCH_SIZE, rng))
        full, mini = steps[-1]
        print(f"{n:7d} observations : pas complet {1e6 * full:.0f} µs, mini-batch {1e6 * mini:.1f} µs")

    x, y = inputs[:10_000], targets[:10_000]  # assez pour compter les itérations du gradient complet
    loss_history, _, problem = learn(x, y, weights, bias, LEARNING_RATE, n_iterations)
    full_count = first_under(loss_history, goal_of(least_squares(x, y)[1])[0])
    print(f"gradient complet (compté sur 10 000 observations) : {when(full_count, problem)}")
    loss_history, parameters, mini_problem = learn(
        inputs, targets, weights, bias, LEARNING_RATE, n_iterations, BATCH_SIZE, rng
    )
    if not loss_history:
        return None
    best, best_loss, curvature = least_squares(inputs, targets)
    level, words = goal_of(best_loss)
    mini_count = first_under(full_losses(parameters, best, best_loss, curvature), level)
    print(f"groupes de {BATCH_SIZE} : {when(mini_count, mini_problem)}")
    print(f"But : {words}.")
    if problem or mini_problem:
        print(problem or mini_problem)
    plot_million(sizes, steps, [full_count, mini_count])

    # Réponse
    if problem or mini_problem:
        return f"Rien à conclure. {problem or mini_problem}"
    return million_answer(steps, [full_count, mini_count])


SECTIONS = {
    "2.2.1": section_data,
    "2.2.2-boucle": section_loop,
    "2.2.2-perte": section_loss,
    "2.2.2-taux": section_rates,
    "2.2.2-echelle": section_scale,
    "2.2.2-trois-entrees": section_three_inputs,
    "2.2.3-mini-batch": section_mini_batch,
    "2.2.3-million": section_million,
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
