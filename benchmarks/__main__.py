"""Les boucles et les scripts du TP à côté de ce qu'on prendrait à leur place, mesurés à tour de rôle.

`python -m benchmarks` affiche trois tableaux, en deux minutes sur deux cœurs ; benchmarks/README.md dit comment les
lire et en garde un essai.
"""

import itertools
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

BATCHES = list(itertools.product((0.03, 0.04, 0.05, 0.055), (8, 16, 32, 64)))  # (taux, taille du groupe)
CHUNKS = list(itertools.product((0.001, 0.002, 0.005, 0.01, 0.02), ("constant", "invscaling"), (300, 1000, 3000)))
SCRIPTS = {"relu_plot": 3, "exercice1": 3, "exercice2": 4, "exercice3": 3, "exercice3_nonlinear": 3}  # rapport voulu


# --- Mesurer ------------------------------------------------------------------------------------------
def clock(call, *words):
    """Durée de `call(*words)` (s)."""
    start = time.perf_counter()
    call(*words)
    return time.perf_counter() - start


def compare(measures, n_repeats):
    """Mesure chaque façon de faire à tour de rôle ; rend {nom: durées (s)}.

    `measures` : {nom: (fonction, arguments)} ; la fonction reçoit le numéro de l'essai, puis ses arguments, et rend
    des secondes. Deux essais au moins, puis on s'arrête à cinq secondes.
    """
    durations = {name: [] for name in measures}
    for repeat in range(n_repeats):
        for name, (measure, words) in measures.items():
            if repeat < 2 or sum(durations[name]) < 5:
                durations[name].append(measure(repeat, *words))
    return {name: np.array(values) for name, values in durations.items()}


# --- Arriver au but : une perte à 5 % de la meilleure -------------------------------------------------
# Chaque méthode rend le chemin de ses paramètres, [(weights, bias), ...], un par pas, comme `train`.
def lesson(seed, problem, n_steps, rate, batch_size=None):
    """`train` d'exercice1 : par mini-batch, ou par gradient complet sans `batch_size`."""
    inputs, targets, _, weights, bias, _ = problem
    rng = np.random.default_rng(seed)
    return exercice1.train(inputs, targets, weights, bias, rate, n_steps, batch_size, rng)[1]


def sgd_regressor(seed, problem, n_steps, rate, schedule, chunk):
    """SGDRegressor.partial_fit, sur `chunk` observations nouvelles à chaque pas."""
    inputs, targets, path = problem[0], problem[1].ravel(), []
    model = SGDRegressor(penalty=None, learning_rate=schedule, eta0=rate, random_state=seed)
    for step in range(seed, seed + n_steps):
        first = chunk * step % (len(inputs) - chunk + 1)
        model.partial_fit(inputs[first : first + chunk], targets[first : first + chunk])
        path.append((model.coef_.copy(), model.intercept_.copy()))
    return path


def pytorch(seed, problem, n_steps, rate, batch_size):
    """La boucle d'exercice3, sur des groupes tirés au hasard."""
    (x_data, y_data), path = problem[2], []
    torch.manual_seed(seed)
    model, loss_func = torch.nn.Linear(x_data.shape[1], 1), torch.nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=rate / 2)  # MSELoss n'a pas le / 2 d'exercice1
    for group in torch.randint(len(x_data), (n_steps, batch_size)):
        loss = loss_func(model(x_data[group]), y_data[group])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        path.append((model.weight.detach().clone().numpy(), model.bias.detach().clone().numpy()))
    return path


def make_problem(n_observations):
    """Les données d'exercice1, les mêmes en tenseurs, le départ, et les moindres carrés."""
    rng = np.random.default_rng(0)
    inputs, targets = exercice1.make_data(rng, n_observations)
    weights, bias = exercice1.make_parameters(rng, inputs.shape[1])
    tensors = torch.from_numpy(inputs).float(), torch.from_numpy(targets).float()
    return inputs, targets, tensors, weights, bias, exercice1.least_squares(inputs, targets)


def time_to_goal(seed, method, problem, n_steps, *settings):
    """Durée (s) jusqu'au but : on compte d'abord les pas, sur `n_steps`, puis on chronomètre ceux-là seuls."""
    path, (best, best_loss, curvature) = method(seed, problem, n_steps, *settings), problem[-1]
    losses = exercice1.full_losses(path, best, best_loss, curvature)
    count = exercice1.first_under(losses, exercice1.goal(best_loss))
    return np.inf if count is None else clock(method, seed, problem, count + 1, *settings)


def time_of_lstsq(seed, problem):
    """Durée (s) des moindres carrés exacts."""
    inputs, targets = problem[:2]
    return clock(lambda: np.linalg.lstsq(np.column_stack([inputs, np.ones(len(inputs))]), targets, rcond=None))


def tuned(method, problem, n_steps, grid):
    """`time_to_goal` et ses arguments, au meilleur réglage de `grid` : la médiane de neuf graines mises à part."""
    scores = []
    for settings in grid:
        trials = [time_to_goal(seed, method, problem, n_steps, *settings) for seed in range(100, 109)]
        scores.append(np.median(trials))
    return time_to_goal, (method, problem, 4 * n_steps, *grid[np.argmin(scores)])


def goal_measures(size):
    """{façon de faire: (fonction, arguments)} pour `compare`, le TP en premier ; chacune à son meilleur réglage."""
    problem = make_problem(size)
    measures = {
        "le TP": tuned(lesson, problem, 250, BATCHES),
        "SGDRegressor": tuned(sgd_regressor, problem, 20, CHUNKS),
        "PyTorch": tuned(pytorch, problem, 250, BATCHES),
        "moindres carrés exacts (lstsq)": (time_of_lstsq, (problem,)),
    }
    if size <= 10**6:  # au-delà, ce serait une minute
        measures["gradient complet, taux de l'énoncé"] = time_to_goal, (lesson, problem, 700, 0.01)
        # Son meilleur taux : le plus grand, car le biais va d'autant plus vite (au-delà de 0.056 il diverge).
        measures["gradient complet, meilleur taux"] = time_to_goal, (lesson, problem, 250, 0.055)
    return measures


# --- Les boucles, face aux plus nues ------------------------------------------------------------------
def bare_numpy(inputs, targets, weights, bias, rate, n_iterations, batch_size, rng):
    """Le moins qu'on puisse écrire : ni explosion surveillée, ni chemin gardé. Rend les pertes."""
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
    """Le moins qu'on puisse écrire avec PyTorch. Rend les pertes."""
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
    rng = np.random.default_rng(seed)
    inputs, targets = exercice1.make_data(rng, exercice1.N_OBSERVATIONS)
    weights, bias = exercice1.make_parameters(rng, inputs.shape[1])
    return inputs, targets, weights, bias, exercice1.LEARNING_RATE, 1000, exercice1.BATCH_SIZE, rng


def pytorch_words(seed, script, optimizer):
    """Les arguments de `train` d'exercice3 ou d'exercice3_nonlinear, avec ses réglages."""
    torch.manual_seed(seed)
    model = script.RegressionModel()
    x_data, y_data = script.make_data(np.random.default_rng(seed), script.N_OBSERVATIONS, torch.device("cpu"))
    optimizer = optimizer(model.parameters(), lr=script.LEARNING_RATE)
    return model, x_data, y_data, optimizer, torch.nn.MSELoss(), script.EPOCHS


def time_of_loop(seed, loop, make_words, *options):
    """Durée (s) d'une boucle ; préparer ses arguments ne compte pas."""
    return clock(loop, *make_words(seed, *options))


def loop_measures(ours, bare, *words):
    """{façon de faire: (fonction, arguments)} pour `compare`."""
    return {"le TP": (time_of_loop, (ours, *words)), "boucle nue": (time_of_loop, (bare, *words))}


LOOPS = {
    "exercice1": loop_measures(exercice1.train, bare_numpy, numpy_words),
    "exercice3": loop_measures(exercice3.train, bare_pytorch, pytorch_words, exercice3, torch.optim.SGD),
    "exercice3_nonlinear": loop_measures(
        exercice3_nonlinear.train, bare_pytorch, pytorch_words, exercice3_nonlinear, torch.optim.Adam
    ),
}


# --- Les scripts entiers, face à leurs imports et à autant de figures vides ---------------------------
IMPORTS = """
import sys
sys.path.insert(0, {root!r})
import {script}
import matplotlib.pyplot as plt
if "torch" in sys.modules:  # le premier optimiseur cache un import, qui ne dépend pas de nous
    {script}.torch.optim.SGD({script}.torch.nn.Linear(1, 1).parameters(), lr=1)
for k in range({count}):
    fig, ax = plt.subplots(figsize=(11, 6.5), layout="constrained")
    fig.savefig(f"{{k}}.png")
    plt.close(fig)
"""


def run_python(folder, *words):
    """Lance Python sans écran, dans `folder`."""
    kept = {**os.environ, "MPLBACKEND": "Agg"}
    subprocess.run([sys.executable, *words], cwd=folder, env=kept, check=True, capture_output=True)


def time_of_script(repeat, script, folder):
    """Durée (s) du script, dont les figures restent dans `folder`."""
    return clock(run_python, folder, ROOT / f"{script}.py")


def time_of_imports(repeat, script, folder):
    """Durée (s) des imports du script et d'autant de figures vides qu'il en a laissé dans `folder`."""
    count = len(list(Path(folder).rglob(f"{script}-*.png")))
    return clock(run_python, folder, "-c", IMPORTS.format(root=str(ROOT), script=script, count=count))


def script_measures(*words):
    """{façon de faire: (fonction, arguments)} pour `compare`."""
    return {"le TP": (time_of_script, words), "imports et figures vides": (time_of_imports, words)}


# --- Les tableaux -------------------------------------------------------------------------------------
def french(value):
    """Trois chiffres significatifs, virgule décimale, espaces insécables entre les milliers."""
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.10g}".replace(",", "\u00a0").replace(".", ",")


def ratio(above, below, lowest=0, highest=np.inf):
    """« médiane (le plus petit à le plus grand) » des rapports, essai par essai ; dit si la médiane manque le but."""
    n = min(len(above), len(below))
    values = above[:n] / below[:n]
    missed = "" if lowest <= np.median(values) <= highest else ", **manqué**"
    return f"{french(np.median(values))} ({french(values.min())} à {french(values.max())}){missed}"


def table(rows):
    """Un tableau Markdown ; la première ligne est l'en-tête."""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + " --- |" * len(rows[0]), *lines[1:]]) + "\n"


def goal_table(durations):
    """Combien de fois le TP est plus rapide : une ligne par façon de faire, une colonne par taille."""
    wanted = {"gradient complet, taux de l'énoncé": 300, "SGDRegressor": 0.9, "PyTorch": 6}  # dès un million ; sinon 1
    rows = [["le TP va plus vite que", *(f"n = {french(size)}" for size in durations), "voulu dès un million"]]
    for name in list(next(iter(durations.values())))[1:]:
        cells = []
        for size, found in durations.items():
            lowest = wanted.get(name, 1) if size >= 10**6 else 0
            cells.append(ratio(found[name], found["le TP"], lowest) if name in found else "non mesuré")
        rows.append([name, *cells, f"au moins {french(wanted.get(name, 1))} fois"])
    lessons = [found["le TP"] for found in durations.values()]
    times = [f"{french(1e3 * np.median(lesson))} ms" for lesson in lessons]
    growth = ratio(lessons[-1], lessons[0], highest=1.5)
    return f"{table(rows)}\nDurées du TP : {', '.join(times)}. De la première à la dernière : {growth} ; voulu : 1,5.\n"


def pair_table(title, durations, scale, unit, wanted):
    """Une ligne par mesure : les deux durées et leur rapport ; `wanted` : {nom: le plus grand rapport voulu}."""
    rows = []
    for name, found in durations.items():
        ours, other = found.values()
        cells = [f"{french(scale * np.median(values))} {unit}" for values in (ours, other)]
        rows.append([name, *cells, ratio(ours, other, highest=wanted[name]), f"au plus {french(wanted[name])}"])
    return table([[title, *found, "rapport", "voulu"], *rows])


def main():
    pytorch(0, make_problem(10), 1, 0.01, 1)  # le premier optimiseur cache un import
    goals = {size: compare(goal_measures(size), 15) for size in (10**4, 10**6, 10**7)}
    loops = {name: compare(measures, 7) for name, measures in LOOPS.items()}
    with tempfile.TemporaryDirectory() as folder:
        scripts = {script: compare(script_measures(script, folder), 2) for script in SCRIPTS}
    libraries = ", ".join(f"{library.__name__} {library.__version__}" for library in (np, sklearn, torch))
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cœurs, Python {platform.python_version()}"
    print(f"Mesuré sur {machine}, {libraries}.\n")
    print(goal_table(goals))
    print(pair_table("boucle", loops, 1e3, "ms", dict.fromkeys(loops, 1.1)))
    print(pair_table("script entier", scripts, 1, "s", SCRIPTS))


if __name__ == "__main__":
    main()
