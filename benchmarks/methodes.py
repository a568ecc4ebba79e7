"""Ce que `python -m benchmarks` chronomètre : les boucles du TP, et ce qu'on prendrait à leur place.

Une méthode reçoit `rng`, les données et le départ d'exercice1, ses pas et ses réglages ; elle donne ses paramètres,
(weights, bias), au départ, quand tout est prêt (on chronomètre à partir de là), puis après chacun de ses pas.
"""

from functools import cache

import numpy as np
import sklearn
import torch
from sklearn.linear_model import SGDRegressor
from torch.utils.data import DataLoader, TensorDataset

import exercice1


class Divided:
    """`inputs / scale`, calculé groupe par groupe : diviser un million d'observations dure plus que l'apprentissage."""

    def __init__(self, inputs, scale):
        self.inputs, self.scale = inputs, scale

    def __len__(self):
        return len(self.inputs)

    def __getitem__(self, group):
        return self.inputs[group] / self.scale


@cache
def make_problem(n, scale):
    """Les données et le départ d'exercice1, entrées divisées par `scale` ; puis la meilleure solution."""
    _, inputs, targets, weights, bias = exercice1.setup(n)
    best = exercice1.least_squares(inputs / scale, targets)
    return (inputs if scale == 1 else Divided(inputs, scale), targets, weights, bias), best


def lesson(rng, inputs, targets, weights, bias, n_steps, rate, batch_size=None, whole=False, average_from=None):
    """`train` d'exercice1.

    `whole`, ou sans `batch_size` : toutes les entrées, divisées d'abord ; `average_from` : la moyenne dès ce pas.
    """
    yield weights, bias
    inputs = inputs[:] if whole or not batch_size else inputs
    path = exercice1.train(inputs, targets, weights, bias, rate, n_steps, batch_size, rng)[1]
    yield from path[1:average_from]
    if average_from:
        weights_sum, bias_sum = 0, 0
        for count, (weights, bias) in enumerate(path[average_from:], start=1):
            weights_sum, bias_sum = weights_sum + weights, bias_sum + bias
            yield weights_sum / count, bias_sum / count


def sgd_regressor(rng, inputs, targets, weights, bias, n_steps, schedule, rate, average, chunk, checks=False):
    """SGDRegressor, déjà appelé une fois ; un pas : `partial_fit` de `chunk` observations qui se suivent."""
    sklearn.set_config(assume_finite=not checks, skip_parameter_validation=not checks)
    model = SGDRegressor(penalty=None, learning_rate=schedule, eta0=1e-30, average=average, random_state=0)
    model.partial_fit(inputs[:1], targets[:1, 0])  # au taux 1e-30 rien ne bouge, mais tout est prêt
    model.eta0, model.t_ = rate, 1.0
    yield model.coef_, model.intercept_
    for k in rng.integers(len(inputs) - chunk, size=n_steps):
        model.partial_fit(inputs[k : k + chunk], targets[k : k + chunk, 0])
        yield model.coef_, model.intercept_


def pytorch(rng, inputs, targets, weights, bias, n_steps, rate, batch_size, by_hand):
    """La boucle nue de PyTorch, sur des groupes pris à la main ou ceux d'un DataLoader, qui mélange d'abord tout.

    Les entrées sont divisées d'avance : c'est du temps qu'on ne lui compte pas.
    """
    data = TensorDataset(torch.from_numpy(inputs[:]).float(), torch.from_numpy(targets).float())
    torch.manual_seed(int(rng.integers(2**31)))
    model = torch.nn.Linear(len(weights), 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=rate / 2)  # MSELoss n'a pas le / 2 d'exercice1
    parameters = model.weight.detach().numpy(), model.bias.detach().numpy()  # la même mémoire : ils suivent
    yield parameters
    if by_hand:
        groups = (data[group] for group in torch.randint(len(data), (n_steps, batch_size)))
    else:
        groups = DataLoader(data, batch_size, shuffle=True)
    for _ in bare_pytorch(model, zip(range(n_steps), groups), optimizer, torch.nn.MSELoss()):
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


def bare_pytorch(model, groups, optimizer, loss_func):
    """De même pour `train` d'exercice3 ; donne les pertes."""
    for _, (x, y) in groups:
        loss = loss_func(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield loss.item()
