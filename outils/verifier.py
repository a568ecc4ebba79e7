"""Dit, pour chaque chose à écrire, si elle est à faire, pas encore juste, ou bien. Lancez : python verifier.py

Chaque partie est jugée sur ce qu'elle fait : on appelle vos fonctions, on regarde vos figures, jamais votre texte.
"""

import contextlib
import importlib.util
import io
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

plt.switch_backend("agg")  # on regarde les figures sans les montrer
FOLDER = Path(__file__).parent


def load(script):
    """Importe un script de ce dossier ; s'il a une erreur, elle remonte."""
    spec = importlib.util.spec_from_file_location(script, FOLDER / f"{script}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def play(module, section):
    """Joue une section d'exercice1 sans rien montrer ; rend ses figures."""
    np.random.seed(module.SEED)
    try:
        with contextlib.redirect_stdout(io.StringIO()), np.errstate(over="ignore", invalid="ignore"):
            section()
        return [plt.figure(number) for number in plt.get_fignums()]
    finally:
        plt.close("all")


# --- Une fonction par chose à écrire : rend ce qui ne va pas, ou rien -----------------------------------
def check_loss_figure(module):
    """2.2.2-perte : tracer la perte."""
    _, inputs, targets, weights, bias = module.setup(module.N_OBSERVATIONS)
    expected, _ = module.train(inputs, targets, weights, bias, module.LEARNING_RATE, module.N_ITERATIONS or 1000)
    figures = play(module, module.section_loss)
    curves = [line for fig in figures for ax in fig.axes for line in ax.lines if len(line.get_ydata()) > 2]
    if not curves:
        return "les axes sont vides : tracez loss_history avec ax.plot"
    for line in curves:
        x, y = np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)
        if len(y) == len(expected) and np.allclose(y, expected):
            if np.allclose(x, y):
                return "la perte est tracée contre elle-même : l'axe horizontal doit être le numéro de l'itération"
            return None if np.allclose(np.diff(x), 1) else "l'axe horizontal n'est pas le numéro de l'itération"
    return "la courbe n'est pas loss_history, la perte à chaque itération"


def check_third_input(module):
    """2.2.2-trois-entrees : les données et les paramètres de départ."""
    given, results = [], []
    real_check, real_learn = module.wrong_formula, module.learn

    def watched_check(inputs, targets, true_values):
        given.extend([np.shape(inputs), np.shape(targets)])
        return real_check(inputs, targets, true_values)

    def watched_learn(inputs, targets, weights, *others):
        given.append(np.shape(weights))
        results.append(real_learn(inputs, targets, weights, *others))
        return results[-1]

    module.wrong_formula, module.learn = watched_check, watched_learn
    play(module, module.section_three_inputs)
    if given[0] != (1000, 3):
        return f"inputs est de forme {given[0]}, il faut (1000, 3) : trois entrées"
    if given[1] != (1000, 1):
        return f"targets est de forme {given[1]}, il faut (1000, 1)"
    if not results:
        return "targets ne suit pas la formule de l'énoncé"
    if given[2] != (3, 1):
        return f"weights est de forme {given[2]}, il faut (3, 1) : trois poids pour trois entrées"
    learned = results[0][1][-1]
    if not np.allclose(learned, [2, 4, -3, 3], atol=0.05):
        return f"les paramètres appris sont {learned.round(2).tolist()} et non [2, 4, -3] et 3"
    return None


def check_mini_batch(module):
    """2.2.3 : le choix du mini-batch, dans `train`.

    Les entrées sont une matrice identité : un pas ne bouge que les poids des observations du groupe, et chacun
    d'une part 1/taille de son écart. Les poids disent donc qui était dans chaque groupe.
    """
    n, size, rate = 12, 4, 0.01
    targets = np.arange(1.0, n + 1).reshape(-1, 1)
    start = np.zeros((n, 1)), np.zeros(1)
    _, path = module.train(np.eye(n), targets, *start, rate, 60, size, np.random.default_rng(0))
    shares = []
    for (weights, bias), (after, _) in zip(path, path[1:]):
        shares.append(((weights - after) / rate / (weights + bias - targets)).ravel())
    shares = np.array(shares)  # (60, n) : la part de chaque observation dans chaque pas
    totals = shares.sum(axis=1)
    if np.allclose(totals, size):
        return "chaque pas fait la somme des gradients du groupe : il en faut la moyenne"
    if not np.allclose(totals, 1):
        return "chaque pas n'est pas la moyenne des gradients du groupe : divisez par sa taille"
    if np.allclose(shares, 1 / n):
        return "chaque groupe est fait de toutes les observations"
    if not np.isclose(shares[shares > 1e-9].min(), 1 / size):
        return f"les groupes n'ont pas la taille demandée, {size} ici"
    if np.allclose(shares, shares[0]):
        return "c'est toujours le même groupe : tirez-en un autre à chaque itération"
    return None if (shares.max(axis=0) > 0).all() else "certaines observations ne sont jamais tirées"


def check_relu(module):
    """3.1 : ReLU."""
    x = np.array([-3.0, -0.5, 0.0, 0.5, 3.0])
    try:
        found = module.relu(x)
    except ValueError:
        return "elle ne marche que sur un nombre : il faut traiter chaque élément d'un tableau"
    if np.shape(found) != x.shape:
        return f"elle ne traite pas chaque élément : {len(x)} nombres en entrée, forme {np.shape(found)} en sortie"
    if np.allclose(found, abs(x)):
        return "c'est la valeur absolue : à gauche de 0, ReLU vaut 0"
    wrong = np.flatnonzero(~np.isclose(found, [0, 0, 0, 0.5, 3]))
    return f"relu({x[wrong[0]]:g}) vaut {found[wrong[0]]:g}" if len(wrong) else None


def check_loss_history(module):
    """3.3.2 : garder la perte, un nombre par époque."""
    import torch

    x, y = module.make_data(np.random.default_rng(0), 20, torch.device("cpu"))
    model = module.RegressionModel()
    first = torch.nn.functional.mse_loss(model(x), y).item()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    loss_history = module.train(model, x, y, optimizer, torch.nn.MSELoss(), 5)
    if len(loss_history) != 5:
        return f"5 époques, et {len(loss_history)} valeurs dans loss_history"
    if any(torch.is_tensor(value) for value in loss_history):
        return "loss_history garde des tenseurs, et avec eux tout le calcul : gardez le nombre, loss.item()"
    if not np.isclose(loss_history[0], first) or not np.all(np.diff(loss_history) < 0):
        return "les valeurs gardées ne sont pas les pertes des époques"
    return None


def check_layers(module):
    """3.3.2, fin : les couches de RegressionModel."""
    shapes = [tuple(parameter.shape) for parameter in module.RegressionModel().parameters()]
    if sum(len(shape) == 2 for shape in shapes) < 2:
        return "il manque une couche : une couche cachée, puis une couche de sortie"
    return None


def check_forward(module):
    """3.3.2, fin : `forward`."""
    import torch

    model = module.RegressionModel()
    x = torch.linspace(-50, 50, 101).reshape(-1, 1)
    y = model(x)
    if not torch.is_tensor(y) or y.shape != (101, 1):
        return f"forward rend {tuple(y.shape) if torch.is_tensor(y) else type(y).__name__}, il faut un tenseur (n, 1)"
    middle = (y[0] + y[-1]) / 2 - y[50]  # nul si les trois points sont alignés
    quarter = (y[0] + y[50]) / 2 - y[25]
    if max(abs(middle), abs(quarter)) < 1e-4 * (1 + abs(y).max()):
        return "le modèle est encore une droite : il manque l'activation entre les deux couches"
    return None


CHECKS = [
    ("exercice1", check_loss_figure),
    ("exercice1", check_third_input),
    ("exercice1", check_mini_batch),
    ("relu_plot", check_relu),
    ("exercice3", check_loss_history),
    ("exercice3_nonlinear", check_layers),
    ("exercice3_nonlinear", check_forward),
]


def judge(script, check):
    """Rend le verdict et sa raison."""
    try:
        problem = check(load(script))
    except NotImplementedError:
        return "à faire", ""
    except Exception as error:  # l'erreur d'un élève, quelle qu'elle soit : on la dit, et on juge les autres
        return "pas encore", f"{type(error).__name__} : {str(error).splitlines()[0] if str(error) else ''}"
    return ("pas encore", problem) if problem else ("bien", "")


def main():
    good = 0
    for script, check in CHECKS:
        verdict, reason = judge(script, check)
        title = check.__doc__.splitlines()[0].rstrip(".")
        print(f"[{verdict}] {script}.py, {title}" + (f" : {reason}" if reason else ""))
        good += verdict == "bien"
    print(f"{good} sur {len(CHECKS)}")
    return 0 if good == len(CHECKS) else 1


if __name__ == "__main__":
    sys.exit(main())
