"""Les activations de relu_plot face à d'autres autorités, PyTorch et la dérivation automatique, et ses réponses."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

import relu_plot as lesson
from commun import answer_to, call, measured, never_taken, variant

EPSILON = np.finfo(float).eps
EXTREMES = np.array([-1000.0, -745.0, -36.0, -1.0, -1e-9, 0.0, 1e-9, 1.0, 36.0, 745.0, 1000.0])
REFERENCES = {"linéaire": lambda x: 1 * x, "sigmoïde": torch.sigmoid, "tanh": torch.tanh, "ReLU": torch.relu}


def test_the_names_are_those_of_the_settings():
    """Une activation de la leçon ne peut pas être choisie, ou n'est comparée à rien ici."""
    assert list(lesson.FUNCTIONS) == lesson.LIMITS["ACTIVATIONS"] == lesson.ACTIVATIONS == list(REFERENCES)


@pytest.mark.parametrize("name", REFERENCES)
def test_activation_against_torch(name):
    """Une activation diffère de celle de PyTorch de plus que quelques arrondis, même très loin de 0."""
    for points in (EXTREMES, np.linspace(-30, 30, 4001)):
        expected = REFERENCES[name](torch.tensor(points))
        with np.errstate(over="ignore"):  # comme le fait le lancement : exp(1000) déborde, et 1/(1 + inf) vaut 0
            found = lesson.FUNCTIONS[name](points)
        np.testing.assert_allclose(found, expected, rtol=8 * EPSILON, atol=8 * EPSILON)


@pytest.mark.parametrize("name", REFERENCES)
def test_slope_against_autograd(name):
    """La pente tracée n'est pas celle de PyTorch."""
    points = np.linspace(-6, 6, 500)  # 0, où ReLU n'a pas de pente, n'en est pas
    x = torch.tensor(points, requires_grad=True)
    REFERENCES[name](x).sum().backward()
    # Différence centrée au pas h : h²/6 fois la dérivée troisième (au plus 2), plus l'arrondi eps·6/h.
    np.testing.assert_allclose(lesson.slope(lesson.FUNCTIONS[name], points), x.grad, atol=1e-12 + 12 * EPSILON / 1e-6)


def test_softmax_against_torch(recwarn):
    """softmax diffère de celle de PyTorch, ou déborde pour de grands scores."""
    for scores in np.random.default_rng(0).normal(0, 5, size=(50, 7)):
        expected = torch.softmax(torch.tensor(scores), dim=-1)
        # L'exponentielle d'un score de 20 amplifie l'arrondi d'autant ; ajouter 1000 mange trois chiffres.
        np.testing.assert_allclose(lesson.softmax(scores), expected, rtol=100 * EPSILON)
        np.testing.assert_allclose(lesson.softmax(scores + 1000), expected, rtol=1e-11)
    np.testing.assert_allclose(lesson.softmax([1000, 0, -1000]), [1, 0, 0])
    assert not recwarn


RIGHT = "return np.maximum(0, x)"
RELUS = {
    "une liste": "return [max(0, value) for value in x]",
    "np.where": "return np.where(x > 0, x, 0)",
    "un produit": "return x * (x > 0)",
    "une boucle": "y = 0 * x\n    for i in range(len(x)):\n        if x[i] > 0:\n            y[i] = x[i]\n    return y",
    "en place": "x[x < 0] = 0\n    return x",
}


@pytest.mark.parametrize("name", RELUS)
def test_any_way_a_beginner_writes_relu_runs(name):
    """Une autre façon juste d'écrire ReLU casse une section, ou en change une ligne."""
    for section in ("3.1-relu", "3.1-activations"):
        assert call(variant("relu_plot", [(RIGHT, RELUS[name])]), section) == call(lesson, section)


# (section, réglages, ce que dit la réponse, ce qu'elle ne dit pas, changements de texte)
ONLY = {"ACTIVATIONS": ["ReLU"]}
CASES = [
    ("3.1-sigmoide", {}, "en 0, où elle vaut 0.25 ; en 8 elle ne vaut plus que 0.00034", "n'est plus"),
    ("3.1-sigmoide", {"X_MAX": 0.1}, "0.0067 en -5, 0.99331 en 5. Sa pente", "en 0.1"),
    ("3.1-sigmoide", {"X_MAX": 1000}, "0 en -1000, 1 en 1000. Sa pente est la plus grande en 0", "n'est plus"),
    ("3.1-sigmoide", {}, "n'est plus la sigmoïde : elle vaut 1 en -8", "écrase", [("np.exp(-x)", "np.exp(x)")]),
    ("3.1-relu", {}, "Elle met à 0 ce qui est négatif et garde le reste : 0 en -10 et 10 en 10", "n'est pas"),
    ("3.1-relu", {}, "n'est pas ReLU : elle vaut 10 en -10", "négatif", [(RIGHT, "return np.abs(x)")]),
    ("3.1-activations", {}, "linéaire, tout, mais elle ne courbe rien ; sigmoïde, au plus 0.25^10 = 9.5e-07", "seul"),
    ("3.1-activations", {}, "tanh, tout si x est près de 0, mais 0.42^10 = 0.00017 en x = 1", "fois plus"),
    ("3.1-activations", {}, "ReLU, tout à droite de 0, rien à gauche (un neurone qui y est toujours", "égaux"),
    ("3.1-activations", {}, "La sigmoïde éteint le gradient ; ReLU, à droite de 0, non. Après 10 couches", "1 couche,"),
    ("3.1-activations", {"N_LAYERS": 4}, "La sigmoïde éteint le gradient", "10 couches"),
    ("3.1-activations", {"N_LAYERS": 3}, "sigmoïde, au plus 0.25^3 = 0.016", "éteint"),
    ("3.1-activations", {"N_LAYERS": 1}, "Après 1 couche, il reste", "couches"),
    ("3.1-activations", {"ACTIVATIONS": ["sigmoïde"]}, "sigmoïde, au plus 0.25^10", "ReLU"),
    ("3.1-activations", {}, "Après 10 couches", "éteint", [(RIGHT, "return np.minimum(0, x)")]),
    ("3.1-activations", {}, "la plus grande probabilité au plus grand score", "égaux"),
    ("3.1-activations", {"SCORES": [7]}, "un score seul a la probabilité 1", "égaux"),
    ("3.1-activations", {"SCORES": [-1000, -999.9999999999]}, "la plus grande probabilité au plus grand", "égaux"),
    ("3.1-activations", {"SCORES": [3] * 10}, "des scores égaux donnent des probabilités égales", "plus grand score"),
    ("3.1-activations", {"SCORES": [1000, -1000]}, "la plus grande probabilité au plus grand score", "égaux"),
    ("3.1-activations", {**ONLY, "N_LAYERS": 3}, "(sans compter les poids) : ReLU, tout à droite", "sigmoïde"),
    ("3.1-activations", ONLY, "0.1^10 = 1e-10 à gauche", "rien", [(RIGHT, "return np.maximum(0.1 * x, x)")]),
    ("3.1-activations", ONLY, "au plus 2^10 = 1e+03 fois plus", "à gauche", [(RIGHT, "return np.maximum(0, 2 * x)")]),
]


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """Tous les cas, joués une fois sous coverage.py ; rend leurs réponses et ce que coverage.py a vu."""
    return measured("relu_plot", CASES, tmp_path_factory.mktemp("mesures"))


@pytest.mark.parametrize("number", range(len(CASES)), ids=lambda number: f"{CASES[number][0]} {CASES[number][2][:30]}")
def test_each_sentence_on_both_sides(number, played):
    """Une phrase est dite d'un essai qui ne la montre pas, ou tue là où elle est vraie."""
    answer, (_, _, said, unsaid, *_) = played[0][number], CASES[number]
    assert said in answer and unsaid not in answer, answer


def test_every_branch_below_the_answers_is_taken(played):
    """Une phrase d'une réponse n'est dite dans aucun cas : personne ne l'a jamais vérifiée."""
    assert never_taken("relu_plot", played[1]) == ([], [])


PLOT = 'plt.plot(x, relu(x), linewidth=3, label="ReLU")'
PLOTS = [
    (PLOT, ["ReLU"]),
    ('plt.plot(x, relu(x), label="ma courbe")', ["ma courbe"]),
    ("plt.plot(x, relu(x))", None),
    ("plt.scatter(x, relu(x))", None),
]


@pytest.mark.parametrize("line, names", PLOTS, ids=lambda value: f"{value}"[:40])
def test_a_label_makes_a_legend(line, names, recwarn):
    """Le nom que l'élève donne à sa courbe n'est pas en légende, ou son absence donne un avertissement."""
    variant("relu_plot", [(PLOT, line)]).section_relu()
    legend = plt.gca().get_legend()
    assert (legend and [text.get_text() for text in legend.get_texts()]) == names
    plt.close("all")
    assert not recwarn


@pytest.mark.parametrize("n_layers, scores, x_max", [(1, [5, 0], 0.1), (100, [0] * 50, 1000), (3, [7], 8)])
def test_settings_are_edited_freely(n_layers, scores, x_max, recwarn):
    """Une liste d'un score ou de cinquante activations casse une section."""
    for activations in (["tanh"], ["ReLU", "ReLU", "linéaire"], ["sigmoïde"] * 50):
        changes = {"N_LAYERS": n_layers, "SCORES": scores, "X_MAX": x_max, "ACTIVATIONS": activations}
        for section in lesson.SECTIONS:
            assert answer_to("relu_plot", section, changes)
    assert not recwarn
