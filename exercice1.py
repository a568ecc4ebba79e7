"""Exercice 1 : un neurone linéaire entraîné à la main avec NumPy (parties 2.2.1 à 2.2.3).

Le neurone calcule y = x1·w1 + x2·w2 + b. On lui montre des observations, il doit retrouver les poids
et le biais. Toute la leçon tient dans la boucle de `train`, avec les étapes (1) à (7) de l'énoncé. Les
nombres à changer sont juste au-dessous.

  python exercice1.py                                       toutes les sections, dans l'ordre de l'énoncé
  python exercice1.py --section 2.2.2-boucle                une seule section
  python exercice1.py --section 2.2.2 --corrige             toutes celles de 2.2.2, avec les réponses
  python exercice1.py --section 2.2.2-perte --learning-rate 0.03
"""

import argparse
import inspect
import os
import sys
import tempfile
import textwrap
import time
import traceback
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.backends import backend_registry

# --- Réglages : changez-les ici, ou par une option (--learning-rate 0.03) -----------------------------
N_OBSERVATIONS = 1000
TRUE_WEIGHTS = [3, -4]  # les poids à retrouver, un par entrée : [2, 4, -3] ajoute une entrée
TRUE_BIAS = 5  # le biais à retrouver
NOISE = 0.1  # le bruit est tiré entre -NOISE et NOISE
LEARNING_RATE = 0.01  # taux d'apprentissage
N_ITERATIONS = 100  # pour 2.2.2-boucle ; les sections qui comparent en font 10 ou 100 fois plus
BATCH_SIZE = 32  # nombre d'observations d'un mini-batch


# --- La leçon -----------------------------------------------------------------------------------------
def make_data(rng, n_observations, true_weights=TRUE_WEIGHTS, true_bias=TRUE_BIAS):
    """Tire au hasard `inputs` (n, d), entre -10 et 10, et calcule `targets` (n, 1), avec du bruit."""
    inputs = rng.uniform(-10, 10, size=(n_observations, len(true_weights)))  # (n, d)
    noise = rng.uniform(-NOISE, NOISE, size=(n_observations, 1))  # (n, 1)
    column = np.reshape(true_weights, (-1, 1))  # (d, 1)
    targets = np.dot(inputs, column) + true_bias + noise  # (n, 1)
    return inputs, targets


def make_parameters(rng, n_inputs):
    """Tire au hasard les paramètres de départ, entre -0.2 et 0.2 : `weights` (d, 1) et `bias` (1,)."""
    weights = rng.uniform(-0.2, 0.2, size=(n_inputs, 1))
    bias = rng.uniform(-0.2, 0.2, size=1)
    return weights, bias


def train(inputs, targets, weights, bias, learning_rate, n_iterations, batch_size=None, rng=None):
    """Entraîne le neurone, par gradient complet ou, avec `batch_size`, par mini-batch.

    Rend `loss_history`, la perte de chaque itération (sur le mini-batch s'il y en a un), et `path`, la liste
    des (weights, bias) : `path[k]` après k itérations, `path[-1]` à la fin. Si la perte explose, la boucle
    s'arrête, et les deux listes ne gardent que ce qui précède.
    """
    explosion = 1000 * (1 + (targets[:1000] ** 2).mean())  # bien plus que la perte d'un neurone qui répond 0
    loss_history, path = [], [(weights, bias)]
    groups = [slice(None)] * n_iterations  # toutes les observations, à chaque pas...
    if batch_size:
        # CORRIGÉ : tirez n_iterations groupes de batch_size numéros, avec rng
        groups = rng.integers(len(inputs), size=(n_iterations, batch_size))  # ... ou quelques-unes, au hasard
        # FIN DU CORRIGÉ
    for group in groups:
        x, y = inputs[group], targets[group]
        outputs = np.dot(x, weights) + bias  # (1) propager les entrées vers la sortie : (n, 1)
        deltas = outputs - y  # (2) écarts aux cibles : (n, 1)
        loss = (deltas**2).sum() / 2 / len(x)  # (3) perte
        if not loss < explosion:  # le taux est trop grand : on s'arrête, sans ces derniers paramètres
            path.pop()
            break
        loss_history.append(loss)  # (4) la garder, pour la tracer
        deltas_scaled = deltas / len(x)  # (5) chaque observation compte pour 1/n
        weights = weights - learning_rate * np.dot(x.T, deltas_scaled)  # (6) un pas sur les poids
        bias = bias - learning_rate * deltas_scaled.sum()  # (7) un pas sur le biais
        path.append((weights, bias))
    return loss_history, path


# --- Mesures ------------------------------------------------------------------------------------------
def least_squares(inputs, targets):
    """Calcule la meilleure solution d'un coup, sans descente (moindres carrés).

    Rend `best` (d+1,), les poids puis le biais ; `best_loss`, sa perte ; et `curvature` = X'X/n (d+1, d+1), la
    courbure de la perte, où X (n, d+1) est `inputs` suivi d'une colonne de 1 : l'entrée du biais.
    """
    extended = np.column_stack([inputs, np.ones(len(inputs))])  # (n, d+1)
    best = np.linalg.lstsq(extended, targets, rcond=None)[0]  # (d+1, 1)
    best_loss = ((np.dot(extended, best) - targets) ** 2).sum() / 2 / len(inputs)
    return best[:, 0], best_loss, np.dot(extended.T, extended) / len(inputs)


def largest_rate(curvature):
    """Le taux au-delà duquel le gradient complet diverge : 2 / la plus grande valeur propre de X'X/n."""
    return 2 / np.linalg.eigvalsh(curvature)[-1]


def stack(path):
    """Les paramètres de chaque itération, une ligne par itération, le biais en dernier : (k, d+1)."""
    return np.array([np.append(weights, bias) for weights, bias in path])


def full_losses(path, best, best_loss, curvature):
    """Perte sur toutes les données, pour chaque (weights, bias) de `path` : (k,).

    La perte est une parabole, dont `best` est le fond : on la calcule sans relire les observations.
    """
    gaps = stack(path) - best  # (k, d+1)
    return best_loss + np.maximum(0, (np.dot(gaps, curvature) * gaps).sum(axis=1) / 2)  # l'arrondi passe sous 0


def goal(best_loss):
    """Le but des descentes : une perte à 5 % de la meilleure, à un millionième près (sans bruit elle est nulle)."""
    return 1.05 * best_loss + 1e-6


def first_under(losses, goal):
    """Numéro de la première perte au plus égale à `goal` ; None s'il n'y en a pas."""
    for iteration, loss in enumerate(losses):
        if loss <= goal:
            return iteration
    return None


def iterations_to_goal(args, inputs, targets, weights, bias, batch_size=None, rng=None):
    """Nombre d'itérations jusqu'au but, sur toutes les données, et nombre d'itérations faites.

    Le premier est None si le but n'est pas atteint, ou si la perte explose ensuite.
    """
    n_iterations = 10 * args.n_iterations
    loss_history, path = train(inputs, targets, weights, bias, args.learning_rate, n_iterations, batch_size, rng)
    if len(loss_history) < n_iterations:
        return None, len(path) - 1
    best, best_loss, curvature = least_squares(inputs, targets)
    return first_under(full_losses(path, best, best_loss, curvature), goal(best_loss)), n_iterations


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


# --- Ce qui sert à plusieurs sections -----------------------------------------------------------------
def setup(args):
    """Tire de la graine les données et les paramètres de départ : les mêmes dans toutes les sections."""
    rng = np.random.default_rng(args.seed)
    inputs, targets = make_data(rng, args.n_observations)
    weights, bias = make_parameters(rng, inputs.shape[1])
    return rng, inputs, targets, weights, bias


def counted(number, word):
    """Écrit « 1 itération », « 12 000 itérations » (des espaces insécables entre les milliers)."""
    plural = "s" if number > 1 else ""
    return f"{number:,} {word}{plural}".replace(",", "\u00a0")


def rounded(number):
    """Deux chiffres suffisent à une durée : les autres changent à chaque essai."""
    two_digits = float(f"{number:.2g}")
    return f"{two_digits:g}"


def divergence_sentence(rate, loss_history, n_iterations):
    """Dit que la perte explose ou monte ; vide si elle descend."""
    verb = f"explose à l'itération {len(loss_history)}"
    if len(loss_history) == n_iterations:
        if loss_history[-1] <= loss_history[0]:
            return ""
        verb = "monte"
    return f"La perte {verb} : le taux {rate:g} est trop grand."


def limit_answer(curvature):
    """Dit à partir de quel taux la descente diverge."""
    return (
        f"La limite est {largest_rate(curvature):.4f} : 2 / la plus grande valeur propre de X'X/n, où X est `inputs` "
        "et une colonne de 1. Au-delà, chaque pas saute de l'autre côté de la solution, plus loin qu'avant."
    )


def print_losses(loss_history, best_loss):
    """Affiche quelques pertes, et la meilleure possible."""
    for iteration in [0, 1, 2, 5, 10, 100, 1000, 10000]:
        if iteration < len(loss_history):
            print(f"itération {iteration:6d} : perte = {loss_history[iteration]:.6f}")
    print(f"meilleure possible (moindres carrés) : {best_loss:.6f}")


def names_of(parameters):
    """Les noms des paramètres (d+1,) : w1, w2... puis b."""
    return [f"w{j}" for j in range(1, len(parameters))] + ["b"]


def print_parameters(learned, best, true_values):
    """Tableau des paramètres : appris, meilleurs possibles, vrais ; chacun (d+1,)."""
    print(" " * 16 + "".join(f"{name:>9}" for name in names_of(best)))
    for title, values in [("appris", learned), ("moindres carrés", best), ("vrais", true_values)]:
        print(f"{title:<16}" + "".join(f" {value:8.5g}" for value in values))


def draw_outputs(ax, targets, outputs):
    """Sorties du neurone en fonction des cibles : s'il est parfait, tout est sur la diagonale."""
    ends = [targets.min(), targets.max()]
    ax.plot(targets, outputs, "o", markersize=4, alpha=0.6, label="observations")
    ax.plot(ends, ends, "k-", linewidth=1, label="sortie = cible")
    ax.set(title="Sorties en fonction des cibles", xlabel="cible", ylabel="sortie du neurone")
    ax.legend()


def draw_losses(ax, curves, best_loss, title, xlabel="itération", xscale="linear"):
    """Des courbes de perte, échelle log ; `curves` : (nom, abscisses, pertes)."""
    for (name, positions, losses), style in zip(curves, ["-", "--", "-.", ":", "-"]):
        ax.plot(positions, losses, linestyle=style, linewidth=2, label=name)
    lowest = min(min(losses) for _, _, losses in curves)
    if best_loss > 1e-9:  # sans bruit elle est nulle, et n'a pas de place sur une échelle log
        ax.axhline(best_loss, color="black", linewidth=1, label="moindres carrés")
        lowest = best_loss
    ax.set(title=title, xlabel=xlabel, ylabel="perte (échelle log)", xscale=xscale, yscale="log")
    ax.xaxis.minorticks_off()  # trop serrés pour être lus, et longs à dessiner
    ax.set_ylim(bottom=max(lowest / 2, 1e-12))
    ax.legend()


# --- Sections -----------------------------------------------------------------------------------------
def section_data(args):
    """Les données synthétiques

    Travail à faire : lisez `make_data`. De quoi est faite une cible ?
    À regarder : ce que dessinent les points.
    """
    _, inputs, targets, _, _ = setup(args)
    n_inputs = inputs.shape[1]
    print(f"inputs : {inputs.shape}   targets : {targets.shape}")
    print(f"Les 5 premières observations ({counted(n_inputs, 'entrée')}, puis la cible) :")
    print(np.column_stack([inputs, targets])[:5].round(3))

    x, y = inputs[:1000], targets[:1000]
    fig = plt.figure(figsize=(12, 9))
    if n_inputs == 2:
        ax = fig.add_axes([0, 0, 1, 0.95], projection="3d")
        ax.scatter(x[:, 0], x[:, 1], y[:, 0])
        ax.view_init(elev=20, azim=-150)
        ax.set(xlabel="x1", ylabel="x2", zlabel="cible", xticks=[-10, 0, 10], yticks=[-10, 0, 10])
    else:
        for j, ax in enumerate(fig.subplots(1, n_inputs, sharey=True, squeeze=False)[0]):
            ax.plot(x[:, j], y, "o", markersize=3)
            ax.set(xlabel=f"x{j + 1}", ylabel="cible" if j == 0 else "")
    fig.suptitle("Les observations")
    show(fig, args)
    return (
        f"Une cible vaut x1·w1 + ... + b, avec les vrais poids {TRUE_WEIGHTS} et le vrai biais {TRUE_BIAS:g}, plus un "
        f"bruit d'au plus {NOISE:g}. Apprendre, c'est retrouver ces {n_inputs + 1} nombres. Le bruit ne "
        f"s'apprend pas : sa variance est {2 * NOISE:g}²/12, et le neurone parfait en garde la moitié, une perte "
        f"d'environ {(2 * NOISE) ** 2 / 12 / 2:.3g}."
    )


def section_loop(args):
    """La boucle forward/backward

    Travail à faire : retrouvez dans `train` les étapes (1) à (7) de l'énoncé.
    À regarder : la perte, puis chaque paramètre. Sont-ils tous arrivés à leur vraie valeur ?
    """
    _, inputs, targets, weights, bias = setup(args)
    rate, n_iterations = args.learning_rate, args.n_iterations
    best, best_loss, curvature = least_squares(inputs, targets)
    loss_history, path = train(inputs, targets, weights, bias, rate, n_iterations)
    print_losses(loss_history, best_loss)
    print(f"Après {counted(len(path) - 1, 'itération')} :")
    parameters = stack(path)  # (k, d+1)
    true_values = [*TRUE_WEIGHTS, TRUE_BIAS]
    print_parameters(parameters[-1], best, true_values)
    divergence = divergence_sentence(rate, loss_history, n_iterations)
    if divergence:
        print(divergence)

    fig, (left, right) = plt.subplots(1, 2, figsize=(14, 6.5), layout="constrained")
    weights, bias = path[-1]
    draw_outputs(left, targets[:1000], np.dot(inputs[:1000], weights) + bias)
    for name, values, true_value in zip(names_of(best), parameters.T, true_values):
        (line,) = right.plot(values, linewidth=3, label=name)
        right.axhline(true_value, color=line.get_color(), linewidth=1)
    right.set(title="Chaque paramètre (trait fin : le vrai)", xlabel="itération", ylabel="valeur")
    right.legend()
    show(fig, args)
    if divergence:
        return f"{divergence} {limit_answer(curvature)}"
    gaps = abs(parameters - best)  # (k, d+1)
    start = f"Après {counted(n_iterations, 'itération')}, "
    if gaps[-1].max() < 0.05:
        return start + f"tous les paramètres sont arrivés : à {gaps[-1].max():.2g} au plus de leur meilleure valeur."
    if gaps[-1, :-1].max() > 0.05:
        return start + f"les poids ne sont pas tous arrivés : il en reste un à {gaps[-1, :-1].max():.2g} du but."
    return start + (
        f"les poids sont arrivés (à 0.05 près), pas le biais : {parameters[-1, -1]:.3f} au lieu de {best[-1]:.3f}. "
        "L'entrée du biais vaut 1, celles des poids vont jusqu'à 10 : son gradient est bien plus petit. Chaque pas "
        f"n'enlève que {100 * rate:g} % de son erreur. Il doit en rester environ (1 - {rate:g})^{n_iterations} = "
        f"{100 * (1 - rate) ** n_iterations:.0f} % ; mesuré : {100 * gaps[-1, -1] / gaps[0, -1]:.0f} %."
    )


def section_loss(args):
    """La perte en fonction du nombre d'itérations

    Question : à partir de combien d'itérations la perte commence-t-elle à converger ?
    À regarder : où la courbe change de pente ; où elle rejoint la meilleure perte (moindres carrés).
    """
    _, inputs, targets, weights, bias = setup(args)
    n_iterations = 10 * args.n_iterations
    _, best_loss, curvature = least_squares(inputs, targets)
    loss_history, _ = train(inputs, targets, weights, bias, args.learning_rate, n_iterations)
    print_losses(loss_history, best_loss)
    divergence = divergence_sentence(args.learning_rate, loss_history, n_iterations)
    if divergence:
        print(divergence)

    fig, ax = plt.subplots(figsize=(11, 6.5), layout="constrained")
    # CORRIGÉ : tracez loss_history sur ax, itération par itération
    curves = [(f"taux {args.learning_rate:g}", range(len(loss_history)), loss_history)]
    draw_losses(ax, curves, best_loss, "La perte à chaque itération")
    # FIN DU CORRIGÉ
    show(fig, args)
    if divergence:
        return f"{divergence} {limit_answer(curvature)}"
    flat = first_under(loss_history, best_loss + 0.05 * (loss_history[0] - best_loss))
    reached = first_under(loss_history, goal(best_loss))
    if flat is None:
        return f"Pas en {counted(n_iterations, 'itération')} : moins de 95 % de la descente est faite."
    answer = f"Elle commence vers l'itération {flat} : 95 % de la descente est faite. "
    if reached is None:
        answer += f"Elle n'est pas à 5 % de la meilleure, {best_loss:.3g}, en {counted(n_iterations, 'itération')}. "
    else:
        answer += f"Elle est à 5 % de la meilleure, {best_loss:.3g}, à l'itération {reached}. "
    return answer + "Plus elle est près du fond, plus le gradient est petit, et les pas aussi."


def section_rates(args):
    """Plusieurs taux d'apprentissage

    Question : recommencez avec d'autres taux. Que constatez-vous ?
    À regarder : ce que devient chaque courbe. Le plus grand taux passe de 2 % une limite calculée.
    """
    _, inputs, targets, weights, bias = setup(args)
    n_iterations = 100 * args.n_iterations
    _, best_loss, curvature = least_squares(inputs, targets)
    print(f"Jusqu'à {counted(n_iterations, 'itération')} par taux. But : être à 5 % de la meilleure perte.")
    curves, reached, exploded = [], {}, []
    for rate in sorted({0.001, 0.01, 0.03, 1.02 * largest_rate(curvature), args.learning_rate}):
        loss_history, _ = train(inputs, targets, weights, bias, rate, n_iterations)
        curves.append((f"taux {rate:.4g}", range(1, len(loss_history) + 1), loss_history))
        reached[rate] = first_under(loss_history, goal(best_loss))
        ending = "but pas atteint" if reached[rate] is None else f"but atteint à l'itération {reached[rate]}"
        if len(loss_history) < n_iterations:
            ending = f"la perte explose à l'itération {len(loss_history)}"
            exploded.append(f"à l'itération {len(loss_history)} au taux {rate:.4g}")
        print(f"  taux {rate:<8.4g} {ending}")

    fig, ax = plt.subplots(figsize=(11, 6.5), layout="constrained")
    draw_losses(ax, curves, best_loss, "La perte selon le taux", "itération (échelle log)", "log")
    show(fig, args)
    answer = ""
    slow, fast = reached[0.001], reached[0.01]
    if slow and fast and 9 < slow / fast < 11:
        answer = f"Dix fois plus petit, dix fois plus long : {slow} itérations à 0.001, {fast} à 0.01. "
    if exploded:
        answer += f"Trop grand, le taux fait exploser la perte : {' ; '.join(exploded)}. "
    return answer + limit_answer(curvature)


def section_three_inputs(args):
    """Une troisième entrée

    Travail à faire : ajoutez une entrée x3 et apprenez cible = 2·x1 + 4·x2 - 3·x3 + 3 + bruit.
    À regarder : les formes de `inputs` et de `weights`, et ce qui change dans `train`.
    """
    true_weights, true_bias, rng = [2, 4, -3], 3, np.random.default_rng(args.seed)
    # CORRIGÉ : tirez inputs, targets, weights et bias, pour trois entrées
    inputs, targets = make_data(rng, args.n_observations, true_weights, true_bias)
    weights, bias = make_parameters(rng, 3)
    # FIN DU CORRIGÉ
    n_iterations = 10 * args.n_iterations
    best, _, curvature = least_squares(inputs, targets)
    loss_history, path = train(inputs, targets, weights, bias, args.learning_rate, n_iterations)
    print(f"inputs : {inputs.shape}   weights : {weights.shape}   après {counted(len(path) - 1, 'itération')} :")
    weights, bias = path[-1]
    learned, true_values = np.append(weights, bias), [*true_weights, true_bias]
    print_parameters(learned, best, true_values)
    divergence = divergence_sentence(args.learning_rate, loss_history, n_iterations)
    if divergence:
        print(divergence)

    fig, ax = plt.subplots(figsize=(9, 7), layout="constrained")
    draw_outputs(ax, targets[:1000], np.dot(inputs[:1000], weights) + bias)
    show(fig, args)
    if divergence:
        return f"{divergence} {limit_answer(curvature)}"
    return (
        "Rien ne change dans `train` : `inputs` a une colonne de plus, `weights` une ligne de plus, et np.dot fait le "
        f"reste. Après {counted(n_iterations, 'itération')} les paramètres appris sont à "
        f"{abs(learned - true_values).max():.2g} au plus des vrais ; ceux des moindres carrés, à "
        f"{abs(best - true_values).max():.2g}."
    )


def section_mini_batch(args):
    """Le gradient stochastique par mini-batch

    Travail à faire : à chaque itération, calculez le gradient sur un petit groupe tiré au hasard.
    Question : comment évolue la perte avec le nombre d'itérations, et avec la taille du groupe ?
    À regarder : à gauche, l'allure des courbes ; à droite, combien d'exemples il a fallu lire.
    """
    rng, inputs, targets, weights, bias = setup(args)
    n, rate, n_iterations = len(inputs), args.learning_rate, 10 * args.n_iterations
    best, best_loss, curvature = least_squares(inputs, targets)
    print(f"Taux {rate:g}, {counted(n_iterations, 'itération')}. Meilleure perte : {best_loss:.6f}")
    if args.batch_size >= n:
        print(f"Un groupe de {args.batch_size} prendrait toutes les observations : c'est le gradient complet.")
    by_iteration, by_example, finals, exploded = [], [], {}, []
    for size in sorted({1, min(4, n), min(args.batch_size, n), n}):  # sans répétition, dans l'ordre
        batch_size = size if size < n else None  # toutes les observations : c'est le gradient complet
        loss_history, path = train(inputs, targets, weights, bias, rate, n_iterations, batch_size, rng)
        losses = full_losses(path, best, best_loss, curvature)
        by_iteration.append((f"groupe de {size}", range(len(loss_history)), loss_history))
        by_example.append((f"groupe de {size}", size * np.arange(1, len(losses) + 1), losses))
        finals[size] = losses[-max(1, n_iterations // 10) :].mean()
        ending = f"perte moyenne à la fin : {finals[size]:.6f}"
        if len(loss_history) < n_iterations:
            ending = f"la perte explose à l'itération {len(loss_history)}"
        if len(loss_history) < n_iterations or losses[-1] > losses[0]:
            exploded.append(str(size))
        print(f"  groupe de {size:<8} exemples lus : {size * len(loss_history):<9} {ending}")

    fig, (left, right) = plt.subplots(1, 2, figsize=(15, 7), layout="constrained")
    draw_losses(left, by_iteration, best_loss, "Perte du groupe")
    left.set_ylim(bottom=max(min(by_iteration[-1][2]) / 10, 1e-12))
    draw_losses(right, by_example, best_loss, "Perte sur toutes les données", "exemples lus (échelle log)", "log")
    show(fig, args)
    return mini_batch_answer(args, best_loss, finals, exploded)


def mini_batch_answer(args, best_loss, finals, exploded):
    """La réponse de la section précédente ; `finals` : taille du groupe, perte moyenne à la fin."""
    n = max(finals)  # le groupe de toutes les observations
    answer = f"Avec les {n} exemples que lit un seul pas complet, on ferait {n} pas par groupes de 1. "
    if exploded:
        answer += f"Mais au taux {args.learning_rate:g} la perte explose ou monte"
        return f"{answer} (groupes de {', '.join(exploded)})."
    if finals[n] > goal(best_loss) or (best_loss < 1e-9 and max(finals.values()) > 1e-6):
        return answer + f"Après {counted(10 * args.n_iterations, 'itération')} la descente n'est pas finie."
    if best_loss < 1e-9:
        return answer + "La meilleure perte est nulle : à la fin, plus rien ne tremble."
    excesses = [f"{rounded(100 * final / best_loss - 100)} % (groupe de {size})" for size, final in finals.items()]
    return answer + (
        "Un petit groupe rend la courbe moins lisse : son gradient dépend du tirage. À la fin, la perte moyenne "
        f"dépasse la meilleure de {', '.join(excesses[:-1])}."
    )


def section_million(args):
    """Un million d'observations

    Question : que coûte l'apprentissage quand les données grandissent ?
    À regarder : ce que coûte un pas selon le nombre d'observations, puis le temps pour descendre.
    """
    rng = np.random.default_rng(args.seed)
    inputs, targets = make_data(rng, 1_000_000)
    weights, bias = make_parameters(rng, inputs.shape[1])
    names = ["gradient complet", f"groupes de {args.batch_size}"]
    numbers, steps = [1000, 10_000, 100_000, 1_000_000], []
    for n in numbers:
        full, mini = fastest_steps(inputs[:n], targets[:n], weights, bias, args.batch_size, rng)
        steps.append((full, mini))
        print(f"{n:7d} observations, un pas : {names[0]} = {rounded(1e6 * full)} µs,", end=" ")
        print(f"{names[1]} = {rounded(1e6 * mini)} µs")
    counts = [  # celui du gradient complet ne dépend presque pas du nombre d'observations : 10 000 suffisent
        iterations_to_goal(args, inputs[:10_000], targets[:10_000], weights, bias),
        iterations_to_goal(args, inputs, targets, weights, bias, args.batch_size, rng),
    ]

    fig, (left, right) = plt.subplots(1, 2, figsize=(14, 6.5), layout="constrained")
    left.plot(numbers, steps, "o-", linewidth=2, label=names)
    left.set(title="Un pas", xlabel="nombre d'observations", ylabel="durée (s)", xscale="log", yscale="log")
    left.minorticks_off()
    left.legend()
    for name, (count, _), step, colour in zip(names, counts, steps[-1], ["C0", "C1"]):
        if count is not None:
            bar = right.bar(name, count * step, color=colour)
            right.bar_label(bar, [f"{rounded(count * step)} s"])
    right.set(title="Arriver à 5 % de la meilleure perte", ylabel="durée (s)")
    right.margins(y=0.1)
    show(fig, args)
    return million_answer(args, names, steps, counts)


def million_answer(args, names, steps, counts):
    """La réponse de la section précédente, une ligne par durée."""
    full_growth, mini_growth = steps[-1][0] / steps[0][0], steps[-1][1] / steps[0][1]
    answer = (
        "Un pas complet relit toutes les observations ; un pas de mini-batch n'en lit qu'un groupe.\n"
        f"De 1000 à un million, la durée (en s) d'un pas est multipliée par {rounded(full_growth)} et "
        f"{rounded(mini_growth)}.\nPour être à 5 % de la meilleure perte (itérations × durée d'un pas) :\n"
    )
    for name, (count, done), step in zip(names, counts, steps[-1]):
        ending = f"pas en {counted(done, 'itération')}"
        if count is not None:
            ending = f"{rounded(count * step)} s, {counted(count, 'itération')}"
        elif done < 10 * args.n_iterations:
            ending = f"la perte explose à l'itération {done + 1}"
        answer += f"- {name} : {ending}.\n"
    return answer


SECTIONS = {
    "2.2.1": section_data,
    "2.2.2-boucle": section_loop,
    "2.2.2-perte": section_loss,
    "2.2.2-taux": section_rates,
    "2.2.2-trois-entrees": section_three_inputs,
    "2.2.3-mini-batch": section_mini_batch,
    "2.2.3-million": section_million,
}


# --- Options de ce script -----------------------------------------------------------------------------
def add_options(parser):
    """Une option par réglage. str : argparse vérifie la constante comme si elle venait de la ligne de commande."""
    rate = checked(float, "un nombre positif (avec un point : 0.01)", lambda value: 0 < value <= 1e100)
    size = checked(int, "un entier de 2 à 10000000", lambda value: 2 <= value <= 10_000_000)
    count = checked(int, "un entier de 1 à 100000", lambda value: 1 <= value <= 100_000)
    option = parser.add_argument
    option("--learning-rate", metavar="X", type=rate, default=str(LEARNING_RATE), help="(défaut : %(default)s)")
    option("--n-observations", metavar="N", type=size, default=str(N_OBSERVATIONS), help="(défaut : %(default)s)")
    option("--n-iterations", metavar="N", type=count, default=str(N_ITERATIONS), help="(défaut : %(default)s)")
    option("--batch-size", metavar="N", type=count, default=str(BATCH_SIZE), help="(défaut : %(default)s)")


def check_options(args):
    """Refuse ce qui ne tiendrait pas en mémoire : les groupes sont tirés d'un coup."""
    if args.n_iterations * args.batch_size > 5_000_000:
        refuse(f"{args.n_iterations} itérations sur des groupes de {args.batch_size} : il faudrait trop de mémoire")


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
