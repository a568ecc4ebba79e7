"""Exercice 3 : tenseurs et régression linéaire avec PyTorch (partie 3.3, jusqu'à la figure 8).

Le même neurone que dans exercice1, mais PyTorch calcule le gradient et fait le pas. Posez les deux
fichiers côte à côte : dans `train`, les étapes gardent leurs numéros, et l'on voit celles que PyTorch
prend à sa charge.

  python exercice3.py                                          toutes les sections, dans l'ordre de l'énoncé
  python exercice3.py --section 3.3.2 --corrige                la régression, avec les réponses
  python exercice3.py --section 3.3.2-apprentissage --learning-rate 0.5
  torchrun --standalone --nproc-per-node 2 exercice3.py --section 3.3.1-distribue
"""

import argparse
import inspect
import io
import os
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

# --- Réglages : changez-les ici, ou par une option (--epochs 50) --------------------------------------
N_OBSERVATIONS = 100
NOISE = 0.8  # le bruit est tiré entre 0 et NOISE
LEARNING_RATE = 0.05  # taux d'apprentissage
EPOCHS = 400


# --- La leçon -----------------------------------------------------------------------------------------
def curve(x):
    """La courbe que suivent les données, au bruit près. Pour la fin de l'énoncé : x**4, et NOISE = 0.1."""
    return np.sin(x) * x**3 + 3 * x


def make_data(rng, n_observations, device):
    """Tire x entre 0 et 1, calcule y = curve(x) + bruit ; rend les tenseurs `x_data` et `y_data`, (n, 1)."""
    x = rng.uniform(0, 1, size=n_observations)
    y = curve(x) + rng.uniform(0, NOISE, size=n_observations)
    x_data = torch.from_numpy(x.reshape(-1, 1)).float().to(device)  # (n, 1)
    y_data = torch.from_numpy(y.reshape(-1, 1)).float().to(device)  # (n, 1)
    return x_data, y_data


class RegressionModel(torch.nn.Module):
    """Le modèle de l'énoncé : une couche linéaire, y = w1·x + b1. À compléter comme vous voulez."""

    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(1, 1)

    def forward(self, x):
        y_pred = self.linear(x)  # (n, 1) -> (n, 1)
        return y_pred


def make_optimizer(our_model, learning_rate):
    """L'optimiseur de l'énoncé ; essayez aussi torch.optim.Adam."""
    return torch.optim.SGD(our_model.parameters(), lr=learning_rate)


def train(our_model, x_data, y_data, optimizer, loss_func, epochs):
    """Entraîne `our_model` sur x_data (n, 1) et y_data (n, 1) ; rend `loss_history`, une perte par époque.

    `loss_history[k]` est la perte après k époques. Si la perte explose, la boucle s'arrête.
    """
    explosion = 1000 * (1 + (y_data**2).mean())  # bien plus que la perte d'un modèle qui répond 0
    loss_history = []
    for _ in range(epochs):
        prediction = our_model(x_data)  # (1) propager les entrées vers la sortie : (n, 1)
        loss = loss_func(prediction, y_data)  # (2) (3) écarts aux cibles, puis perte (sans le / 2 d'exercice1)
        if not loss < explosion:  # le taux est trop grand : on s'arrête
            break
        # CORRIGÉ : ajoutez la perte, un nombre, à loss_history
        loss_history.append(loss.item())  # (4) la garder : le nombre, pas le tenseur
        # FIN DU CORRIGÉ
        optimizer.zero_grad()  # oublier le gradient de l'époque d'avant
        loss.backward()  # (5) le gradient, que PyTorch calcule seul
        optimizer.step()  # (6) (7) un pas sur tous les paramètres
    return loss_history


# --- Appareils ----------------------------------------------------------------------------------------
def find_devices():
    """Les appareils qui calculent vraiment ici : "cpu" puis, s'il y en a, "cuda" (ou "mps"...), "cuda:0"..."""
    names, devices = ["cpu"], []
    if torch.accelerator.is_available():
        kind = torch.accelerator.current_accelerator().type
        names += [kind] + [f"{kind}:{index}" for index in range(torch.accelerator.device_count())]
    for name in names:
        try:
            (torch.ones(2, 2, device=name) @ torch.ones(2, 2, device=name)).sum().item()
            devices.append(name)
        except (AssertionError, RuntimeError, NotImplementedError):
            pass  # un appareil annoncé, mais qui ne marche pas
    return devices


def choose_device(name):
    """L'appareil demandé ; "auto" prend l'accélérateur s'il y en a un qui marche, sinon le processeur."""
    devices = find_devices()
    if name == "auto":
        name = devices[1] if len(devices) > 1 else "cpu"
    print(f"Appareil : {name} (disponibles : {', '.join(devices)})")
    return torch.device(name)


# --- Mesures ------------------------------------------------------------------------------------------
def evaluate(our_model, x_data, y_data):
    """Perte de `our_model`, sans l'entraîner."""
    with torch.no_grad():
        return torch.nn.functional.mse_loss(our_model(x_data), y_data).item()


def noise_floor(x_data, y_data):
    """Le plancher : la perte due au bruit seul, soit la variance de ce que `curve` n'explique pas."""
    return (y_data.cpu().numpy() - curve(x_data.cpu().numpy())).var()


def satisfying(loss, x_data, y_data):
    """Vrai s'il ne reste guère plus que le bruit : au plus deux fois le plancher, à un dix-millième de y près."""
    return loss < 2 * noise_floor(x_data, y_data) + 1e-4 * y_data.var().item() + 1e-6


def predict(our_model, device):
    """Le modèle vu de 0 à 1 : rend `grid` (100,) et les prédictions (100,), en NumPy."""
    grid = torch.linspace(0, 1, 100, device=device).reshape(-1, 1)
    with torch.no_grad():
        return grid.cpu().numpy().ravel(), our_model(grid).cpu().numpy().ravel()


def is_line(prediction):
    """Vrai si ces prédictions sont sur une droite, aux arrondis de float32 près."""
    chord = np.linspace(prediction[0], prediction[-1], len(prediction))  # la droite qui joint les deux bouts
    return abs(prediction - chord).max() < 1e-5 * (1 + abs(prediction).max())


def best_line(x_data, y_data):
    """La droite des moindres carrés : rend pente, ordonnée à l'origine, et sa perte."""
    x, y = x_data.cpu().numpy().ravel().astype(float), y_data.cpu().numpy().ravel().astype(float)
    slope, intercept = np.polyfit(x, y, 1)
    return slope, intercept, ((slope * x + intercept - y) ** 2).mean()


def gradient(our_model, x_data, y_data):
    """Le gradient de la perte sur ces observations, tous les paramètres à la suite : (p,)."""
    our_model.zero_grad()
    torch.nn.functional.mse_loss(our_model(x_data), y_data).backward()
    return torch.cat([p.grad.flatten() for p in our_model.parameters() if p.grad is not None])


def shortest_durations(pairs, n_repeats=10):
    """La plus courte durée (s) du produit de chaque couple de matrices, à tour de rôle, le premier tour à part."""
    durations = np.empty((n_repeats, len(pairs)))
    for repeat in range(n_repeats):
        for k, (left, right) in enumerate(pairs):
            start = time.perf_counter()
            left @ right
            if torch.is_tensor(left) and left.device.type != "cpu":
                torch.accelerator.synchronize()  # un accélérateur rend la main avant d'avoir fini
            durations[repeat, k] = time.perf_counter() - start
    return durations[1:].min(axis=0)


# --- Ce qui sert à plusieurs sections -----------------------------------------------------------------
def setup(args):
    """L'appareil, les données et le modèle tirés de la graine (sur le processeur : les mêmes partout)."""
    device = choose_device(args.device)
    x_data, y_data = make_data(np.random.default_rng(args.seed), args.n_observations, device)
    torch.manual_seed(args.seed)
    return device, x_data, y_data, RegressionModel().to(device)


def counted(number, word):
    """Écrit « 1 époque », « 50 époques »."""
    return f"{number} {word}" + ("s" if number > 1 else "")


def nearly(gap, scale):
    """Dit un écart, dû aux arrondis s'il est petit devant `scale`."""
    if gap == 0:
        return "exactement"
    return f"aux arrondis près (écart {gap:.0e})" if gap < 1e-4 * scale else f"à {gap:.0e} près"


def early_epoch(args):
    """L'époque de la figure 6 : 50, ou la moitié du chemin s'il est plus court."""
    return 50 if args.epochs > 50 else args.epochs // 2


def divergence_sentence(args, loss_history, loss):
    """Dit que la perte explose ou monte ; vide si `loss`, à la fin, ne dépasse pas celle du début."""
    if len(loss_history) < args.epochs:
        return f"La perte explose à l'époque {len(loss_history)} : le taux {args.learning_rate:g} est trop grand."
    if not loss <= 2 * loss_history[0] + 1e-6:
        return f"La perte monte au lieu de descendre : le taux {args.learning_rate:g} est trop grand."
    return ""


def draw_points(ax, x_data, y_data, title):
    """Les observations."""
    ax.plot(x_data.cpu(), y_data.cpu(), "o", alpha=0.6, label="observations")
    ax.set(title=title, xlabel="x", ylabel="y")


def train_live(args, our_model, x_data, y_data, optimizer, epochs, line):
    """Entraîne en une quarantaine de fois et, entre deux, bouge la courbe `line` si sa fenêtre est ouverte."""
    loss_history = []
    while len(loss_history) < epochs:
        wanted = min(1 + epochs // 40, epochs - len(loss_history))
        losses = train(our_model, x_data, y_data, optimizer, torch.nn.MSELoss(), wanted)
        loss_history += losses
        if len(losses) < wanted:
            break  # la perte explose
        if args.window and plt.fignum_exists(line.figure.number):
            line.set_data(*predict(our_model, x_data.device))
            plt.pause(0.01)
    line.set_data(*predict(our_model, x_data.device))
    return loss_history


# --- Sections -----------------------------------------------------------------------------------------
def section_tensors(args):
    """Les tenseurs

    Question : qu'est-ce qu'un tenseur a de plus qu'un tableau NumPy ?
    À regarder : formes et types, mémoire partagée, trois erreurs que tout le monde fait, gradient.
    """
    device, x_data, y_data, _ = setup(args)
    for tensor in [torch.tensor(3.0), torch.arange(5), torch.zeros(3, 4), torch.ones(2, 3, 4), x_data]:
        print(f"forme {str(tuple(tensor.shape)):<10} type {str(tensor.dtype):<14} appareil {tensor.device}")
    array = np.zeros(3)
    shared, copied = torch.from_numpy(array), torch.tensor(array)
    array[0] = 7
    print(f"array[0] = 7 : from_numpy partage la mémoire {shared.tolist()}, tensor copie {copied.tolist()}")
    try:
        torch.ones(2, 2) @ torch.from_numpy(np.ones((2, 1)))
    except RuntimeError as error:  # NumPy compte en float64, PyTorch en float32 : .float()
        print(f"Types mêlés (-> .float()) : {error}")
    try:
        torch.ones(2, requires_grad=True).numpy()
    except RuntimeError as error:
        print(f"Gradient : {error}")
    wrong = torch.ones(5, 1) - torch.ones(5)
    print(f"Formes mêlées : (5, 1) - (5,) ne dit rien, mais donne {tuple(wrong.shape)} au lieu de (5, 1)")

    weight, bias = torch.zeros(1, device=device, requires_grad=True), torch.zeros(1, device=device, requires_grad=True)
    deltas = weight * x_data + bias - y_data  # (n, 1)
    loss = (deltas**2).mean()
    loss.backward()  # PyTorch a noté chaque calcul : il les remonte, et remplit .grad
    by_hand = (2 * deltas * x_data).mean().item(), (2 * deltas).mean().item()  # la dérivée de la moyenne des deltas²
    print(f"Gradient de la droite y = 0 : par backward {weight.grad.item():.4f} et {bias.grad.item():.4f},", end=" ")
    print(f"à la main {by_hand[0]:.4f} et {by_hand[1]:.4f}")
    gap = max(abs(weight.grad.item() - by_hand[0]), abs(bias.grad.item() - by_hand[1]))
    return (
        "Un tenseur a une forme et un type, comme un tableau NumPy ; il a en plus un appareil (processeur ou carte "
        "graphique) et, avec requires_grad, la mémoire des calculs. `backward` s'en sert pour trouver le gradient : le "
        f"même qu'à la main, {nearly(gap, abs(by_hand[1]))}."
    )


def section_speed(args):
    """Un produit de matrices, de NumPy à l'accélérateur

    Question : les tenseurs vont-ils plus vite sur une carte graphique ? À partir de quelle taille ?
    À regarder : la durée d'un produit n × n (NumPy et PyTorch prennent les cœurs qu'ils veulent).
    """
    device = choose_device(args.device)
    rng, sizes = np.random.default_rng(args.seed), [64, 128, 256, 512, 1024]
    matrices = [rng.normal(size=(2, n, n)).astype(np.float32) for n in sizes]  # deux par taille
    tensors = [torch.from_numpy(pair) for pair in matrices]
    # Une bibliothèque après l'autre : leurs fils de calcul se gêneraient.
    durations = {"NumPy": shortest_durations(matrices), "PyTorch (cpu)": shortest_durations(tensors)}
    if device.type != "cpu":
        durations[f"PyTorch ({device})"] = shortest_durations([pair.to(device) for pair in tensors])
    names, durations = list(durations), 1e6 * np.transpose(list(durations.values()))  # en µs, une ligne par taille
    for n, row in zip(sizes, durations):
        print(f"n = {n:<5}" + "".join(f"{name:>17} {value:9.1f} µs" for name, value in zip(names, row)))

    fig, ax = plt.subplots(figsize=(10, 6.5), layout="constrained")
    ax.plot(sizes, durations, "o-", linewidth=2, label=names)
    ax.set(title="Un produit de matrices n × n", xlabel="n", ylabel="durée (µs)", xscale="log", yscale="log")
    ax.set_xticks(sizes, sizes)
    ax.minorticks_off()
    ax.legend()
    show(fig, args)
    if device.type == "cpu":
        return (
            "Pas d'accélérateur ici : rien à lui comparer.\n"
            f"Sur le processeur, à n = 1024 : NumPy {durations[-1, 0]:.0f} µs, PyTorch {durations[-1, 1]:.0f} µs."
        )
    wins = [n for n, row in zip(sizes, durations) if row[2] < row[1]]
    answer = f"{device} gagne (durée en µs) pour n = {', '.join(map(str, wins))}" if wins else "Aucun gain (en µs)"
    return f"{answer}.\nÀ n = 1024 : {device} {durations[-1, 2]:.0f} µs, processeur {durations[-1, 1]:.0f} µs."


def section_distributed(args):
    """Le calcul distribué

    Question : comment plusieurs processus apprennent-ils ensemble un seul modèle ?
    À regarder : le gradient de chaque part des données, leur moyenne, et le gradient de toutes.
    À taper : torchrun --standalone --nproc-per-node 2 exercice3.py --section 3.3.1-distribue
    """
    if "RANK" in os.environ:
        return train_together(args)
    _, x_data, y_data, our_model = setup(args)
    n, cut = len(x_data), max(1, len(x_data) // 3)  # deux parts inégales
    first, second = gradient(our_model, x_data[:cut], y_data[:cut]), gradient(our_model, x_data[cut:], y_data[cut:])
    whole = gradient(our_model, x_data, y_data)
    mean = (cut * first + (n - cut) * second) / n  # chaque part pèse son nombre d'observations
    names = ", ".join(name for name, _ in our_model.named_parameters())
    print(textwrap.shorten(f"Gradient (4 nombres au plus), dans l'ordre : {names}", 100, placeholder="..."))
    for name, values in [(f"part de {cut}", first), (f"part de {n - cut}", second), ("moyenne", mean)]:
        print(f"  {name:<16}" + "".join(f"{value:12.6f}" for value in values[:4].tolist()))
    gap = abs(mean - whole).max().item()
    print(f"  {'toutes':<16}" + "".join(f"{value:12.6f}" for value in whole[:4].tolist()))
    return (
        "Chaque processus calcule le gradient de sa part. Leur moyenne, pondérée par la taille des parts, est le "
        f"gradient de toutes les observations, {nearly(gap, abs(whole).max())}. Tous font alors le même pas, "
        "et gardent les mêmes paramètres."
    )


def train_together(args):
    """La section précédente sous torchrun : chaque processus apprend de sa part ; seul le processus 0 parle."""
    rank, n_processes = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    device, x_data, y_data, together = setup(args)
    backend = "gloo"
    if device.type == "cuda" and torch.cuda.device_count() >= int(os.environ["LOCAL_WORLD_SIZE"]):
        backend, device = "nccl", torch.device("cuda", int(os.environ["LOCAL_RANK"]))  # une carte par processus
        torch.cuda.set_device(device)
        x_data, y_data, together = x_data.to(device), y_data.to(device), together.to(device)
    alone = RegressionModel().to(device)
    alone.load_state_dict(together.state_dict())
    own_x, own_y = x_data[rank::n_processes], y_data[rank::n_processes]  # la part de ce processus
    weight = len(own_x) * n_processes / len(x_data)

    def weighted_loss(prediction, y):  # la moyenne des gradients pèse ainsi chaque part par sa taille
        return weight * torch.nn.functional.mse_loss(prediction, y)

    alone_history = train(
        alone, x_data, y_data, make_optimizer(alone, args.learning_rate), torch.nn.MSELoss(), args.epochs
    )
    if len(alone_history) < args.epochs or max(alone_history) > 10 * (1 + (y_data**2).mean()):
        print(f"La perte explose ou monte : le taux {args.learning_rate:g} est trop grand.")
        return "Rien à partager : un processus seul n'y arrive pas non plus."

    gradient(together, own_x, own_y)
    unused = any(parameter.grad is None for parameter in together.parameters())  # une couche qui ne sert pas
    dist.init_process_group(backend)
    wrapped = DistributedDataParallel(together, find_unused_parameters=unused)
    train(wrapped, own_x, own_y, make_optimizer(wrapped, args.learning_rate), weighted_loss, args.epochs)
    dist.barrier()
    del wrapped  # avant de fermer le groupe : détruit après lui, il attend parfois pour toujours
    dist.destroy_process_group()
    gap = max(abs(p - q).max().item() for p, q in zip(together.parameters(), alone.parameters()))
    scale = max(abs(p).max().item() for p in alone.parameters())
    print(f"{n_processes} processus, {counted(len(own_x), 'observation')} pour celui-ci")
    for (name, parameter), (_, other) in zip(together.named_parameters(), alone.named_parameters()):
        print(f"  {name} : ensemble {parameter.flatten()[0].item():.6f}, seul {other.flatten()[0].item():.6f}")
    print(f"Perte après {counted(args.epochs, 'époque')} : {evaluate(together, x_data, y_data):.6f}")
    return (
        f"{n_processes} processus, chacun sur sa part, ont obtenu ensemble les mêmes paramètres qu'un processus seul, "
        f"{nearly(gap, scale)}."
    )


def section_data(args):
    """Les données de la régression

    Question : une droite peut-elle suivre ces points (figure 5) ?
    À regarder : la forme des tenseurs, puis celle du nuage.
    """
    _, x_data, y_data, _ = setup(args)
    print(f"x_data : {tuple(x_data.shape)} {x_data.dtype}   y_data : {tuple(y_data.shape)} {y_data.dtype}")
    for x, y in zip(x_data[:5].flatten().tolist(), y_data[:5].flatten().tolist()):
        print(f"  x = {x:.4f}   y = {y:.4f}")
    fig, ax = plt.subplots(figsize=(10, 6.5), layout="constrained")
    draw_points(ax, x_data, y_data, "Les données d'apprentissage (figure 5)")
    show(fig, args)
    line_loss, floor = best_line(x_data, y_data)[2], noise_floor(x_data, y_data)
    answer = "Oui" if satisfying(line_loss, x_data, y_data) else "Non"
    return (
        f"{answer} : la meilleure droite (moindres carrés) laisse une perte de {line_loss:.4g}. Le plancher, la perte "
        f"due au bruit seul, est ici {floor:.4g} ; en moyenne {NOISE:g}²/12 = {NOISE**2 / 12:.4g}, la variance d'un "
        "tirage uniforme."
    )


def section_training(args):
    """L'apprentissage

    Question : la régression est-elle satisfaisante à la figure 6 ? Et à la figure 7 ?
    À regarder : la courbe apprise, à côté de la droite des moindres carrés.
    """
    device, x_data, y_data, our_model = setup(args)
    line_fit = best_line(x_data, y_data)
    print(our_model)
    before = [parameter.detach().clone().flatten() for parameter in our_model.parameters()]
    optimizer = make_optimizer(our_model, args.learning_rate)
    early, loss_history, losses = early_epoch(args), [], []
    fig, axes = plt.subplots(1, 2, figsize=(14, 6.5), layout="constrained")
    for ax, number, wanted in zip(axes, [6, 7], [early, args.epochs]):
        draw_points(ax, x_data, y_data, f"Figure {number}")
        ax.axline((0, line_fit[1]), slope=line_fit[0], color="black", linewidth=1, label="moindres carrés")
        (line,) = ax.plot([], [], "r--", linewidth=3, label="modèle")
        ax.set_ylim(ax.get_ylim())  # la courbe apprise ne change pas l'échelle
        ax.legend()
        epochs = wanted - len(loss_history)  # la seconde fois, ce qui reste à faire
        loss_history += train_live(args, our_model, x_data, y_data, optimizer, epochs, line)
        losses.append(evaluate(our_model, x_data, y_data))
        ax.set_title(f"Après {counted(len(loss_history), 'époque')} (figure {number})")
    for (name, parameter), old in list(zip(our_model.named_parameters(), before))[:4]:
        new = parameter.detach().flatten()
        k = abs(new - old).argmax()  # celui qui a le plus changé
        print(f"  {name} {tuple(parameter.shape)} : {old[k]:.4g} avant, {new[k]:.4g} après")
    divergence = divergence_sentence(args, loss_history, losses[-1])
    if divergence:
        print(divergence)
    show(fig, args)
    if divergence:
        return divergence
    return training_answer([early, args.epochs], losses, x_data, y_data, line_fit, predict(our_model, device)[1])


def training_answer(epochs, losses, x_data, y_data, line_fit, prediction):
    """La réponse de la section précédente ; elle ne parle de la droite que si le modèle en est une."""
    slope, intercept, line_loss = line_fit
    straight = is_line(prediction)
    answer = ""
    for epoch, loss in zip(epochs, losses):
        verdict = "oui" if satisfying(loss, x_data, y_data) else "non"
        answer += f"Après {counted(epoch, 'époque')} : {verdict}, la perte vaut {loss:.3g}"
        if straight and line_loss > 1e-6:
            answer += f", {loss / line_loss:.2f} fois celle des moindres carrés"
        answer += ". "
    answer += f"Le bruit seul coûte {noise_floor(x_data, y_data):.3g}. "
    if straight:
        answer += (
            f"Droite apprise : pente {prediction[-1] - prediction[0]:.2f}, ordonnée à l'origine {prediction[0]:.2f} ; "
            f"moindres carrés : {slope:.2f} et {intercept:.2f}."
        )
    return answer


def section_loss(args):
    """La perte à chaque époque

    Question : comment l'erreur diminue-t-elle au fil des époques (figure 8) ? Pourquoi ?
    À regarder : à gauche le coude de la courbe ; à droite, en échelle log, ce qui suit.
    """
    device, x_data, y_data, our_model = setup(args)
    line_loss, early = best_line(x_data, y_data)[2], early_epoch(args)
    optimizer = make_optimizer(our_model, args.learning_rate)
    loss_history = train(our_model, x_data, y_data, optimizer, torch.nn.MSELoss(), args.epochs)
    loss = evaluate(our_model, x_data, y_data)
    divergence = divergence_sentence(args, loss_history, loss)
    if not divergence:
        loss_history.append(loss)  # après la dernière époque
    for epoch in sorted({0, 1, 10, early, 100, len(loss_history) - 1}):
        if epoch < len(loss_history):
            print(f"  après {counted(epoch, 'époque'):<13} perte = {loss_history[epoch]:.6g}")

    if divergence:
        print(divergence)
    fig, axes = plt.subplots(1, 2, figsize=(14, 6.5), layout="constrained")
    for ax, scale in zip(axes, ["linear", "log"]):
        ax.plot(loss_history, "o-", markerfacecolor="w", linewidth=1, label="perte")
        if line_loss > 1e-6 or scale == "linear":
            ax.axhline(line_loss, color="black", linewidth=1, label="moindres carrés")
        ax.set(xlabel="époque", ylabel="perte", yscale=scale)
        ax.legend()
    axes[0].set_title("La perte (figure 8)")
    axes[1].set_title("La même, en échelle log")
    show(fig, args)
    if divergence:
        return divergence
    first, middle, last = loss_history[0], loss_history[early], loss_history[-1]
    answer = f"La perte passe de {first:.3g} à {middle:.3g} après {counted(early, 'époque')}, {last:.3g} à la fin. "
    if first > middle > last:
        done = 100 * (first - middle) / (first - last)
        answer += f"{done:.0f} % de la baisse se fait en {counted(early, 'époque')}. "
    excess = np.subtract(loss_history, line_loss)  # ce qui dépasse la perte des moindres carrés
    if is_line(predict(our_model, device)[1]) and excess.min() > 1e-3 * line_loss:
        removed = 100 * (1 - excess[1:] / excess[:-1])  # en %, à chaque époque
        answer += (
            f"La première époque retire {removed[0]:.2g} % de ce qui dépasse la perte des moindres carrés, la dernière "
            f"{removed[-1]:.2g} %."
        )
    return answer


SECTIONS = {
    "3.3.1-tenseurs": section_tensors,
    "3.3.1-calcul": section_speed,
    "3.3.1-distribue": section_distributed,
    "3.3.2-donnees": section_data,
    "3.3.2-apprentissage": section_training,
    "3.3.2-perte": section_loss,
}


# --- Options de ce script -----------------------------------------------------------------------------
def add_options(parser):
    """Une option par réglage. str : argparse vérifie la constante comme si elle venait de la ligne de commande."""
    devices = ["auto", *find_devices()]
    device = checked(str, "un appareil parmi " + ", ".join(devices), lambda name: name in devices)
    rate = checked(float, "un nombre positif (avec un point : 0.01)", lambda value: 0 < value <= 1e30)
    size = checked(int, "un entier de 2 à 100000", lambda value: 2 <= value <= 100_000)
    count = checked(int, "un entier de 1 à 100000", lambda value: 1 <= value <= 100_000)
    option = parser.add_argument
    option("--device", metavar="D", type=device, default="auto", help="appareil (défaut : %(default)s)")
    option("--learning-rate", metavar="X", type=rate, default=str(LEARNING_RATE), help="(défaut : %(default)s)")
    option("--n-observations", metavar="N", type=size, default=str(N_OBSERVATIONS), help="(défaut : %(default)s)")
    option("--epochs", metavar="N", type=count, default=str(EPOCHS), help="(défaut : %(default)s)")


def check_options(args):
    """Sous torchrun, seul le processus 0 parle ; les autres ne font que la section distribuée."""
    if int(os.environ.get("RANK", 0)) > 0:
        sys.stdout = io.StringIO()
        args.chosen = [name for name in args.chosen if name == "3.3.1-distribue"]
    if args.n_observations < int(os.environ.get("WORLD_SIZE", 1)):
        refuse(f"{args.n_observations} observations ne se partagent pas entre {os.environ['WORLD_SIZE']} processus")


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
