"""Les boucles du TP à côté de ce qu'on prendrait à leur place, mesurées à tour de rôle.

`python -m benchmarks`, à la racine ; README.md, à côté, dit comment lire les tableaux, et les garde.
"""

import os
import platform
import time
from functools import cache

import numpy as np
import sklearn
import torch
from sklearn.linear_model import SGDRegressor
from torch.utils.data import DataLoader, TensorDataset

import exercice1
import exercice3


# --- Les façons d'arriver au but : chacune donne ses paramètres, (weights, bias), au départ, puis après chaque pas ----
class Divided:
    """`inputs / scale`, calculé groupe par groupe : diviser un million d'observations dure plus que l'apprentissage."""

    def __init__(self, inputs, scale):
        self.inputs, self.scale = inputs, scale

    def __len__(self):
        return len(self.inputs)

    def __getitem__(self, group):
        return self.inputs[group] / self.scale


def lesson(rng, inputs, targets, weights, bias, n_steps, batch_size, *rates):
    """`train` d'exercice1 ; un second taux, s'il y en a un, prend la suite après 12 pas."""
    yield weights, bias
    inputs = inputs if batch_size else inputs[:]
    first = min(n_steps, 12) if rates[1:] else n_steps
    for rate, count in zip(rates, [first, n_steps - first]):
        path = exercice1.train(inputs, targets, weights, bias, rate, count, batch_size, rng)[1]
        yield from path[1:]
        weights, bias = path[-1]


def sgd_regressor(rng, inputs, targets, weights, bias, n_steps, chunk, rate, average):
    """SGDRegressor sans ses contrôles, déjà appelé une fois ; un pas : `chunk` observations qui se suivent."""
    sklearn.set_config(assume_finite=True, skip_parameter_validation=True)
    model = SGDRegressor(penalty=None, learning_rate="constant", eta0=1e-30, average=average, random_state=0)
    model.partial_fit(inputs[:1], targets[:1, 0])  # au taux 1e-30 rien ne bouge, mais tout est prêt
    model.eta0, model.t_ = rate, 1.0
    yield model.coef_, model.intercept_
    for k in rng.integers(len(inputs) - chunk, size=n_steps):
        model.partial_fit(inputs[k : k + chunk], targets[k : k + chunk, 0])
        yield model.coef_, model.intercept_


def pytorch(rng, inputs, targets, weights, bias, n_steps, batch_size, rate, by_hand):
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


# --- Les boucles les plus courtes qui donnent les pertes de `train`, celle d'exercice1 et celle d'exercice3 -----------
def bare_numpy(inputs, targets, weights, bias, rate, n_iterations, batch_size, rng):
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
    losses = []
    for _ in range(epochs):
        loss = loss_func(model(x_data), y_data)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


# --- Ce qu'on mesure : pour mesurer autre chose, ajoutez une ligne --------------------------------------------------
GOALS = [  # nom, s'il faut y rester, observations, ce qui divise les entrées, façon de faire, pas au plus, réglages
    ("le TP : divisées, groupes de 64, taux 1.5", False, 10**6, 10, lesson, 100, 64, 1.5),  # en face de chaque autre
    ("le TP, groupes de 128", False, 10**6, 10, lesson, 100, 128, 1.5),
    ("le TP, dix mille observations", False, 10**4, 10, lesson, 100, 64, 1.5),
    ("le TP, dix millions", False, 10**7, 10, lesson, 100, 64, 1.5),
    ("le TP, telles quelles, groupes de 32, 0.055", False, 10**6, 1, lesson, 400, 32, 0.055),
    ("gradient complet, divisées, 1.5", False, 10**6, 10, lesson, 100, None, 1.5),
    ("SGDRegressor, divisées, 0.2, moyenne", False, 10**6, 10, sgd_regressor, 200, 256, 0.2, 100),
    ("SGDRegressor, telles quelles, 0.015, moyenne", False, 10**6, 1, sgd_regressor, 200, 768, 0.015, 500),
    ("PyTorch à la main, comme le TP", False, 10**6, 10, pytorch, 100, 64, 1.5, True),
    ("PyTorch et DataLoader, de même", False, 10**6, 10, pytorch, 100, 64, 1.5, False),
    ("moindres carrés exacts (lstsq)", False, 10**6, 1, lstsq, 1),
    ("y rester : le TP, et 0.2 après 12 pas", True, 10**6, 10, lesson, 1024, 64, 1.5, 0.2),
    ("y rester : SGDRegressor, divisées, 0.2, moyenne", True, 10**6, 10, sgd_regressor, 256, 256, 0.2, 100),
]
LOOPS = [("exercice1", exercice1.train, bare_numpy), ("exercice3", exercice3.train, bare_pytorch)]


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
    """Durée (ms) jusqu'au but, 5 % au-dessus de la meilleure perte ; si `stays`, pour y rester ; inf si c'est jamais.

    On compte d'abord les pas, puis on chronomètre ceux-là seuls, trois fois : la plus courte.
    """
    problem, best = make_problem(n, scale)
    steps = method(np.random.default_rng(seed), *problem, n_steps, *settings)
    path = np.array([np.append(weights, bias) for weights, bias in steps])  # (pas, paramètres)
    reached = exercice1.full_losses(path, *best) <= exercice1.goal_of(best[1])[0]
    count = np.flatnonzero(~reached)[-1] + 1 if stays else reached.argmax()
    if not reached[count:].any():
        return np.inf
    times = []
    for _ in range(3):
        steps = method(np.random.default_rng(seed), *problem, count, *settings)
        next(steps)  # tout est prêt
        times.append(clock(list, steps))
    return min(times)


def time_of_loop(seed, loop):
    """Durée (ms) d'une boucle de LOOPS ; préparer ses arguments ne compte pas."""
    rng = np.random.default_rng(seed)
    if loop in LOOPS[0]:
        return clock(loop, *make_problem(1000, 1)[0], 0.01, 1000, 32, rng)
    torch.manual_seed(seed)
    model = exercice3.RegressionModel()
    points = exercice3.make_points(rng, 100, 0.8, "cpu")
    return clock(loop, model, *points, exercice3.make_optimizer(model, 0.05), torch.nn.MSELoss(), 400)


def print_ratio(name, measure, *settings, against):
    """Une ligne : les durées médianes de deux façons de faire, à tour de rôle, vingt-cinq graines, et leur rapport."""
    times = np.array([[measure(seed, *words) for words in (settings, against)] for seed in range(25)])
    ratios = times[:, 0] / times[:, 1]
    left, right, ratio = [*np.median(times, axis=0), np.median(ratios)]
    print(f"| {name} | {left:.3g} | {right:.3g} | {ratio:.3g} ({ratios.min():.3g} à {ratios.max():.3g}) |", flush=True)


def main():
    print(f"Python {platform.python_version()}, numpy {np.__version__}, sklearn {sklearn.__version__}, ", end="")
    print(f"torch {torch.__version__}, {os.cpu_count()} cœurs.")
    print("\n| premier passage, durée en ms | elle | le TP | rapport |\n| --- | --- | --- | --- |")
    for name, *row in GOALS[1:]:
        print_ratio(name, time_to_goal, *row, against=GOALS[0][1:])
    print("\n| boucle, durée en ms | le TP | la plus nue | rapport |\n| --- | --- | --- | --- |")
    for name, ours, bare in LOOPS:
        print_ratio(name, time_of_loop, ours, against=[bare])


if __name__ == "__main__":
    main()
