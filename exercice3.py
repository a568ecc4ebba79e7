"""Exercice 3 : tenseurs et régression linéaire avec PyTorch (partie 3.3, jusqu'à la figure 8).

Le même neurone que dans exercice1, mais PyTorch calcule le gradient et fait le pas. Lisez d'abord la partie
« La leçon », à côté de celle d'exercice1 : dans `train` les étapes gardent leurs numéros, et l'on voit celles
que PyTorch prend à sa charge. Puis une section par question ; ce qui suit « # Réponse » n'est affiché qu'avec
--corrige.

  python exercice3.py                                          toutes les sections, dans l'ordre de l'énoncé
  python exercice3.py --section 3.3.2 --corrige                la régression, avec les réponses
  python exercice3.py --section 3.3.2-apprentissage --learning-rate 0.5
  torchrun --standalone --nproc-per-node 2 exercice3.py --section 3.3.1-distribue
"""

import argparse
import copy
import inspect
import io
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
import torch
import torch.distributed as dist
from matplotlib.backends import backend_registry
from torch.nn.parallel import DistributedDataParallel

# --- Réglages : changez-les ici, ou par l'option du même nom (--epochs 50) ----------------------------
SEED = 0  # la graine du hasard : la même redonne les mêmes nombres
DEVICE = "auto"  # où calculer : la carte graphique s'il y en a une qui marche, sinon le processeur ("cpu")
N_OBSERVATIONS = 100
NOISE = 0.8  # le bruit est tiré entre 0 et NOISE
LEARNING_RATE = 0.05  # taux d'apprentissage
EPOCHS = 400  # une époque : un passage sur toutes les observations, et un pas

# D'ici à la leçon : de quoi refuser un réglage qui n'a pas de sens. Inutile de le lire.
LIMITS = {  # le plus petit et le plus grand permis ; ou des noms
    "SEED": (0, 4_294_967_295),
    "DEVICE": ("auto", "cpu", "cuda", "cuda:0", "cuda:1", "cuda:2", "cuda:3", "mps", "xpu"),
    "N_OBSERVATIONS": (2, 100_000),
    "NOISE": (0.0, 1000.0),
    "LEARNING_RATE": (1e-9, 1e6),
    "EPOCHS": (1, 100_000),
}


def refused_together():
    """Ce qu'aucune ligne de LIMITS ne peut dire : une phrase, ou None.

    Sous torchrun, le processus 0 parle seul ; les autres ne jouent que la section distribuée.
    """
    if DEVICE != "auto" and DEVICE not in find_devices():
        return (
            f"DEVICE (--device) : il faut un appareil qui marche ici, auto, {', '.join(find_devices())}, pas {DEVICE!r}"
        )
    if dist.is_torchelastic_launched():
        if int(os.environ["WORLD_SIZE"]) > N_OBSERVATIONS:
            return f"{N_OBSERVATIONS} observations ne se partagent pas entre {os.environ['WORLD_SIZE']} processus"
        if int(os.environ["RANK"]) > 0:
            sys.stdout = io.StringIO()
            for name in [name for name in SECTIONS if name != "3.3.1-distribue"]:
                del SECTIONS[name]
    return None


# --- La leçon -----------------------------------------------------------------------------------------
def curve(x):
    """La courbe que suivent les données, au bruit près. Pour la fin de l'énoncé : x**4, et NOISE = 0.1."""
    return np.sin(x) * x**3 + 3 * x


def make_points(rng, n_observations, noise, device):
    """Tire n observations : x entre 0 et 1, y = curve(x) + bruit ; rend les tenseurs x_data et y_data, (n, 1)."""
    x = rng.uniform(0, 1, size=n_observations)  # (n,)
    y = curve(x) + rng.uniform(0, noise, size=n_observations)  # (n,)
    x_data = torch.from_numpy(x.reshape(-1, 1)).float().to(device)  # (n, 1) ; Variable n'est plus utile
    y_data = torch.from_numpy(y.reshape(-1, 1)).float().to(device)  # (n, 1)
    return x_data, y_data


class RegressionModel(torch.nn.Module):
    """Le modèle de l'énoncé : une couche linéaire, y = w1·x + b1. Essayez-en d'autres."""

    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(1, 1)  # w1 et b1, tirés au hasard

    def forward(self, x):
        y_pred = self.linear(x)  # (n, 1) -> (n, 1)
        return y_pred


def make_optimizer(our_model, learning_rate):
    """L'optimiseur de l'énoncé, SGD : la descente de gradient, ici sur toutes les observations à chaque pas."""
    return torch.optim.SGD(our_model.parameters(), lr=learning_rate)


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


def prepare():
    """Choisit l'appareil et tire les données au hasard, d'après la graine ; les poids de départ suivront aussi."""
    x_data, y_data = make_points(np.random.default_rng(SEED), N_OBSERVATIONS, NOISE, choose_device())
    torch.manual_seed(SEED)
    return x_data, y_data


def nearly(gap, scale):
    """Dit un écart : aux arrondis près, s'il est petit devant `scale`."""
    if gap == 0:
        return "exactement"
    return f"aux arrondis près (écart {gap:.0e})" if gap < 1e-4 * scale else f"à {gap:.0e} près"


# --- 3.3.1 : les tenseurs -----------------------------------------------------------------------------
def section_tensors():
    """Les tenseurs

    Question : qu'est-ce qu'un tenseur a de plus qu'un tableau NumPy ?
    À regarder : formes et types, mémoire partagée, trois erreurs que tout le monde fait, gradient.
    """
    x_data, y_data = prepare()
    if wrong_points(x_data, y_data):
        return None
    for tensor in [torch.tensor(3.0), torch.arange(5), torch.zeros(3, 4), torch.ones(2, 3, 4), x_data]:
        print(f"forme {str(tuple(tensor.shape)):<10} type {str(tensor.dtype):<14} appareil {tensor.device}")
    array = np.zeros(3)
    shared, copied = torch.from_numpy(array), torch.tensor(array)
    array[0] = 7
    print(f"array[0] = 7 : from_numpy partage la mémoire {shared.tolist()}, tensor copie {copied.tolist()}")
    try:
        torch.ones(2, 2) @ torch.from_numpy(np.ones((2, 1)))
    except RuntimeError as error:  # NumPy compte en float64, PyTorch en float32 : .float()
        print(f"float32 et float64 (.float()) : {error}")
    try:
        torch.ones(2, requires_grad=True).numpy()
    except RuntimeError as error:
        print(f".numpy() : {error}")
    wrong = torch.ones(5, 1) - torch.ones(5)
    print(f"(5, 1) - (5,) : pas d'erreur, mais une forme {tuple(wrong.shape)} au lieu de (5, 1)")

    weight = torch.zeros(1, device=x_data.device, requires_grad=True)  # torch notera chaque calcul fait avec lui
    bias = torch.zeros(1, device=x_data.device, requires_grad=True)
    deltas = weight * x_data + bias - y_data  # (n, 1)
    loss = (deltas**2).mean()
    loss.backward()  # PyTorch a noté chaque calcul : il les remonte, et remplit .grad
    deltas = deltas.detach()  # les mêmes nombres, sans la mémoire des calculs
    by_hand = float((2 * deltas * x_data).mean()), float((2 * deltas).mean())  # la dérivée de la moyenne des deltas²
    print(f"Gradient de la perte en w = 0, b = 0 : par backward {float(weight.grad):.5g} et {float(bias.grad):.5g}")
    print(f"                                       à la main {by_hand[0]:.5g} et {by_hand[1]:.5g}")

    # Réponse
    gap = max(abs(float(weight.grad) - by_hand[0]), abs(float(bias.grad) - by_hand[1]))
    return (
        "Un appareil et un gradient. Un tenseur peut être sur une carte graphique, ou partagé entre des processus ; "
        "et, avec requires_grad, il se souvient des calculs : `backward` les remonte pour trouver le gradient, le même "
        f"qu'à la main, {nearly(gap, max(map(abs, by_hand)))}."
    )


def shortest_durations(pairs):
    """La plus courte durée (µs), sur neuf tours, du produit de chaque couple de matrices ; un tour de plus, à vide."""
    durations = np.empty((10, len(pairs)))
    for turn in range(10):
        for k, (left, right) in enumerate(pairs):
            start = time.perf_counter()
            left @ right
            if torch.is_tensor(left) and left.device.type != "cpu":
                torch.accelerator.synchronize()  # une carte graphique rend la main avant d'avoir fini
            durations[turn, k] = 1e6 * (time.perf_counter() - start)
    return durations[1:].min(axis=0)


def first_size(sizes, holds):
    """La plus petite taille à partir de laquelle `holds` est vrai jusqu'au bout ; None s'il est faux à la fin."""
    found = None
    for size, true in zip(reversed(sizes), reversed(holds)):
        if not true:
            break
        found = size
    return found


def in_words(duration):
    """Écrit une durée donnée en µs : « 35.5 µs », « 24.6 ms »."""
    return f"{duration:.3g} µs" if duration < 1000 else f"{duration / 1000:.3g} ms"


def speed_answer(sizes, numpy_times, cpu_times, device, device_times):
    """La réponse de la section qui suit ; les durées sont en µs, une par taille (`device_times` : None sans carte)."""
    ends = f"à n = {sizes[-1]}, NumPy met {in_words(numpy_times[-1])}, PyTorch {in_words(cpu_times[-1])}"
    if device_times is None:
        ratios = np.divide(cpu_times, numpy_times)
        equal = first_size(sizes, list((ratios < 1.5) & (ratios > 1 / 1.5)))
        where = "à toutes ces tailles" if equal == sizes[0] else f"à partir de n = {equal}"
        facts = f"NumPy et PyTorch se valent {where}, à 50 % près" if equal else "NumPy et PyTorch diffèrent"
        return f"Ici, pas de carte graphique. Sur le processeur, {facts} ({ends})."
    gain = first_size(sizes, list(np.less(device_times, cpu_times)))
    times = f"à n = {sizes[-1]}, {device} met {in_words(device_times[-1])}, le processeur {in_words(cpu_times[-1])}"
    if gain is None:
        return f"Non, pas à ces tailles : {times}."
    return f"Oui, à partir de n = {gain} : {times}, soit {cpu_times[-1] / device_times[-1]:.2g} fois plus."


def section_speed():
    """Un produit de matrices, sur le processeur et sur la carte graphique (en plus)

    Question : les tenseurs vont-ils plus vite sur une carte graphique ? À partir de quelle taille ?
    À regarder : la durée d'un produit n × n (NumPy et PyTorch prennent les cœurs qu'ils veulent).
    """
    device = choose_device()
    rng, sizes = np.random.default_rng(SEED), [64, 128, 256, 512, 1024]
    matrices = [rng.normal(size=(2, n, n)).astype(np.float32) for n in sizes]  # deux par taille
    tensors = [torch.from_numpy(pair) for pair in matrices]
    # Une bibliothèque après l'autre : leurs fils de calcul se gêneraient.
    names, durations = ["NumPy", "PyTorch (cpu)"], [shortest_durations(matrices), shortest_durations(tensors)]
    if device.type != "cpu":
        names.append(f"PyTorch ({device})")
        durations.append(shortest_durations([pair.to(device) for pair in tensors]))
    for k, n in enumerate(sizes):
        print(f"n = {n:<5}", *[f"{name:>17} {in_words(times[k]):>9}" for name, times in zip(names, durations)])

    fig, ax = plt.subplots(figsize=(10, 6.5), layout="constrained")
    for name, times in zip(names, durations):
        ax.plot(sizes, times, marker="o", linewidth=2, label=name)
    ax.set(title="Un produit de matrices n × n", xlabel="n", ylabel="durée (µs)", xscale="log", yscale="log")
    ax.set_xticks(sizes, sizes)
    ax.minorticks_off()
    ax.legend()

    # Réponse
    return speed_answer(sizes, durations[0], durations[1], device, durations[2] if len(durations) > 2 else None)


def gradient(our_model, x_data, y_data):
    """Le gradient de la perte sur ces observations, tous les paramètres à la suite : (p,)."""
    our_model.zero_grad()
    our_model.eval()
    torch.nn.functional.mse_loss(our_model(x_data), y_data).backward()
    return torch.cat([p.grad.flatten() for p in our_model.parameters() if p.grad is not None])


def share_gradient(our_model, x_data, y_data):
    """Deux parts des données, leurs gradients, leur moyenne ; rend son écart au gradient de toutes, et une échelle."""
    n, cut = len(x_data), max(1, len(x_data) // 3)  # deux parts inégales
    first, second = gradient(our_model, x_data[:cut], y_data[:cut]), gradient(our_model, x_data[cut:], y_data[cut:])
    whole = gradient(our_model, x_data, y_data)
    mean = (cut * first + (n - cut) * second) / n  # chaque part pèse son nombre d'observations
    names = ", ".join(name for name, parameter in our_model.named_parameters() if parameter.grad is not None)
    print(textwrap.shorten(f"Gradient (4 nombres au plus), dans l'ordre : {names}", 100, placeholder="..."))
    parts = [f"part de {cut}", f"part de {n - cut}", "moyenne", "toutes"]
    for name, values in zip(parts, [first, second, mean, whole]):
        print(f"  {name:<16}" + "".join(f"{value:14.6g}" for value in values[:4].tolist()))
    return float(abs(mean - whole).max()), float(abs(whole).max())


def train_together(together, x_data, y_data):
    """Sous torchrun : chaque processus apprend de sa part, et DistributedDataParallel fait la moyenne des gradients.

    Rend l'écart aux paramètres d'un processus seul, et une échelle ; (None, None) si, seul, il échoue.
    """
    rank, n_processes = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    alone = RegressionModel().to(x_data.device)
    alone.load_state_dict(together.state_dict())  # le même départ
    loss_history, problem = train_checked(alone, x_data, y_data, make_optimizer(alone, LEARNING_RATE), EPOCHS)
    if problem or not loss_history:
        say(problem)
        return None, None
    backend, card = "gloo", None
    if x_data.device.type == "cuda" and torch.cuda.device_count() >= int(os.environ["LOCAL_WORLD_SIZE"]):
        backend, card = "nccl", torch.device("cuda", int(os.environ["LOCAL_RANK"]))  # une carte par processus
        torch.cuda.set_device(card)
        together, alone, x_data, y_data = together.to(card), alone.to(card), x_data.to(card), y_data.to(card)
    own_x, own_y = x_data[rank::n_processes], y_data[rank::n_processes]  # la part de ce processus
    gradient(together, own_x, own_y)
    unused = any(p.requires_grad and p.grad is None for p in together.parameters())  # une couche qui ne sert pas

    def weighted_loss(prediction, y):  # la moyenne des gradients pèse ainsi chaque part par sa taille
        return len(own_x) * n_processes / len(x_data) * torch.nn.functional.mse_loss(prediction, y)

    dist.init_process_group(backend, device_id=card)
    shared = DistributedDataParallel(together, find_unused_parameters=unused)
    train(shared, own_x, own_y, make_optimizer(shared, LEARNING_RATE), weighted_loss, EPOCHS)
    dist.barrier()
    del shared  # avant de fermer le groupe : détruit après lui, il attend parfois pour toujours
    dist.destroy_process_group()
    print(f"{n_processes} processus, {counted(len(own_x), 'observation')} pour celui-ci")
    found, other = together.state_dict(), alone.state_dict()
    for name in list(found)[:8]:
        print(f"  {name} : ensemble {float(found[name].flatten()[0]):.6f}, seul {float(other[name].flatten()[0]):.6f}")
    print(f"Perte après {counted(EPOCHS, 'époque')} : {evaluate(together, x_data, y_data):.6f}")
    gaps = [float(abs(found[name] - other[name]).max()) for name in found]
    return max(gaps), max(float(abs(values).max()) for values in other.values())


def section_distributed():
    """Le calcul distribué (en plus)

    Question : comment plusieurs processus apprennent-ils ensemble un seul modèle ?
    À regarder : le gradient de chaque part, et leur moyenne ; sous torchrun, ce qui est appris.
    À taper : torchrun --standalone --nproc-per-node 2 exercice3.py --section 3.3.1-distribue
    """
    x_data, y_data = prepare()
    our_model = RegressionModel().to(x_data.device)
    if unfit(our_model, x_data, y_data):
        return None
    launched = dist.is_torchelastic_launched()  # par torchrun
    gap, scale = (train_together if launched else share_gradient)(our_model, x_data, y_data)

    # Réponse
    if gap is None:
        return "Rien à partager : déjà, un processus seul n'y arrive pas."
    if not gap <= 1e-3 * scale:
        return f"Ce modèle ne se partage pas ainsi : l'écart est de {gap:.1g}. Celui d'origine, si, aux arrondis près."
    if launched:
        return f"À plusieurs, chacun sur sa part, ils ont obtenu les paramètres d'un seul, {nearly(gap, scale)}."
    return (
        "Chacun calcule le gradient de sa part, et ils en font la moyenne, où chaque part compte pour son nombre "
        f"d'observations : c'est le gradient de toutes les données, {nearly(gap, scale)}. Tous font alors le même pas, "
        "et gardent les mêmes paramètres."
    )


# --- 3.3.2 : la régression linéaire -------------------------------------------------------------------
def section_points():
    """Les données de la régression

    Question : une droite peut-elle suivre ces points (figure 5) ?
    À regarder : la forme des tenseurs, puis celle du nuage.
    """
    x_data, y_data = prepare()
    if wrong_points(x_data, y_data):
        return None
    print(f"x_data : {tuple(x_data.shape)} {x_data.dtype}   y_data : {tuple(y_data.shape)} {y_data.dtype}")
    for x, y in zip(x_data[:5].flatten().tolist(), y_data[:5].flatten().tolist()):
        print(f"  x = {x:.4f}   y = {y:.4f}")
    print_criterion(x_data, y_data)
    fig, ax = plt.subplots(figsize=(10, 6.5), layout="constrained")
    draw_points(ax, x_data, y_data)
    ax.set_title("Les données d'apprentissage (figure 5)")

    # Réponse
    answer = verdict(fit_polynomial(x_data, y_data, 1)[1], satisfying_loss(x_data, y_data))
    return f"{answer.capitalize()}, avec la meilleure droite, celle dont la perte est la plus petite."


def print_values(our_model, words):
    """Affiche les deux premiers paramètres de `our_model`, comme l'énoncé ; `words` dit quand."""
    print(f"{words} :")
    for name, parameter in list(our_model.named_parameters())[:2]:
        values = [f"{value:.4g}" if abs(value) < 1e15 else "explose" for value in parameter.detach().flatten().tolist()]
        print(f"  {name:.30} {tuple(parameter.shape)} : {', '.join(values[:5])}" + (", ..." if len(values) > 5 else ""))


def line_answer(learned, line):
    """Compare la droite apprise à la meilleure ; rien si le modèle n'est pas une droite."""
    if not is_straight(learned):
        return ""
    return (
        f" La droite apprise : w1 = {learned[-1] - learned[0]:.3g}, b1 = {learned[0]:.3g} ; la meilleure, celle dont "
        f"la perte est la plus petite : {line[0]:.3g} et {line[1]:.3g}."
    )


def section_training():
    """L'apprentissage

    Question : la régression est-elle satisfaisante à la figure 6 ? Et à la figure 7 ?
    À regarder : à gauche l'époque 50, à droite la dernière ; comparez leurs pertes au critère affiché.
    """
    x_data, y_data = prepare()
    our_model = RegressionModel().to(x_data.device)
    if unfit(our_model, x_data, y_data):
        return None
    print("\n".join(str(our_model).splitlines()[:7]))
    print_values(our_model, "Avant l'apprentissage")
    line, grid = fit_polynomial(x_data, y_data, 1)[0], make_grid(x_data.device)
    fig, panels = plt.subplots(1, 2, figsize=(13, 6.5), layout="constrained")
    curves = [draw_start(ax, x_data, y_data, line, "meilleure droite") for ax in panels]

    def draw(epoch, loss):
        shown = [0, 1] if epoch <= 50 else [1]  # la figure 6 s'arrête à l'époque 50
        for k in shown:
            curves[k].set_ydata(predict(our_model, grid))
            panels[k].set_title(f"Figure {6 + k}, {epoch_words(epoch, loss)}")
        if live(fig):
            plt.pause(0.01)

    optimizer = make_optimizer(our_model, LEARNING_RATE)
    loss_history, problem = train_checked(our_model, x_data, y_data, optimizer, EPOCHS, draw)
    if not loss_history:
        return None
    loss = evaluate(our_model, x_data, y_data)
    draw(EPOCHS, loss)
    print_values(our_model, f"Après {counted(EPOCHS, 'époque')}")
    print_criterion(x_data, y_data)
    say(problem)

    # Réponse
    if problem:
        return f"Rien à conclure. {problem}"
    limit, early = satisfying_loss(x_data, y_data), min(50, EPOCHS)
    early_loss = [*loss_history, loss][early]
    answer = f"Figure 6, après {counted(early, 'époque')} : {verdict(early_loss, limit)}. "
    answer += f"Figure 7, après {counted(EPOCHS, 'époque')} : {verdict(loss, limit)}."
    return answer + line_answer(predict(our_model, grid), line)


def find_break(squares, variances):
    """L'époque de la cassure : la première où (moyenne des écarts)² fait au plus 5 % de leur variance ; ou None."""
    for epoch, (square, variance) in enumerate(zip(squares, variances)):
        if square <= 0.05 * variance:
            return epoch
    return None


def phases_answer(loss_history, squares, variances, straight):
    """La réponse de la section qui suit : deux temps, séparés par la cassure, si la perte les a.

    `straight` : le modèle est une droite ; la variance des écarts ne dépend alors que de sa pente.
    """
    first, last, end = loss_history[0], loss_history[-1], len(loss_history) - 1
    if end == 0:
        return f"Une seule mesure, {first:.3g}, avant le premier pas : il faut au moins deux époques."
    if last > 0.99 * first:
        return f"La perte n'a pas diminué, ou presque pas : {first:.3g} au départ, {last:.3g} à la fin."
    answer = f"La perte passe de {first:.3g} à {last:.3g} en {counted(end, 'époque')}."
    k = find_break(squares, variances)
    if not k or k >= end or not np.allclose(np.add(squares, variances), loss_history, rtol=1e-3):
        return answer
    middle, stays = loss_history[k], max(np.divide(squares[k:], variances[k:]))
    if not (first - middle) / k > 5 * (middle - last) / (end - k) or squares[0] < variances[0]:
        return answer
    if stays > 0.1 or variances[-1] > 0.95 * variances[k]:
        return answer
    part = "leur variance, que seule la pente change" if straight else "leur variance"
    return (
        f"Vite, puis lentement ; la cassure, le coude de la courbe, est vers l'époque {k} (l'énoncé dit 50). D'abord "
        f"la moyenne des écarts s'annule : son carré passe de {squares[0]:.3g} à {squares[k]:.2g}, et la perte de "
        f"{first:.3g} à {middle:.3g}. Ensuite il reste {part} : de {variances[k]:.3g} à {variances[-1]:.3g} en "
        f"{counted(end - k, 'époque')}."
    )


def rehearse(our_model, x_data, y_data):
    """Joue `train` sur cinq époques, avec une copie du modèle ; rend le diagnostic, None s'il n'y a rien à en tirer."""
    twin = RegressionModel().to(x_data.device)
    twin.load_state_dict(our_model.state_dict())
    loss_history, problem = train_checked(twin, x_data, y_data, make_optimizer(twin, LEARNING_RATE), min(5, EPOCHS))
    return problem if loss_history else None


def measure_epochs(our_model, x_data, y_data, optimizer):
    """Entraîne une époque à la fois, et mesure entre deux ; rend loss_history et les deux parts de la perte.

    Ces parts sont (moyenne des écarts)² et la variance des écarts, une liste chacune.
    """
    loss_history, squares, variances = [], [], []
    for _ in range(EPOCHS):
        gaps = measure_gaps(our_model, x_data, y_data)  # (n,)
        squares.append(float(gaps.mean() ** 2))
        variances.append(float(gaps.var()))
        loss_history += train(our_model, x_data, y_data, optimizer, torch.nn.MSELoss(), 1)
    return loss_history, squares, variances


def print_parts(loss_history, squares, variances):
    """Affiche la perte et ses deux parts à quelques époques, tant qu'elle n'explose pas."""
    print("époque      perte    (moyenne des écarts)²    variance des écarts")
    for epoch in sorted({0, 10, 20, 50, 100, len(loss_history) - 1}):
        if epoch < len(loss_history) and loss_history[epoch] <= 1000 * loss_history[0]:
            print(f"{epoch:6d} {loss_history[epoch]:10.4g} {squares[epoch]:24.4g} {variances[epoch]:22.4g}")


def draw_break(panels, epoch):
    """Marque la cassure, s'il y en a une, et met les légendes."""
    for ax in panels:
        if epoch is not None:
            ax.axvline(epoch, color="black", linestyle=":", linewidth=1, label=f"cassure, époque {epoch}")
        ax.legend()


def section_history():
    """La perte à chaque époque

    Question : comment l'erreur diminue-t-elle au fil des époques (figure 8) ? Pourquoi ?
    À regarder : le coude ; à droite, les deux parts de la perte (creux : la moyenne change de signe).
    """
    x_data, y_data = prepare()
    our_model = RegressionModel().to(x_data.device)
    if unfit(our_model, x_data, y_data):
        return None
    problem = rehearse(our_model, x_data, y_data)
    if problem is None:
        return None
    optimizer = make_optimizer(our_model, LEARNING_RATE)
    expected, limit = first_losses(our_model, x_data, y_data, optimizer), rate_limit(our_model, x_data, optimizer)
    loss_history, squares, variances = measure_epochs(our_model, x_data, y_data, optimizer)
    problem = failure(loss_history, evaluate(our_model, x_data, y_data), expected, optimizer, limit) or problem
    print_parts(loss_history, squares, variances)
    print_criterion(x_data, y_data)
    say(problem)

    _, (left, right) = plt.subplots(1, 2, figsize=(13, 6.5), layout="constrained")
    right.plot(squares, linewidth=2, label="(moyenne des écarts)²")
    right.plot(variances, linewidth=2, label="variance des écarts")
    right.set(title="Ses deux parts", xlabel="époque", ylabel="part de la perte (échelle log)", yscale="log")
    plt.sca(left)
    # CORRIGÉ : tracez la perte, loss_history, à gauche | left, loss_history
    left.plot(loss_history, "o-", markerfacecolor="w", linewidth=1, label="perte")
    # FIN DU CORRIGÉ
    left.axhline(satisfying_loss(x_data, y_data), color="black", linewidth=1, label="satisfaisante sous cette ligne")
    left.set(title="La perte (figure 8)", xlabel="époque", ylabel="perte", yscale="log" if problem else "linear")
    draw_break([left, right], find_break(squares, variances))

    # Réponse
    if problem:
        return f"Rien à conclure. {problem}"
    straight = is_straight(predict(our_model, make_grid(x_data.device)))
    return phases_answer(loss_history, squares, variances, straight)


# Les outils des sections 3.3.2, à lire plus tard : d'abord les mesures.
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
    "3.3.1-tenseurs": section_tensors,
    "3.3.1-calcul": section_speed,
    "3.3.1-distribue": section_distributed,
    "3.3.2-donnees": section_points,
    "3.3.2-apprentissage": section_training,
    "3.3.2-perte": section_history,
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
