"""Les boucles et les scripts du TP à côté de ce qu'on prendrait à leur place, mesurés à tour de rôle.

`python -m benchmarks` affiche trois tableaux, en deux minutes sur deux cœurs ; benchmarks/README.md dit comment les
lire et en garde les résultats.
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
from sklearn.linear_model import SGDRegressor

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

import exercice1  # noqa: E402  (les scripts sont un dossier plus haut)
import exercice3  # noqa: E402
import exercice3_nonlinear  # noqa: E402

OURS = "le TP"
SIZES = [10**4, 10**6, 10**7]  # nombres d'observations
SCRIPTS = {"relu_plot": 3, "exercice1": 3, "exercice2": 4, "exercice3": 3, "exercice3_nonlinear": 3}  # rapport maximal


# --- Mesurer ------------------------------------------------------------------------------------------
def clock(call, *words, **options):
    """Durée de `call(*words, **options)` (s)."""
    start = time.perf_counter()
    call(*words, **options)
    return time.perf_counter() - start


def compare(measures, n_repeats):
    """Mesure chaque façon de faire à tour de rôle ; rend {nom: durées (s)}.

    `measures` : {nom: (fonction, arguments)} ; la fonction reçoit le numéro de l'essai, puis ses arguments, et rend
    des secondes. Ce qui dure plus d'une seconde n'est fait que trois fois.
    """
    durations = {name: [] for name in measures}
    for repeat in range(n_repeats):
        for name, (measure, words) in measures.items():
            if repeat < 3 or durations[name][0] < 1:
                durations[name].append(measure(repeat, *words))
    return {name: np.array(values) for name, values in durations.items()}


# --- Arriver au but : une perte à 5 % de la meilleure -------------------------------------------------
# Chaque méthode fait au plus `n_steps` pas et donne ses paramètres, (weights, bias), après chacun.
def lesson(seed, problem, n_steps, rate, batch_size=None):
    """`train` d'exercice1 : par mini-batch, ou par gradient complet sans `batch_size`."""
    inputs, targets, weights, bias = problem[:4]
    rng = np.random.default_rng(seed)
    _, path = exercice1.train(inputs, targets, weights, bias, rate, n_steps, batch_size, rng)
    yield from path[1:]


def sgd_regressor(seed, problem, n_steps, rate, chunk):
    """SGDRegressor.partial_fit, sur `chunk` observations qui se suivent, prises au hasard, à chaque pas."""
    inputs, targets = problem[0], problem[1].ravel()
    model = SGDRegressor(penalty=None, learning_rate="invscaling", eta0=rate, random_state=seed)
    for first in np.random.default_rng(seed).integers(len(inputs) - chunk + 1, size=n_steps):
        model.partial_fit(inputs[first : first + chunk], targets[first : first + chunk])
        yield model.coef_, model.intercept_


def pytorch(seed, problem, n_steps, rate, batch_size):
    """La boucle d'exercice3, sur des groupes tirés au hasard."""
    x_data, y_data = problem[4:6]
    torch.manual_seed(seed)
    model, loss_func = torch.nn.Linear(x_data.shape[1], 1), torch.nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=rate / 2)  # MSELoss n'a pas le / 2 d'exercice1
    parameters = model.weight.detach().numpy(), model.bias.detach().numpy()  # la même mémoire : ils suivent
    for group in torch.randint(len(x_data), (n_steps, batch_size)):
        loss = loss_func(model(x_data[group]), y_data[group])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield parameters


def lstsq(seed, problem, n_steps):
    """Les moindres carrés exacts, en un pas."""
    inputs, targets = problem[:2]
    solution = np.linalg.lstsq(np.column_stack([inputs, np.ones(len(inputs))]), targets, rcond=None)[0]
    yield solution[:-1], solution[-1]


def make_problem(n_observations):
    """Les données et le départ d'exercice1, les mêmes données en tenseurs, puis les moindres carrés."""
    _, inputs, targets, weights, bias = exercice1.setup(n_observations)
    x_data, y_data = torch.from_numpy(inputs).float(), torch.from_numpy(targets).float()
    return inputs, targets, weights, bias, x_data, y_data, exercice1.least_squares(inputs, targets)


def time_to_goal(seed, method, problem, n_steps, *settings):
    """Durée (s) jusqu'au but : on compte d'abord les pas, puis on chronomètre ceux-là seuls ; inf si c'est jamais."""
    best, best_loss, curvature = problem[-1]
    goal, _ = exercice1.goal_of(best_loss)
    for count, parameters in enumerate(method(seed, problem, n_steps, *settings), start=1):
        row = np.append(*parameters).reshape(1, -1)
        if exercice1.full_losses(row, best, best_loss, curvature)[0] <= goal:
            return clock(list, method(seed, problem, count, *settings))
    return np.inf


def goal_measures(sizes):
    """{(façon de faire, taille): (fonction, arguments)} pour `compare`, aux réglages que dit benchmarks/README.md."""
    measures = {}
    for size in sizes:
        problem = make_problem(size)
        measures[OURS, size] = time_to_goal, (lesson, problem, 300, 0.055, 32)
        measures["SGDRegressor", size] = time_to_goal, (sgd_regressor, problem, 20, 0.01, 5000)
        measures["PyTorch", size] = time_to_goal, (pytorch, problem, 300, 0.055, 64)
        measures["moindres carrés exacts (lstsq)", size] = time_to_goal, (lstsq, problem, 1)
        if size <= 10**6:  # au-delà, cela prendrait une minute
            measures["gradient complet, taux de l'énoncé", size] = time_to_goal, (lesson, problem, 700, 0.01)
            measures["gradient complet, meilleur taux", size] = time_to_goal, (lesson, problem, 300, 0.055)
    return measures


# --- Les boucles, face aux plus nues ------------------------------------------------------------------
def bare_numpy(inputs, targets, weights, bias, rate, n_iterations, batch_size, rng):
    """La boucle la plus courte possible, sans garder les paramètres. Rend les pertes."""
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
    """La boucle la plus courte possible. Rend les pertes."""
    losses = []
    for _ in range(epochs):
        loss = loss_func(model(x_data), y_data)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def numpy_words(seed):
    """Les arguments de `train` d'exercice1, avec ses réglages : mille itérations, par mini-batch."""
    exercice1.SEED = seed
    rng, *problem = exercice1.setup(exercice1.N_OBSERVATIONS)
    return *problem, exercice1.LEARNING_RATE, 1000, exercice1.BATCH_SIZE, rng


def pytorch_words(seed, script):
    """Les arguments de `train` d'exercice3 ou d'exercice3_nonlinear, avec ses réglages."""
    torch.manual_seed(seed)
    model = script.RegressionModel()
    rng = np.random.default_rng(seed)
    x_data, y_data = script.make_points(rng, script.N_OBSERVATIONS, script.NOISE, torch.device("cpu"))
    optimizer = script.make_optimizer(model, script.LEARNING_RATE)
    return model, x_data, y_data, optimizer, torch.nn.MSELoss(), script.EPOCHS or 2000


def time_of_loop(seed, loop, make_words, *options):
    """Durée (s) d'une boucle ; préparer ses arguments ne compte pas."""
    return clock(loop, *make_words(seed, *options))


def loop_measures(ours, bare, *words):
    """{façon de faire: (fonction, arguments)} pour `compare`."""
    return {OURS: (time_of_loop, (ours, *words)), "boucle nue": (time_of_loop, (bare, *words))}


LOOPS = {
    "exercice1": loop_measures(exercice1.train, bare_numpy, numpy_words),
    "exercice3": loop_measures(exercice3.train, bare_pytorch, pytorch_words, exercice3),
    "exercice3_nonlinear": loop_measures(exercice3_nonlinear.train, bare_pytorch, pytorch_words, exercice3_nonlinear),
}


# --- Les scripts entiers, face à leurs imports et à autant de figures vides ---------------------------
IMPORTS = """
import sys
from pathlib import Path
sys.path.insert(0, {root!r})
import {script}
import matplotlib.pyplot as plt
if "torch" in sys.modules:  # créer le premier optimiseur déclenche un import, qui ne dépend pas de nous
    {script}.torch.optim.SGD({script}.torch.nn.Linear(1, 1).parameters(), lr=1)
for k, _ in enumerate(list(Path().rglob("{script}-*.png"))):  # celles que le script vient de laisser
    fig, ax = plt.subplots(figsize=(11, 6.5), layout="constrained")
    fig.savefig(f"{{k}}.png")
    plt.close(fig)
"""


def time_of_python(repeat, folder, *words):
    """Durée (s) de Python sans écran, dans `folder`."""
    kept = {**os.environ, "MPLBACKEND": "Agg"}
    return clock(subprocess.run, [sys.executable, *words], cwd=folder, env=kept, check=True, capture_output=True)


def script_measures(script, folder):
    """{façon de faire: (fonction, arguments)} pour `compare` ; le script d'abord, dont on compte les figures."""
    imports = IMPORTS.format(root=str(ROOT), script=script)
    return {
        OURS: (time_of_python, (folder, ROOT / f"{script}.py")),
        "imports et figures vides": (time_of_python, (folder, "-c", imports)),
    }


# --- Les tableaux -------------------------------------------------------------------------------------
def french(value):
    """Trois chiffres significatifs, virgule décimale, espaces insécables entre les milliers."""
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.10g}".replace(",", "\u00a0").replace(".", ",")


def ratio(above, below, lowest=0, highest=np.inf):
    """« médiane (du plus petit au plus grand) » des rapports, essai par essai ; dit si la médiane manque le but."""
    n = min(len(above), len(below))
    values = above[:n] / below[:n]
    missed = "" if lowest <= np.median(values) <= highest else ", **manqué**"
    return f"{french(np.median(values))} ({french(values.min())} à {french(values.max())}){missed}"


def table(rows):
    """Un tableau Markdown ; la première ligne est l'en-tête."""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + " --- |" * len(rows[0]), *lines[1:]]) + "\n"


def goal_table(durations):
    """Durée de l'autre / durée du TP : une ligne par façon de faire, une colonne par taille."""
    sizes = list(dict.fromkeys(size for _, size in durations))
    wanted = {"gradient complet, taux de l'énoncé": 300, "SGDRegressor": 0.9, "PyTorch": 6}  # dès un million ; sinon 1
    rows = [["durée de l'autre / durée du TP", *(f"n = {french(size)}" for size in sizes), "voulu dès un million"]]
    for name in list(dict.fromkeys(name for name, _ in durations))[1:]:
        cells = []
        for size in sizes:
            lowest = wanted.get(name, 1) if size >= 10**6 else 0
            other = durations.get((name, size))
            cells.append("non mesuré" if other is None else ratio(other, durations[OURS, size], lowest))
        rows.append([name, *cells, f"au moins {french(wanted.get(name, 1))}"])
    times = [f"{french(1e3 * np.median(durations[OURS, size]))} ms" for size in sizes]
    growth = ratio(durations[OURS, sizes[-1]], durations[OURS, sizes[0]], highest=1.5)
    return f"{table(rows)}\nDurée du TP : {', '.join(times)} ; multipliée par {growth} (voulu : au plus 1,5).\n"


def pair_table(title, durations, scale, unit, wanted):
    """Une ligne par mesure : les deux durées et leur rapport ; `wanted` : {nom: le plus grand rapport voulu}."""
    rows = []
    for name, found in durations.items():
        ours, other = found.values()
        cells = [f"{french(scale * np.median(values))} {unit}" for values in (ours, other)]
        rows.append([name, *cells, ratio(ours, other, highest=wanted[name]), f"au plus {french(wanted[name])}"])
    return table([[title, *found, "rapport", "voulu"], *rows])


def main():
    list(pytorch(0, make_problem(10), 1, 0.01, 1))  # le premier optimiseur est plus long à créer
    goals = compare(goal_measures(SIZES), 15)
    loops = {name: compare(measures, 7) for name, measures in LOOPS.items()}
    with tempfile.TemporaryDirectory() as folder:
        scripts = {script: compare(script_measures(script, folder), 3) for script in SCRIPTS}
    libraries = ", ".join(f"{library.__name__} {library.__version__}" for library in (np, sklearn, torch))
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cœurs, Python {platform.python_version()}"
    print(f"Mesuré sur {machine}, {libraries}.\n")
    print(goal_table(goals))
    print(pair_table("boucle", loops, 1e3, "ms", dict.fromkeys(loops, 1.1)))
    print(pair_table("script entier", scripts, 1, "s", SCRIPTS))


if __name__ == "__main__":
    main()
