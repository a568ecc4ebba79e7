"""Les scripts du TP face à ce qu'on prendrait à leur place, mesurés côte à côte dans le même essai.

  python -m benchmarks                      le tableau entier (moins de cinq minutes sur deux cœurs)
  python -m benchmarks --rapide             de petites tailles et un seul script, pour un aperçu
  python -m benchmarks --json mesures.json --figures docs

Chaque ligne compare une fonction du TP à une autre façon de faire. Les deux sont mesurées à tour de rôle ;
« rapport » est la médiane des rapports autre / TP (plus de 1 : le TP est plus rapide), et « dispersion » en
donne le plus petit et le plus grand. Rien ici ne fait échouer un test : une durée n'est pas une promesse.
"""

import argparse
import itertools
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import sklearn
import torch
from sklearn.linear_model import SGDRegressor
from sklearn.neural_network import MLPClassifier

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

import exercice1  # noqa: E402  (les scripts sont un dossier plus haut)
import exercice2  # noqa: E402
import exercice3  # noqa: E402

SCRIPTS = sorted(path.stem for path in ROOT.glob("*.py"))
GOAL = 1.05  # le but : 1.05 fois la perte des moindres carrés
TRUE_PARAMETERS = exercice1.TRUE_WEIGHTS, exercice1.TRUE_BIAS


# --- Mesure -------------------------------------------------------------------------------------------
def clock(call):
    """Durée de `call()`, en secondes."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def compare(what, size, ours, peers, repeats):
    """Mesure à tour de rôle `ours` et chaque pair (nom : fonction d'un numéro d'essai, qui rend des secondes).

    Rend une ligne par pair.
    """
    durations = {name: [] for name in ["", *peers]}
    for repeat in range(repeats):
        for name, measure in {"": ours, **peers}.items():
            durations[name].append(measure(repeat))
    rows = []
    for name in peers:
        ratios = np.array(durations[name]) / durations[""]
        rows.append(
            {
                "what": what,
                "size": size,
                "ours_s": float(np.median(durations[""])),
                "peer": name,
                "peer_s": float(np.median(durations[name])),
                "ratio": float(np.median(ratios)),
                "spread": [float(ratios.min()), float(ratios.max())],
            }
        )
        print_row(rows[-1])
    return rows


def print_row(row):
    low, high = row["spread"]
    print(
        f"{row['what']:<22} {row['size']:>10} {1e3 * row['ours_s']:11.3f}   {row['peer']:<36} "
        f"{1e3 * row['peer_s']:11.3f} {row['ratio']:9.2f}   {low:.2f} à {high:.2f}",
        flush=True,
    )


# --- Arriver à 1.05 fois la perte des moindres carrés ---------------------------------------------------------
# Chaque méthode est un générateur : il avance d'un morceau, puis rend ses paramètres (d+1,).
def mini_batch(data, seed, rate, size):
    """Le mini-batch d'exercice1, dix pas à la fois."""
    inputs, targets, weights, bias, _ = data
    rng = np.random.default_rng(seed)
    while True:
        _, path = exercice1.train(inputs, targets, weights, bias, rate, 10, size, rng)
        weights, bias = path[-1]
        yield np.append(weights, bias)


def full_gradient(data, seed, rate):
    """Le gradient complet d'exercice1, cinq pas à la fois (`seed` ne sert pas : rien n'y est au hasard)."""
    inputs, targets, weights, bias, _ = data
    while True:
        _, path = exercice1.train(inputs, targets, weights, bias, rate, 5)
        weights, bias = path[-1]
        yield np.append(weights, bias)


def sgd_regressor(data, seed, rate, schedule, chunk):
    """SGDRegressor.partial_fit de scikit-learn, `chunk` observations nouvelles à la fois."""
    inputs, targets, _, _, _ = data
    model = SGDRegressor(penalty=None, learning_rate=schedule, eta0=rate, random_state=seed)
    targets = targets.ravel()
    for first in itertools.count(chunk * seed, chunk):
        first %= len(inputs) - chunk + 1
        model.partial_fit(inputs[first : first + chunk], targets[first : first + chunk])
        yield np.append(model.coef_, model.intercept_)


def torch_steps(batches, rate):
    """La boucle de PyTorch sur des groupes (x, y), dix pas à la fois."""
    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=rate / 2)  # MSELoss n'a pas le /2 de l'énoncé
    loss_func = torch.nn.MSELoss()
    while True:
        for x, y in itertools.islice(batches, 10):
            loss = loss_func(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        yield np.append(model.weight.detach(), model.bias.detach()).astype(float)


def torch_by_hand(data, seed, rate, size):
    """PyTorch, groupes tirés à la main."""
    x, y = data[4]
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    draws = (torch.randint(len(x), (size,), generator=generator) for _ in itertools.count())
    return torch_steps(((x[draw], y[draw]) for draw in draws), rate)


def torch_loader(data, seed, rate, size):
    """PyTorch, groupes donnés par DataLoader(shuffle=True)."""
    torch.manual_seed(seed)
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*data[4]), batch_size=size, shuffle=True)
    return torch_steps(itertools.chain.from_iterable(itertools.repeat(loader)), rate)


def lstsq(data, seed):
    inputs, targets, _, _, _ = data
    yield np.linalg.lstsq(np.column_stack([inputs, np.ones(len(inputs))]), targets, rcond=None)[0][:, 0]


def normal_equations(data, seed):
    inputs, targets, _, _, _ = data
    extended = np.column_stack([inputs, np.ones(len(inputs))])
    yield np.linalg.solve(extended.T @ extended, extended.T @ targets)[:, 0]


def time_to_goal(method, data, bowl, seed, limit=120):
    """Durée (s) jusqu'au but ; le contrôle de la perte n'est pas compté. inf si c'est jamais."""
    duration, steps = 0.0, method(data, seed)
    while duration < limit:
        started = time.perf_counter()
        parameters = next(steps)
        duration += time.perf_counter() - started
        if not np.isfinite(parameters).all():
            break
        if exercice1.full_losses([(parameters[:-1], parameters[-1:])], *bowl)[0] <= GOAL * bowl[1]:
            return duration
    return float("inf")


def make_problem(n_observations):
    rng = np.random.default_rng(0)
    inputs, targets = exercice1.make_data(rng, n_observations, *TRUE_PARAMETERS)
    weights, bias = exercice1.make_parameters(rng, 2)
    tensors = torch.as_tensor(inputs, dtype=torch.float32), torch.as_tensor(targets, dtype=torch.float32)
    return (inputs, targets, weights, bias, tensors), exercice1.least_squares(inputs, targets)


def tune(method, grid, data, bowl):
    """Le réglage de `grid` le plus rapide (médiane de trois graines) : chaque méthode a le sien."""

    def score(settings):
        runs = [time_to_goal(lambda d, s: method(d, s, *settings), data, bowl, seed, limit=0.5) for seed in range(3)]
        return np.median(runs)

    best = min(grid, key=score)
    return lambda data, seed: method(data, seed, *best), best


def goal_rows(sizes, repeats, quick):
    """Temps pour arriver au but, en fonction de n, chaque méthode au meilleur réglage de sa grille.

    Pour un aperçu (`quick`), un seul réglage sur dix est essayé.
    """
    data, bowl = make_problem(10_000)
    rates, batch_sizes = (0.01, 0.02, 0.03, 0.04, 0.05), (16, 32, 64, 128)
    grids = {
        "mini-batch d'exercice1": (mini_batch, list(itertools.product(rates, batch_sizes))),
        "gradient complet, au mieux": (full_gradient, [(rate,) for rate in rates]),
        "SGDRegressor.partial_fit": (
            sgd_regressor,
            list(itertools.product((0.002, 0.005, 0.01, 0.02, 0.05), ("constant", "invscaling"), (300, 1000))),
        ),
        "PyTorch, groupes à la main": (torch_by_hand, list(itertools.product(rates, batch_sizes))),
        "PyTorch, DataLoader": (torch_loader, list(itertools.product(rates, batch_sizes))),
    }
    next(torch_steps(iter([]), 0.01))  # le premier optimiseur coûte un import caché
    methods = {}
    for name, (method, grid) in grids.items():
        methods[name], best = tune(method, grid[-1::-10] if quick else grid, data, bowl)
        print(f"# {name} : réglage retenu {best}", flush=True)
    methods["gradient complet, taux 0.01"] = lambda data, seed: full_gradient(data, seed, 0.01)
    methods |= {"lstsq (exact)": lstsq, "équations normales (exact)": normal_equations}
    ours = methods.pop("mini-batch d'exercice1")
    rows = []
    for n_observations in sizes:
        data, bowl = make_problem(n_observations)
        slow = {name for name in methods if name.startswith("gradient complet")}
        measured = {name: method for name, method in methods.items() if name not in slow}

        def measure(method, data=data, bowl=bowl):
            return lambda repeat: time_to_goal(method, data, bowl, repeat)

        rows += compare(
            "arriver au but", n_observations, measure(ours), {k: measure(v) for k, v in measured.items()}, repeats
        )
        if n_observations <= 1_000_000:  # le gradient complet tourne en vrai, une seule fois
            rows += compare(
                "arriver au but", n_observations, measure(ours), {k: measure(methods[k]) for k in sorted(slow)}, 1
            )
    return rows


# --- Un pas de gradient complet -----------------------------------------------------------------------
def step_rows(n_observations, repeats):
    """Un pas complet de `train` face au meilleur NumPy trouvé et à une simple lecture des données."""
    inputs, targets, weights, bias, _ = make_problem(n_observations)[0]
    reused = np.empty_like(targets)

    def reusing():  # tout dans un tableau déjà alloué
        np.dot(inputs, weights, out=reused)
        np.add(reused, bias, out=reused)
        np.subtract(reused, targets, out=reused)
        return np.vdot(reused, reused), np.dot(inputs.T, reused), reused.sum()

    def in_place():
        deltas = np.dot(inputs, weights)
        deltas += bias
        deltas -= targets
        return np.vdot(deltas, deltas), np.dot(inputs.T, deltas), deltas.sum()

    def by_blocks(size=32_768):  # le tableau de travail tient dans le cache
        total, moments, summed = 0.0, 0.0, 0.0
        for first in range(0, n_observations, size):
            some = inputs[first : first + size]
            deltas = np.dot(some, weights)
            deltas += bias
            deltas -= targets[first : first + size]
            total, moments, summed = (
                total + np.vdot(deltas, deltas),
                moments + np.dot(some.T, deltas),
                summed + deltas.sum(),
            )
        return total, moments, summed

    def handout():  # les lignes de l'énoncé, un tableau neuf à chaque opération
        deltas = np.dot(inputs, weights) + bias - targets
        scaled = deltas / n_observations
        return np.sum(deltas**2), np.dot(inputs.T, scaled), np.sum(scaled)

    candidates = {"un tableau réemployé": reusing, "sur place": in_place, "par blocs": by_blocks}
    best = min(candidates, key=lambda name: np.median([clock(candidates[name]) for _ in range(9)]))
    exercice1.train(inputs, targets, weights, bias, 0, 1)  # à chaud, comme les candidats
    peers = {
        f"meilleur NumPy ({best})": lambda repeat: clock(candidates[best]),
        "un tableau neuf par opération": lambda repeat: clock(handout),
        "lire les données une fois": lambda repeat: clock(lambda: (inputs.sum(), targets.sum())),
    }
    ours = lambda repeat: clock(lambda: exercice1.train(inputs, targets, weights, bias, 0, 1))  # noqa: E731
    return compare("un pas complet", n_observations, ours, peers, 5 * repeats)


# --- Les boucles d'exercice3 et d'exercice2 -----------------------------------------------------------
def line_problem():
    x, y = exercice3.make_data(np.random.default_rng(0), 100, torch.device("cpu"))
    torch.manual_seed(0)
    model = exercice3.RegressionModel()
    return model, x, y, exercice3.make_optimizer(model, 0.05), torch.nn.MSELoss()


def loop_rows(repeats):
    """400 époques d'exercice3, sans fenêtre, face à la boucle nue et à la solution exacte."""

    def ours(repeat):
        problem = line_problem()
        return clock(lambda: exercice3.train(*problem, 400))

    def bare(repeat):
        model, x, y, optimizer, loss_func = line_problem()

        def loop():
            losses = []
            for _ in range(400):
                loss = loss_func(model(x), y)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                losses.append(loss.item())

        return clock(loop)

    def exact(repeat):
        _, x, y, *_ = line_problem()
        return clock(lambda: exercice3.best_line(x, y))

    ours(0), bare(0)  # à chaud
    return compare("400 époques", 100, ours, {"boucle nue": bare, "moindres carrés (exact)": exact}, 5 * repeats)


def iris_rows(n_epochs, repeats):
    """La boucle d'exercice2, qui mesure à chaque époque, face à `fit` avec les mêmes réglages."""
    *parts, _ = exercice2.split(0)
    settings = {"hidden_layer_sizes": (10,), "activation": "tanh", "solver": "sgd", "learning_rate_init": 0.1}
    settings |= {"momentum": 0.9, "batch_size": 20, "max_iter": n_epochs, "n_iter_no_change": n_epochs}

    def ours(repeat):
        classifier = MLPClassifier(**settings, random_state=np.random.RandomState(repeat))
        return clock(lambda: exercice2.train(classifier, *parts, n_epochs, lambda epoch, history: None))

    def fit(repeat):
        classifier = MLPClassifier(**settings, random_state=np.random.RandomState(repeat))
        with exercice2.safe_training():
            return clock(lambda: classifier.fit(*parts[:2]))

    return compare(f"iris, {n_epochs} époques", 120, ours, {"fit, mêmes réglages": fit}, repeats)


# --- Les scripts entiers ------------------------------------------------------------------------------
EMPTY = """
import matplotlib.pyplot as plt
{imports}
for k in range({count}):
    fig, ax = plt.subplots(figsize=(11, 6.5), layout="constrained")
    fig.savefig(f"{{k}}.png")
    plt.close(fig)
"""
LIBRARIES = {
    "exercice1": "import numpy",
    "relu_plot": "import numpy",
    "exercice2": "import numpy, sklearn.neural_network, sklearn.datasets, sklearn.model_selection",
    "exercice3": "import numpy, torch",
    "exercice3_nonlinear": "import numpy, torch",
}


def run_python(*words):
    """Durée d'un Python sans écran, dans un dossier vide ; rend aussi le nombre de figures qu'il y laisse."""
    with tempfile.TemporaryDirectory() as folder:
        call = lambda: subprocess.run(  # noqa: E731
            [sys.executable, *words],
            cwd=folder,
            env={**os.environ, "MPLBACKEND": "Agg"},
            check=True,
            capture_output=True,
        )
        return clock(call), len(list(Path(folder).rglob("*.png")))


def script_rows(repeats, quick):
    """Chaque script, tout entier et sans écran, face à ses imports et à autant de figures vides."""
    rows = []
    for script in ["relu_plot"] if quick else SCRIPTS:
        # Pour un aperçu, un seul script et la liste de ses sections : aucun calcul, aucune figure.
        words = [str(ROOT / f"{script}.py"), *(["--liste"] if quick else [])]
        count = 0 if quick else run_python(*words)[1]
        empty = EMPTY.format(imports=LIBRARIES[script], count=count)
        rows += compare(
            f"{script}{' --liste' if quick else ' entier'}",
            f"{count} fig.",
            lambda repeat, words=words: run_python(*words)[0],
            {"ses imports et des figures vides": lambda repeat, code=empty: run_python("-c", code)[0]},
            repeats,
        )
    return rows


# --- Figures et sortie --------------------------------------------------------------------------------
def draw_goal(ax, rows):
    """Temps pour arriver au but en fonction du nombre d'observations, une courbe par méthode."""
    rows = [row for row in rows if row["what"] == "arriver au but"]
    sizes = sorted({row["size"] for row in rows})
    ours = [np.median([row["ours_s"] for row in rows if row["size"] == size]) for size in sizes]
    ax.plot(sizes, ours, "ko-", linewidth=3, label="mini-batch d'exercice1")
    for name, style in zip(
        dict.fromkeys(row["peer"] for row in rows), itertools.cycle(["s--", "D-.", "^:", "v--", "<-.", "P:"])
    ):
        points = [(row["size"], row["peer_s"]) for row in rows if row["peer"] == name]
        ax.plot(*zip(*points), style, label=name)
    ax.set(title="Arriver à 1.05 fois la perte des moindres carrés", xlabel="nombre d'observations", ylabel="durée (s)")
    ax.set(xscale="log", yscale="log")
    ax.legend(fontsize=10)


def draw_ratios(ax, rows):
    """Rapport autre / TP de chaque ligne, avec sa dispersion ; à droite de 1, le TP est plus rapide."""
    labels = [f"{row['what']}, {row['size']} : {row['peer']}" for row in rows]
    ratios = np.array([row["ratio"] for row in rows])
    low, high = np.array([row["spread"] for row in rows]).T
    positions = np.arange(len(rows))[::-1]
    ax.errorbar(ratios, positions, xerr=[ratios - low, high - ratios], fmt="o", capsize=3)
    ax.axvline(1, color="black", linewidth=0.8)
    ax.set_yticks(positions, labels, fontsize=9)
    ax.set(title="Rapport des durées, autre / TP", xlabel="plus d'une fois : le TP est plus rapide", xscale="log")
    ax.grid(axis="x", alpha=0.3)


def save_figures(rows, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw, size in (("temps", draw_goal, (11, 7)), ("rapports", draw_ratios, (12, 14))):
        fig, ax = plt.subplots(figsize=size, layout="constrained")
        draw(ax, rows)
        fig.savefig(folder / f"benchmarks-{name}.png")
        plt.close(fig)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rapide", action="store_true", help="petites tailles, pour un aperçu en une minute")
    parser.add_argument("--json", metavar="FICHIER", type=Path, help="écrit aussi les mesures dans ce fichier")
    parser.add_argument("--figures", metavar="DOSSIER", type=Path, help="dessine les deux figures dans ce dossier")
    args = parser.parse_args()
    plt.switch_backend("agg")
    machine = {
        "python": platform.python_version(),
        **{library.__name__: library.__version__ for library in (np, matplotlib, sklearn, torch)},
        "machine": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
    }
    print("# " + ", ".join(f"{name} {value}" for name, value in machine.items()))
    print(f"{'quoi':<22} {'taille':>10} {'TP (ms)':>11}   {'autre':<36} {'autre (ms)':>11} {'rapport':>9}   dispersion")
    sizes, repeats = ((2000, 4000), 1) if args.rapide else ((10**4, 10**5, 10**6, 10**7), 5)
    rows = goal_rows(sizes, repeats, args.rapide)
    rows += step_rows(min(sizes[-1], 10**6), repeats)
    rows += loop_rows(repeats)
    rows += iris_rows(10 if args.rapide else 100, repeats)
    rows += script_rows(1 if args.rapide else 2, args.rapide)
    if args.json:
        args.json.write_text(
            json.dumps({"machine": machine, "rows": rows}, ensure_ascii=False, indent=1), encoding="utf-8"
        )
    if args.figures:
        save_figures(rows, args.figures)


if __name__ == "__main__":
    main()
