"""Exercice 3 : tenseurs et régression linéaire avec PyTorch (partie 3.3, jusqu'à la figure 8).

Le même neurone que dans exercice1, mais PyTorch calcule le gradient et fait le pas. Posez les deux fichiers
côte à côte : dans `train`, les étapes gardent leurs numéros, et l'on voit celles que PyTorch prend à sa charge.

  python exercice3.py                                          toutes les sections, dans l'ordre de l'énoncé
  python exercice3.py --section 3.3.2 --corrige                la régression, avec les réponses
  python exercice3.py --section 3.3.2-apprentissage --learning-rate 0.5
  python exercice3.py --device cpu                             ne pas employer la carte graphique
  torchrun --standalone --nproc-per-node 2 exercice3.py --section 3.3.1-distribue
"""

import argparse
import inspect
import math
import os
import shlex
import sys
import tempfile
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.distributed as dist
from matplotlib.backends import backend_registry
from torch.nn.parallel import DistributedDataParallel

NOISE = 0.8  # le bruit est uniforme dans [0, NOISE]


# --- Calcul -------------------------------------------------------------------------------------------
def find_devices():
    """Noms des appareils qui calculent vraiment ici : "cpu", puis l'accélérateur s'il y en a un."""
    names = ["cpu"]
    if torch.accelerator.is_available():
        kind = torch.accelerator.current_accelerator().type  # cuda, mps, xpu...
        names += [kind] + [f"{kind}:{index}" for index in range(torch.accelerator.device_count())]
    return [name for name in names if works(name)]


def works(name):
    """Essaie un tout petit calcul sur l'appareil `name`."""
    try:
        return (torch.ones(2, device=name) + 1).sum().item() == 4
    except (AssertionError, RuntimeError, NotImplementedError):
        return False


def choose_device(name):
    """L'appareil demandé ; "auto" prend l'accélérateur s'il y en a un, sinon le processeur."""
    return torch.device((find_devices() + ["cpu"])[1] if name == "auto" else name)


def curve(x):
    """La courbe de l'énoncé, sans le bruit : sin(x)·x³ + 3x."""
    return np.sin(x) * x**3 + 3 * x


def make_data(rng, n_observations, device):
    """Tire x dans [0, 1] et y = curve(x) + bruit ; deux tenseurs float32 (n, 1) sur `device`.

    Le tirage se fait toujours sur le processeur : une graine donne partout les mêmes nombres.
    """
    x = rng.uniform(0, 1, size=(n_observations, 1))
    y = curve(x) + rng.uniform(0, NOISE, size=(n_observations, 1))
    return tuple(torch.as_tensor(values, dtype=torch.float32).to(device) for values in (x, y))


class RegressionModel(torch.nn.Module):
    """Le modèle de l'énoncé : une seule couche linéaire, y = w1·x + b1, sans activation."""

    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(1, 1)  # linear.weight (1, 1) est w1, linear.bias (1,) est b1

    def forward(self, x):
        return self.linear(x)  # (n, 1) -> (n, 1)


def make_model(seed, device):
    """Le modèle, initialisé sur le processeur par `seed`, puis envoyé sur `device` : partout les mêmes nombres."""
    torch.manual_seed(seed)
    return RegressionModel().to(device)


def make_optimizer(model, learning_rate):
    """La descente de gradient. Passé 1e30, float32 déborde : le premier pas explose de toute façon."""
    return torch.optim.SGD(model.parameters(), lr=min(learning_rate, 1e30))


def train(model, x, y, optimizer, loss_func, n_epochs, on_epoch=None, read_loss=torch.Tensor.item):
    """Entraîne `model` sur x (n, 1) et y (n, 1), et rend `loss_history`, une perte par époque.

    `on_epoch(epoch, prediction, loss)` est appelée à chaque époque, avant le pas : de quoi dessiner. Si la
    perte explose (plus de mille fois celle d'un modèle qui répond 0), la boucle s'arrête.
    """
    explosion = 1000 * read_loss(loss_func(torch.zeros_like(y), y))
    loss_history = []
    for epoch in range(n_epochs):
        prediction = model(x)  # (1) propager les entrées vers la sortie : (n, 1)
        loss = loss_func(prediction, y)  # (2) (3) écarts aux cibles, puis perte
        value = read_loss(loss)
        if not value < explosion:  # vrai aussi pour une perte infinie ou NaN
            break
        loss_history.append(value)  # (4) garder la perte : le nombre, pas le tenseur
        optimizer.zero_grad()
        loss.backward()  # (5) le gradient, que PyTorch calcule seul
        if on_epoch is not None:
            on_epoch(epoch, prediction, value)
        optimizer.step()  # (6) (7) un pas sur tous les paramètres
    return loss_history


def as_column(model):
    """Les paramètres du modèle en un tableau NumPy float64 (2, 1) : le poids, puis le biais."""
    return np.array([[parameter.item()] for parameter in model.parameters()])


def least_squares(x, y):
    """Le fond de la cuvette, comme dans exercice1 : `solution` (2, 1), perte `floor`, courbure `hessian` (2, 2).

    MSELoss n'a pas le /2 de l'énoncé : la courbure est 2·X'X/n, où X est x suivi d'une colonne de 1.
    """
    x, y = (tensor.cpu().numpy().astype(float) for tensor in (x, y))
    extended = np.column_stack([x, np.ones(len(x))])  # (n, 2)
    solution = np.linalg.lstsq(extended, y, rcond=None)[0]
    return solution, np.mean((extended @ solution - y) ** 2), 2 * extended.T @ extended / len(x)


def largest_stable_rate(bowl):
    """Taux à partir duquel l'écart grandit sur l'axe le plus courbé : 2 / plus grande valeur propre."""
    return 2 / np.linalg.eigvalsh(bowl[2])[-1]


@np.errstate(over="ignore", invalid="ignore")  # un taux énorme donne inf
def predict_parts(start, learning_rate, epochs, bowl):
    """Excès de perte sur le fond que la théorie prédit après chacun des nombres d'`epochs`, à partir de `start` (2, 1).

    Rend `parts` (2, k), une ligne par axe propre de la cuvette, du plus plat au plus raide, et `keeps` (2,), ce
    qu'une époque laisse de chaque part : l'écart au fond y est multiplié par 1 - learning_rate·courbure, et
    l'excès par le carré de ce facteur, exactement.
    """
    solution, _, hessian = bowl
    curvatures, axes = np.linalg.eigh(hessian)
    shares = curvatures * (axes.T @ (start - solution)).ravel() ** 2 / 2  # (2,) au départ
    keeps = (1 - learning_rate * curvatures) ** 2  # (2,)
    return shares[:, None] * keeps[:, None] ** np.asarray(epochs), keeps


def predict_losses(start, learning_rate, epochs, bowl):
    """Pertes (k,) que la théorie prédit : le fond, plus l'excès sur chacun des deux axes."""
    return bowl[1] + predict_parts(start, learning_rate, epochs, bowl)[0].sum(axis=0)


def make_neuron(rng, n_observations):
    """Des données et un départ comme ceux d'exercice1, en float32 : `inputs`, `targets`, `weights`, `bias`."""
    inputs = rng.uniform(-10, 10, size=(n_observations, 2))  # (n, 2)
    targets = inputs @ [[3.0], [-4.0]] + 5 + rng.uniform(-0.1, 0.1, size=(n_observations, 1))  # (n, 1)
    weights, bias = rng.uniform(-0.2, 0.2, size=(2, 1)), rng.uniform(-0.2, 0.2, size=1)  # (2, 1) et (1,)
    return tuple(values.astype(np.float32) for values in (inputs, targets, weights, bias))


def gradient_by_hand(inputs, targets, weights, bias):
    """La perte d'exercice1 (avec son /2) et son gradient, en NumPy : (d, 1) pour les poids, (1,) pour le biais."""
    n_observations = len(inputs)
    outputs = np.dot(inputs, weights) + bias  # (1) propager les entrées vers la sortie : (n, 1)
    deltas = outputs - targets  # (2) écarts aux cibles : (n, 1)
    loss = np.sum(deltas**2) / 2 / n_observations  # (3) perte : leurs carrés, en moyenne, sur 2
    grad_weights = np.dot(inputs.T, deltas) / n_observations  # (5) chaque écart compte pour 1/n : (d, 1)
    grad_bias = np.sum(deltas, axis=0) / n_observations  # l'entrée du biais vaut toujours 1 : (1,)
    return loss, grad_weights, grad_bias


def gradient_by_autograd(inputs, targets, weights, bias):
    """Les mêmes par PyTorch : on n'écrit que la perte ; `backward` remonte les calculs et remplit `.grad`."""
    inputs, targets = torch.as_tensor(inputs), torch.as_tensor(targets)
    weights, bias = (torch.tensor(values, requires_grad=True) for values in (weights, bias))
    outputs = inputs @ weights + bias  # (1)
    deltas = outputs - targets  # (2)
    loss = (deltas**2).sum() / 2 / len(inputs)  # (3)
    loss.backward()  # (5)
    return loss.item(), weights.grad.numpy(), bias.grad.numpy()


def shortest_duration(call, device, budget=0.05):
    """Durée (s) du plus court de plusieurs appels à `call()`, le premier mis à part.

    Le plus court : le reste de la machine ne peut que ralentir un appel. Au moins 10 appels, et d'autres pendant
    `budget` secondes. Un accélérateur rend la main avant d'avoir fini : on l'attend.
    """
    durations, end = [], time.perf_counter() + budget
    while len(durations) < 11 or time.perf_counter() < end:
        started = time.perf_counter()
        call()
        if device.type != "cpu":
            torch.accelerator.synchronize(device)
        durations.append(time.perf_counter() - started)
    return min(durations[1:])


def in_epochs(count):
    """« 1 époque », « 50 époques »."""
    return f"{count} époque{'s' if count > 1 else ''}"


# --- Dessin -------------------------------------------------------------------------------------------
def draw_points(ax, x, y, title):
    """Le nuage des observations, figure 5 de l'énoncé."""
    ax.plot(x, y, "o", color="tab:blue", alpha=0.6, label="observations")
    ax.set(title=title, xlabel="x", ylabel="y")


def draw_regression(ax, x, y, bowl):
    """Le nuage, la droite des moindres carrés en trait fin, et une droite à bouger : rend celle-ci."""
    draw_points(ax, x, y, "La droite que le réseau apprend")
    ax.text(0.03, 0.93, "", transform=ax.transAxes, color="tab:red")  # que `move_line` remplit
    ends = np.array([0.0, 1.0])
    ax.plot(ends, bowl[0][0] * ends + bowl[0][1], "k-", linewidth=0.8, label="moindres carrés")
    (line,) = ax.plot([], [], "--", color="tab:red", linewidth=3, label="réseau")
    ax.set(xlim=(-0.03, 1.03), ylim=(min(y.min(), 0) - 0.2, y.max() + 0.2))
    ax.legend(loc="lower right")
    return line


def move_line(line, x, prediction, epoch, loss):
    """Met la droite sur les prédictions du moment, et dit où l'on en est ; ne touche à rien d'autre."""
    line.set_data(x, prediction)
    line.axes.texts[0].set_text(f"après {in_epochs(epoch)} : perte = {loss:.4g}")


def repaint(fig):
    """Repeint l'intérieur des axes, sans graduations ni titres, qui coûtent le plus ; laisse vivre la fenêtre."""
    for ax in fig.axes:
        ax.redraw_in_frame()
    fig.canvas.blit(fig.bbox)
    fig.canvas.start_event_loop(0.01)


def draw_losses(ax, loss_history, predicted, floor):
    """La perte à chaque époque (figure 8), la théorie en pointillé, les moindres carrés en trait fin."""
    style = "o-" if len(loss_history) < 20 else "-"  # un trait ne montre pas un point seul
    ax.plot(loss_history, style, linewidth=6, alpha=0.5, label="mesurée")
    ax.plot(predicted, "k:", linewidth=2, label="théorie")
    ax.axhline(floor, color="black", linewidth=0.8, label="moindres carrés")
    ax.set(title="La perte à chaque époque", xlabel="époque", ylabel="perte (échelle log)", yscale="log")
    ax.legend()


def draw_excess(ax, excess, parts):
    """L'excès de perte sur le fond et ses deux parts, une par axe de la cuvette ; `parts` : nom -> (k,)."""
    ax.plot(excess, "o-" if len(excess) < 20 else "-", linewidth=6, alpha=0.5, label="excès mesuré")
    for style, (name, values) in zip(["--", "-."], parts.items()):
        ax.plot(values, style, linewidth=2, label=name)
    ax.set(title="Deux axes, deux vitesses", xlabel="époque", ylabel="perte - fond (échelle log)", yscale="log")
    lowest = max(np.min(excess), 1e-6 * np.max(excess))  # au-dessous, l'arrondi de float32 décide
    ax.set_ylim(lowest / 10, 3 * np.max(excess))
    ax.legend()


def draw_products(ax, sizes, durations):
    """Durée d'un produit de matrices (s) selon leur taille, en log-log ; `durations` : nom -> (k,)."""
    for style, (name, values) in zip(["o-", "s--", "D-."], durations.items()):
        ax.plot(sizes, values, style, linewidth=2, markersize=8, label=name)
    cubes = durations["NumPy"][-1] * (np.array(sizes) / sizes[-1]) ** 3
    ax.plot(sizes, cubes, "k-", linewidth=0.8, label="théorie : pente n³")
    ax.set(title="Un produit de matrices n × n", xlabel="n (échelle log)", ylabel="durée (s, échelle log)")
    ax.set(xscale="log", yscale="log")
    ax.set_xticks(sizes, sizes)
    ax.minorticks_off()
    ax.legend()


def draw_gradients(ax, by_hand, by_autograd):
    """Les deux gradients côte à côte, une paire de barres par paramètre."""
    positions = np.arange(len(by_hand))
    ax.bar(positions - 0.2, by_hand, width=0.4, hatch="//", color="tab:orange", label="à la main (NumPy)")
    ax.bar(positions + 0.2, by_autograd, width=0.4, color="tab:blue", label="autograd (PyTorch)")
    ax.axhline(0, color="black", linewidth=0.8)
    ax.set_xticks(positions, ["w1", "w2", "b"])
    ax.set(title="Le gradient du neurone d'exercice1", xlabel="paramètre", ylabel="dérivée de la perte")
    ax.legend()


def draw_shares(ax, shares, line, alone):
    """Les observations de chaque processus, la droite apprise ensemble et celle d'un processus seul."""
    for rank, (x, y) in enumerate(shares):
        ax.plot(x, y, "osD^v<>P"[rank % 8], alpha=0.7, label=f"processus {rank}")
    ends = np.array([0.0, 1.0])
    ax.plot(ends, line[0] * ends + line[1], "r--", linewidth=3, label="appris ensemble")
    ax.plot(ends, alone[0] * ends + alone[1], "k-", linewidth=1, label="appris seul")
    ys = np.concatenate([y for _, y in shares])
    ax.set(title="Les observations partagées entre processus", xlabel="x", ylabel="y")
    ax.set_ylim(min(ys.min(), 0) - 0.2, ys.max() + 0.2)
    ax.legend()


# --- Sections -----------------------------------------------------------------------------------------
def early_epoch(args):
    """L'époque de la figure 6 : 50, ou la moitié du chemin s'il est plus court."""
    return 50 if args.epochs > 50 else args.epochs // 2


def setup(args):
    """Données, modèle et optimiseur tirés de `args.seed`, sur l'appareil choisi ; dit lequel."""
    device = choose_device(args.device)
    print(f"Appareil : {device} (disponibles : {', '.join(find_devices())})")
    x, y = make_data(np.random.default_rng(args.seed), args.n_observations, device)
    our_model = make_model(args.seed, device)
    optimizer = make_optimizer(our_model, args.learning_rate)
    return device, x, y, our_model, optimizer


def rate_warning(args, loss_history, bowl):
    """Ce qu'il faut dire d'un taux trop grand ; vide si le taux est stable."""
    limit = (
        f"Le plus grand taux stable est {largest_stable_rate(bowl):.4f} :\n2 / la plus grande valeur propre de 2·X'X/n."
    )
    if len(loss_history) < args.epochs:
        return f"La perte a explosé à l'époque {len(loss_history)}, au taux {args.learning_rate:g}. {limit}"
    if args.learning_rate > largest_stable_rate(bowl):
        return f"Au taux {args.learning_rate:g}, la perte finit par grandir. {limit}"
    return ""


def first_line(call):
    """Ce que dit Python quand `call()` échoue : le nom de l'erreur et le début de son message."""
    try:
        call()
    except (RuntimeError, TypeError) as error:
        return f"{type(error).__name__} : {str(error).splitlines()[0]}"
    return "aucune erreur"


def section_tensors(args):
    """Les tenseurs

    Un tenseur est un tableau à n dimensions, comme ceux de NumPy, qui sait en plus vivre sur une carte
    graphique et retenir d'où il vient pour qu'on le dérive.
    À regarder : forme, type, appareil, mémoire ; qui partage sa mémoire avec qui ; et ce que disent les
    erreurs que tout le monde fait.
    """
    device = choose_device(args.device)
    print(f"Appareil : {device} (disponibles : {', '.join(find_devices())})\n")
    print("tenseur      dimensions   forme         type            appareil   mémoire (octets)")
    tensors = {
        "scalaire": torch.tensor(3.0),
        "vecteur": torch.arange(5),
        "matrice": torch.zeros(3, 4),
        "3 dimensions": torch.ones(2, 3, 4),
    }
    for name, tensor in tensors.items():
        tensor = tensor.to(device)
        memory = tensor.numel() * tensor.element_size()
        print(
            f"{name:<12} {tensor.dim():10d}   {str(tuple(tensor.shape)):<13} {str(tensor.dtype):<15} "
            f"{str(tensor.device):<10} {memory} = {tensor.numel()} × {tensor.element_size()}"
        )

    array = np.zeros(3)
    shared, copied = torch.from_numpy(array), torch.tensor(array)
    array[0] = 7
    print("\nOn change le tableau NumPy : array[0] = 7")
    print(f"  torch.from_numpy(array) le voit, la mémoire est partagée : {shared.tolist()}")
    print(f"  torch.tensor(array) ne le voit pas, c'est une copie     : {copied.tolist()}")
    shared.numpy()[1] = 9
    print(f"  tenseur.numpy() partage aussi, sur le processeur        : {array.tolist()}")

    weights = torch.ones(2, 1, requires_grad=True)
    print("\nLes erreurs que tout le monde fait :")
    mixed = first_line(lambda: torch.ones(2, 2) @ torch.from_numpy(np.ones((2, 1))))
    print(f"  types différents : {mixed}")
    print("    NumPy compte en float64, PyTorch en float32 : torch.as_tensor(array, dtype=torch.float32)")
    print(f"  .numpy() sur un tenseur à gradient : {first_line(lambda: weights.numpy())}")
    print("    le détacher d'abord : tenseur.detach().numpy()")
    wrong = torch.ones(5, 1) - torch.ones(5)
    print(f"  (5, 1) moins (5,) ne donne aucune erreur, mais la forme {tuple(wrong.shape)} : gardez partout (n, 1)")

    neuron = make_neuron(np.random.default_rng(args.seed), 1000)
    by_hand, by_autograd = gradient_by_hand(*neuron), gradient_by_autograd(*neuron)
    by_hand, by_autograd = (np.concatenate([np.ravel(part) for part in parts]) for parts in (by_hand, by_autograd))
    gap = np.max(np.abs(by_hand - by_autograd)) / np.max(np.abs(by_hand))
    limit = len(neuron[0]) * np.finfo(np.float32).eps  # ce qu'une somme de n nombres en float32 peut perdre
    result = torch.tensor(neuron[2], requires_grad=True) * 2
    print("\nrequires_grad=True sur les poids : PyTorch note chaque opération faite avec eux.")
    print(f"  weights * 2 : requires_grad = {result.requires_grad}, grad_fn = {result.grad_fn.name()}")
    print("La perte du neurone d'exercice1 et son gradient, sur les mêmes 1000 observations en float32 :")
    for name, hand, auto in zip(("perte", "w1", "w2", "b"), by_hand, by_autograd):
        print(f"  {name:<5} à la main {hand:11.4f}   par autograd {auto:11.4f}")
    print(f"Plus grand écart, rapporté au plus grand nombre : {gap:.0e}. Une somme de 1000 nombres en float32 peut")
    print(f"perdre 1000 fois l'arrondi, soit {limit:.0e}.")
    fig, ax = plt.subplots(figsize=(10, 6), layout="constrained")
    draw_gradients(ax, by_hand[1:], by_autograd[1:])
    show(fig, args)
    return (
        "Un tenseur a une forme, un type et un appareil ; sa mémoire est son nombre d'éléments fois leur taille.\n"
        f"backward() retrouve le gradient écrit à la main, à {gap:.0e} près ; l'arrondi en permettrait {limit:.0e}."
    )


def section_speed(args):
    """Un produit de matrices, de NumPy à l'accélérateur

    L'énoncé dit que les tenseurs vont plus vite sur une carte graphique. Combien, et à partir de quelle taille ?
    À regarder : le coût en n³ d'un produit n × n ; et, pour les points de cet exercice, lequel gagne. Chaque
    appareil a déjà ses matrices (on ne compte pas leur voyage) et fait un premier appel qu'on ne compte pas.
    """
    device, cpu = choose_device(args.device), torch.device("cpu")
    print(f"Appareil : {device} (disponibles : {', '.join(find_devices())})")
    rng = np.random.default_rng(args.seed)
    sizes = [16, 32, 64, 128, 256, 512, 1024]
    places = {"PyTorch (cpu)": cpu} if device == cpu else {"PyTorch (cpu)": cpu, f"PyTorch ({device})": device}
    durations, gaps = {name: [] for name in ["NumPy", *places]}, []
    print("     n" + "".join(f"{name:>18}" for name in durations) + "   (durée en µs)")
    for n in sizes:
        left, right = rng.normal(size=(2, n, n)).astype(np.float32)
        durations["NumPy"].append(shortest_duration(lambda: left @ right, cpu))
        for name, place in places.items():
            a, b = torch.from_numpy(left).to(place), torch.from_numpy(right).to(place)
            durations[name].append(shortest_duration(lambda: a @ b, place))
            gaps.append(np.max(np.abs((a @ b).cpu().numpy() - left @ right)) / np.max(np.abs(left @ right)))
        print(f"{n:6d}" + "".join(f"{1e6 * values[-1]:18.1f}" for values in durations.values()) + "   (durée)")
    powers = ", ".join(f"{name} 2^{math.log2(values[-1] / values[-2]):.1f}" for name, values in durations.items())
    print(f"Doubler n, c'est 2^3 = 8 fois plus de multiplications. Sur la durée, de 512 à 1024 : {powers}")
    limit = sizes[-1] * np.finfo(np.float32).eps
    verdict = "oui" if max(gaps) < limit else "NON"
    print(f"Tous donnent le même produit, à l'arrondi de float32 près (n × 1.2e-07 = {limit:.0e}) : {verdict}.")

    x, y = make_data(rng, args.n_observations, cpu)
    epochs = []
    for name, place in places.items():
        model = make_model(args.seed, place)
        some = x.to(place), y.to(place), make_optimizer(model, 0.01), torch.nn.MSELoss(), 20
        epochs.append(shortest_duration(lambda: train(model, *some), place) / 20)
        print(f"Une époque de l'exercice ({args.n_observations} points), durée : {name} {1e6 * epochs[-1]:.0f} µs")
    fig, ax = plt.subplots(figsize=(10, 6.5), layout="constrained")
    draw_products(ax, sizes, durations)
    show(fig, args)
    on_cpu, *others = (durations[name] for name in places)
    if not others:
        return (
            f"À n = 1024, rapport des durées PyTorch / NumPy : {on_cpu[-1] / durations['NumPy'][-1]:.1f}.\n"
            "Pas d'accélérateur ici : avec lui, une colonne et une courbe de plus diraient à partir de quelle taille\n"
            "il gagne, et une ligne de plus ce que lui coûte une époque de cet exercice."
        )
    on_device = others[0]
    wins = [str(n) for n, slow, fast in zip(sizes, on_cpu, on_device) if fast < slow]
    winner = "le processeur" if epochs[0] < epochs[1] else "l'accélérateur"
    return (
        f"Tailles n où la durée est plus courte sur {device} : {', '.join(wins) or 'aucune'}.\n"
        f"À n = 1024, durée sur le processeur divisée par durée sur {device} : {on_cpu[-1] / on_device[-1]:.1f}.\n"
        f"Pour une époque de {args.n_observations} points, ce rapport (de durées) est {epochs[0] / epochs[1]:.2f} ; "
        f"là, la durée la plus courte est pour {winner}."
    )


def section_distributed(args):
    """Le calcul distribué

    Les observations sont partagées entre plusieurs processus ; chacun calcule le gradient de sa part, et
    DistributedDataParallel en fait la moyenne à chaque pas. À taper :
      torchrun --standalone --nproc-per-node 2 exercice3.py --section 3.3.1-distribue
    À regarder : la part de chaque processus, et que le résultat est celui d'un processus seul. (torchrun prévient,
    en anglais, qu'il règle OMP_NUM_THREADS : c'est un seul fil de calcul par processus, et c'est normal.)
    """
    rank, world_size = (int(os.environ.get(name, default)) for name, default in (("RANK", 0), ("WORLD_SIZE", 1)))
    device = choose_device(args.device)
    if "RANK" in os.environ:  # torchrun donne à chaque processus son rang et leur nombre
        local_rank, local_size = int(os.environ["LOCAL_RANK"]), int(os.environ["LOCAL_WORLD_SIZE"])
        own_gpu = device.type == "cuda" and torch.cuda.device_count() >= local_size
        if own_gpu:
            device = torch.device("cuda", local_rank)
            torch.cuda.set_device(device)
        dist.init_process_group("nccl" if own_gpu else "gloo")
    try:
        return train_together(args, device, rank, world_size)
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()


def train_together(args, device, rank, world_size):
    """Le corps de la section précédente, une fois les processus reliés."""
    x, y = make_data(np.random.default_rng(args.seed), args.n_observations, device)
    own_x, own_y = x[rank::world_size], y[rank::world_size]  # la part de ce processus
    together = make_model(args.seed, device)
    loss_func = torch.nn.MSELoss()
    report, read_loss, trained = [f"processus 0 : {len(own_x)} observations sur {device}"], torch.Tensor.item, together
    if dist.is_initialized():
        report = [None] * world_size
        dist.all_gather_object(report, f"processus {rank} : {len(own_x)} observations sur {device}")
        trained = DistributedDataParallel(together)

        def loss_func(prediction, target):  # les parts sont inégales : peser la somme pour que la moyenne soit juste
            squares = torch.nn.functional.mse_loss(prediction, target, reduction="sum")
            return squares * world_size / args.n_observations

        def read_loss(loss):  # la perte de tous, la même dans chaque processus
            total = loss.detach().clone()
            dist.all_reduce(total)
            return total.item() / world_size

    optimizer = make_optimizer(trained, args.learning_rate)
    loss_history = train(trained, own_x, own_y, optimizer, loss_func, args.epochs, read_loss=read_loss)
    if rank > 0:
        return ""
    alone = make_model(args.seed, device)
    optimizer = make_optimizer(alone, args.learning_rate)
    alone_history = train(alone, x, y, optimizer, torch.nn.MSELoss(), args.epochs)
    print("\n".join(report))
    if world_size == 1:
        print("Un seul processus. Pour deux, tapez :")
        print("  torchrun --standalone --nproc-per-node 2 exercice3.py --section 3.3.1-distribue")
    learned, reference = as_column(together), as_column(alone)
    gap = np.max(np.abs(learned - reference)) / np.max(np.abs(reference))
    print(f"Perte à l'époque {len(loss_history)} : {loss_history[-1]:.6g} ensemble, {alone_history[-1]:.6g} seul.")
    print(f"Appris ensemble : w1 = {learned[0, 0]:.6g}, b1 = {learned[1, 0]:.6g}.")
    print(f"Plus grand écart relatif avec les paramètres d'un processus seul : {gap:.1e}")
    print(f"(arrondi d'un nombre en float32 : {np.finfo(np.float32).eps:.0e}).")
    if warning := rate_warning(args, loss_history, least_squares(x, y)):
        print(warning)
    fig, ax = plt.subplots(figsize=(10, 6.5), layout="constrained")
    x, y = x.cpu().numpy(), y.cpu().numpy()
    shares = [(x[k::world_size], y[k::world_size]) for k in range(world_size)]
    draw_shares(ax, shares, learned, reference)
    show(fig, args)
    if warning:
        return warning
    if world_size == 1:
        return "Un processus seul a tout fait : lancez la commande ci-dessus pour partager le travail."
    return (
        f"{world_size} processus se sont partagé {args.n_observations} observations.\n"
        f"Leurs paramètres diffèrent au plus de {gap:.0e}, en relatif, de ceux d'un processus seul : la moyenne des\n"
        "gradients des parts, chacune pesée par sa taille, est le gradient sur toutes les observations."
    )


def section_data(args):
    """Les données de la régression

    Cent points : x au hasard dans [0, 1], y = sin(x)·x³ + 3x + un bruit dans [0, 0.8] (figure 5).
    À regarder : la forme (n, 1), le type float32, l'appareil. La courbe est presque une droite.
    """
    _, x, y, _, _ = setup(args)
    print(f"x : {tuple(x.shape)} {x.dtype} {x.device}   y : {tuple(y.shape)} {y.dtype} {y.device}")
    numbers = x.cpu().numpy(), y.cpu().numpy()
    for a, b in zip(numbers[0][:5, 0], numbers[1][:5, 0]):
        print(f"  x = {a:.4f}   y = {b:.4f}")
    noise = numbers[1] - curve(numbers[0])
    print(f"Bruit : de {noise.min():.3f} à {noise.max():.3f}, de moyenne {noise.mean():.3f} (théorie : {NOISE / 2:g}),")
    print(f"de variance {noise.var():.4f} (théorie : 0.8²/12 = {NOISE**2 / 12:.4f}).")
    fig, ax = plt.subplots(figsize=(10, 6.5), layout="constrained")
    draw_points(ax, *numbers, "Les données d'apprentissage (figure 5)")
    grid = np.linspace(0, 1, 200)
    ax.plot(grid, curve(grid) + NOISE / 2, "k-", linewidth=0.8, label="sin(x)·x³ + 3x + 0.4")
    ax.legend()
    show(fig, args)
    bend = np.max(np.abs(np.polyval(np.polyfit(grid, curve(grid), 1), grid) - curve(grid)))
    return (
        f"x et y sont des tenseurs {tuple(x.shape)} : une ligne par observation, une colonne.\n"
        f"La courbe s'écarte de sa droite des moindres carrés de {bend:.2f} au plus ; le bruit s'étale sur "
        f"{np.ptp(noise):.2f}."
    )


def section_training(args):
    """L'apprentissage de la droite

    Une couche linéaire, MSELoss, SGD au taux 0.05. Dans une fenêtre, la droite bouge toutes les dix époques ;
    fermez-la quand vous voulez, l'apprentissage continue.
    À regarder : la droite après 50 époques (figure 6), puis après 400 (figure 7), contre celle des moindres carrés.
    Question : que reste-t-il à apprendre à ces deux moments ?
    """
    _, x, y, our_model, optimizer = setup(args)
    print(our_model)
    for name, parameter in our_model.named_parameters():
        print(f"  {name} avant : {parameter.detach().cpu().numpy().ravel()}")
    bowl, start, early = least_squares(x, y), as_column(our_model), early_epoch(args)
    points, ends = (x.cpu().numpy(), y.cpu().numpy()), [x.argmin().item(), x.argmax().item()]
    fig, axes = plt.subplots(1, 2, figsize=(14, 6.5), layout="constrained")
    left, right = (draw_regression(ax, *points, bowl) for ax in axes)

    def on_epoch(epoch, prediction, loss):
        if epoch % max(1, args.epochs // 8) == 0:
            print(f"  époque {epoch:6d} : perte = {loss:.6g}")
        live = args.window and epoch % 10 == 0 and plt.fignum_exists(fig.number)
        if epoch == early or live:
            outputs = prediction.detach().cpu().numpy()[ends]  # deux points font une droite
        if epoch == early:
            move_line(left, points[0][ends], outputs, epoch, loss)
        if live:
            move_line(right, points[0][ends], outputs, epoch, loss)
            plt.pause(0.01) if epoch == 0 else repaint(fig)  # la première fois, ouvrir la fenêtre

    loss_func = torch.nn.MSELoss()
    loss_history = train(our_model, x, y, optimizer, loss_func, args.epochs, on_epoch)
    prediction = our_model(x).detach()
    losses = [*loss_history, loss_func(prediction, y).item()]  # losses[k] : la perte après k époques
    move_line(right, points[0][ends], prediction.cpu().numpy()[ends], len(loss_history), losses[-1])
    learned, warning = as_column(our_model), rate_warning(args, loss_history, bowl)
    for name, value, best in zip(("linear.weight", "linear.bias"), learned[:, 0], bowl[0][:, 0]):
        print(f"  {name:<13} après : {value:12.6g}   moindres carrés : {best:9.6g}")
    predicted = predict_losses(start, args.learning_rate, [0, early, args.epochs], bowl)
    left_over = (predicted - bowl[1]) / (predicted[0] - bowl[1])
    if warning:
        print(warning)
    if len(loss_history) == args.epochs:
        print(f"Moindres carrés : perte {bowl[1]:.5f}. Le réseau, en multiples de cette perte :")
        for epoch, theory in zip((early, args.epochs), predicted[1:]):
            print(
                f"  après {in_epochs(epoch):>11} : {losses[epoch] / bowl[1]:.5g} mesuré, {theory / bowl[1]:.5g} prédit"
            )
    elif len(loss_history) <= early:
        left.axes.texts[0].set_text(f"la perte a explosé avant {in_epochs(early)}")
    show(fig, args)
    if warning:
        return warning
    return (
        f"Après {in_epochs(args.epochs)}, droite apprise : y = {learned[0, 0]:.3f}·x + {learned[1, 0]:.3f} ;\n"
        f"celle des moindres carrés : y = {bowl[0][0, 0]:.3f}·x + {bowl[0][1, 0]:.3f}.\n"
        f"En théorie, de l'excès de perte du départ, il reste {100 * left_over[1]:.3g} % après {in_epochs(early)} et\n"
        f"{100 * left_over[2]:.3g} % après {in_epochs(args.epochs)}.\n"
        f"Perte mesurée : {losses[early] / bowl[1]:.2f} puis {losses[-1] / bowl[1]:.2f} fois celle des moindres carrés."
    )


def section_loss(args):
    """La perte à chaque époque

    La perte tombe d'abord très vite, puis traîne (figure 8). Question : pourquoi ?
    À regarder : en échelle log, deux droites. La cuvette a un axe raide et un axe presque plat, et chaque époque
    multiplie l'excès de perte, sur chaque axe, par son propre facteur.
    """
    _, x, y, our_model, optimizer = setup(args)
    bowl, start, early = least_squares(x, y), as_column(our_model), early_epoch(args)
    loss_history = np.array(train(our_model, x, y, optimizer, torch.nn.MSELoss(), args.epochs))
    epochs = np.arange(len(loss_history))
    parts, keeps = predict_parts(start, args.learning_rate, epochs, bowl)  # (2, k) et (2,)
    predicted, curvatures = bowl[1] + parts.sum(axis=0), np.linalg.eigvalsh(bowl[2])
    gap = np.max(np.abs(loss_history / predicted - 1))
    print(f"Perte : {loss_history[0]:.5g} au départ, {loss_history[-1]:.5g} à l'époque {epochs[-1]}, ", end="")
    print(f"moindres carrés {bowl[1]:.5g}.")
    print("axe         courbure   part de l'excès au départ   facteur de l'excès à chaque époque")
    for name, curvature, part, keep in zip(("plat", "raide"), curvatures, parts, keeps):
        print(f"{name:<8} {curvature:11.4f} {part[0]:27.4f} {keep:36.4g}")
    print(f"Plus grand écart relatif entre perte mesurée et perte prédite : {gap:.0e}")
    if warning := rate_warning(args, loss_history, bowl):
        print(warning)
    fig, (left, right) = plt.subplots(1, 2, figsize=(14, 6.5), layout="constrained")
    draw_losses(left, loss_history, predicted, bowl[1])
    names = [f"axe {name}, courbure {curvature:.2f}" for name, curvature in zip(("plat", "raide"), curvatures)]
    draw_excess(right, loss_history - bowl[1], dict(zip(names, parts)))
    show(fig, args)
    if warning:
        return warning
    excess = parts[:, 0].sum(), parts[:, early].sum()
    sentences = [
        f"Chaque époque multiplie l'excès par {keeps[1]:.3g} sur l'axe raide (courbure {curvatures[1]:.3g}) et par",
        f"{keeps[0]:.4g} sur l'axe plat (courbure {curvatures[0]:.3g}).",
        f"Part de l'axe plat dans l'excès : {100 * parts[0, 0] / excess[0]:.3g} % au départ, "
        f"{100 * parts[0, early] / excess[1]:.3g} % après {in_epochs(early)}.",
    ]
    if keeps[1] < keeps[0] and loss_history[early] < loss_history[0]:
        first, rest = loss_history[0] - loss_history[early], loss_history[early] - loss_history[-1]
        sentences += [
            f"L'axe raide s'efface le premier : la perte baisse de {first:.3g} en {in_epochs(early)},",
            f"puis de {rest:.3g} jusqu'à l'époque {epochs[-1]}.",
        ]
    sentences.append(f"Mesure et théorie diffèrent de {gap:.0e} au plus, en relatif.")
    return "\n".join(sentences)


SECTIONS = {
    "3.3.1-tenseurs": section_tensors,
    "3.3.1-calcul": section_speed,
    "3.3.1-distribue": section_distributed,
    "3.3.2-donnees": section_data,
    "3.3.2-apprentissage": section_training,
    "3.3.2-perte": section_loss,
}


# --- Options propres à ce script ----------------------------------------------------------------------
def add_options(parser):
    if int(os.environ.get("RANK", 0)) > 0:  # sous torchrun, seul le processus 0 parle
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    devices = find_devices()
    here = f"un appareil qui marche ici ({', '.join(['auto', *devices])})"
    device = checked(str, here, lambda name: name in ["auto", *devices])
    rate = checked(float, "un nombre positif", lambda value: 0 < value < math.inf)
    count = checked(int, "un entier de 1 à 100000", lambda value: 1 <= value <= 100_000)
    size = checked(int, "un entier de 10 à 1000000", lambda value: 10 <= value <= 1_000_000)
    parser.add_argument("--device", metavar="D", type=device, default="auto", help="appareil (défaut : %(default)s)")
    parser.add_argument("--learning-rate", metavar="X", type=rate, default=0.05, help="taux (défaut : %(default)s)")
    parser.add_argument("--epochs", metavar="N", type=count, default=400, help="époques (défaut : %(default)s)")
    parser.add_argument("--n-observations", metavar="N", type=size, default=100, help="points (défaut : %(default)s)")


def check_options(args):
    """Sous torchrun, la commande à rejouer est la sienne, et les autres processus n'ont que la section distribuée."""
    if "RANK" in os.environ:
        words = f"torchrun --standalone --nproc-per-node {os.environ['WORLD_SIZE']} "
        args.command = args.command.replace("python ", words, 1)
    if int(os.environ.get("RANK", 0)) > 0:
        args.chosen = [name for name in args.chosen if name == "3.3.1-distribue"]


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
