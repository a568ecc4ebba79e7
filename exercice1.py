"""Exercice 1 : un neurone linéaire entraîné à la main avec NumPy (parties 2.2.1 à 2.2.3).

Le neurone calcule y = x1·w1 + x2·w2 + b. On lui montre des observations, il doit retrouver les poids et
le biais. Ce fichier suit l'énoncé, de haut en bas : les réglages, la leçon, puis une section par question.
Lisez d'abord la partie « La leçon » : tout est dans la boucle de `train`, avec les étapes (1) à (7).

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
N_ITERATIONS = None  # None : 100, 1000 ou 10 000 selon la section ; 250 : 250 à chaque apprentissage
RATES = [0.001, 0.01, 0.03, 0.07]  # 2.2.2-taux : les taux à comparer
SCALE = 10  # 2.2.2-echelle : ce nombre divise les entrées...
RAW_RATE = 0.05  # ... le taux pour les entrées telles quelles...
SCALED_RATE = 1.5  # ... et le taux pour les entrées divisées
BATCH_SIZES = [1, 4, 32]  # 2.2.3-mini-batch : les tailles de groupe (mini-batch) à comparer
BATCH_SIZE = 32  # 2.2.3-million : la taille d'un groupe

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
    """Tire au hasard `inputs` (n, d), entre -10 et 10, et calcule `targets` (n, 1), avec du bruit."""
    inputs = rng.uniform(-10, 10, size=(n_observations, len(true_weights)))  # (n, d) : une colonne par entrée
    noises = rng.uniform(-noise, noise, size=(n_observations, 1))  # (n, 1)
    column = np.reshape(true_weights, (-1, 1))  # (d, 1)
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
    x, y = inputs, targets  # toutes les observations, à chaque itération...
    if batch_size:
        # CORRIGÉ : tirez n_iterations groupes de batch_size numéros, avec rng
        groups = rng.integers(len(inputs), size=(n_iterations, batch_size))
        # FIN DU CORRIGÉ
    for k in range(n_iterations):
        if batch_size:
            x, y = inputs[groups[k]], targets[groups[k]]  # ... ou seulement le groupe numéro k
        outputs = np.dot(x, weights) + bias  # (1) propager les entrées vers la sortie : (n, 1)
        deltas = outputs - y  # (2) écarts aux cibles : (n, 1)
        loss = (deltas**2).sum() / 2 / len(x)  # (3) perte
        loss_history.append(loss)  # (4) la garder, pour la tracer
        deltas_scaled = deltas / len(x)  # (5) chaque observation compte pour 1/n
        weights = weights - learning_rate * np.dot(x.T, deltas_scaled)  # (6) un pas sur les poids
        bias = bias - learning_rate * deltas_scaled.sum()  # (7) un pas sur le biais
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
            print(f"{name} est de forme {found}, il faut {expected} : NumPy calculerait autre chose, sans le dire.")
            return True
    return False


# --- 2.2.1 : l'apprentissage par minimisation ---------------------------------------------------------
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
    print(f"Les 5 premières observations ({counted(n_shown, 'entrée')}, puis la cible) :")
    print(np.column_stack([inputs[:, :n_shown], targets])[:5].round(3))

    fig = plt.figure(figsize=(12, 6.5))
    if inputs.shape[1] == 2:
        ax = fig.add_axes([0, 0, 1, 0.92], projection="3d")
        ax.scatter(inputs[:1000, 0], inputs[:1000, 1], targets[:1000, 0])
        ax.view_init(elev=20, azim=-150)
        ax.set(xlabel="x1", ylabel="x2", zlabel="cible", xticks=[-10, 0, 10], yticks=[-10, 0, 10])
    else:
        for j, ax in enumerate(fig.subplots(1, n_shown, sharey=True, squeeze=False)[0]):
            ax.plot(inputs[:1000, j], targets[:1000], "o", markersize=3)
            ax.set(xlabel=f"x{j + 1}", ylabel="cible" if j == 0 else "")
    fig.suptitle("Les observations")

    # Réponse
    rest = targets - np.dot(inputs, np.reshape(TRUE_WEIGHTS, (-1, 1))) - TRUE_BIAS  # (n, 1)
    if abs(rest).max() > NOISE + 1e-6:
        return f"`make_data` ne suit pas les réglages : elle s'en écarte de {abs(rest).max():.3g}, plus que le bruit."
    terms = [f"{weight:g}·x{j}" for j, weight in enumerate(TRUE_WEIGHTS[:5], start=1)]
    if len(TRUE_WEIGHTS) > 5:
        terms.append("...")
    formula = " + ".join([*terms, f"{TRUE_BIAS:g}"]).replace("+ -", "- ")
    if NOISE == 0:
        return f"Une cible vaut {formula}, sans bruit : apprendre, c'est retrouver ces nombres."
    return (
        f"Une cible vaut {formula}, plus un bruit d'au plus {NOISE:g}. Apprendre, c'est retrouver ces nombres. Le "
        f"bruit, lui, ne s'apprend pas : même avec les vrais nombres, la perte est {(rest**2).mean() / 2:.3g}."
    )


# --- 2.2.2 : la résolution du problème d'apprentissage ------------------------------------------------
def least_squares(inputs, targets):
    """Calcule la meilleure solution d'un coup, sans descente (moindres carrés).

    Rend `best` (d+1,), les poids puis le biais ; `best_loss`, sa perte ; et `curvature` = X'X/n (d+1, d+1), la
    courbure de la perte, où X (n, d+1) est `inputs` suivi d'une colonne de 1 : l'entrée du biais.
    """
    extended = np.column_stack([inputs, np.ones(len(inputs))])  # (n, d+1)
    best = np.linalg.lstsq(extended, targets, rcond=None)[0]  # (d+1, 1)
    best_loss = ((np.dot(extended, best) - targets) ** 2).sum() / 2 / len(inputs)
    return best[:, 0], best_loss, np.dot(extended.T, extended) / len(inputs)


def diagnostic(inputs, targets, loss_history, path, learning_rate, batch_size=None):
    """Dit en une phrase, « un fait : ce qui l'explique », pourquoi un apprentissage a échoué ; rend "" sinon.

    La limite du taux ne vaut que pour le gradient complet : avant d'accuser le taux d'un mini-batch, on le rejoue
    sur toutes les observations.
    """
    (weights, bias), (last_weights, last_bias) = path[0], path[-1]
    for name, step, start, end in [("weights", 6, weights, last_weights), ("bias", 7, bias, last_bias)]:
        if np.size(start) != np.size(end):
            pair = f"{np.shape(end)}, au lieu de {np.shape(start)}"
            return f"{name} est devenu de forme {pair} : suivez les formes, de l'étape (1) à l'étape ({step})."
        if start is end or np.array_equal(start, end):
            return f"Dans path, {name} n'a pas bougé : l'étape ({step}) s'écrit {name} = {name} - ..., sans « -= »."
    if np.ndim(loss_history) != 1 or not loss_history:
        return "loss_history ne reçoit pas un nombre par itération : relisez les étapes (3) et (4)."
    deltas = np.dot(inputs, weights) + bias - targets  # (n, 1)
    first = (deltas**2).mean() / 2
    if not batch_size and not np.isclose(loss_history[0], first):
        pair = f"{loss_history[0]:.4g} au lieu de {first:.4g}"
        return f"La première perte n'est pas celle de l'énoncé : {pair} ; relisez les étapes (1) à (3)."
    huge = 1000 * max(first, (targets**2).mean())  # un neurone qui répond toujours 0 fait bien mieux
    over = [k for k, loss in enumerate(loss_history) if not loss <= huge]
    rises = loss_history[-1] > 1.01 * min(loss_history) + 1e-12 * first  # sous la limite, elle descend à chaque pas
    if over or (rises and not batch_size):
        fact = f"La perte explose à l'itération {over[0]}" if over else "La perte monte"
        if batch_size and train(inputs, targets, weights, bias, learning_rate, len(loss_history))[0][-1] <= first:
            return f"{fact} : le taux {learning_rate:g} est trop grand pour des groupes de {batch_size}."
        limit = 2 / np.linalg.eigvalsh(least_squares(inputs, targets)[2])[-1]
        if learning_rate > limit:
            return f"{fact} : le taux {learning_rate:g} dépasse la limite, {limit:.4g}."
        advice = "relisez les étapes (5) à (7), et le signe en (2)"
        return f"{fact} : le taux {learning_rate:g} est sous la limite ({limit:.4g}) : {advice}."
    moved = np.append(weights, bias) - np.append(path[1][0], path[1][1])  # (d+1,)
    expected = learning_rate * np.append(np.dot(inputs.T, deltas), deltas.sum()) / len(inputs)
    if batch_size or np.allclose(moved, expected, rtol=1e-6, atol=1e-12):
        return ""
    pair = f"{moved[0] / expected[0]:.3g} fois celui des poids, {moved[-1] / expected[-1]:.3g} fois celui du biais"
    return f"Le premier pas n'est pas celui de l'énoncé : {pair} ; relisez les étapes (5) à (7)."


def say(problem):
    """Affiche un diagnostic, s'il y en a un, en lignes d'au plus 100 signes."""
    if problem:
        print(textwrap.fill(problem, 100))


def stack(path):
    """Les paramètres après chaque itération, le biais en dernier : (k, d+1). S'arrête avant une explosion."""
    rows = []
    for weights, bias in path:
        row = np.append(weights, bias)
        if rows and (len(row) != len(rows[0]) or not abs(row).max() < 1e6):
            break
        rows.append(row)
    return np.array(rows)


def print_parameters(learned, best, true_values):
    """Tableau des paramètres, chacun (d+1,) : appris, meilleurs possibles, vrais. Au plus quatre poids, et le biais."""
    names = [f"w{j}" for j in range(1, len(best))] + ["b"]
    rows = list(zip(names, learned, best, true_values))
    print(f"{'':<6}{'appris':>12}{'moindres carrés':>18}{'vrai':>10}")
    for name, found, best_value, true_value in rows[:-1][:4] + rows[-1:]:
        print(f"{name:<6}{found:12.5g}{best_value:18.5g}{true_value:10.5g}")


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
    if abs(missing) > 0.05:  # le biais n'est pas arrivé : on montre ce qui manque
        ax.annotate("", (end, true_values[-1]), (end, parameters[-1, -1]), arrowprops={"arrowstyle": "<->"})
        ax.annotate(f"il manque {missing:.3g}", (end, true_values[-1] - missing / 2), ha="right", va="center")
    ax.set(title="Chaque paramètre (trait fin : le vrai)", xlabel="itération", ylabel="valeur")
    ax.legend()


def section_loop():
    """La boucle forward/backward

    Travail à faire : retrouvez dans `train` les étapes (1) à (7) de l'énoncé.
    À regarder : la perte, puis chaque paramètre. Sont-ils tous arrivés à leur vraie valeur ?
    """
    _, inputs, targets, weights, bias = setup(N_OBSERVATIONS)
    if wrong_shapes(inputs, targets, weights, bias):
        return None
    loss_history, path = train(inputs, targets, weights, bias, LEARNING_RATE, N_ITERATIONS or 100)
    problem = diagnostic(inputs, targets, loss_history, path, LEARNING_RATE)
    best, best_loss, curvature = least_squares(inputs, targets)
    say(problem)
    print_losses(loss_history, best_loss)
    parameters, true_values = stack(path), np.append(TRUE_WEIGHTS, TRUE_BIAS)  # (k, d+1) et (d+1,)
    print(f"Après {counted(len(parameters) - 1, 'itération')} :")
    print_parameters(parameters[-1], best, true_values)

    fig, (left, right) = plt.subplots(1, 2, figsize=(13, 6.5), layout="constrained")
    plot_outputs(left, inputs, targets, parameters[-1])
    plot_parameters(right, parameters, true_values)

    # Réponse
    last, gaps = parameters[-1], abs(parameters - best)  # (d+1,) et (k, d+1)
    if problem:
        return f"Rien à conclure. {problem}"
    if len(inputs) < len(best):
        return f"{len(inputs)} observations pour {len(best)} paramètres : plusieurs solutions se valent."
    if gaps[-1].max() < 0.05:
        return f"Oui, tous les paramètres sont arrivés, à {gaps[-1].max():.2g} au plus de leur meilleure valeur."
    worst = gaps[-1, :-1].argmax()
    if gaps[-1, worst] > 0.05:
        return f"Non : w{worst + 1} vaut {last[worst]:.3g} au lieu de {best[worst]:.3g}."
    answer = f"Le biais n'est pas arrivé : {last[-1]:.3g} au lieu de {best[-1]:.3g}. "
    share, theory = gaps[-1, -1] / gaps[0, -1], (1 - LEARNING_RATE) ** len(loss_history)
    if abs(share - theory) > 0.05 or curvature.diagonal()[:-1].min() < 5:
        return answer
    return answer + (
        f"Son entrée vaut toujours 1, celles des poids vont jusqu'à {abs(inputs).max():.2g} : à écart égal, son "
        f"gradient est bien plus petit. Chaque itération n'enlève que {100 * LEARNING_RATE:g} % de son erreur ; il en "
        f"reste {100 * share:.0f} % à la fin."
    )


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


def rounded(number):
    """Deux chiffres suffisent à un rapport ou à une durée."""
    two_digits = float(f"{number:.2g}")
    return f"{two_digits:g}"


def mark(ax, losses, count, examples=1):
    """Un point noir là où la perte atteint le but ; `examples` : nombre d'exemples lus par itération."""
    if count is not None:
        ax.plot(count * examples, losses[count], "ko", markersize=7, zorder=4)


def finish_losses(ax, title, targets, best_loss, xlabel="itération"):
    """Termine un dessin de pertes : échelle log, meilleure perte ; ce qui explose sort du cadre."""
    lowest = max(best_loss, 1e-6)
    ax.axhline(lowest, color="black", linewidth=1, label="meilleure perte" if best_loss > 1e-6 else "un millionième")
    highest = 10 * max(1, (targets**2).mean())  # la moyenne : deux fois la perte d'un neurone qui répond 0
    ax.set(title=title, xlabel=xlabel, ylabel="perte (échelle log)", yscale="log", ylim=(lowest / 2, highest))
    ax.legend()


def section_loss():
    """La perte en fonction du nombre d'itérations

    Question : à partir de combien d'itérations la perte commence-t-elle à converger ?
    À regarder : les deux points marqués, à 95 % de la descente, puis au but.
    """
    _, inputs, targets, weights, bias = setup(N_OBSERVATIONS)
    if wrong_shapes(inputs, targets, weights, bias):
        return None
    loss_history, path = train(inputs, targets, weights, bias, LEARNING_RATE, N_ITERATIONS or 1000)
    problem = diagnostic(inputs, targets, loss_history, path, LEARNING_RATE)
    best_loss = least_squares(inputs, targets)[1]
    level, words = goal_of(best_loss)
    say(problem)
    print_losses(loss_history, best_loss)
    print(f"But : {words}.")

    fig, ax = plt.subplots(figsize=(12, 6.5), layout="constrained")
    # CORRIGÉ : tracez loss_history sur ax, itération par itération
    ax.plot(loss_history, linewidth=2, label=f"taux {LEARNING_RATE:g}")
    # FIN DU CORRIGÉ
    nearly = reached = None
    if not problem:
        nearly = first_under(loss_history, best_loss + 0.05 * (loss_history[0] - best_loss))
        reached = first_under(loss_history, level)
    for iteration, marker, name in [(nearly, "s", "95 % de la descente"), (reached, "o", "le but")]:
        if iteration is not None:
            ax.plot(iteration, loss_history[iteration], marker, markersize=10, label=name)
    finish_losses(ax, "La perte à chaque itération", targets, best_loss)

    # Réponse
    if problem:
        return f"Rien à conclure. {problem}"
    if nearly is None:
        return f"Pas encore en {counted(len(loss_history), 'itération')} : moins de 95 % de la descente est faite."
    answer = f"Elle commence à converger vers l'itération {nearly} : 95 % de la descente est faite. "
    if reached is None:
        return answer + f"Le but, {words}, n'est pas atteint en {counted(len(loss_history), 'itération')}."
    if reached <= nearly:
        return answer + f"Le but, {words}, est alors déjà atteint."
    return answer + (
        f"Le but, {words}, est atteint à l'itération {reached} : plus on approche du fond, plus le gradient est petit, "
        "et les pas aussi."
    )


def rates_answer(reached, too_large, limit, n_iterations):
    """La réponse de la section qui suit ; `reached` : des (taux, itération du but), dans l'ordre des taux."""
    rates, counts = [rate for rate, _ in reached], [count for _, count in reached]
    fastest = counts.index(min(counts)) if reached else 0
    if not reached:
        answer = f"Aucun de ces taux n'atteint le but en {counted(n_iterations, 'itération')}. "
    elif fastest > 0 and counts[: fastest + 1] == sorted(set(counts[: fastest + 1]), reverse=True):
        answer = f"Plus le taux est grand, plus c'est rapide : but à l'itération {counts[0]} au taux {rates[0]:g}, "
        answer += f"{counts[fastest]} au taux {rates[fastest]:g}. "
    else:
        answer = f"Le but est atteint au plus tôt à l'itération {counts[fastest]}, au taux {rates[fastest]:g}. "
    if reached and counts[fastest] < counts[-1] and limit / 2 < rates[-1]:
        answer += f"Mais près de la limite, c'est de nouveau plus long : {counts[-1]} au taux {rates[-1]:g}. "
    for rate, count in reached:
        for larger, smaller_count in reached:
            if np.isclose(larger, 10 * rate) and 9 * smaller_count < count < 11 * smaller_count:
                answer += f"De {larger:g} à {rate:g}, dix fois plus petit, c'est dix fois plus long. "
    if not too_large:
        return answer + f"La limite est {limit:.4g} : au-delà, la perte exploserait."
    rates = ", ".join(f"{rate:g}" for rate in too_large[:5])
    return answer + (
        f"Au-delà de la limite, {limit:.4g}, la perte explose ou monte (taux {rates}) : chaque pas saute de l'autre "
        "côté du fond, plus loin qu'avant."
    )


def section_rates():
    """Plusieurs taux d'apprentissage

    Question : recommencez avec d'autres taux. Que constatez-vous ?
    À regarder : ce que devient la courbe de chaque taux de RATES (LEARNING_RATE ne sert pas ici).
    """
    _, inputs, targets, weights, bias = setup(N_OBSERVATIONS)
    if wrong_shapes(inputs, targets, weights, bias):
        return None
    _, best_loss, curvature = least_squares(inputs, targets)
    level, words = goal_of(best_loss)
    limit = 2 / np.linalg.eigvalsh(curvature)[-1]  # au-delà, le gradient complet diverge
    n_iterations, counts, problems = N_ITERATIONS or 10_000, [], []
    print(f"Au plus {counted(n_iterations, 'itération')} par taux. But : {words}.")
    fig, ax = plt.subplots(figsize=(12, 6.5), layout="constrained")
    for rate in RATES:
        loss_history, path = train(inputs, targets, weights, bias, rate, n_iterations)
        counts.append(first_under(loss_history, level))
        problems.append(diagnostic(inputs, targets, loss_history, path, rate))
        if len(counts) <= 10:
            print(f"  taux {rate:<8g} {when(counts[-1], problems[-1])}")
        if len(counts) <= 5:
            ax.plot(loss_history, linewidth=2, label=f"taux {rate:g}")
            mark(ax, loss_history, counts[-1])
    mistakes = [problem for rate, problem in zip(RATES, problems) if problem and rate <= limit]
    failed = mistakes or [problem for problem in problems if problem]
    say(failed[0] if failed else "")
    if len(RATES) > 5:
        print(f"{len(RATES)} taux : les 5 premiers sont dessinés, les 10 premiers affichés.")
    ax.set(xlim=(1, max(2, n_iterations)), xscale="log")
    finish_losses(ax, "La perte selon le taux", targets, best_loss, "itération (échelle log)")

    # Réponse
    if mistakes:
        return f"Rien à conclure. {mistakes[0]}"
    too_large = sorted({rate for rate, problem in zip(RATES, problems) if problem})
    arrived = {(rate, count) for rate, count in zip(RATES, counts) if count is not None and rate not in too_large}
    return rates_answer(sorted(arrived), too_large, limit, n_iterations)


def scale_answer(raw_count, count, n_iterations, raw_values, values):
    """La réponse de la section qui suit ; `values` : valeurs propres de X'X/n, de la plus petite à la plus grande."""
    if raw_count is None:
        answer = (
            f"Divisées, les entrées mènent au but en {counted(count, 'itération')} ; celles d'origine n'y mènent pas "
        )
        answer += f"en {n_iterations}. "
    else:
        answer = f"Divisées, les entrées mènent au but {rounded(raw_count / count)} fois plus vite : en "
        answer += f"{counted(count, 'itération')} au lieu de {raw_count}. "
    if values[0] < 1e-9 or values[-1] / values[0] > raw_values[-1] / raw_values[0]:
        return answer
    return answer + (
        f"Avec celles d'origine, la perte est {raw_values[-1] / raw_values[0]:.0f} fois plus courbée dans une "
        f"direction que dans une autre ; divisées, {values[-1] / values[0]:.0f} fois : un même taux leur va mieux. La "
        f"limite passe de {2 / raw_values[-1]:.3g} à {2 / values[-1]:.3g}. "
    )


def section_scale():
    """Des entrées plus petites (en plus)

    Question : que gagne-t-on à diviser les entrées par SCALE, et à prendre un taux plus grand ?
    À regarder : les deux courbes ; ce sont les mêmes observations, et la même boucle.
    """
    _, inputs, targets, weights, bias = setup(N_OBSERVATIONS)
    if wrong_shapes(inputs, targets, weights, bias):
        return None
    best, best_loss, raw_curvature = least_squares(inputs, targets)
    level, words = goal_of(best_loss)
    small, n_iterations = inputs / SCALE, N_ITERATIONS or 1000
    raw_losses, raw_path = train(inputs, targets, weights, bias, RAW_RATE, n_iterations)
    raw_problem = diagnostic(inputs, targets, raw_losses, raw_path, RAW_RATE)
    losses, path = train(small, targets, weights, bias, SCALED_RATE, n_iterations)
    problem = diagnostic(small, targets, losses, path, SCALED_RATE)
    raw_count, count = first_under(raw_losses, level), first_under(losses, level)
    print(f"But : {words}.")
    print(f"entrées telles quelles, taux {RAW_RATE:g} : {when(raw_count, raw_problem)}")
    print(f"entrées divisées par {SCALE:g}, taux {SCALED_RATE:g} : {when(count, problem)}")
    say(raw_problem or problem)

    fig, ax = plt.subplots(figsize=(12, 6.5), layout="constrained")
    ax.plot(raw_losses, linewidth=2, label=f"telles quelles, taux {RAW_RATE:g}")
    ax.plot(losses, linewidth=2, label=f"divisées par {SCALE:g}, taux {SCALED_RATE:g}")
    mark(ax, raw_losses, raw_count)
    mark(ax, losses, count)
    ax.set(xlim=(1, max(2, n_iterations)), xscale="log")
    finish_losses(ax, "La perte selon l'échelle des entrées", targets, best_loss, "itération (échelle log)")

    # Réponse
    if raw_problem or problem:
        return f"Rien à conclure. {raw_problem or problem}"
    if count is None or (raw_count is not None and not 0 < count < raw_count):
        return (
            f"Ces réglages ne le montrent pas (d'origine : {when(raw_count, '')} ; divisées : {when(count, '')}). Avec "
            "ceux du début, les entrées divisées arrivent au but dix fois plus vite."
        )
    _, _, curvature = least_squares(small, targets)
    raw_values, values = np.linalg.eigvalsh(raw_curvature), np.linalg.eigvalsh(curvature)
    answer = scale_answer(raw_count, count, n_iterations, raw_values, values)
    weights = path[-1][0][:, 0] / SCALE  # les poids des entrées d'origine
    if abs(weights - best[:-1]).max() > 0.05:
        return answer
    shown = ", ".join(f"{weight:.3g}" for weight in weights[:5])
    return f"{answer}Divisés par {SCALE:g}, les poids trouvés redonnent ceux des entrées d'origine : {shown}."


def section_three_inputs():
    """Une troisième entrée

    Travail à faire : ajoutez une entrée x3 et apprenez cible = 2·x1 + 4·x2 - 3·x3 + 3 + bruit.
    À regarder : les formes de `inputs` et de `weights`, et ce qui change dans `train`.
    """
    rng = np.random.default_rng(SEED)
    # CORRIGÉ : tirez inputs, targets, weights et bias, pour trois entrées
    x1 = rng.uniform(-10, 10, size=(N_OBSERVATIONS, 1))
    x2 = rng.uniform(-10, 10, size=(N_OBSERVATIONS, 1))
    x3 = rng.uniform(-10, 10, size=(N_OBSERVATIONS, 1))
    noise = rng.uniform(-NOISE, NOISE, size=(N_OBSERVATIONS, 1))
    inputs = np.column_stack((x1, x2, x3))
    targets = 2 * x1 + 4 * x2 - 3 * x3 + 3 + noise
    weights, bias = rng.uniform(-0.2, 0.2, size=(3, 1)), rng.uniform(-0.2, 0.2, size=1)
    # FIN DU CORRIGÉ
    print(f"inputs : {np.shape(inputs)}   targets : {np.shape(targets)}   weights : {np.shape(weights)}")
    if wrong_shapes(inputs, targets, weights, bias):
        return None
    if len(weights) != 3:
        print(f"inputs a {counted(len(weights), 'colonne')}, il en faut 3 : une par entrée.")
        return None
    loss_history, path = train(inputs, targets, weights, bias, LEARNING_RATE, N_ITERATIONS or 1000)
    problem = diagnostic(inputs, targets, loss_history, path, LEARNING_RATE)
    say(problem)
    true_values, parameters = np.array([2, 4, -3, 3]), stack(path)  # (4,) et (k, 4)
    learned = parameters[-1]
    print(f"Après {counted(len(parameters) - 1, 'itération')} :")
    print_parameters(learned, least_squares(inputs, targets)[0], true_values)

    fig, ax = plt.subplots(figsize=(9, 6.5), layout="constrained")
    plot_outputs(ax, inputs, targets, learned)

    # Réponse
    gaps = abs(learned - true_values)
    if problem:
        return f"Rien à conclure. {problem}"
    if gaps.max() > 0.05:
        worst = gaps.argmax()
        name = ["w1", "w2", "w3", "b"][worst]
        return f"Non : {name} vaut {learned[worst]:.3g}, au lieu de {true_values[worst]}."
    return (
        f"La même boucle apprend aussi trois poids : tous les paramètres sont à {gaps.max():.2g} au plus des vrais. "
        "`inputs` a une colonne de plus, `weights` une ligne de plus, et np.dot fait le reste."
    )


# --- 2.2.3 : le gradient stochastique, par mini-batch -------------------------------------------------
def full_losses(parameters, best, best_loss, curvature):
    """Perte sur toutes les données, pour chaque ligne de `parameters` (k, d+1) : (k,).

    La perte est une parabole, dont `best` est le fond : on la calcule sans relire les observations.
    """
    gaps = parameters - best  # (k, d+1)
    excess = (np.dot(gaps, curvature) * gaps).sum(axis=1) / 2  # jamais négatif, à l'arrondi près
    return best_loss + abs(excess)


def mini_batch_answer(results, best_loss):
    """La réponse de la section qui suit ; `results` : {taille: (tremblement, perte à la fin, itération du but)}."""
    *small, n = sorted(results)  # n : toutes les observations
    shakes = [results[size][0] for size in [*small, n]]
    answer = ""
    if small and shakes == sorted(set(shakes), reverse=True):
        answer += "Plus le groupe est petit, moins la courbe est lisse : son gradient dépend des exemples tirés. "
    if small and best_loss > 1e-6 and results[n][2] is not None:
        parts = [f"{rounded(100 * results[size][1] / best_loss - 100)} % (groupes de {size})" for size in small[:4]]
        answer += f"À la fin, la perte moyenne dépasse la meilleure de {', '.join(parts)}. "
    if small and results[small[0]][2] and results[n][2]:  # ni jamais, ni dès le départ
        answer += (
            f"Pour arriver au but, il faut lire {counted(small[0] * results[small[0]][2], 'exemple')} par groupes "
        )
        answer += f"de {small[0]}, {counted(n * results[n][2], 'exemple')} avec le gradient complet."
    return answer or (
        "Ces réglages ne le montrent pas. Avec ceux d'origine, plus le groupe est petit, moins la courbe est lisse, et "
        "moins il faut lire d'exemples."
    )


def section_mini_batch():
    """Le gradient stochastique par mini-batch

    Travail à faire : à chaque itération, calculez le gradient sur un petit groupe tiré au hasard.
    Question : comment évolue la perte avec le nombre d'itérations, et avec la taille du groupe ?
    À regarder : à gauche, l'allure des courbes ; à droite, combien d'exemples il a fallu lire.
    """
    rng, inputs, targets, weights, bias = setup(N_OBSERVATIONS)
    if wrong_shapes(inputs, targets, weights, bias):
        return None
    best, best_loss, curvature = least_squares(inputs, targets)
    level, words = goal_of(best_loss)
    n_iterations, results, failed = N_ITERATIONS or 1000, {}, []
    sizes = [min(size, len(inputs)) for size in BATCH_SIZES] + [len(inputs)]  # à la fin, toutes les observations
    print(f"Taux {LEARNING_RATE:g}, {counted(n_iterations, 'itération')}. But : {words}.")
    fig, (left, right) = plt.subplots(1, 2, figsize=(13, 6.5), layout="constrained")
    for k, size in enumerate(sizes):
        batch_size = size if size < len(inputs) else None  # None : c'est le gradient complet
        loss_history, path = train(inputs, targets, weights, bias, LEARNING_RATE, n_iterations, batch_size, rng)
        problem = diagnostic(inputs, targets, loss_history, path, LEARNING_RATE, batch_size)
        losses = full_losses(stack(path), best, best_loss, curvature)  # (k + 1,) : sur toutes les données
        count = first_under(losses, level)
        if problem:
            failed.append(problem)
        else:
            tail = np.array(loss_history[-100:])
            results[size] = abs(np.diff(tail)).sum() / tail.sum(), losses[-100:].mean(), count
        if k < 10 or k == len(BATCH_SIZES):
            print(f"  groupes de {size:<8} {when(count, problem)}")
        if k < 4 or k == len(BATCH_SIZES):
            left.plot(loss_history, linewidth=2)
            right.plot(size * np.arange(1, len(losses)), losses[1:], linewidth=2, label=f"groupes de {size}")
            mark(right, losses, count, size)
        del path, loss_history  # de la place, avant la taille suivante
    say(failed[-1] if failed else "")
    finish_losses(left, "Perte du groupe", targets, best_loss)
    left.set_ylim(bottom=level / 100)
    right.set(xlim=(1, max(2, len(inputs) * n_iterations)), xscale="log")
    finish_losses(right, "Perte sur toutes les données", targets, best_loss, "exemples lus (échelle log)")

    # Réponse
    if problem:  # celui du gradient complet
        return f"Rien à conclure. {problem}"
    return " ".join([*failed[:1], mini_batch_answer(results, best_loss)])


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


def million_answer(steps, times):
    """La réponse de la section qui suit ; `steps` : durées (s) d'un pas complet et de mini-batch, selon la taille."""
    (small_full, small_mini), (full, mini) = steps[0], steps[-1]
    answer = f"Avec un million d'observations, un pas complet coûte {rounded(full / mini)} fois un pas de mini-batch ; "
    if None in times:
        answer += "mais le but n'est pas atteint partout. "
    else:
        answer += f"pour arriver au but, il faut {rounded(times[0])} s contre {rounded(times[1])} s. "
    return answer + (
        "Un pas complet relit toutes les observations : de 1000 à un million, il devient "
        f"{rounded(full / small_full)} fois plus long. Un pas de mini-batch ne lit que son groupe : "
        f"{rounded(mini / small_mini)} fois."
    )


def plot_million(sizes, steps, times):
    """À gauche, la durée d'un pas selon le nombre d'observations ; à droite, le temps jusqu'au but."""
    _, (left, right) = plt.subplots(1, 2, figsize=(13, 6.5), layout="constrained")
    names = ["gradient complet", f"groupes de {BATCH_SIZE}"]
    left.plot(sizes, steps, linewidth=2, marker="o", label=names)
    left.set(title="Un pas", xlabel="nombre d'observations", ylabel="durée (s)", xscale="log", yscale="log")
    left.legend()
    bars = right.bar(names, [time or 0 for time in times], color=["C0", "C1"])
    right.bar_label(bars, ["pas atteint" if time is None else f"{rounded(time)} s" for time in times])
    right.set(title="Arriver au but", ylabel="durée (s)")


def section_million():
    """Un million d'observations (en plus)

    Question : que coûte l'apprentissage quand les données grandissent ?
    À regarder : ce que coûte un pas selon le nombre d'observations, puis le temps pour descendre.
    """
    rng, inputs, targets, weights, bias = setup(1_000_000)
    if wrong_shapes(inputs, targets, weights, bias):
        return None
    loss_history, path = train(inputs[:1000], targets[:1000], weights, bias, LEARNING_RATE, 1)
    problem = diagnostic(inputs[:1000], targets[:1000], loss_history, path, LEARNING_RATE)
    if problem:  # une boucle à corriger, qui prendrait trop de temps ou de mémoire sur un million
        say(problem)
        return None
    sizes, steps, n_iterations = [1000, 10_000, 100_000, 1_000_000], [], N_ITERATIONS or 1000
    for n in sizes:
        steps.append(fastest_steps(inputs[:n], targets[:n], weights, bias, BATCH_SIZE, rng))
        full, mini = steps[-1]
        print(f"{n:7d} observations : pas complet {rounded(1e6 * full)} µs, mini-batch {rounded(1e6 * mini)} µs")

    x, y = inputs[:10_000], targets[:10_000]  # assez pour compter les itérations du gradient complet
    loss_history, path = train(x, y, weights, bias, LEARNING_RATE, n_iterations)
    problem = diagnostic(x, y, loss_history, path, LEARNING_RATE)
    full_count = first_under(loss_history, goal_of(least_squares(x, y)[1])[0])
    print(f"gradient complet (compté sur 10 000 observations) : {when(full_count, problem)}")
    best, best_loss, curvature = least_squares(inputs, targets)
    level, words = goal_of(best_loss)
    loss_history, path = train(inputs, targets, weights, bias, LEARNING_RATE, n_iterations, BATCH_SIZE, rng)
    mini_problem = diagnostic(x, y, loss_history, path, LEARNING_RATE, BATCH_SIZE)
    mini_count = first_under(full_losses(stack(path), best, best_loss, curvature), level)
    print(f"groupes de {BATCH_SIZE} : {when(mini_count, mini_problem)}")
    print(f"But : {words}.")
    say(problem or mini_problem)
    times = [None if count is None else count * step for count, step in zip([full_count, mini_count], steps[-1])]
    plot_million(sizes, steps, times)

    # Réponse
    if problem or mini_problem:
        return f"Rien à conclure. {problem or mini_problem}"
    return million_answer(steps, times)


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
        f"option refusée : {re.search(refused, message)[1]!r:.60} ; --help les montre toutes"
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
