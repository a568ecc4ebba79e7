"""Les activations de relu_plot face à d'autres autorités : PyTorch, différences finies, théorie."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent.parent))

import relu_plot as lesson

EPSILON = np.finfo(float).eps
EXTREMES = np.array([-1e308, -1000.0, -745.0, -36.0, -1.0, -1e-9, 0.0, 1e-9, 1.0, 36.0, 745.0, 1000.0, 1e308])
REFERENCES = {
    "linéaire": lambda x: 1 * x,
    "sigmoïde": torch.sigmoid,
    "tanh": torch.tanh,
    "ReLU": torch.relu,
}


@pytest.mark.parametrize("name", lesson.ACTIVATIONS)
def test_activation_and_slope_against_autograd(name, recwarn):
    """Quelques arrondis (eps) d'écart au plus ; en 0, la convention de PyTorch pour ReLU."""
    activation, slope = lesson.ACTIVATIONS[name]
    for points in (EXTREMES, np.linspace(-30, 30, 4001)):
        x = torch.tensor(points, requires_grad=True)
        reference = REFERENCES[name](x)
        reference.sum().backward()
        np.testing.assert_allclose(activation(points), reference.detach(), rtol=8 * EPSILON, atol=8 * EPSILON)
        np.testing.assert_allclose(slope(points), x.grad, rtol=8 * EPSILON, atol=8 * EPSILON)
    assert not recwarn


@pytest.mark.parametrize("name", lesson.ACTIVATIONS)
def test_slope_against_finite_differences(name):
    activation, slope = lesson.ACTIVATIONS[name]
    points = np.linspace(-6, 6, 500)  # 0 n'en est pas
    # Différence centrée : step²/6 fois la dérivée troisième (au plus 2), plus l'arrondi eps·6/step.
    tolerance = 1e-10 / 3 + 12 * EPSILON / 1e-5
    np.testing.assert_allclose(slope(points), lesson.finite_difference(activation, points), atol=tolerance)


def test_softmax_against_torch(recwarn):
    scores = np.random.default_rng(0).normal(0, 5, size=(50, 7))
    expected = torch.softmax(torch.tensor(scores), dim=-1)
    # L'exponentielle d'un score de 20 amplifie l'arrondi d'autant.
    np.testing.assert_allclose(lesson.softmax(scores), expected, rtol=100 * EPSILON)
    np.testing.assert_allclose(lesson.softmax(np.array([1000.0, 0.0, -1000.0])), [1, 0, 0])
    np.testing.assert_allclose(lesson.softmax(scores + 1000), expected, rtol=1e-11)  # 1000 mange trois chiffres
    assert not recwarn


def test_gradient_through_layers_against_autograd():
    """Le même empilement, dérivé par PyTorch : même part de gradient, à l'arrondi près."""
    shares = lesson.gradient_through_layers(lesson.tanh, lesson.tanh_slope, np.random.default_rng(5), 4, 20, 30)
    rng = np.random.default_rng(5)
    weights = torch.tensor(rng.normal(0, np.sqrt(2 / 20), size=(4, 20, 20)))
    inputs = torch.tensor(rng.normal(size=(30, 20)), requires_grad=True)
    seed_gradient = torch.tensor(rng.normal(size=(30, 20)))
    outputs = inputs
    for layer in weights:
        outputs = torch.tanh(outputs @ layer)
    outputs.backward(seed_gradient)
    assert shares[-1] == pytest.approx(float(inputs.grad.norm() / seed_gradient.norm()), rel=1e-12)


def test_relu_keeps_the_gradient_and_the_sigmoid_does_not():
    relu, sigmoid = ([], [])
    for seed in range(20):
        for found, name in ((relu, "ReLU"), (sigmoid, "sigmoïde")):
            rng = np.random.default_rng(seed)
            found.append(lesson.gradient_through_layers(*lesson.ACTIVATIONS[name], rng)[-1])
    # Théorie de He : le carré de la norme est gardé en moyenne ; sa dispersion sur vingt graines est de 0.3.
    assert np.mean(np.square(relu)) == pytest.approx(1, abs=5 * 0.3 / np.sqrt(20))
    # Une pente de 1/4 au plus, des poids de norme sqrt(2) en moyenne : (sqrt(2)/4)^10 = 3e-5 au plus.
    assert max(sigmoid) < (np.sqrt(2) / 4) ** 10 * 1.5
