"""Exercice 1 : un neurone linéaire entraîné à la main avec NumPy (parties 2.2.1 à 2.2.3).

Le neurone calcule y = x1·w1 + x2·w2 + b. On lui donne des observations, il doit retrouver les poids
et le biais. Toute la leçon tient dans deux fonctions, `gradient` et `train` : les étapes (1) à (7) de
l'énoncé y portent leur numéro. Le reste du fichier mesure, dessine et compare à la théorie.

  python exercice1.py                                    toutes les sections, dans l'ordre de l'énoncé
  python exercice1.py --section 2.2.2-boucle             une seule section
  python exercice1.py --section 2.2.2 --corrige          celles qui commencent par 2.2.2, avec les réponses
  python exercice1.py --section 2.2.2-perte --learning-rate 0.03
"""

import argparse
import inspect
import math
import os
import shlex
import sys
import tempfile
import time
from bisect import bisect_left
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.backends import backend_registry

TRUE_WEIGHTS, TRUE_BIAS = np.array([[3.0], [-4.0]]), 5.0  # ce que le neurone doit retrouver
NOISE = 0.1  # le bruit est uniforme dans [-NOISE, NOISE]
NOISE_FLOOR = (2 * NOISE) ** 2 / 12 / 2  # variance d'une loi uniforme, /2 comme la perte : 0.00167
TOLERANCE = 1.05  # « converger » : perte au plus égale à 1.05 fois celle des moindres carrés


# --- Calcul ---------------------------------------------------------------------------------------
def make_data(rng, n_observations, true_weights=TRUE_WEIGHTS, true_bias=TRUE_BIAS):
    """Tire des observations : `inputs` (n, d) dans [-10, 10] et `targets` (n, 1), bruitées."""
    inputs = rng.uniform(-10, 10, size=(n_observations, len(true_weights)))  # (n, d)
    noise = rng.uniform(-NOISE, NOISE, size=(n_observations, 1))  # (n, 1)
    return inputs, np.dot(inputs, true_weights) + true_bias + noise


def make_parameters(rng, n_inputs):
    """Tire dans [-0.2, 0.2] les paramètres de départ : `weights` (d, 1) et `bias` (1,)."""
    return rng.uniform(-0.2, 0.2, size=(n_inputs, 1)), rng.uniform(-0.2, 0.2, size=1)


def gradient(inputs, targets, weights, bias):
    """Rend la perte sur ces observations et son gradient, pour les poids (d, 1) et pour le biais (1,).

    La perte est la moyenne des carrés des écarts, divisée par 2 : la dérivée du carré efface le 2.
    Un million d'écarts pèsent 8 Mo : `+=` et `out=` réemploient le même tableau au lieu d'en créer.
    """
    n_observations = len(inputs)
    outputs = np.dot(inputs, weights)  # (1) propager les entrées vers la sortie : (n, 1)
    outputs += bias
    deltas = np.subtract(outputs, targets, out=outputs)  # (2) écarts aux cibles : (n, 1)
    loss = np.vdot(deltas, deltas) / 2 / n_observations  # (3) perte : leurs carrés, en moyenne, sur 2
    grad_weights = np.dot(inputs.T, deltas) / n_observations  # (5) chaque écart compte pour 1/n : (d, 1)
    grad_bias = np.sum(deltas, axis=0) / n_observations  # l'entrée du biais vaut toujours 1 : (1,)
    return loss, grad_weights, grad_bias


@np.errstate(over="ignore", invalid="ignore")  # un taux énorme donne inf, et la boucle s'arrête
def train(inputs, targets, weights, bias, learning_rate, n_iterations, batch_size=None, rng=None):
    """Descend le gradient et rend `loss_history` (une perte par itération) et `path`, les paramètres.

    `path[k]` = (weights, bias) après k itérations : `path[-1]` est le résultat. Avec `batch_size`,
    chaque itération ne lit qu'un petit groupe tiré par `rng`, où aucune observation ne vient deux fois ;
    `loss_history` est alors la perte sur ce groupe. Si la perte explose (plus de mille fois celle d'un
    neurone qui répond 0), la boucle s'arrête : les deux listes ne gardent que ce qui précède.
    """
    n_observations = len(inputs)
    explosion = 1000 * np.mean(targets[:1000] ** 2) / 2
    loss_history, path = [], [(weights, bias)]
    for _ in range(n_iterations):
        group = inputs, targets  # tout le monde
        if batch_size not in (None, n_observations):
            chosen = rng.choice(n_observations, batch_size, replace=False)  # indices : (batch_size,)
            group = inputs.take(chosen, axis=0), targets.take(chosen, axis=0)
        loss, grad_weights, grad_bias = gradient(*group, weights, bias)  # (1) (2) (3) (5)
        if not loss < explosion:  # vrai aussi pour une perte infinie ou NaN
            path.pop()
            break
        loss_history.append(loss)  # (4) garder la perte (l'énoncé l'affiche)
        weights = weights - learning_rate * grad_weights  # (6) pas sur les poids
        bias = bias - learning_rate * grad_bias  # (7) pas sur le biais
        path.append((weights, bias))
    return loss_history, path


def least_squares(inputs, targets):
    """Résout le problème sans descente : la perte est une cuvette, dont on calcule le fond et la forme.

    Rend `solution` (d+1, 1), le fond, poids puis biais ; `floor`, la perte au fond ; `hessian`
    (d+1, d+1), la courbure X'X/n où X est `inputs` suivi d'une colonne de 1 (équations normales).
    """
    n_observations, sums = len(inputs), np.sum(inputs, axis=0)[:, None]  # (d, 1)
    hessian = np.block([[np.dot(inputs.T, inputs), sums], [sums.T, n_observations]]) / n_observations
    moments = np.vstack([np.dot(inputs.T, targets), np.sum(targets)]) / n_observations  # (d+1, 1)
    solution = np.linalg.solve(hessian, moments)
    floor = gradient(inputs, targets, solution[:-1], solution[-1])[0]
    return solution, floor, hessian


@np.errstate(over="ignore", invalid="ignore")
def bowl_parts(parameters, bowl):
    """Excès de perte sur le fond, le long de chaque axe propre de la cuvette, du moins courbé au plus courbé.

    `parameters` (d+1, k), une colonne par jeu de paramètres ; rend (d+1, k) : courbure × écart² / 2.
    """
    solution, _, hessian = bowl
    curvatures, axes = np.linalg.eigh(hessian)
    return curvatures[:, None] * np.dot(axes.T, parameters - solution) ** 2 / 2


def bowl_loss(parameters, bowl):
    """Perte (k,) sur toutes les données de chaque colonne de `parameters` (d+1, k), sans les relire."""
    return bowl[1] + np.sum(bowl_parts(parameters, bowl), axis=0)


def stack(path):
    """Empile une liste de k couples (weights, bias) en un tableau (d+1, k), une colonne par itération."""
    all_weights, all_biases = zip(*path)
    return np.vstack([np.hstack(all_weights), np.hstack(all_biases)])


@np.errstate(over="ignore", invalid="ignore")
def predict_path(start, learning_rate, iterations, bowl):
    """Paramètres (d+1, k) que la théorie prédit après chacune des k `iterations`, à partir de `start`.

    Le long de chaque axe propre de la cuvette, une itération multiplie l'écart au fond
    par (1 - learning_rate·courbure), exactement.
    """
    solution, _, hessian = bowl
    curvatures, axes = np.linalg.eigh(hessian)
    factors = (1 - learning_rate * curvatures)[:, None] ** np.asarray(iterations)  # (d+1, k)
    return solution + axes @ (factors * (axes.T @ (start - solution)))


def largest_stable_rate(bowl):
    """Taux à partir duquel l'écart grandit sur l'axe le plus courbé : 2 / plus grande valeur propre."""
    return 2 / np.linalg.eigvalsh(bowl[2])[-1]


def predict_convergence(start, learning_rate, bowl, limit=10**18):
    """Première itération dont la perte prédite vaut au plus TOLERANCE fois le fond, ou None si c'est jamais.

    Jamais : le taux n'est pas stable, ou il est si petit que l'arrondi l'efface. Recherche par dichotomie.
    """
    if learning_rate >= largest_stable_rate(bowl):
        return None
    found = bisect_left(
        range(limit),
        True,
        key=lambda k: bowl_loss(predict_path(start, learning_rate, [k], bowl), bowl)[0] <= TOLERANCE * bowl[1],
    )
    return found if found < limit else None


def first_converged(losses, floor):
    """Première itération dont la perte vaut au plus TOLERANCE fois `floor`, ou None."""
    below = np.flatnonzero(np.asarray(losses) <= TOLERANCE * floor)
    return int(below[0]) if len(below) else None


def noise_transition(inputs, targets, learning_rate, batch_size, bowl):
    """Ce qu'un pas de mini-batch fait, en moyenne, à la covariance des écarts au fond.

    Rend `transition` et `injected`, de tailles (q, q) et (q,), q = (d+1)² : d'un pas au suivant,
    vec(covariance) devient transition·vec(covariance) + injected. Calcul direct des moments d'un
    tirage sans remise (le facteur `share` vaut 0 quand le groupe contient tout le monde).
    """
    solution, _, hessian = bowl
    n_observations, identity = len(inputs), np.eye(len(hessian))
    extended = np.column_stack([inputs, np.ones(n_observations)])  # (n, d+1)
    squares = np.einsum("ni,nj->nij", extended, extended).reshape(n_observations, -1)  # (n, q)
    residuals = extended @ solution - targets  # (n, 1)
    share = (n_observations - batch_size) / (batch_size * (n_observations - 1))
    curvature = share * squares.T @ squares / n_observations + (1 - share) * np.kron(hessian, hessian)
    transition = (
        np.eye(squares.shape[1])
        - learning_rate * (np.kron(hessian, identity) + np.kron(identity, hessian))
        + learning_rate**2 * curvature
    )
    return transition, learning_rate**2 * share * np.mean(residuals**2 * squares, axis=0)


def predict_roughness(inputs, targets, learning_rate, batch_size, bowl):
    """Excès moyen de la perte sur le fond, une fois le régime permanent atteint, et son écart-type.

    La moyenne est exacte ; l'écart-type suppose des écarts gaussiens. (inf, inf) si l'excès moyen
    n'est pas borné : le taux est trop grand pour ce `batch_size`.
    """
    transition, injected = noise_transition(inputs, targets, learning_rate, batch_size, bowl)
    if np.max(np.abs(np.linalg.eigvals(transition))) >= 1:
        return math.inf, math.inf
    hessian = bowl[2]
    covariance = np.linalg.solve(np.eye(len(transition)) - transition, injected).reshape(hessian.shape)
    product = hessian @ covariance
    return np.trace(product) / 2, math.sqrt(np.trace(product @ product) / 2)


def largest_noisy_rate(inputs, targets, batch_size, bowl):
    """Plus grand taux dont l'excès moyen reste borné avec ce `batch_size`, à 1 % près (dichotomie)."""
    low, high = 0.0, largest_stable_rate(bowl)
    while high - low > 0.01 * high:
        middle = (low + high) / 2
        bounded = predict_roughness(inputs, targets, middle, batch_size, bowl)[0] < math.inf
        low, high = (middle, high) if bounded else (low, middle)
    return low


def median_duration(call, repeats):
    """Durée médiane de `call()`, en secondes, sur `repeats` appels."""
    durations = []
    for _ in range(repeats):
        started = time.perf_counter()
        call()
        durations.append(time.perf_counter() - started)
    return float(np.median(durations))


# --- Dessin ---------------------------------------------------------------------------------------
STYLES = ["-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)), (0, (8, 2)), (0, (3, 3, 1, 3))]


def draw_plane(ax, inputs, targets, true_weights, true_bias):
    """Les cibles en hauteur au-dessus de (x1, x2), et le plan dont elles viennent (axes 3D)."""
    grid_x1, grid_x2 = np.meshgrid([-10, 10], [-10, 10])
    heights = grid_x1 * true_weights[0] + grid_x2 * true_weights[1] + true_bias
    ax.plot_surface(grid_x1, grid_x2, heights, color="tab:orange", alpha=0.35)
    ax.scatter(inputs[:, 0], inputs[:, 1], targets[:, 0], s=6, color="tab:blue")
    ax.view_init(elev=25, azim=-165)
    ax.set_box_aspect(None, zoom=0.85)
    ax.set(title="Les observations sont posées sur un plan", xlabel="x1", ylabel="x2", zlabel="cible")
    ax.xaxis.labelpad = ax.yaxis.labelpad = 10
    ax.set(xticks=[-10, 0, 10], yticks=[-10, 0, 10], zticks=[-50, 0, 50])


def draw_levels(ax, inputs, targets):
    """Les mêmes observations vues d'en haut, colorées par leur cible. Rend le nuage, pour la légende."""
    ax.set(title="Vu d'en haut", xlabel="x1", ylabel="x2", aspect="equal")
    return ax.scatter(inputs[:, 0], inputs[:, 1], c=targets[:, 0], s=14, cmap="viridis")


def draw_outputs(ax, targets, outputs):
    """Sorties en fonction des cibles : un neurone parfait les aligne sur la diagonale."""
    ends = [np.min(targets), np.max(targets)]
    ax.plot(targets, outputs, "o", markersize=4, alpha=0.6, label="observations")
    ax.plot(ends, ends, "k-", linewidth=1, label="sortie = cible")
    ax.set(title="Sorties en fonction des cibles", xlabel="cible", ylabel="sortie du neurone")
    ax.legend()


def draw_parameters(ax, measured, predicted, true_values):
    """Chaque paramètre à chaque itération (d+1, k) : mesuré, prédit (pointillé fin), vrai (trait fin)."""
    names = [f"poids w{j + 1}" for j in range(len(measured) - 1)] + ["biais b"]
    for j, name in enumerate(names):
        (line,) = ax.plot(measured[j], linestyle=STYLES[j], linewidth=3, label=name)
        ax.plot(predicted[j], "k:", linewidth=1.5, label="théorie" if j == 0 else None)
        ax.axhline(true_values[j], color=line.get_color(), linewidth=0.8)
    ax.set(title="Les poids arrivent, le biais traîne", xlabel="itération", ylabel="valeur (trait fin : la vraie)")
    ax.legend()


def draw_losses(ax, curves, floor, title, xlabel="itération"):
    """Courbes de perte, échelle log : `curves` va du nom au couple (abscisses, pertes)."""
    for style, (name, (positions, losses)) in zip(STYLES * 9, curves.items()):
        ax.plot(positions, losses, linestyle=style, linewidth=2, label=name)
    ax.axhline(floor, color="black", linewidth=0.8, label="moindres carrés")
    ax.set(title=title, xlabel=xlabel, ylabel="perte (échelle log)", yscale="log")
    ax.legend()


def draw_roughness(ax, rows):
    """Rugosité en log-log ; `rows` : (taille du groupe, taux / taille, excès mesuré, excès théorique)."""
    for size, marker, style in zip(sorted({row[0] for row in rows}), "osD", STYLES):
        ratios, measured, predicted = zip(*[row[1:] for row in rows if row[0] == size])
        (line,) = ax.plot(ratios, measured, marker, markersize=10, label=f"groupe de {size}, mesuré")
        ax.plot(ratios, predicted, linestyle=style, linewidth=1, color=line.get_color(), label="théorie")
    ax.set(title="Rugosité : ce que la perte garde d'excès", xlabel="taux d'apprentissage / taille du groupe")
    ax.set(ylabel="excès moyen / fond", xscale="log", yscale="log")
    ax.legend()


def draw_step_costs(ax, sizes, full, mini):
    """Durée d'un pas (s) en fonction du nombre d'observations, en log-log."""
    ax.plot(sizes, full, "o-", linewidth=2, label="gradient complet")
    ax.plot(sizes, mini, "s--", linewidth=2, label="mini-batch")
    ax.set(title="Ce que coûte un pas", xlabel="nombre d'observations", ylabel="durée d'un pas (s)")
    ax.set(xscale="log", yscale="log")
    ax.legend()


# --- Sections -----------------------------------------------------------------------------------------
def spaced(number):
    """Écrit un entier avec une espace entre les milliers."""
    return f"{number:,}".replace(",", " ")


def when(iteration, batch_size=None):
    """« itération 12 » ou « jamais » ; avec la taille des groupes, ajoute le nombre d'exemples lus."""
    if iteration is None:
        return "jamais"
    read = f", {spaced(iteration * batch_size)} exemples lus" if batch_size else ""
    return f"itération {spaced(iteration)}{read}"


def setup(args, true_weights=TRUE_WEIGHTS, true_bias=TRUE_BIAS, n_observations=1000):
    """Tire de `args.seed` les données et les paramètres de départ : les mêmes dans toutes les sections."""
    rng = np.random.default_rng(args.seed)
    inputs, targets = make_data(rng, args.n_observations or n_observations, true_weights, true_bias)
    weights, bias = make_parameters(rng, len(true_weights))
    return rng, inputs, targets, weights, bias, least_squares(inputs, targets)


def enough_iterations(start, learning_rate, bowl):
    """De quoi voir la convergence prédite et un peu plus : de 100 à 20 000 itérations."""
    return min(max(100, (predict_convergence(start, learning_rate, bowl) or 0) * 3 // 2), 20_000)


def explosion_sentence(args, loss_history, n_iterations, bowl):
    """La phrase qui dit que la perte a explosé ; vide si la boucle est allée au bout."""
    if len(loss_history) == n_iterations:
        return ""
    return (
        f"La perte a explosé à l'itération {len(loss_history)}, au taux {args.learning_rate:g}. "
        f"Le plus grand taux stable est {largest_stable_rate(bowl):.4f} :\n2 / la plus grande valeur propre de X'X/n."
    )


def print_parameters(learned, true_values):
    """Tableau appris / vrai, paramètre par paramètre."""
    names = [f"w{j + 1}" for j in range(len(learned) - 1)] + ["b"]
    for name, value, true_value in zip(names, learned, true_values):
        print(f"  {name:<2} = {value:9.5f}   vrai : {true_value:5.2f}   écart : {value - true_value:+.5f}")


def section_data(args):
    """Les données synthétiques

    On invente des observations dont on connaît la règle : cible = 3·x1 - 4·x2 + 5 + bruit.
    À regarder : les points sont posés sur un plan incliné, à un bruit près, trop petit pour se voir.
    Apprendre, ce sera retrouver ce plan : deux pentes (les poids) et une hauteur (le biais).
    """
    _, inputs, targets, _, _, _ = setup(args)
    noise = targets - np.dot(inputs, TRUE_WEIGHTS) - TRUE_BIAS  # (n, 1)
    noise_loss = np.mean(noise**2) / 2
    print(f"inputs : {inputs.shape}   targets : {targets.shape}")
    print("       x1        x2     cible     bruit")
    for (x1, x2), target, error in zip(inputs[:5], targets[:5, 0], noise[:5, 0]):
        print(f"{x1:9.4f} {x2:9.4f} {target:9.4f} {error:+9.4f}")
    print(
        f"\nBruit : de {noise.min():.4f} à {noise.max():.4f} ; cibles : de {targets.min():.1f} à {targets.max():.1f}."
    )
    print(f"Perte du vrai plan : {noise_loss:.6f} ; en théorie 0.2²/12/2 = {NOISE_FLOOR:.6f}.")

    fig = plt.figure(figsize=(13, 6.5), layout="constrained")
    fig.get_layout_engine().set(h_pad=0.3)  # en pouces : les axes 3D cachent sinon les titres
    draw_plane(fig.add_subplot(1, 2, 1, projection="3d"), inputs[:1000], targets[:1000], TRUE_WEIGHTS, TRUE_BIAS)
    ax = fig.add_subplot(1, 2, 2)
    fig.colorbar(draw_levels(ax, inputs[:1000], targets[:1000]), ax=ax, label="cible")
    show(fig, args)
    return (
        f"Les cibles s'étalent sur {np.ptp(targets):.0f}, le bruit sur {np.ptp(noise):.2f} : presque tout se prévoit.\n"
        f"Le bruit ne l'est pas : même le vrai plan garde une perte de {noise_loss:.5f}."
    )


def section_loop(args):
    """La boucle forward/backward : cent pas de gradient

    Ouvrez `gradient` et `train` dans ce fichier, retrouvez-y les sept étapes.
    À regarder : la perte fond, les poids atteignent 3 et -4... et le biais reste loin de 5. Pourquoi ?
    """
    _, inputs, targets, weights, bias, bowl = setup(args)
    n_iterations = args.n_iterations or 100
    loss_history, path = train(inputs, targets, weights, bias, args.learning_rate, n_iterations)
    print("itération      perte")
    for k in range(len(loss_history)):
        if k in (0, 1, 2, 3, 5) or k % max(10, n_iterations // 10) == 0:
            print(f"{k:9d}   {loss_history[k]:.6f}")

    measured, true_values = stack(path), np.append(TRUE_WEIGHTS, TRUE_BIAS)
    predicted = predict_path(measured[:, :1], args.learning_rate, range(len(path)), bowl)
    curvatures = np.linalg.eigvalsh(bowl[2])
    print(f"\nAppris après {len(path) - 1} itérations :")
    print_parameters(measured[:, -1], true_values)
    print(f"Biais prédit par la théorie : {predicted[-1, -1]:.5f} (mesuré : {measured[-1, -1]:.5f}).")
    print("Courbures de la cuvette, valeurs propres de X'X/n : " + ", ".join(f"{v:.3f}" for v in curvatures))
    exploded = explosion_sentence(args, loss_history, n_iterations, bowl)
    if exploded:
        print(exploded)

    fig, (left, right) = plt.subplots(1, 2, figsize=(13, 6), layout="constrained")
    weights, bias = path[-1]
    draw_outputs(left, targets[:1000], np.dot(inputs[:1000], weights) + bias)
    draw_parameters(right, measured, predicted, true_values)
    show(fig, args)
    if exploded:
        return exploded
    errors = np.abs(measured - bowl[0])  # (d+1, k)
    left_over = errors[:, -1] / errors[:, 0]
    kept = np.abs(1 - args.learning_rate * curvatures) ** n_iterations  # (d+1,)
    return (
        f"Biais après {n_iterations} itérations : {measured[2, -1]:.3f} (prédit : {predicted[2, -1]:.3f} ; vrai : 5).\n"
        f"Il garde {100 * left_over[-1]:.2f} % de son écart de départ ; un poids, {100 * left_over[:2].max():.2f} %.\n"
        "Sur chaque axe de la cuvette, une itération multiplie l'écart par 1 - taux × courbure.\n"
        f"L'entrée du biais vaut toujours 1 : axe de courbure {curvatures[0]:.2f}, qui garde {100 * kept[0]:.2f} %.\n"
        f"Celles des poids vont de -10 à 10 : courbures de {curvatures[1]:.1f} et plus, qui gardent au plus\n"
        f"{100 * kept[1:].max():.1g} %."
    )


def section_loss(args):
    """La perte en fonction du nombre d'itérations

    Question : à partir de quelle itération la perte a-t-elle convergé ? Ici, « converger » veut dire :
    atteindre 1.05 fois la perte des moindres carrés, qu'aucun réglage ne peut battre.
    À regarder : deux pentes. La première, raide, est celle des poids ; la seconde, celle du biais.
    """
    _, inputs, targets, weights, bias, bowl = setup(args)
    start, rate = stack([(weights, bias)]), args.learning_rate
    n_iterations = args.n_iterations or enough_iterations(start, rate, bowl)
    loss_history, _ = train(inputs, targets, weights, bias, rate, n_iterations)
    iterations = np.arange(len(loss_history))
    predicted_path = predict_path(start, rate, iterations, bowl)
    predicted = bowl_loss(predicted_path, bowl)
    gap = np.max(np.abs(predicted / loss_history - 1))
    reached, expected = first_converged(loss_history, bowl[1]), predict_convergence(start, rate, bowl)
    print(f"Au taux {rate:g}, en {spaced(n_iterations)} itérations au plus :")
    print(f"  la perte va de {loss_history[0]:.2f} à {loss_history[-1]:.6f} ;")
    print(f"  celle des moindres carrés est {bowl[1]:.6f} (plancher du bruit : {NOISE_FLOOR:.6f}).")
    print(f"Convergence : {when(reached)} ; la théorie dit {when(expected)}.")
    print(f"Plus grand écart relatif entre perte mesurée et perte prédite : {gap:.1e}")
    print("Sur chaque axe, une itération multiplie l'écart par |1 - taux × courbure|, et la perte par son carré :")
    for curvature in np.linalg.eigvalsh(bowl[2]).tolist():
        print(f"  courbure {curvature:7.3f} : {abs(1 - rate * curvature):.4f}")
    exploded = explosion_sentence(args, loss_history, n_iterations, bowl)
    if exploded:
        print(exploded)

    slow, *fast = bowl_parts(predicted_path, bowl)  # un axe pour le biais, les autres pour les poids
    fast = np.sum(fast, axis=0)
    fig, ax = plt.subplots(figsize=(11, 6.5), layout="constrained")
    curves = {
        "mesurée": (iterations, loss_history),
        "théorie": (iterations, predicted),
        "part des poids (théorie)": (iterations, np.where(fast > bowl[1] / 10, fast, np.nan)),
        "part du biais (théorie)": (iterations, np.where(slow > bowl[1] / 10, slow, np.nan)),
    }
    draw_losses(ax, curves, bowl[1], "Deux pentes, puis le fond : la perte suit la théorie")
    if reached is not None:
        ax.axvline(reached, color="black", linewidth=0.8)
        ax.annotate(f"convergence : {reached} ", (reached, loss_history[0]), ha="right", va="top")
    show(fig, args)
    if exploded:
        return exploded
    if reached is None:
        return f"Pas de convergence en {spaced(n_iterations)} itérations (théorie : {when(expected)})."
    return (
        f"La perte a convergé à l'itération {reached} (théorie : {expected}) : c'est la première dont la perte est\n"
        f"au plus {TOLERANCE} fois celle des moindres carrés, {bowl[1]:.6f}.\n"
        f"Sur toute la courbe, mesure et théorie diffèrent de {gap:.0e} au plus, en relatif.\n"
        f"À partir de l'itération {np.argmax(fast < slow)}, l'erreur du biais coûte plus que celle des poids."
    )


def section_rates(args):
    """Plusieurs taux d'apprentissage, du trop petit au trop grand

    Question : que devient l'itération de convergence quand le taux change ?
    À regarder : un taux dix fois plus petit demande dix fois plus d'itérations ; au-delà de
    2 / (plus grande valeur propre de X'X/n), la perte ne descend plus, elle explose.
    """
    _, inputs, targets, weights, bias, bowl = setup(args)
    start, limit = stack([(weights, bias)]), largest_stable_rate(bowl)
    n_iterations = args.n_iterations or 1000
    print(f"Plus grand taux stable : {limit:.5f}. {spaced(n_iterations)} itérations par taux, au plus.")
    print("    taux   convergence      théorie            perte finale")
    below, above = 0.99 * limit, 1.01 * limit
    curves, converged, exploded = {}, {}, {}
    for rate in sorted({0.0001, 0.001, 0.003, 0.01, 0.03, args.learning_rate, below, above, 2 * limit}):
        loss_history, _ = train(inputs, targets, weights, bias, rate, n_iterations)
        reached, expected = first_converged(loss_history, bowl[1]), predict_convergence(start, rate, bowl)
        if reached is not None:
            converged[rate] = reached
        ending = f"{loss_history[-1]:.6f}"
        if len(loss_history) < n_iterations:
            exploded[rate] = len(loss_history)
            ending = f"explose à l'itération {exploded[rate]}"
        found = "pas encore" if reached is None and rate < limit else when(reached)
        print(f"{rate:8.5g}   {found:<16} {when(expected):<18} {ending}")
        curves[f"taux {rate:.5g}"] = (range(len(loss_history)), loss_history)

    fig, ax = plt.subplots(figsize=(12, 7), layout="constrained")
    draw_losses(ax, curves, bowl[1], f"Le taux décide de tout (plus grand taux stable : {limit:.4f})")
    ax.set_ylim(bowl[1] / 3, None)
    ax.legend(fontsize=12, ncols=2)
    show(fig, args)
    listing = ", ".join(f"{k} au taux {rate:.4g}" for rate, k in converged.items()) or "aucune"
    went = "converge" if below in converged else "n'a pas encore convergé"
    blew = f"explose à l'itération {exploded[above]}" if above in exploded else "monte, sans avoir encore explosé"
    return (
        f"Itération de convergence : {listing}.\n"
        "Loin de la limite, diviser le taux par dix multiplie les itérations par dix ; tout près d'elle, la perte\n"
        "oscille et met plus longtemps.\n"
        f"Le plus grand taux stable est {limit:.4f} : 1 % en dessous la perte {went}, 1 % au-dessus elle {blew}."
    )


def section_three_inputs(args):
    """Une troisième entrée

    La règle devient cible = 2·x1 + 4·x2 - 3·x3 + 3 + bruit. La fonction `train` est la même, sans une
    ligne de plus : `inputs` a trois colonnes, `weights` trois lignes, le produit matriciel fait le reste.
    À regarder : les quatre valeurs apprises à côté des vraies.
    """
    true_weights, true_bias = np.array([[2.0], [4.0], [-3.0]]), 3.0
    _, inputs, targets, weights, bias, bowl = setup(args, true_weights, true_bias)
    start, rate = stack([(weights, bias)]), args.learning_rate
    n_iterations = args.n_iterations or enough_iterations(start, rate, bowl)
    loss_history, path = train(inputs, targets, weights, bias, rate, n_iterations)
    measured, true_values = stack(path), np.append(true_weights, true_bias)
    print(f"inputs : {inputs.shape}   weights : {weights.shape}   appris après {len(path) - 1} itérations :")
    print_parameters(measured[:, -1], true_values)
    print(f"Perte : {loss_history[-1]:.6f} ; moindres carrés : {bowl[1]:.6f}.")
    exploded = explosion_sentence(args, loss_history, n_iterations, bowl)
    if exploded:
        print(exploded)

    fig, (left, right) = plt.subplots(1, 2, figsize=(13, 6), layout="constrained")
    weights, bias = path[-1]
    draw_outputs(left, targets[:1000], np.dot(inputs[:1000], weights) + bias)
    draw_parameters(right, measured, predict_path(start, rate, range(len(path)), bowl), true_values)
    show(fig, args)
    if exploded:
        return exploded
    worst, best = (np.max(np.abs(found - true_values)) for found in (measured[:, -1], bowl[0][:, 0]))
    return (
        f"Après {spaced(n_iterations)} itérations, poids et biais sont à {worst:.4f} au plus des vrais.\n"
        f"Même les moindres carrés en sont à {best:.4f}, à cause du bruit."
    )


def section_mini_batch(args):
    """Le gradient stochastique, par mini-batch

    À chaque pas, on tire un petit groupe d'observations, on moyenne son gradient, on avance.
    Question : comment évolue le coût avec le nombre d'itérations, et avec la taille du groupe ?
    À regarder : plus le groupe est petit, plus la courbe est rugueuse et plus elle s'arrête haut ; mais
    comptée en exemples lus, elle descend bien plus tôt.
    """
    rng, inputs, targets, weights, bias, bowl = setup(args)
    n_observations, floor = len(inputs), bowl[1]
    n_iterations = args.n_iterations or 1500
    by_iteration, by_example, sentences = {}, {}, ["Pour une perte d'au plus 1.05 fois celle des moindres carrés :"]
    print(f"Au taux {args.learning_rate:g}, perte sur toutes les données à la fin, et première itération où elle ne")
    print("dépasse pas 1.05 fois celle des moindres carrés :")
    for size in sorted({1, 4, args.batch_size, n_observations}):
        loss_history, path = train(inputs, targets, weights, bias, args.learning_rate, n_iterations, size, rng)
        losses = bowl_loss(stack(path), bowl)  # (k,)
        reached = first_converged(losses, floor)
        summary = when(reached, size)
        if len(loss_history) < n_iterations:
            summary = f"a explosé à l'itération {len(loss_history)}"
        sentences.append(f"  groupe de {size} : {summary}")
        print(f"  groupe de {size:<8} {losses[-1]:10.6f} à la fin   {summary}")
        by_iteration[f"groupe de {size}"] = (range(len(losses)), losses)
        by_example[f"groupe de {size}"] = (np.arange(1, len(losses) + 1) * size, losses)

    fig, (left, right) = plt.subplots(1, 2, figsize=(14, 6.5), layout="constrained", sharey=True)
    draw_losses(left, by_iteration, floor, "Perte sur toutes les données")
    draw_losses(right, by_example, floor, "La même, par exemple lu", "nombre d'exemples lus (échelle log)")
    right.set_xscale("log")
    show(fig, args)

    # Cent mille observations suffisent aux moments dont la théorie a besoin.
    some_inputs, some_targets = inputs[:100_000], targets[:100_000]
    limit, noisy_limit = largest_stable_rate(bowl), largest_noisy_rate(some_inputs, some_targets, 1, bowl)
    bottom = bowl[0][:-1], bowl[0][-1]  # partir du fond : il ne reste que le bruit à mesurer
    print("\nRugosité : excès moyen de la perte sur le fond, et son écart-type, tous deux divisés par le fond.")
    print("  groupe    taux   taux/groupe   excès mesuré   théorie   écart-type mesuré   théorie")
    rows = []
    for size in sorted({1, 4, args.batch_size} - {n_observations}):
        for rate in (0.002, 0.005, 0.01, 0.015, 0.03):
            loss_history, path = train(inputs, targets, *bottom, rate, 5000, size, rng)
            label = f"{size:8d} {rate:7.3f} {rate / size:13.2g}"
            if len(loss_history) < 5000:
                print(f"{label}   explose à l'itération {len(loss_history)}")
                continue
            excess = bowl_loss(stack(path[500:]), bowl) / floor - 1
            theory, theory_std = np.array(predict_roughness(some_inputs, some_targets, rate, size, bowl)) / floor
            print(f"{label} {excess.mean():14.4f} {theory:9.4f} {excess.std():19.4f} {theory_std:9.4f}")
            if theory < math.inf:
                rows.append((size, rate / size, excess.mean(), theory))
    print(
        f"Groupe de 1 : en théorie, l'excès n'est plus borné à partir du taux {noisy_limit:.4f} (tout : {limit:.4f})."
    )
    print(
        f"Une époque, c'est {spaced(n_observations)} exemples lus. Les bibliothèques y mélangent les données une fois"
    )
    print("et les découpent en groupes : chaque exemple y sert une seule fois. Ici, chaque groupe est tiré à neuf.")
    fig, ax = plt.subplots(figsize=(11, 7), layout="constrained")
    draw_roughness(ax, rows)
    show(fig, args)
    ratios = [measured / theory for size, _, measured, theory in rows if size > 1]
    calm, rough = min(rows, key=lambda row: row[1]), max(rows, key=lambda row: row[1])
    sentences += [
        "Plus le groupe est petit, moins la courbe est lisse. Du rapport taux / taille le plus petit au plus grand,",
        f"{calm[1]:.2g} et {rough[1]:.2g}, l'excès va de {100 * calm[2]:.2f} % à {100 * rough[2]:.0f} % du fond.",
        f"Groupes de plus d'une observation : excès de {min(ratios):.2f} à {max(ratios):.2f} fois celui de la théorie.",
        f"Avec une observation à la fois, le taux doit rester sous {noisy_limit:.4f}, au lieu de {limit:.4f}.",
    ]
    return "\n".join(sentences)


def section_million(args):
    """Un million d'observations

    Question : que coûte l'apprentissage quand les données grandissent ?
    À regarder : le gradient complet relit tout à chaque pas. Le mini-batch ne lit que son groupe : son
    pas coûte le même prix avec mille observations ou avec un million.
    """
    rng, inputs, targets, weights, bias, bowl = setup(args, n_observations=1_000_000)
    start, n_observations = stack([(weights, bias)]), len(inputs)
    size, rate = args.batch_size, args.learning_rate
    print(f"{spaced(n_observations)} observations, taux {rate:g}, groupes de {size}.")
    print(f"But : une perte, sur toutes les données, de 1.05 fois le plancher du bruit, {bowl[1]:.6f} ici.")

    n_iterations = args.n_iterations or enough_iterations(start, rate, bowl)
    loss_history, path = train(inputs, targets, weights, bias, rate, n_iterations, size, rng)
    losses = bowl_loss(stack(path), bowl)  # (k,), sur toutes les données
    reached, expected = first_converged(losses, bowl[1]), predict_convergence(start, rate, bowl)
    n_steps = len(loss_history) if reached is None else reached
    duration = median_duration(lambda: train(inputs, targets, weights, bias, rate, n_steps, size, rng), 3)
    full_step = median_duration(lambda: gradient(inputs, targets, weights, bias), 5)
    print(f"  mini-batch       : {when(reached, size)}")
    print(f"  gradient complet : {when(expected, n_observations)}")
    print("Le mini-batch a fait tous ses pas. Le gradient complet n'en a fait que 5 : leur nombre vient de la théorie,")
    print("exacte ici, et sa durée totale est leur nombre multiplié par celle d'un pas.")
    print(f"  mini-batch       : durée {duration:.4f} s pour {spaced(n_steps)} pas")
    print(f"  gradient complet : durée {'infinie' if expected is None else f'{full_step * expected:.3g} s'}")
    print(f"                     durée d'un pas {full_step:.4f} s")
    if len(loss_history) < n_iterations:
        print(
            f"La perte du mini-batch a explosé à l'itération {len(loss_history)}. Le plus grand taux stable du gradient"
        )
        print(
            f"complet est {largest_stable_rate(bowl):.4f} ; plus le groupe est petit, plus celui du mini-batch est bas."
        )

    sizes = [m for m in (1000, 10_000, 100_000, 1_000_000) if size < m < n_observations] + [n_observations]
    full_costs, mini_costs = [], []
    print("\nUn pas, selon le nombre d'observations :")
    for m in sizes:
        some = inputs[:m], targets[:m], weights, bias
        full_costs.append(median_duration(lambda: gradient(*some), 7))
        mini_costs.append(median_duration(lambda: train(*some, rate, 100, size, rng), 5) / 100)
        costs = f"complet {1e6 * full_costs[-1]:.1f} µs, mini-batch {1e6 * mini_costs[-1]:.1f} µs"
        print(f"  {spaced(m):>10} observations, durée : {costs}")

    full_losses = bowl_loss(predict_path(start, rate, range(len(losses)), bowl), bowl)  # (k,)
    n_read = np.arange(1, len(losses) + 1)
    curves = {
        f"mini-batch de {size}, mesuré": (n_read * size, losses),
        "gradient complet, théorie": (n_read * n_observations, full_losses),
    }
    fig, (left, right) = plt.subplots(1, 2, figsize=(14, 6.5), layout="constrained")
    draw_losses(left, curves, bowl[1], "Perte sur toutes les données", "nombre d'exemples lus (échelle log)")
    left.set(xscale="log", ylim=(None, 1e3 * losses[0]))  # de la place pour la légende
    draw_step_costs(right, sizes, full_costs, mini_costs)
    show(fig, args)
    if reached is None or expected is None:
        return (
            f"Au taux {rate:g}, but atteint par le mini-batch : {when(reached)} ; par l'autre : {when(expected)}.\n"
            f"Rien à comparer. Plus grand taux stable du gradient complet : {largest_stable_rate(bowl):.4f}."
        )
    return (
        f"But atteint par le mini-batch : {when(reached, size)} ;\n"
        f"par le gradient complet : {when(expected, n_observations)}.\n"
        f"Rapport des durées totales, mesuré ici : {full_step * expected / duration:.0f}.\n"
        f"De {spaced(sizes[0])} à {spaced(n_observations)} observations, la durée d'un pas est multipliée par\n"
        f"{full_costs[-1] / full_costs[0]:.0f} pour le gradient complet (durée) et\n"
        f"{mini_costs[-1] / mini_costs[0]:.1f} pour le mini-batch (durée)."
    )


SECTIONS = {
    "2.2.1": section_data,
    "2.2.2-boucle": section_loop,
    "2.2.2-perte": section_loss,
    "2.2.2-taux": section_rates,
    "2.2.2-trois-entrees": section_three_inputs,
    "2.2.3-mini-batch": section_mini_batch,
    "2.2.3-million": section_million,
}


# --- Options propres à ce script --------------------------------------------------------------------
def add_options(parser):
    positive = checked(float, "un nombre positif", lambda value: 0 < value < math.inf)
    size = checked(int, "un entier de 100 à 10000000", lambda value: 100 <= value <= 10_000_000)
    count = checked(int, "un entier de 1 à 1000000", lambda value: 1 <= value <= 1_000_000)
    parser.add_argument(
        "--learning-rate", metavar="X", type=positive, default=0.01, help="taux d'apprentissage (défaut : %(default)s)"
    )
    parser.add_argument(
        "--n-observations",
        metavar="N",
        type=size,
        help="nombre d'observations (défaut : 1000 ; un million dans 2.2.3-million)",
    )
    parser.add_argument(
        "--n-iterations", metavar="N", type=count, help="nombre d'itérations (défaut : ce qu'il faut à chaque section)"
    )
    parser.add_argument(
        "--batch-size",
        metavar="N",
        type=count,
        default=32,
        help="taille d'un groupe du mini-batch (défaut : %(default)s)",
    )


def check_options(args):
    """Rend une phrase si des options se contredisent, sinon None."""
    default = 1000 if "2.2.3-mini-batch" in args.chosen else 1_000_000
    if args.batch_size > (args.n_observations or default):
        return f"option --batch-size : {args.batch_size} dépasse le nombre d'observations"


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
