"""Exercice 3, suite : régression non linéaire avec PyTorch (fin de la partie 3.3.2).

Les données suivent maintenant x**4 : une droite n'y suffit plus, il faut un réseau avec une couche cachée et une
activation. Lisez d'abord la partie « La leçon » : `RegressionModel` et son optimiseur sont ce que l'énoncé fait
chercher, `train` est la boucle d'exercice3, à la lettre.

  python exercice3_nonlinear.py                                          toutes les sections
  python exercice3_nonlinear.py --section 3.3.2-non-lineaire --corrige   la figure 10, avec la réponse
  python exercice3_nonlinear.py --section 3.3.2-architecture --hidden-sizes 2,5,20
"""

import argparse
import copy
import inspect
import numbers
import os
import re
import signal
import sys
import tempfile
import textwrap
import traceback
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.backends import backend_registry

# --- Réglages : changez-les ici, ou par l'option du même nom (--hidden 3) -----------------------------
SEED = 0  # la graine du hasard : la même redonne les mêmes nombres
DEVICE = "auto"  # où calculer : la carte graphique s'il y en a une qui marche, sinon le processeur ("cpu")
N_OBSERVATIONS = 100
NOISE = 0.1  # le bruit est tiré entre 0 et NOISE
HIDDEN = 10  # neurones de la couche cachée
LEARNING_RATE = 0.03  # taux d'apprentissage
EPOCHS = None  # None : 2000 dans 3.3.2-non-lineaire, 1000 ailleurs ; 300 : 300 époques, partout
LINE_RATE = 0.05  # 3.3.2-droite : le taux de la descente de gradient (SGD), celui d'exercice3
HIDDEN_SIZES = [1, 3, 10, 50]  # 3.3.2-architecture : les nombres de neurones à comparer
OPTIMIZERS = ["SGD", "Adam"]  # 3.3.2-optimiseurs : les méthodes de torch.optim à comparer...
OPTIMIZER_RATES = [0.05, 0.03]  # ... et le taux de chacune
N_SEEDS = 3  # nombre d'essais des comparaisons : d'autres données, d'autres poids de départ

# D'ici à la leçon : de quoi refuser un réglage qui n'a pas de sens. Inutile de le lire.
LIMITS = {  # le plus petit et le plus grand permis ; entre crochets : pour chaque valeur d'une liste ; ou des noms
    "SEED": (0, 4_294_967_295),
    "DEVICE": ("auto", "cpu", "cuda", "cuda:0", "cuda:1", "cuda:2", "cuda:3", "mps", "xpu"),
    "N_OBSERVATIONS": (2, 100_000),
    "NOISE": (0.0, 1000.0),
    "HIDDEN": (1, 1000),
    "LEARNING_RATE": (1e-9, 1e6),
    "EPOCHS": (1, 100_000, None),
    "LINE_RATE": (1e-9, 1e6),
    "HIDDEN_SIZES": [1, 1000],
    "OPTIMIZERS": ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad"],
    "OPTIMIZER_RATES": [1e-9, 1e6],
    "N_SEEDS": (1, 20),
}


def refused_together():
    """Ce qu'aucune ligne de LIMITS ne peut dire : une phrase, ou None."""
    if DEVICE != "auto" and DEVICE not in find_devices():
        return (
            f"DEVICE (--device) : il faut un appareil qui marche ici, auto, {', '.join(find_devices())}, pas {DEVICE!r}"
        )
    if len(OPTIMIZERS) != len(OPTIMIZER_RATES):
        return (
            f"OPTIMIZERS en nomme {len(OPTIMIZERS)}, OPTIMIZER_RATES en donne {len(OPTIMIZER_RATES)} : un taux chacun"
        )
    return None


# --- La leçon -----------------------------------------------------------------------------------------
def curve(x):
    """La courbe que suivent les données, au bruit près."""
    return x**4


def make_points(rng, n_observations, noise, device):
    """Tire n observations : x entre 0 et 1, y = curve(x) + bruit ; rend les tenseurs x_data et y_data, (n, 1)."""
    x = rng.uniform(0, 1, size=n_observations)  # (n,)
    y = curve(x) + rng.uniform(0, noise, size=n_observations)  # (n,)
    x_data = torch.from_numpy(x.reshape(-1, 1)).float().to(device)  # (n, 1) ; Variable n'est plus utile
    y_data = torch.from_numpy(y.reshape(-1, 1)).float().to(device)  # (n, 1)
    return x_data, y_data


class RegressionModel(torch.nn.Module):
    """Le modèle de l'énoncé, complété : une couche cachée de HIDDEN neurones, une activation, une sortie."""

    def __init__(self):
        super().__init__()
        # CORRIGÉ : une couche cachée, une activation, une sortie | torch.nn ; HIDDEN, le nombre de neurones cachés
        self.hidden = torch.nn.Linear(1, HIDDEN)
        self.activation = torch.nn.Sigmoid()
        self.output = torch.nn.Linear(HIDDEN, 1)
        # FIN DU CORRIGÉ

    def forward(self, x):
        # CORRIGÉ : passez x dans vos couches, rendez y_pred | x, de forme (n, 1) ; appris, sous la ligne noire
        outputs = self.activation(self.hidden(x))  # (n, 1) -> (n, HIDDEN)
        y_pred = self.output(outputs)  # (n, HIDDEN) -> (n, 1)
        return y_pred
        # FIN DU CORRIGÉ


def make_optimizer(our_model, learning_rate):
    """L'optimiseur du réseau."""
    # CORRIGÉ : rendez un optimiseur qui passe sous la ligne noire | our_model, learning_rate
    return torch.optim.Adam(our_model.parameters(), lr=learning_rate)
    # FIN DU CORRIGÉ


def train(our_model, x_data, y_data, optimizer, loss_func, epochs, draw=None):
    """Entraîne `our_model` sur x_data (n, 1) et y_data (n, 1) ; rend `loss_history`, une perte par époque.

    `loss_history[k]` est la perte après k époques. `draw(epoch, loss)`, s'il y en a un, dessine l'apprentissage.
    """
    loss_history = []
    our_model.train()  # le mode « apprentissage » du modèle, pour des couches comme Dropout ; il n'entraîne rien
    for epoch in range(epochs):
        prediction = our_model(x_data)  # (1) propager les entrées vers la sortie : (n, 1)
        loss = loss_func(prediction, y_data)  # (2) (3) écarts aux cibles, puis perte (sans le / 2 d'exercice1)
        # CORRIGÉ : ajoutez à loss_history la perte, un nombre | loss, un tenseur
        loss_history.append(loss.item())  # (4) la garder : le nombre, pas le tenseur
        # FIN DU CORRIGÉ
        if draw and epoch % 10 == 0:
            draw(epoch, loss)
        optimizer.zero_grad()  # oublier le gradient de l'époque d'avant
        loss.backward()  # (5) le gradient, que PyTorch calcule seul
        optimizer.step()  # (6) (7) un pas sur tous les paramètres
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


def prepare():
    """Choisit l'appareil et tire les données au hasard, d'après la graine ; les poids de départ suivront aussi."""
    x_data, y_data = make_points(np.random.default_rng(SEED), N_OBSERVATIONS, NOISE, choose_device())
    torch.manual_seed(SEED)
    return x_data, y_data


# --- 3.3.2, suite : la régression non linéaire --------------------------------------------------------
def gaps_answer(loss, limit, thirds):
    """La réponse de la section qui suit ; `thirds` : l'écart moyen des points à gauche, au milieu, à droite."""
    answer = f"{verdict(loss, limit).capitalize()}."
    if loss <= limit or len(thirds) < 3:  # deux points n'ont pas trois tiers
        return answer
    left, middle, right = thirds
    if not left * right > 0 > left * middle:
        return answer
    ends = "au-dessus" if left > 0 else "au-dessous"
    return answer + (
        f" Les écarts ont une forme : en moyenne, les points sont {ends} de la droite à gauche ({left:+.2g}) et à "
        f"droite ({right:+.2g}), de l'autre côté au milieu ({middle:+.2g}). Ils suivent une courbe."
    )


def section_line():
    """La droite et les nouvelles données

    Question : la droite calculée par le réseau est-elle toujours satisfaisante (figure 9) ?
    À regarder : à droite, les écarts. S'il ne restait que du bruit, ils n'auraient pas de forme.
    """
    x_data, y_data = prepare()
    our_model = torch.nn.Linear(1, 1).to(x_data.device)  # le modèle d'exercice3
    if unfit(our_model, x_data, y_data):
        return None
    x, grid = x_data.cpu().numpy().ravel(), make_grid(x_data.device)
    fig, (left, right) = plt.subplots(1, 2, figsize=(13, 6.5), layout="constrained")
    line = draw_start(left, x_data, y_data, fit_polynomial(x_data, y_data, 1)[0], "meilleure droite")
    (points,) = right.plot(x, 0 * x, "o", alpha=0.6)
    right.axhline(0, color="black", linewidth=1)
    right.set(title="Les écarts : positif, le point est au-dessus", xlabel="x", ylabel="écart (cible - sortie)")

    def draw(epoch, loss):
        line.set_ydata(predict(our_model, grid))
        points.set_ydata(-measure_gaps(our_model, x_data, y_data))
        right.relim()
        right.autoscale_view()
        left.set_title(f"La droite, {epoch_words(epoch, loss)}")
        if live(fig):
            plt.pause(0.01)

    optimizer, epochs = torch.optim.SGD(our_model.parameters(), lr=LINE_RATE), EPOCHS or 1000
    loss_history, problem = train_checked(our_model, x_data, y_data, optimizer, epochs, draw)
    if not loss_history:
        return None
    loss = evaluate(our_model, x_data, y_data)
    draw(epochs, loss)
    thirds = [part.mean() for part in np.array_split(points.get_ydata()[x.argsort()], 3) if len(part)]
    say(problem or f"Perte de la droite après {counted(epochs, 'époque')} : {loss:.4g}")
    if not problem and len(thirds) == 3:
        print("Écart moyen à gauche, au milieu, à droite : " + ", ".join(f"{third:+.3g}" for third in thirds))
    print_criterion(x_data, y_data)

    # Réponse
    if problem:
        return f"Rien à conclure. {problem}"
    return gaps_answer(loss, satisfying_loss(x_data, y_data), thirds)


def model_words(our_model):
    """« Une couche cachée de 10 neurones, une sigmoïde, une sortie », ou ce qu'on peut dire d'un autre modèle."""
    layers = [module for module in our_model.modules() if not list(module.children())]
    names = {"Sigmoid": "une sigmoïde", "Tanh": "une tanh", "ReLU": "une ReLU"}
    kinds = [type(layer).__name__ for layer in layers]
    if kinds == ["Linear", "Linear"]:
        activation = "une activation"
    elif len(kinds) == 3 and kinds[0] == kinds[2] == "Linear" and kinds[1] in names:
        activation = names[kinds[1]]
    else:
        return f"Ce RegressionModel, à {counted(sum(p.numel() for p in our_model.parameters()), 'paramètre')}"
    return f"Une couche cachée de {counted(layers[0].out_features, 'neurone')}, {activation}, une sortie"


def draw_limits(ax, line_loss, limit):
    """Prépare le dessin de la perte : celle de la meilleure droite, et la plus grande satisfaisante."""
    ax.set(title="La perte", xlabel="époque", ylabel="perte (échelle log)", yscale="log")
    if line_loss > 0:  # deux points : elle passe par les deux, et 0 n'a pas de place sur une échelle log
        ax.axhline(line_loss, color="black", linewidth=1, linestyle=":", label="meilleure droite")
    ax.axhline(limit, color="black", linewidth=1, label="satisfaisante sous cette ligne")


def network_answer(words, loss, limit, line_loss, straight, loss_history):
    """La réponse de la section qui suit ; `words` nomme le modèle, `straight` : une droite au départ, à la fin ?"""
    if loss <= limit:
        loss_text, limit_text = apart(loss, limit)
        answer = f"{words} : la perte, {loss_text}, ne dépasse pas {limit_text}"
        return answer + (f" ; la meilleure droite reste à {line_loss:.3g}." if line_loss > limit else ".")
    answer = f"Pas encore : {verdict(loss, limit).partition(', ')[2]}. "
    if straight == [True, True]:
        return (
            answer + "Au départ comme à la fin, ce modèle est une droite : a-t-il une activation entre deux couches ?"
        )
    if straight[1]:
        return answer + "Ce qu'il a appris est une droite, et il n'en était pas une au départ : essayez un autre taux."
    late = len(loss_history) * 9 // 10
    times, before = counted(len(loss_history) - late, "époque"), loss_history[late]
    if loss < 0.95 * before:
        answer += f"Il apprenait encore à la fin : {before:.3g} à l'époque {late}."
    else:
        answer += f"Pendant la fin ({times}), elle n'a {'presque ' if loss < before else ''}pas baissé."
    return answer + " Essayez plus d'époques, ou un autre taux."


def section_network():
    """Un modèle non linéaire

    Question : quel RegressionModel donne une régression satisfaisante (figure 10) ?
    À regarder : la courbe apprise, près du meilleur polynôme (un repère, sans réseau) ; puis la perte.
    """
    x_data, y_data = prepare()
    our_model = RegressionModel().to(x_data.device)
    if unfit(our_model, x_data, y_data):
        return None
    grid, epochs, line_loss = make_grid(x_data.device), EPOCHS or 2000, fit_polynomial(x_data, y_data, 1)[1]
    polynomial, polynomial_loss = fit_polynomial(x_data, y_data, 4)
    fig, (left, right) = plt.subplots(1, 2, figsize=(13, 6.5), layout="constrained")
    line = draw_start(left, x_data, y_data, polynomial, f"polynôme de degré {len(polynomial) - 1}")
    draw_limits(right, line_loss, satisfying_loss(x_data, y_data))

    def draw(epoch, loss):
        line.set_ydata(predict(our_model, grid))
        left.set_title(f"Figure 10, {epoch_words(epoch, loss)}")
        if live(fig):
            plt.pause(0.01)

    optimizer, straight = make_optimizer(our_model, LEARNING_RATE), [is_straight(predict(our_model, grid))]
    loss_history, problem = train_checked(our_model, x_data, y_data, optimizer, epochs, draw)
    if not loss_history:
        return None
    loss = evaluate(our_model, x_data, y_data)
    draw(epochs, loss)
    straight.append(is_straight(predict(our_model, grid)))
    say(problem or f"Perte du modèle après {counted(epochs, 'époque')} : {loss:.4g}")
    print(f"Perte du meilleur polynôme : {polynomial_loss:.4g} ; de la meilleure droite : {line_loss:.4g}")
    print_criterion(x_data, y_data)
    plt.sca(right)
    # CORRIGÉ : tracez la perte, loss_history, à droite | loss_history, right
    right.plot(loss_history, linewidth=2, label="modèle")
    # FIN DU CORRIGÉ
    right.legend()

    # Réponse
    if problem:
        return f"Rien à conclure. {problem}"
    words = f"{model_words(our_model)}, avec {type(optimizer).__name__} au taux {optimizer.param_groups[0]['lr']:g}"
    return network_answer(words, loss, satisfying_loss(x_data, y_data), line_loss, straight, loss_history)


def make_network(size, activation):
    """Rend un réseau neuf : `size` neurones cachés, puis l'objet `activation` reçu, puis une sortie."""
    # CORRIGÉ : rendez couche cachée, activation, sortie | torch.nn.Sequential, size, activation
    return torch.nn.Sequential(torch.nn.Linear(1, size), activation, torch.nn.Linear(size, 1))
    # FIN DU CORRIGÉ


def trial_points(k, device):
    """Les données de l'essai n° k d'une comparaison ; les poids de départ seront tirés de la même graine."""
    seed = (SEED + k) % 2**32
    x_data, y_data = make_points(np.random.default_rng(seed), N_OBSERVATIONS, NOISE, device)
    torch.manual_seed(seed)
    return x_data, y_data


def measure_trial(our_model, optimizer, x_data, y_data, epochs):
    """Entraîne `our_model` ; rend sa perte finale, la plus grande satisfaisante, et celle de la meilleure droite.

    Si la boucle n'est pas celle de l'énoncé, le dit et rend None.
    """
    expected = first_losses(our_model, x_data, y_data, optimizer)
    loss_history = train(our_model, x_data, y_data, optimizer, torch.nn.MSELoss(), epochs)
    if wrong_history(loss_history, epochs):
        return None
    fault = loop_fault(loss_history, expected)
    if fault:
        say(fault)
        return None
    loss = np.nan_to_num(evaluate(our_model, x_data, y_data), nan=np.inf)  # infinie après une explosion
    return loss, satisfying_loss(x_data, y_data), fit_polynomial(x_data, y_data, 1)[1]


def count_good(results):
    """Le nombre d'essais satisfaisants ; `results` : ce que rend `measure_trial`, à chaque essai."""
    return sum(loss <= limit for loss, limit, _ in results)


def print_trials(name, results):
    """Affiche la plus petite et la plus grande perte finale, et combien d'essais sont satisfaisants."""
    losses = [loss for loss, _, _ in results]
    texts = [f"{loss:.3g}" if loss < 1e15 else "explose" for loss in [min(losses), max(losses)]]
    print(f"  {name:<30} {texts[0]:>8} à {texts[1]:<8}   {counted(count_good(results), 'essai')} sur {len(results)}")


def wrong_network(network, size, activation):
    """Vrai si `make_network` n'a pas rendu un réseau de `size` neurones avec cette activation, et le dit."""
    if not isinstance(network, torch.nn.Module):
        print(f"make_network rend {type(network).__name__}, il faut un réseau : relisez son return.")
        return True
    sizes = [len(parameter) for parameter in network.parameters()]
    if sizes[:1] != [size] or activation not in list(network.modules()):
        print(f"make_network doit employer size ({size} ici) et activation ({activation} ici).")
        return True
    return False


def try_network(size, activation, epochs, device):
    """Les essais d'un réseau de `make_network` ; rend leurs mesures et les courbes apprises, (100,)."""
    results, curves = [], []
    for k in range(N_SEEDS):
        x_data, y_data = trial_points(k, device)
        network = make_network(size, activation)
        if wrong_network(network, size, activation) or unfit(network.to(device), x_data, y_data):
            return [], []
        measures = measure_trial(network, make_optimizer(network, LEARNING_RATE), x_data, y_data, epochs)
        if measures is None:
            return [], []
        results.append(measures)
        curves.append(predict(network, make_grid(device)))
    return results, curves


def architecture_answer(sizes, counts, plain_count, straight, tanh_count, epochs):
    """La réponse de la section qui suit ; `counts` : les essais satisfaisants de chaque nombre de neurones."""
    enough = [size for size, count in zip(sizes, counts) if count == N_SEEDS]
    scores = [f"{count} avec {counted(size, 'neurone')}" for size, count in zip(sizes, counts)]
    scores = scores if len(scores) <= 5 else [*scores[:4], "..."]
    if enough:
        answer = f"Ici, {counted(min(enough), 'neurone')} et la sigmoïde ont suffi, à chaque essai. "
    else:
        answer = f"Aucun de ces nombres de neurones n'a suffi à chaque essai, en {counted(epochs, 'époque')}. "
    answer += f"Essais satisfaisants, sur {N_SEEDS} : {', '.join(scores)} ; {tanh_count} avec tanh"
    plain = " : deux couches ne font alors qu'une droite" if straight else ""
    return f"{answer} ; {plain_count} sans activation{plain}."


def section_architecture():
    """L'architecture du réseau

    Question : combien de neurones, et quelle activation, pour une régression satisfaisante ?
    À regarder : les courbes du premier essai, puis combien d'essais sont satisfaisants.
    """
    x_data, y_data = prepare()
    device, epochs = x_data.device, EPOCHS or 1000
    if wrong_points(x_data, y_data):
        return None
    print_criterion(x_data, y_data)
    print(f"Réseaux de make_network (pas RegressionModel), {counted(epochs, 'époque')}.")
    print("À chaque essai, autres données et autres poids. Pertes finales ; essais satisfaisants :")
    networks = [("sans activation", HIDDEN, torch.nn.Identity()), ("tanh", HIDDEN, torch.nn.Tanh())]
    networks += [("sigmoïde", size, torch.nn.Sigmoid()) for size in HIDDEN_SIZES]
    _, (left, right) = plt.subplots(1, 2, figsize=(13, 6.5), layout="constrained", sharey=True)
    draw_points(left, x_data, y_data)
    draw_points(right, x_data, y_data)
    counts, straight = [], False
    for k, (name, size, activation) in enumerate(networks):
        results, curves = try_network(size, activation, epochs, device)
        if not results:
            return None
        if k == 0:
            straight = all(is_straight(learned) for learned in curves)
        if k < 10:
            print_trials(f"{name}, {counted(size, 'neurone')}", results)
        counts.append(count_good(results))
        if k < 7:
            label = name if k < 2 else counted(size, "neurone")
            (left if k < 2 else right).plot(np.linspace(0, 1, 100), curves[0], linewidth=3, label=label)
    if len(networks) > 10:
        print(f"  ... et {len(networks) - 10} de plus")
    left.set_title(f"{counted(HIDDEN, 'neurone')}, sans activation ou tanh")
    right.set_title("La sigmoïde")
    left.legend()
    right.legend()

    # Réponse
    return architecture_answer(HIDDEN_SIZES, counts[2:], counts[0], straight, counts[1], epochs)


def try_optimizer(name, rate, epochs, device):
    """Les essais de RegressionModel avec un optimiseur de torch.optim ; rend la même chose que `try_network`."""
    results, curves = [], []
    for k in range(N_SEEDS):
        x_data, y_data = trial_points(k, device)
        our_model = RegressionModel().to(device)
        if unfit(our_model, x_data, y_data):
            return [], []
        optimizer = getattr(torch.optim, name)(our_model.parameters(), lr=rate)
        measures = measure_trial(our_model, optimizer, x_data, y_data, epochs)
        if measures is None:
            return [], []
        results.append(measures)
        curves.append(predict(our_model, make_grid(device)))
    return results, curves


def optimizers_answer(names, all_results, epochs):
    """La réponse de la section qui suit ; `all_results` : les mesures des essais de chaque optimiseur."""
    winners, others = [], []
    for name, results in zip(names, all_results):
        n_good = count_good(results)
        if n_good == len(results):
            winners.append(name)
            continue
        fact = f"{name} : {counted(n_good, 'essai')} sur {len(results)}"
        if all(loss >= 0.999 * line_loss for loss, _, line_loss in results):
            fact += ", et jamais mieux que la meilleure droite"
        others.append(fact)
    times = f"en {counted(epochs, 'époque')}"
    if winners:
        tries = f"{counted(N_SEEDS, 'essai')} sur {N_SEEDS}"
        names = ", ".join(winners if len(winners) <= 5 else [*winners[:4], "..."])
        answer = f"Régression satisfaisante {times} avec {names} : {tries}. "
    else:
        answer = f"Aucun de ces optimiseurs ne suffit à chaque essai, {times}. "
    others = others if len(others) <= 5 else [*others[:4], "..."]
    return answer + ("Avec " + " ; ".join(others) + "." if others else "")


def section_optimizers():
    """L'optimiseur

    Question : que change l'optimiseur, pour le même modèle et le même nombre d'époques ?
    À regarder : les courbes du premier essai, puis combien d'essais sont satisfaisants.
    """
    x_data, y_data = prepare()
    epochs = EPOCHS or 1000
    if wrong_points(x_data, y_data):
        return None
    print_criterion(x_data, y_data)
    print(f"RegressionModel, {counted(epochs, 'époque')}, aux taux de OPTIMIZER_RATES (LEARNING_RATE ne sert pas ici).")
    print("À chaque essai, autres données et autres poids. Pertes finales ; essais satisfaisants :")
    _, ax = plt.subplots(figsize=(12, 6.5), layout="constrained")
    draw_points(ax, x_data, y_data)
    names, all_results = [], []
    for name, rate in zip(OPTIMIZERS, OPTIMIZER_RATES):
        results, curves = try_optimizer(name, rate, epochs, x_data.device)
        if not results:
            return None
        names.append(f"{name} au taux {rate:g}")
        all_results.append(results)
        if len(names) <= 10:
            print_trials(names[-1], results)
        if len(names) <= 5:
            ax.plot(np.linspace(0, 1, 100), curves[0], linewidth=3, label=names[-1])
    if len(names) > 10:
        print(f"  ... et {len(names) - 10} de plus")
    x = np.linspace(0, 1, 100)
    ax.plot(x, np.polyval(fit_polynomial(x_data, y_data, 1)[0], x), "k-", linewidth=1, label="meilleure droite")
    ax.set_title("Le premier essai")
    ax.legend()

    # Réponse
    return optimizers_answer(names, all_results, epochs)


# Les outils de ces sections, à lire plus tard : d'abord l'appareil, et les mesures.
def find_devices():
    """Les appareils qui calculent vraiment ici : "cpu" puis, s'il y en a, "cuda" (ou "mps"...), "cuda:0"..."""
    names, devices = ["cpu"], []
    if torch.accelerator.is_available():
        kind = torch.accelerator.current_accelerator().type
        names += [kind] + [f"{kind}:{index}" for index in range(torch.accelerator.device_count())]
    for name in names:
        try:
            torch.dot(torch.ones(2, device=name), torch.ones(2, device=name)).tolist()
            devices.append(name)
        except (AssertionError, RuntimeError, NotImplementedError):
            pass  # un appareil annoncé, mais qui ne marche pas
    return devices


def choose_device():
    """L'appareil de DEVICE ; "auto" : la carte graphique s'il y en a une qui marche, sinon le processeur."""
    devices = find_devices()
    name = devices[min(1, len(devices) - 1)] if DEVICE == "auto" else DEVICE
    print(f"Appareil : {name} (disponibles : {', '.join(devices)})")
    return torch.device(name)


def predict(our_model, x):
    """Prédictions (n,) pour x (n, 1), en NumPy, dans le mode « mesure » (eval) ; le mode d'avant revient ensuite."""
    was_training = our_model.training
    our_model.eval()
    with torch.no_grad():
        prediction = our_model(x).cpu().numpy().ravel()
    our_model.train(was_training)
    return prediction


def measure_gaps(our_model, x_data, y_data):
    """Les écarts aux cibles, sortie - cible, (n,), en NumPy."""
    return predict(our_model, x_data).astype(float) - y_data.cpu().numpy().ravel()


def evaluate(our_model, x_data, y_data):
    """La perte de `our_model`, sans l'entraîner."""
    return float((measure_gaps(our_model, x_data, y_data) ** 2).mean())


def noise_loss(x_data, y_data):
    """La perte du bruit seul : ce qui reste à qui connaît `curve`, la moyenne du bruit comprise."""
    noises = y_data.cpu().numpy() - curve(x_data.cpu().numpy().astype(float))  # (n, 1)
    return float(noises.var())


def satisfying_loss(x_data, y_data):
    """La plus grande perte « satisfaisante » : deux fois celle du bruit seul, à un dix-millième de y près."""
    return 2 * noise_loss(x_data, y_data) + 1e-4 * float(y_data.cpu().numpy().astype(float).var()) + 1e-6


def print_criterion(x_data, y_data):
    """Affiche à partir de quelle perte nous disons la régression satisfaisante : la ligne noire des figures."""
    noise, limit = noise_loss(x_data, y_data), satisfying_loss(x_data, y_data)
    words = ", environ le double" if limit < 2.1 * noise else ""
    print(f"Avec la vraie courbe, le bruit seul laisse une perte de {noise:.3g}.")
    print(f"Nous dirons la régression satisfaisante si sa perte ne dépasse pas {limit:.3g}{words}.")


def apart(first, second):
    """Écrit deux nombres avec assez de chiffres, trois au moins, pour qu'on voie qu'ils diffèrent."""
    for digits in range(3, 17):
        texts = f"{first:.{digits}g}", f"{second:.{digits}g}"
        if texts[0] != texts[1]:
            break
    return texts


def verdict(loss, limit):
    """« oui, la perte (0.0677) ne dépasse pas 0.113 », ou « non, la perte (0.361) dépasse 0.113 »."""
    loss_text, limit_text = apart(loss, limit)
    if loss <= limit:
        return f"oui, la perte ({loss_text}) ne dépasse pas {limit_text}"
    return f"non, la perte ({loss_text}) dépasse {limit_text}"


def fit_polynomial(x_data, y_data, degree):
    """Le polynôme des moindres carrés : rend ses coefficients, du plus haut degré à la constante, et sa perte.

    Deux points ne font qu'une droite : le degré est au plus le nombre d'observations moins un.
    """
    x, y = x_data.cpu().numpy().ravel().astype(float), y_data.cpu().numpy().ravel().astype(float)
    coefficients = np.polyfit(x, y, min(degree, len(x) - 1))
    return coefficients, round(float(((np.polyval(coefficients, x) - y) ** 2).mean()), 12)


def make_grid(device):
    """Cent x de 0 à 1, (100, 1), pour dessiner une courbe apprise."""
    return torch.linspace(0, 1, 100, device=device).reshape(-1, 1)


def is_straight(learned):
    """Vrai si ces prédictions (100,), pour `make_grid`, sont sur une droite, aux arrondis de float32 près."""
    chord = np.linspace(learned[0], learned[-1], len(learned))  # la droite qui joint les deux bouts
    return bool(abs(learned - chord).max() < 1e-5 * (1 + abs(learned).max()))


def draw_points(ax, x_data, y_data):
    """Les observations, au plus mille."""
    ax.plot(x_data[:1000].cpu(), y_data[:1000].cpu(), "o", alpha=0.6, label="observations")
    ax.set(xlabel="x", ylabel="y")


def draw_start(ax, x_data, y_data, polynomial, label):
    """Les observations, le polynôme des moindres carrés et la courbe du modèle, encore plate, qui est rendue."""
    draw_points(ax, x_data, y_data)
    x = np.linspace(0, 1, 100)
    ax.plot(x, np.polyval(polynomial, x), "k-", linewidth=1, label=label)
    (line,) = ax.plot(x, 0 * x, "r--", linewidth=3, label="modèle")
    ax.set_ylim(ax.get_ylim())  # la courbe apprise ne change pas l'échelle
    ax.legend()
    return line


def epoch_words(epoch, loss):
    """« époque 50 : perte 0.5298 », pour un titre."""
    return f"époque {epoch} : perte {loss:.4g}" if loss < 1e15 else f"époque {epoch} : la perte explose"


def live(fig):
    """Vrai si `fig` est dans une fenêtre encore ouverte : un dessin en direct a alors un sens."""
    return has_window() and plt.fignum_exists(fig.number)


# Puis le diagnostic : pourquoi un apprentissage a échoué.
def wrong_points(x_data, y_data):
    """Vrai si les données ne peuvent pas servir, et dit pourquoi."""
    problem = ""
    if x_data.dim() != 2 or y_data.shape != x_data.shape:
        problem = f"x_data est de forme {tuple(x_data.shape)}, y_data {tuple(y_data.shape)} : il faut (n, 1) aux deux."
    elif not torch.isfinite(y_data).all():
        problem = "Toutes les valeurs de y_data ne sont pas des nombres finis : relisez curve."
    elif float(x_data.min()) == float(x_data.max()):
        problem = "Tous les x de x_data sont égaux : relisez make_points."
    say(problem)
    return bool(problem)


def unfit(our_model, x_data, y_data):
    """Vrai si ce modèle ne peut rien apprendre de ces données, et dit pourquoi ; regarde avant la boucle."""
    if wrong_points(x_data, y_data):
        return True
    problem = ""
    if not list(our_model.parameters()):
        problem = "Le modèle n'a aucun paramètre : créez ses couches dans __init__, avec self. devant leur nom."
    else:
        was_training = our_model.training
        our_model.eval()
        with torch.random.fork_rng(devices=[]):
            prediction, again = our_model(x_data), our_model(x_data)  # une erreur dans forward garde ses mots
        our_model.train(was_training)
        if not torch.is_tensor(prediction):
            problem = f"forward rend {type(prediction).__name__}, il faut un tenseur : relisez son return."
        elif prediction.shape != y_data.shape:
            problem = (
                f"forward rend la forme {tuple(prediction.shape)}, il faut {tuple(y_data.shape)}, celle de y_data."
            )
        elif not torch.isfinite(prediction).all():
            problem = "Avant le premier pas, forward donne déjà autre chose que des nombres finis : relisez forward."
        elif not torch.equal(prediction, again):
            problem = "forward ne rend pas deux fois la même chose : créez vos couches dans __init__, pas dans forward."
        elif not prediction.requires_grad:
            problem = "Ce que rend forward ne dépend d'aucun paramètre à apprendre : backward n'aurait pas de gradient."
    say(problem)
    return bool(problem)


def first_losses(our_model, x_data, y_data, optimizer):
    """Les trois premières pertes de la boucle de l'énoncé, refaites à part ; aucune si forward tire au hasard."""
    start = copy.deepcopy((our_model.state_dict(), optimizer.state_dict()))
    losses = np.zeros(3)
    our_model.train()
    with torch.random.fork_rng(devices=[]):
        repeats = torch.equal(our_model(x_data), our_model(x_data))
        for k in range(3):
            gaps = our_model(x_data) - y_data  # (n, 1)
            losses[k] = (gaps.detach().cpu().double().numpy() ** 2).mean()
            optimizer.zero_grad()
            (gaps**2).mean().backward()
            optimizer.step()
    our_model.load_state_dict(start[0])
    optimizer.load_state_dict(start[1])
    optimizer.zero_grad()
    return losses if repeats else losses[:0]


def rate_limit(our_model, x_data, optimizer):
    """La limite du taux, 2 / la plus grande valeur propre de la courbure ; None là où elle ne dit rien.

    Elle vaut pour SGD sans moment et un modèle y = w·x + b : la courbure de la perte est alors 2·X'X/n, où X (n, 2)
    est x suivi d'une colonne de 1, l'entrée du biais.
    """
    group, parameters = optimizer.param_groups[0], list(our_model.parameters())
    if [parameter.numel() for parameter in parameters if parameter.requires_grad] != [1, 1] or len(parameters) != 2:
        return None
    weight, bias = float(parameters[0].detach()), float(parameters[1].detach())
    ends = predict(our_model, torch.tensor([[0.0], [1.0], [2.0]], device=x_data.device))
    plain = torch.optim.SGD(parameters, lr=group["lr"]).defaults  # les réglages d'un SGD simple
    if type(optimizer) is not torch.optim.SGD or any(group[name] != value for name, value in plain.items()):
        return None
    if not np.allclose(ends, [bias, weight + bias, 2 * weight + bias], rtol=1e-5, atol=1e-5):
        return None
    extended = np.column_stack([x_data.cpu().numpy(), np.ones(len(x_data))])  # (n, 2)
    return 2 / np.linalg.eigvalsh(2 * np.dot(extended.T, extended) / len(x_data))[-1]


def wrong_history(loss_history, epochs):
    """Vrai si `train` n'a pas rendu un nombre par époque, et dit ce qu'elle a rendu."""
    problem = ""
    if not isinstance(loss_history, list):
        problem = "train ne rend pas la liste loss_history : relisez sa dernière ligne."
    elif any(torch.is_tensor(loss) for loss in loss_history):
        problem = "loss_history garde des tenseurs, comme dans l'énoncé : gardez plutôt des nombres, à l'étape (4)."
    else:
        n_numbers = sum(isinstance(loss, (numbers.Real, np.ndarray)) for loss in loss_history)
        if n_numbers != epochs:
            fact = f"loss_history a {counted(n_numbers, 'nombre')} pour {counted(epochs, 'époque')}"
            problem = f"{fact} : relisez l'étape (4), le range, un break, l'indentation du return."
    say(problem)
    return bool(problem)


def loop_fault(loss_history, expected):
    """Dit à quelle époque la perte n'est plus celle de la boucle de l'énoncé, `expected` ; "" si elle l'est."""
    for k, loss in enumerate(expected[: len(loss_history)]):
        if not np.isclose(loss_history[k], loss, rtol=1e-3, atol=1e-6 * expected[0], equal_nan=True):
            pair = " au lieu de ".join(apart(loss_history[k], loss))
            steps = "les étapes (4) à (7) et zero_grad" if k else "les étapes (1) à (4)"
            return f"À l'époque {k} la perte n'est pas celle de la boucle de l'énoncé ({pair}) : relisez {steps}."
    return ""


def failure(loss_history, last_loss, expected, optimizer, limit):
    """Dit en une phrase, « un fait : sa cause », pourquoi un apprentissage a échoué ; rend "" sinon.

    `last_loss` est la perte à la fin, `expected` vient de first_losses, `limit` de rate_limit.
    """
    fault = loop_fault(loss_history, expected)
    if fault:
        return fault
    rate, losses, fact = optimizer.param_groups[0]["lr"], [*loss_history, last_loss], ""
    over = [k for k, loss in enumerate(losses) if not loss <= 1000 * losses[0]]
    above = limit is not None and rate > limit
    if over:
        fact = f"La perte explose (× 1000) à l'époque {over[0]}"
        if max(losses[: over[0]]) <= 2 * losses[0] and not np.isfinite(losses[over[0]]):
            fact = f"La perte n'est plus un nombre fini à l'époque {over[0]}, sans avoir grandi avant"
    elif last_loss > (1.01 * min(losses) if above else 2 * losses[0]) + 1e-6:
        fact = "La perte monte"
    if above and fact:
        rate_text, limit_text = apart(rate, limit)
        return f"{fact} : le taux {rate_text} dépasse la limite, {limit_text}."
    return fact and f"{fact} : essayez un taux plus petit que {rate:g}, ou relisez make_optimizer et forward."


def train_checked(our_model, x_data, y_data, optimizer, epochs, draw=None):
    """Appelle `train`, et regarde ce qu'elle a fait : rend loss_history, et le diagnostic, "" si tout va bien.

    Si on ne peut rien en tirer, le dit et rend loss_history vide.
    """
    if not isinstance(optimizer, torch.optim.Optimizer):
        print(f"make_optimizer rend {type(optimizer).__name__}, il faut un optimiseur : relisez son return.")
        return [], ""
    start = copy.deepcopy(our_model.state_dict())
    expected, limit = first_losses(our_model, x_data, y_data, optimizer), rate_limit(our_model, x_data, optimizer)
    loss_history = train(our_model, x_data, y_data, optimizer, torch.nn.MSELoss(), epochs, draw)
    if wrong_history(loss_history, epochs):
        return [], ""
    problem = failure(loss_history, evaluate(our_model, x_data, y_data), expected, optimizer, limit)
    if not problem and all(torch.equal(start[name], value) for name, value in our_model.state_dict().items()):
        problem = "Aucun paramètre n'a changé : l'optimiseur a-t-il ceux de our_model, et un taux assez grand ?"
    return loss_history, problem


SECTIONS = {
    "3.3.2-droite": section_line,
    "3.3.2-non-lineaire": section_network,
    "3.3.2-architecture": section_architecture,
    "3.3.2-optimiseurs": section_optimizers,
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
