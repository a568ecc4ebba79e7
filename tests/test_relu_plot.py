"""Les activations de relu_plot face à d'autres autorités : PyTorch et la dérivation automatique."""

import numpy as np
import pytest
import torch

import relu_plot as lesson

EPSILON = np.finfo(float).eps
EXTREMES = np.array([-1000.0, -745.0, -36.0, -1.0, -1e-9, 0.0, 1e-9, 1.0, 36.0, 745.0, 1000.0])
REFERENCES = {"linéaire": lambda x: 1 * x, "sigmoïde": torch.sigmoid, "tanh": torch.tanh, "ReLU": torch.relu}


@pytest.mark.parametrize("name", lesson.ACTIVATIONS)
def test_activation_against_torch(name, recwarn):
    """Quelques arrondis (eps) d'écart au plus, sans avertissement, même très loin de 0."""
    for points in (EXTREMES, np.linspace(-30, 30, 4001)):
        expected = REFERENCES[name](torch.tensor(points))
        np.testing.assert_allclose(lesson.ACTIVATIONS[name](points), expected, rtol=8 * EPSILON, atol=8 * EPSILON)
    assert not recwarn


@pytest.mark.parametrize("name", lesson.ACTIVATIONS)
def test_slope_against_autograd(name):
    points = np.linspace(-6, 6, 500)  # 0, où ReLU n'a pas de pente, n'en est pas
    x = torch.tensor(points, requires_grad=True)
    REFERENCES[name](x).sum().backward()
    # Différence centrée au pas h : h²/6 fois la dérivée troisième (au plus 2), plus l'arrondi eps·6/h.
    np.testing.assert_allclose(lesson.slope(lesson.ACTIVATIONS[name], points), x.grad, atol=1e-12 + 12 * EPSILON / 1e-6)


@pytest.mark.parametrize("function, left", [(torch.relu, 0), (lambda x: torch.nn.functional.leaky_relu(x, 0.1), 0.1)])
def test_torch_takes_the_slope_of_the_left_at_zero(function, left):
    x = torch.zeros(1, requires_grad=True)
    function(x).backward()
    assert x.grad.item() == pytest.approx(left)


def test_softmax_against_torch(recwarn):
    for scores in np.random.default_rng(0).normal(0, 5, size=(50, 7)):
        expected = torch.softmax(torch.tensor(scores), dim=-1)
        # L'exponentielle d'un score de 20 amplifie l'arrondi d'autant ; ajouter 1000 mange trois chiffres.
        np.testing.assert_allclose(lesson.softmax(scores), expected, rtol=100 * EPSILON)
        np.testing.assert_allclose(lesson.softmax(scores + 1000), expected, rtol=1e-11)
    np.testing.assert_allclose(lesson.softmax([1000, 0, -1000]), [1, 0, 0])
    assert not recwarn
