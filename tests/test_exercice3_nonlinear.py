"""exercice3_nonlinear face à d'autres autorités : NumPy, l'exigence sur la perte finale, d'autres graines.

Puis face aux modèles que des élèves écrivent, et chaque phrase de réponse des deux côtés.
"""

import re
import sys

import numpy as np
import pytest
import torch

import exercice3_nonlinear as lesson
from commun import answer_to, call, definition, measured, never_taken, variant

CPU = torch.device("cpu")
EPSILON = np.finfo(np.float32).eps


def problem(seed=0, n_observations=100, device=CPU):
    x, y = lesson.make_points(np.random.default_rng(seed), n_observations, 0.1, device)
    torch.manual_seed(seed)
    return x, y, lesson.RegressionModel().to(device)


def trained(model, x, y, optimizer, epochs):
    lesson.train(model, x, y, optimizer, torch.nn.MSELoss(), epochs)
    return lesson.evaluate(model, x, y)


def test_data_follow_the_handout():
    """Les points ne suivent plus x⁴, ou le bruit n'est plus entre 0 et 0.1."""
    x, y, _ = problem(n_observations=10_000)
    noise = (y - x**4).numpy()
    assert x.shape == y.shape == (10_000, 1) and x.dtype == y.dtype == torch.float32
    assert -1e-6 < noise.min() < 0.001 and 0.099 < noise.max() < 0.1 + 1e-6
    assert lesson.noise_loss(x, y) == pytest.approx(0.1**2 / 12, rel=5 * 0.9 / 100)  # var d'une uniforme : 0.9/√n


def test_model_has_the_asked_layers():
    """Le modèle n'a plus les deux couches de l'énoncé, ou HIDDEN n'en règle plus la taille."""
    module = variant("exercice3_nonlinear", HIDDEN=7)
    assert [tuple(p.shape) for p in module.RegressionModel().parameters()] == [(7, 1), (7,), (1, 7), (1,)]


def test_the_best_line_leaves_what_theory_says():
    """La perte de la meilleure droite, la ligne noire des figures, est fausse."""
    losses = [lesson.fit_polynomial(*problem(seed)[:2], 1)[1] for seed in range(10)]
    # La part de x⁴ qu'aucune droite n'explique, 16/225 - 16/300 = 0.0178, et la variance du bruit, 0.1²/12.
    assert np.mean(losses) == pytest.approx(0.0178 + 0.1**2 / 12, abs=3 * np.std(losses) / np.sqrt(10))


@pytest.mark.parametrize("seed", [0, 1, 64, 99])
def test_default_network_is_close_to_the_polynomial(seed):
    """Aux réglages par défaut, la perte finale passe 1.2 fois celle du polynôme.

    Sur 24 graines, la médiane est 1.015 et le pire 1.18.
    """
    x, y, model = problem(seed)
    loss = trained(model, x, y, lesson.make_optimizer(model, 0.03), 2000)
    assert loss <= 1.25 * lesson.fit_polynomial(x, y, 4)[1] and loss < lesson.satisfying_loss(x, y)


@pytest.mark.parametrize("seed", range(3))
def test_sgd_is_not_there_yet(seed):
    """Dix sigmoïdes, SGD à 0.05 et 1000 époques font mieux que la meilleure droite : la réponse est fausse."""
    x, y, model = problem(seed)
    loss = trained(model, x, y, torch.optim.SGD(model.parameters(), lr=0.05), 1000)
    assert loss > lesson.fit_polynomial(x, y, 1)[1] > lesson.satisfying_loss(x, y)


@pytest.mark.lent
@pytest.mark.parametrize("seed", [20, 40])
def test_findings_on_unseen_seeds(seed):
    """Trois neurones ne suffisent plus presque toujours, ou SGD, ou un réseau sans activation, suffisent.

    Vu : 12 essais sur 12 avec trois neurones, 11 avec dix, 7 avec un seul.
    """
    found = answer_to("exercice3_nonlinear", "3.3.2-architecture", {"SEED": seed})
    counts = {size: int(n) for n, size in re.findall(r"(\d) avec (\d+)", found)}
    assert counts["3"] >= 2 and counts["10"] >= 2
    assert "0 sans activation : deux couches ne font alors qu'une droite" in found
    optimizers = answer_to("exercice3_nonlinear", "3.3.2-optimiseurs", {"SEED": seed})
    assert "SGD au taux 0.05 : 0 essai sur 3, et jamais mieux que la meilleure droite" in optimizers


def test_same_numbers_on_the_accelerator():
    """La carte graphique n'apprend pas ce qu'apprend le processeur."""
    device = lesson.choose_device()
    if device == CPU:
        pytest.skip("pas d'accélérateur sur cette machine")
    results = []
    for place in (CPU, device):
        x, y, model = problem(device=place)
        results.append(trained(model, x, y, torch.optim.SGD(model.parameters(), lr=0.05), 400))
    np.testing.assert_allclose(*results, rtol=1000 * EPSILON)  # l'ordre des sommes diffère


def test_one_rate_for_each_optimizer(monkeypatch, capsys):
    """Un optimiseur sans taux en prend un autre, sans que l'élève le sache."""
    monkeypatch.setattr(sys, "argv", ["exercice3_nonlinear.py", "--optimizers", "SGD,Adam,RMSprop"])
    assert variant("exercice3_nonlinear").main() == 2
    assert "OPTIMIZERS en nomme 3, OPTIMIZER_RATES en donne 2 : un taux chacun" in capsys.readouterr().err


# --- Ce que des élèves écrivent -----------------------------------------------------------------------
ACTIVATED = "outputs = self.activation(self.hidden(x))  # (n, 1) -> (n, HIDDEN)"
FUNCTIONAL = [(ACTIVATED, "outputs = torch.sigmoid(self.hidden(x))"), ("self.activation = torch.nn.Sigmoid()", "pass")]
NO_ACTIVATION = [(ACTIVATED, "outputs = self.hidden(x)")]
DEEPER = """class RegressionModel(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.all = torch.nn.Sequential(
            torch.nn.Linear(1, 20), torch.nn.Tanh(), torch.nn.Linear(20, 20), torch.nn.Tanh(), torch.nn.Linear(20, 1)
        )

    def forward(self, x):
        return self.all(x)
"""
WHOLE = definition("exercice3_nonlinear", "RegressionModel")

# (section, réglages, ce que dit la réponse, ce qu'elle ne dit pas, changements de texte)
NETWORK, ARCHITECTURE, OPTIMIZERS = "3.3.2-non-lineaire", "3.3.2-architecture", "3.3.2-optimiseurs"
FEW = {"N_SEEDS": 1, "EPOCHS": 100, "HIDDEN_SIZES": [3]}
CASES = [
    ("3.3.2-droite", {}, "Non, la perte (0.024) dépasse 0.0018. Les écarts ont une forme", "conclure"),
    ("3.3.2-droite", {"NOISE": 1}, "Oui, la perte", "forme"),
    ("3.3.2-droite", {"N_OBSERVATIONS": 2}, "Non, la perte", "forme"),
    ("3.3.2-droite", {}, "Non, la perte", "forme", [("return x**4", "return np.sin(20 * x)")]),
    ("3.3.2-droite", {}, "au-dessous de la droite à gauche", "au-dessus", [("return x**4", "return -(x**4)")]),
    ("3.3.2-droite", {"LINE_RATE": 2}, "Rien à conclure. La perte explose", "forme"),
    (
        NETWORK,
        {},
        "Une couche cachée de 10 neurones, une sigmoïde, une sortie, avec Adam au taux 0.03 : ",
        "Pas ce modèle",
    ),
    (NETWORK, {}, "ne dépasse pas 0.0018 ; la meilleure droite reste à 0.024", "Pas ce modèle"),
    (NETWORK, {"NOISE": 1}, "ne dépasse pas 0.179.", "la meilleure droite"),
    (NETWORK, {"HIDDEN": 1, "SEED": 1}, "Une couche cachée de 1 neurone, une sigmoïde, une sortie", "Pas ce modèle"),
    (NETWORK, {}, "Ce RegressionModel, à 31 paramètres, avec Adam", "sigmoïde", [("nn.Sigmoid", "nn.GELU")]),
    (NETWORK, {"EPOCHS": 1000}, "Ce RegressionModel, à 481 paramètres", "couche cachée", [(WHOLE, DEEPER)]),
    (NETWORK, {}, "Au départ comme à la fin, ce modèle est une droite : a-t-il", "Essayez", NO_ACTIVATION),
    (NETWORK, {"LEARNING_RATE": 2, "SEED": 2}, "et il n'en était pas une au départ", "a-t-il une activation"),
    (NETWORK, {}, "une activation, une sortie, avec Adam", "sigmoïde", FUNCTIONAL),
    (NETWORK, {"EPOCHS": 300}, "Il apprenait encore à la fin : 0.0178 à l'époque 270", "est une droite"),
    (NETWORK, {"HIDDEN": 1, "EPOCHS": 1000}, "Il apprenait encore", "presque pas"),
    (
        NETWORK,
        {"LEARNING_RATE": 1e-9},
        "Pendant la fin (200 époques), elle n'a presque pas baissé",
        "Il apprenait encore",
    ),
    (NETWORK, {"LEARNING_RATE": 1000}, "Rien à conclure. La perte explose (× 1000) à l'époque 1", "Pas ce modèle"),
    (
        ARCHITECTURE,
        {},
        "Ici, 3 neurones et la sigmoïde ont suffi, à chaque essai. Essais satisfaisants, sur 3 : 2",
        "Aucun",
    ),
    (ARCHITECTURE, {}, "3 avec tanh ; 0 sans activation : deux couches ne font alors qu'une droite", "Aucun"),
    (ARCHITECTURE, FEW, "Aucun de ces nombres de neurones n'a suffi à chaque essai, en 100 époques", "ont suffi"),
    (ARCHITECTURE, {**FEW, "LEARNING_RATE": 1e6}, "0 sans activation.", "droite"),
    (OPTIMIZERS, {}, "Régression satisfaisante en 1000 époques avec Adam au taux 0.03 : 3 essais sur 3", "Aucun"),
    (OPTIMIZERS, {}, "Avec SGD au taux 0.05 : 0 essai sur 3, et jamais mieux que la meilleure droite.", "Aucun"),
    (
        OPTIMIZERS,
        {"EPOCHS": 100},
        "Aucun de ces optimiseurs ne suffit à chaque essai, en 100 époques",
        "satisfaisante en",
    ),
    (OPTIMIZERS, {"OPTIMIZERS": ["Adam"], "OPTIMIZER_RATES": [0.03]}, "3 essais sur 3.", "Avec"),
    (OPTIMIZERS, {"OPTIMIZERS": ["Adam"], "OPTIMIZER_RATES": [0.03], "EPOCHS": 300}, "0 essai sur 3.", "jamais mieux"),
]


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """Tous les cas, joués une fois sous coverage.py ; rend leurs réponses et ce que coverage.py a vu."""
    return measured("exercice3_nonlinear", CASES, tmp_path_factory.mktemp("mesures"))


@pytest.mark.lent
@pytest.mark.parametrize("number", range(len(CASES)), ids=lambda number: f"{CASES[number][0]} {CASES[number][2][:30]}")
def test_each_sentence_on_both_sides(number, played):
    """Une phrase est dite d'un essai qui ne la montre pas, ou tue là où elle est vraie."""
    answer, (_, _, said, unsaid, *_) = played[0][number], CASES[number]
    assert said in answer and unsaid not in answer, answer


@pytest.mark.lent
def test_every_branch_below_the_answers_is_taken(played):
    """Une phrase d'une réponse n'est dite dans aucun cas : personne ne l'a jamais vérifiée."""
    assert never_taken("exercice3_nonlinear", played[1]) == ([], [])


WRONG = {
    "(n,)": (
        [("        y_pred = self.output(outputs)", "        y_pred = self.output(outputs).ravel()")],
        "(100,), il faut (100, 1)",
    ),
    "(n, HIDDEN)": (
        [("        y_pred = self.output(outputs)", "        y_pred = outputs")],
        "(100, 10), il faut (100, 1)",
    ),
    "sans return": ([("        return y_pred", "        pass")], "forward rend NoneType"),
    "detach": ([("        return y_pred", "        return y_pred.detach()")], "aucun paramètre à apprendre"),
}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("section", [NETWORK, OPTIMIZERS])
def test_a_wrong_model_is_said_once_and_nothing_else(section, name, recwarn):
    """Un modèle faux est répété à chaque essai, ou mis sur le compte du taux."""
    changes, said = WRONG[name]
    output, answer = call(variant("exercice3_nonlinear", changes, EPOCHS=5), section)
    assert output.count(said) == 1 and answer is None and "taux 0.03" not in output and not recwarn


def test_a_wrong_loop_is_said_in_every_section():
    """Ici aussi : une étape fausse de la boucle est mise sur le compte du taux."""
    for old, new, said in [
        ("loss.item()", "loss", "loss_history garde des tenseurs"),
        ("        optimizer.zero_grad()", "        pass", "À l'époque 2 la perte n'est pas celle de la boucle"),
    ]:
        module = variant("exercice3_nonlinear", [(old, new)], EPOCHS=5, N_SEEDS=1)
        for section in module.SECTIONS:
            output, answer = call(module, section)
            assert said in " ".join(output.split()), section
            assert "essayez un taux" not in output and (answer is None or answer.startswith("Rien à conclure"))


BLANKS = {
    "sans return": (
        "    return torch.nn.Sequential(",
        "    torch.nn.Sequential(",
        ARCHITECTURE,
        "make_network rend NoneType",
    ),
    "sans size": ("torch.nn.Linear(1, size)", "torch.nn.Linear(1, HIDDEN)", ARCHITECTURE, "doit employer size (1 ici)"),
    "sans activation": (
        "size), activation, torch",
        "size), torch.nn.Sigmoid(), torch",
        ARCHITECTURE,
        "et activation (Identity",
    ),
    "sans optimiseur": (
        "    return torch.optim.Adam(",
        "    torch.optim.Adam(",
        NETWORK,
        "make_optimizer rend NoneType",
    ),
}


@pytest.mark.parametrize("name", BLANKS)
def test_a_wrong_answer_is_said_as_what_it_is(name):
    """Ce que l'élève a écrit de faux n'est pas nommé, ou la section en tire une conclusion."""
    old, new, section, said = BLANKS[name]
    changes = [(old, new)] + (
        [("torch.nn.Linear(size, 1)", "torch.nn.Linear(HIDDEN, 1)")] if name == "sans size" else []
    )
    output, answer = call(variant("exercice3_nonlinear", changes, EPOCHS=5, HIDDEN_SIZES=[1]), section)
    assert said in output and answer is None


EDITED = [
    {"HIDDEN_SIZES": [5], "N_SEEDS": 1},
    {"HIDDEN_SIZES": [50, 2, 2, 1]},
    {"HIDDEN_SIZES": list(range(1, 13)), "N_SEEDS": 1},
    {"NOISE": 1000.0, "OPTIMIZERS": ["SGD", "Adam"], "OPTIMIZER_RATES": [0.5, 20.0], "N_SEEDS": 2},
    {"LINE_RATE": 100.0, "N_SEEDS": 1, "HIDDEN_SIZES": [1]},
    {"OPTIMIZERS": ["RMSprop"] * 12, "OPTIMIZER_RATES": [0.01] * 12, "N_SEEDS": 1},
    {"N_OBSERVATIONS": 2, "NOISE": 0.0},
    {"HIDDEN": 1000, "N_SEEDS": 1},
]


@pytest.mark.parametrize("settings", EDITED, ids=str)
def test_lists_are_edited_freely(settings, recwarn):
    """Une liste d'une valeur, de vingt ou avec des répétitions casse une section."""
    module = variant("exercice3_nonlinear", EPOCHS=20, **settings)
    for section in module.SECTIONS:
        output, answer = call(module, section)
        assert answer and len(output.splitlines()) <= 20 and not re.search(r"\b(nan|inf)\b", output + answer)
    assert not recwarn
