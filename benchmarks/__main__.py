"""Les boucles et les scripts du TP à côté de ce qu'on prendrait à leur place, mesurés à tour de rôle.

`python -m benchmarks`, à la racine (Linux, macOS), affiche quatre tableaux ; README.md, à côté, dit comment les lire et
les garde. Leurs lignes sont des données : pour mesurer autre chose, on en ajoute à FIRST, STAYS ou COMMANDS.
"""

import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import sklearn
import torch

import exercice1
import exercice3
from benchmarks.methodes import bare_numpy, bare_pytorch, lesson, lstsq, make_problem, pytorch, sgd_regressor

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
    ("gradient complet, telles quelles, 0,01", N, 1, lesson, 700, 0.01),
    ("SGDRegressor, divisées, 0,2, moyenne", N, 10, sgd_regressor, 200, "constant", 0.2, 100, 256),
    ("SGDRegressor, de même, avec ses contrôles", N, 10, sgd_regressor, 200, "constant", 0.2, 100, 256, True),
    ("SGDRegressor, divisées, 0,03, sans moyenne", N, 10, sgd_regressor, 200, "constant", 0.03, 0, 1024),
    ("SGDRegressor, telles quelles, 0,015, moyenne", N, 1, sgd_regressor, 200, "constant", 0.015, 500, 768),
    ("PyTorch à la main, divisées, 1,5, groupes de 64", N, 10, pytorch, 100, 1.5, 64, True),
    ("PyTorch et DataLoader, de même", N, 10, pytorch, 100, 1.5, 64, False),
    ("moindres carrés exacts (lstsq)", N, 1, lstsq, 1),
]
STAYS = [  # y rester, jusqu'à la 65 536e observation
    ("le TP, groupes de 64, moyenne dès le pas 12", N, 10, lesson, 1024, 1.5, 64, False, 12),
    ("le TP, groupes de 1024", N, 10, lesson, 64, 1.5, 1024),
    ("SGDRegressor, divisées, 0,2, moyenne", N, 10, sgd_regressor, 256, "constant", 0.2, 100, 256),
]
# Ce que Python exécute, et ce qu'on met en face. Créer le premier optimiseur de PyTorch déclenche un import.
OPTIMIZER = "import {0}; {0}.torch.optim.SGD({0}.torch.nn.Linear(1, 1).parameters(), lr=1)"
COMMANDS = [
    ("relu_plot", ["-m", "relu_plot"], ["-c", "import relu_plot"]),
    ("exercice1", ["-m", "exercice1"], ["-c", "import exercice1"]),
    ("exercice2", ["-m", "exercice2"], ["-c", "import exercice2"]),
    ("exercice3", ["-m", "exercice3"], ["-c", OPTIMIZER.format("exercice3")]),
    ("exercice3_nonlinear", ["-m", "exercice3_nonlinear"], ["-c", OPTIMIZER.format("exercice3_nonlinear")]),
]
CHILD = """
import resource, subprocess, sys, time
start = time.perf_counter()
subprocess.run([sys.executable, *sys.argv[1:]], check=True, capture_output=True)
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


def time_of_loop(seed, script, bare):
    """Durée (ms) de la boucle d'un script, ou de la plus nue ; préparer ses arguments ne compte pas."""
    if script == "exercice1":
        loop, words = bare_numpy if bare else exercice1.train, make_problem(1000, 1)[0]
        return clock(loop, *words, 0.01, 1000, 32, np.random.default_rng(seed))
    torch.manual_seed(seed)
    model, loss_func = exercice3.RegressionModel(), torch.nn.MSELoss()
    optimizer = exercice3.make_optimizer(model, 0.05)
    x_data, y_data = exercice3.make_points(np.random.default_rng(seed), 100, 0.8, "cpu")
    if bare:
        return clock(list, bare_pytorch(model, enumerate([(x_data, y_data)] * 400), optimizer, loss_func))
    return clock(exercice3.train, model, x_data, y_data, optimizer, loss_func, 400)


def run_python(repeat, words):
    """Durée (s) et mémoire la plus haute (Mo) de Python sans écran, dans un dossier vide.

    Un petit Python le lance : lancé d'ici, il aurait notre mémoire à son départ.
    """
    kept = {**os.environ, "MPLBACKEND": "Agg", "PYTHONPATH": str(Path(__file__).parent.parent)}
    command = [sys.executable, "-c", CHILD, *words]
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(command, cwd=folder, env=kept, check=True, capture_output=True, text=True)
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
    scripts = ["exercice1", "exercice3"]  # exercice3_nonlinear a la même boucle qu'exercice3
    loops = [(script, (time_of_loop, script, False), (time_of_loop, script, True)) for script in scripts]
    print_table(["boucle, durée en ms", "le TP", "la plus nue", "rapport"], loops)
    commands = [(name, (run_python, ours), (run_python, bare)) for name, ours, bare in COMMANDS]
    heads = ["script entier", "durée (s)", "ses imports", "rapport", "mémoire (Mo)", "ses imports", "en plus"]
    print_table(heads, commands)


if __name__ == "__main__":
    main()
