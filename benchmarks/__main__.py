"""Les boucles, les scripts et les outils du TP à côté de ce qu'on prendrait à leur place, mesurés à tour de rôle.

`python -m benchmarks`, à la racine (Linux, macOS), affiche cinq tableaux ; README.md, à côté, dit comment les lire et
les garde. Leurs lignes sont des données : pour mesurer autre chose, on en ajoute à FIRST, STAYS, SCRIPTS ou TOOLS.
"""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path

import numpy as np
import sklearn
import torch
from sklearn.linear_model import SGDRegressor
from torch.utils.data import DataLoader, TensorDataset

import exercice1
import exercice3

ROOT = Path(__file__).resolve().parent.parent


# --- Les façons de faire ------------------------------------------------------------------------------
# Chacune reçoit `rng`, les données et le départ d'exercice1, ses pas et ses réglages ; elle donne ses paramètres,
# (weights, bias), au départ, quand tout est prêt (on chronomètre à partir de là), puis après chacun de ses pas.
class Divided:
    """`inputs / scale`, calculé groupe par groupe : diviser un million d'observations dure plus que l'apprentissage."""

    def __init__(self, inputs, scale):
        self.inputs, self.scale = inputs, scale

    def __len__(self):
        return len(self.inputs)

    def __getitem__(self, group):
        return self.inputs[group] / self.scale


def lesson(rng, inputs, targets, weights, bias, n_steps, rate, batch_size=None, whole=False, average_from=None):
    """`train` d'exercice1 ; `whole` : toutes les entrées divisées d'abord ; `average_from` : la moyenne dès ce pas."""
    yield weights, bias
    inputs = inputs[:] if whole or not batch_size else inputs
    path = exercice1.train(inputs, targets, weights, bias, rate, n_steps, batch_size, rng)[1]
    yield from path[1:average_from]
    if average_from:
        weights_sum, bias_sum = 0, 0
        for count, (weights, bias) in enumerate(path[average_from:], start=1):
            weights_sum, bias_sum = weights_sum + weights, bias_sum + bias
            yield weights_sum / count, bias_sum / count


def sgd_regressor(rng, inputs, targets, weights, bias, n_steps, rate, average, chunk):
    """SGDRegressor, déjà appelé une fois ; un pas : `partial_fit` de `chunk` observations qui se suivent."""
    sklearn.set_config(assume_finite=True, skip_parameter_validation=True)  # sans ses contrôles
    model = SGDRegressor(penalty=None, learning_rate="constant", eta0=1e-30, average=average, random_state=0)
    model.partial_fit(inputs[:1], targets[:1, 0])  # au taux 1e-30 rien ne bouge, mais tout est prêt
    model.eta0, model.t_ = rate, 1.0
    yield model.coef_, model.intercept_
    for k in rng.integers(len(inputs) - chunk, size=n_steps):
        model.partial_fit(inputs[k : k + chunk], targets[k : k + chunk, 0])
        yield model.coef_, model.intercept_


def pytorch(rng, inputs, targets, weights, bias, n_steps, rate, batch_size, by_hand):
    """PyTorch, sur des groupes pris à la main ou ceux d'un DataLoader ; les entrées sont divisées d'avance."""
    data = TensorDataset(torch.from_numpy(inputs[:]).float(), torch.from_numpy(targets).float())
    torch.manual_seed(int(rng.integers(2**31)))
    model = torch.nn.Linear(len(weights), 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=rate / 2)  # MSELoss n'a pas le / 2 d'exercice1
    loss_func = torch.nn.MSELoss()
    parameters = model.weight.detach().numpy(), model.bias.detach().numpy()  # la même mémoire : ils suivent
    yield parameters
    groups = DataLoader(data, batch_size, shuffle=True)
    if by_hand:
        groups = (data[group] for group in torch.randint(len(data), (n_steps, batch_size)))
    for _, (x, y) in zip(range(n_steps), groups):
        bare_pytorch(model, x, y, optimizer, loss_func, 1)
        yield parameters


def lstsq(rng, inputs, targets, weights, bias, n_steps):
    """Les moindres carrés exacts, en un pas."""
    yield weights, bias
    solution = np.linalg.lstsq(np.column_stack([inputs, np.ones(len(inputs))]), targets, rcond=None)[0]
    yield solution[:-1], solution[-1]


def bare_numpy(inputs, targets, weights, bias, rate, n_iterations, batch_size, rng):
    """La boucle la plus courte qui fasse le travail de `train` d'exercice1 ; rend les pertes, pas les paramètres."""
    losses = []
    for group in rng.integers(len(inputs), size=(n_iterations, batch_size)):
        x = inputs[group]
        deltas = np.dot(x, weights) + bias - targets[group]
        losses.append((deltas**2).sum() / 2 / len(x))
        deltas /= len(x)
        weights = weights - rate * np.dot(x.T, deltas)
        bias = bias - rate * deltas.sum()
    return losses


def bare_pytorch(model, x_data, y_data, optimizer, loss_func, epochs):
    """De même pour `train` d'exercice3."""
    losses = []
    for _ in range(epochs):
        loss = loss_func(model(x_data), y_data)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


# --- Ce qu'on mesure ----------------------------------------------------------------------------------
# Arriver au but. Façon de faire, observations, ce qui divise les entrées, méthode, pas au plus, réglages.
N = 1_000_000
FIRST = [  # le premier passage ; la première ligne est mesurée en face de chacune des autres
    ("le TP : divisées, taux 1,5, groupes de 64", N, 10, lesson, 100, 1.5, 64),
    ("le TP, groupes de 128", N, 10, lesson, 100, 1.5, 128),
    ("le TP, tout le million divisé d'abord", N, 10, lesson, 100, 1.5, 64, True),
    ("le TP, dix mille observations", 10_000, 10, lesson, 100, 1.5, 64),
    ("le TP, dix millions", 10_000_000, 10, lesson, 100, 1.5, 64),
    ("le TP, telles quelles, 0,055, groupes de 32", N, 1, lesson, 400, 0.055, 32),
    ("gradient complet, divisées, 1,5", N, 10, lesson, 100, 1.5),
    ("gradient complet, telles quelles, 0,055", N, 1, lesson, 300, 0.055),
    ("SGDRegressor, divisées, 0,2, moyenne", N, 10, sgd_regressor, 200, 0.2, 100, 256),
    ("SGDRegressor, telles quelles, 0,015, moyenne", N, 1, sgd_regressor, 200, 0.015, 500, 768),
    ("PyTorch à la main, divisées, 1,5, groupes de 64", N, 10, pytorch, 100, 1.5, 64, True),
    ("PyTorch et DataLoader, de même", N, 10, pytorch, 100, 1.5, 64, False),
    ("moindres carrés exacts (lstsq)", N, 1, lstsq, 1),
]
STAYS = [  # y rester, jusqu'à la 65 536e observation
    ("le TP, groupes de 64, moyenne dès le pas 12", N, 10, lesson, 1024, 1.5, 64, False, 12),
    ("le TP, groupes de 1024", N, 10, lesson, 64, 1.5, 1024),
    ("SGDRegressor, divisées, 0,2, moyenne", N, 10, sgd_regressor, 256, 0.2, 100, 256),
]
LOOPS = [("exercice1", exercice1.train, bare_numpy), ("exercice3", exercice3.train, bare_pytorch)]
SCRIPTS = ["relu_plot", "exercice1", "exercice2", "exercice3", "exercice3_nonlinear"]
# En face d'un script, ses imports et, si PyTorch en est, son premier optimiseur : il en importe plus.
IMPORTS = "import sys, {}; torch = sys.modules.get('torch'); torch and torch.optim.SGD([torch.ones(1)], lr=1)"
TOOLS = [  # ce que Python exécute, et le nombre de rendus dans le dossier « rendus »
    ("rapport de classe, trente rendus", [ROOT / "outils/corriger.py", "rendus", "rapport", "--sans-isolation"], 30),
    ("guide", [ROOT / "outils/guide.py", "guide"], 0),
]
CHILD = """
import resource, subprocess, sys, time
start = time.perf_counter()
subprocess.run([sys.executable, *sys.argv[1:]], check=True, stdout=subprocess.DEVNULL)
duration = time.perf_counter() - start
unit = 1 if sys.platform == "darwin" else 1024
print(duration, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit / 1e6)
"""


# --- Chaque mesure reçoit le numéro de l'essai, qui sert de graine ------------------------------------
def clock(call, *words):
    """Durée de `call(*words)` (ms)."""
    start = time.perf_counter()
    call(*words)
    return 1000 * (time.perf_counter() - start)


@cache
def make_problem(n, scale):
    """Les données et le départ d'exercice1, entrées divisées par `scale` ; puis la meilleure solution."""
    _, inputs, targets, weights, bias = exercice1.setup(n)
    best = exercice1.least_squares(inputs / scale, targets)
    return (inputs if scale == 1 else Divided(inputs, scale), targets, weights, bias), best


def time_to_goal(seed, stays, n, scale, method, n_steps, *settings):
    """Durée (ms) jusqu'à une perte 5 % au-dessus de la meilleure, ou, si `stays`, pour y rester ; inf si c'est jamais.

    On compte d'abord les pas, puis on chronomètre ceux-là seuls : la plus courte de trois fois, si elles sont brèves.
    """
    (problem, best), count, above = make_problem(n, scale), 0, True
    for k, parameters in enumerate(method(np.random.default_rng(seed), *problem, n_steps, *settings)):
        loss = exercice1.full_losses(np.append(*parameters).reshape(1, -1), *best)[0]
        above = not loss <= exercice1.goal_of(best[1])[0]
        count = k + 1 if above else count
        if not above and not stays:
            break
    times = [np.inf] if above else []
    while len(times) < 3 and sum(times) < 100:
        steps = method(np.random.default_rng(seed), *problem, count, *settings)
        next(steps)
        times.append(clock(list, steps))
    return min(times)


def time_of_loop(seed, loop):
    """Durée (ms) d'une boucle ; préparer ses arguments ne compte pas."""
    rng = np.random.default_rng(seed)
    if loop in LOOPS[0]:
        return clock(loop, *make_problem(1000, 1)[0], 0.01, 1000, 32, rng)
    torch.manual_seed(seed)
    model = exercice3.RegressionModel()
    x_data, y_data = exercice3.make_points(rng, 100, 0.8, "cpu")
    return clock(loop, model, x_data, y_data, exercice3.make_optimizer(model, 0.05), torch.nn.MSELoss(), 400)


def run_python(repeat, words, n_returns=0):
    """Durée (s) et mémoire la plus haute (Mo) de Python sans écran, dans un dossier vide ou qui tient des rendus.

    Un petit Python le lance : lancé d'ici, il aurait notre mémoire à son départ.
    """
    kept = {**os.environ, "MPLBACKEND": "Agg", "PYTHONPATH": str(ROOT)}
    with tempfile.TemporaryDirectory() as folder:
        for k in range(n_returns):
            returned = Path(folder, "rendus", f"élève {k}")
            returned.mkdir(parents=True)
            for script in SCRIPTS:
                shutil.copy(ROOT / f"{script}.py", returned)
        command = [sys.executable, "-c", CHILD, *words]
        done = subprocess.run(command, cwd=folder, env=kept, check=True, stdout=subprocess.PIPE, text=True)
    return [float(word) for word in done.stdout.split()]


# --- Les tableaux -------------------------------------------------------------------------------------
def french(value):
    """Trois chiffres significatifs, virgule décimale, espaces insécables entre les milliers."""
    return f"{float(f'{value:.3g}'):,.10g}".replace(",", "\u00a0").replace(".", ",")


def print_table(heads, rows):
    """Affiche une ligne par (nom, (mesure, arguments...), (mesure d'en face, arguments...)).

    À tour de rôle, vingt-cinq fois au plus ou dix secondes ; des durées on dit le rapport, des mémoires la différence.
    """
    print(f"\n| {' | '.join(heads)} |\n|{' --- |' * len(heads)}")
    for name, *pair in rows:
        values, start = [], time.perf_counter()
        while not values or (len(values) < 25 and time.perf_counter() - start < 10):
            values.append([np.ravel(measure(len(values), *words)) for measure, *words in pair])
        left, right = np.transpose(values, (1, 2, 0))  # (1 ou 2, essais) : durées, puis mémoires
        ratios = left[0] / right[0]
        cells = [french(np.median(left[0])), french(np.median(right[0]))]
        cells.append(f"{french(np.median(ratios))} ({french(ratios.min())} à {french(ratios.max())})")
        if len(left) > 1:
            cells += [french(value) for value in np.median([left[1], right[1], left[1] - right[1]], axis=1)]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def main():
    libraries = ", ".join(f"{library.__name__} {library.__version__}" for library in (np, sklearn, torch))
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cœurs, Python {platform.python_version()}"
    print(f"Mesuré sur {machine}, {libraries}.")
    for title, stays, (ours, *others) in [("premier passage", False, FIRST), ("y rester", True, STAYS)]:
        rows = [(row[0], (time_to_goal, stays, *row[1:]), (time_to_goal, stays, *ours[1:])) for row in others]
        print_table([f"{title}, durée en ms", "elle", ours[0], "rapport"], rows)
    loops = [(name, (time_of_loop, ours), (time_of_loop, bare)) for name, ours, bare in LOOPS]
    print_table(["boucle, durée en ms", "le TP", "la plus nue", "rapport"], loops)
    pairs = [(name, (run_python, ["-m", name]), (run_python, ["-c", IMPORTS.format(name)])) for name in SCRIPTS]
    heads = ["script entier", "durée (s)", "ses imports", "rapport", "mémoire (Mo)", "ses imports", "en plus"]
    print_table(heads, pairs)
    print("\n| outil, une seule fois | durée (s) | mémoire (Mo) |\n| --- | --- | --- |")
    for name, *words in TOOLS:
        print(f"| {name} | {' | '.join(french(value) for value in run_python(0, *words))} |", flush=True)


if __name__ == "__main__":
    main()
