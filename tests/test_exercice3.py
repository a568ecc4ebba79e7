"""exercice3 face à d'autres autorités : NumPy, la théorie de la descente, d'autres appareils, torchrun.

Puis face aux modèles et aux boucles que des élèves écrivent : ce qui est dit est la vraie cause, ou rien.
"""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

import exercice3 as lesson
from commun import ROOT, answer_of, answer_to, call, definition, environment, measured, never_taken, run, variant

CPU = torch.device("cpu")
EPSILON = float(np.finfo(np.float32).eps)


def problem(seed=0, n_observations=100, device=CPU):
    x, y = lesson.make_points(np.random.default_rng(seed), n_observations, 0.8, device)
    torch.manual_seed(seed)
    return x, y, lesson.RegressionModel().to(device)


def train(model, x, y, rate=0.05, epochs=400):
    return lesson.train(model, x, y, lesson.make_optimizer(model, rate), torch.nn.MSELoss(), epochs)


def hessian(x):
    """Courbure de la perte, 2·X'X/n : MSELoss n'a pas le /2 d'exercice1."""
    extended = np.column_stack([x.numpy().astype(float), np.ones(len(x))])
    return 2 * extended.T @ extended / len(x)


# --- La leçon et ses mesures --------------------------------------------------------------------------
def test_data_follow_the_handout():
    """Les points ne suivent plus la formule de l'énoncé, ou le bruit n'est plus entre 0 et 0.8."""
    x, y, _ = problem(n_observations=10_000)
    assert x.shape == y.shape == (10_000, 1) and x.dtype == y.dtype == torch.float32
    noise = (y - torch.sin(x) * x**3 - 3 * x).numpy()
    assert 0 <= x.min() < 0.01 and 0.99 < x.max() <= 1
    assert -1e-6 < noise.min() < 0.01 and 0.79 < noise.max() < 0.8 + 1e-6  # arrondi de float32
    assert lesson.noise_loss(x, y) == pytest.approx(0.8**2 / 12, rel=5 * 0.9 / 100)  # var d'une uniforme : 0.9/√n


@pytest.mark.parametrize("seed", range(5))
def test_training_follows_the_theory(seed):
    """Une époque ne multiplie plus l'écart au fond, sur un axe propre, par 1 - taux × valeur propre.

    float32 arrondit chaque époque ; les erreurs s'amortissent : quelques eps, vu 1e-6 sur vingt graines.
    """
    x, y, model = problem(seed)
    (slope, intercept), best = lesson.fit_polynomial(x, y, 1)
    start = np.array([model.linear.weight.item(), model.linear.bias.item()])
    losses = train(model, x, y, epochs=401)
    values, axes = np.linalg.eigh(hessian(x))
    gaps = (axes.T @ (start - [slope, intercept])) * (1 - 0.05 * values) ** np.arange(401)[:, None]
    np.testing.assert_allclose(losses, best + (values * gaps**2).sum(axis=1) / 2, rtol=100 * EPSILON)
    assert 2.5 < losses[50] / best < 12 and 1.02 < losses[400] / best < 1.15  # 2.9 à 11 et 1.04 à 1.10 sur 20 graines
    # Le modèle a fini là où mènent ces écarts : la droite lue sur les prédictions est celle des paramètres.
    learned = lesson.predict(model, lesson.make_grid(CPU))
    assert lesson.is_straight(learned)
    assert learned[0] == pytest.approx(model.linear.bias.item(), rel=1e-5)
    assert learned[-1] - learned[0] == pytest.approx(model.linear.weight.item(), rel=1e-5)


def test_polynomials_against_lstsq():
    """La meilleure droite, ou le polynôme, n'est plus celui des moindres carrés."""
    x, y, _ = problem(3)
    for degree in (1, 4):
        coefficients, loss = lesson.fit_polynomial(x, y, degree)
        powers = np.vander(x.numpy().astype(float)[:, 0], degree + 1)
        solution, squares, _, _ = np.linalg.lstsq(powers, y.numpy().astype(float)[:, 0], rcond=None)
        np.testing.assert_allclose([*coefficients, loss], [*solution, squares[0] / 100], rtol=1e-7)


def test_gradient_against_finite_differences():
    """La pente dont parle le diagnostic n'est plus celle de la perte."""
    x, y, model = problem(1)
    model = model.double()
    found = lesson.gradient(model, x.double(), y.double()).numpy()
    for parameter, slope in zip(model.parameters(), found):
        sides = []
        for move in (1e-4, -1e-4):
            with torch.no_grad():
                parameter += move
                sides.append(lesson.evaluate(model, x.double(), y.double()))
                parameter -= move
        assert (sides[0] - sides[1]) / 2e-4 == pytest.approx(slope, rel=1e-7)  # second degré : exact, à l'arrondi près


def test_a_curve_is_not_a_line():
    """Une courbe à peine pliée est appelée droite, ou une droite, courbe."""
    grid = np.linspace(0, 1, 100)
    assert lesson.is_straight((3 * grid - 1).astype(np.float32)) and lesson.is_straight(np.full(100, 7, np.float32))
    assert not lesson.is_straight((3 * grid + 0.001 * grid**2).astype(np.float32))


def test_satisfying_means_little_more_than_the_noise(capsys):
    """Le critère appliqué n'est pas celui qui est affiché."""
    x, y, _ = problem(0)
    noise, limit = lesson.noise_loss(x, y), lesson.satisfying_loss(x, y)
    assert limit == pytest.approx(2 * noise, rel=0.01) and limit > 2 * noise
    lesson.print_criterion(x, y)
    assert f"ne dépasse pas {limit:.3g}, environ le double." in capsys.readouterr().out
    assert lesson.verdict(0.99 * limit, limit).startswith("oui") and lesson.verdict(1.01 * limit, limit)[:3] == "non"
    x, y = lesson.make_points(np.random.default_rng(0), 100, 0, CPU)
    lesson.print_criterion(x, y)
    assert f"ne dépasse pas {lesson.satisfying_loss(x, y):.3g}.\n" in capsys.readouterr().out


@pytest.mark.parametrize("layers", [[torch.nn.Dropout(0.5)], [torch.nn.BatchNorm1d(1)]])
def test_measures_are_made_in_eval_mode(layers):
    """Mesurer change le mode du modèle, ou deux mesures diffèrent."""
    x, y, _ = problem()
    model = torch.nn.Sequential(torch.nn.Linear(1, 1), *layers)
    modes = []
    model.register_forward_hook(lambda module, inputs, outputs: modes.append(module.training))
    train(model, x, y, epochs=3)
    assert modes == [True] * 3 and model.training
    assert lesson.evaluate(model, x, y) == lesson.evaluate(model, x, y)
    assert modes == [True] * 3 + [False] * 2 and model.training
    model.eval()
    lesson.predict(model, x)
    assert not model.training


def test_the_first_losses_are_redone_without_a_trace():
    """Refaire les premières pertes change le modèle, l'optimiseur ou le hasard de l'élève."""
    x, y, model = problem()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    before, random_state = [p.detach().clone() for p in model.parameters()], torch.get_rng_state()
    expected = lesson.first_losses(model, x, y, optimizer)
    assert all(torch.equal(p, old) and p.grad is None for p, old in zip(model.parameters(), before))
    assert torch.equal(torch.get_rng_state(), random_state) and not optimizer.state
    losses = lesson.train(model, x, y, optimizer, torch.nn.MSELoss(), 3)
    np.testing.assert_allclose(losses, expected, rtol=10 * EPSILON)
    random_model = torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.Dropout(0.5))
    assert len(lesson.first_losses(random_model, x, y, lesson.make_optimizer(random_model, 0.1))) == 0


def test_the_limit_rate_speaks_for_plain_sgd_on_a_line_only():
    """Le taux limite est donné à un modèle ou à un optimiseur pour qui la formule est fausse."""
    x, _, model = problem()
    limit = 2 / np.linalg.eigvalsh(hessian(x))[-1]
    assert lesson.rate_limit(model, x, lesson.make_optimizer(model, 0.05)) == pytest.approx(limit, rel=1e-6)
    assert lesson.rate_limit(model, x, torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)) is None
    assert lesson.rate_limit(model, x, torch.optim.Adam(model.parameters(), lr=0.05)) is None
    deeper = torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.Sigmoid())
    assert lesson.rate_limit(deeper, x, lesson.make_optimizer(deeper, 0.05)) is None
    wide = torch.nn.Sequential(torch.nn.Linear(1, 2), torch.nn.Linear(2, 1))
    assert lesson.rate_limit(wide, x, lesson.make_optimizer(wide, 0.05)) is None


# --- Une seule boucle ---------------------------------------------------------------------------------
def test_a_print_in_the_loop_counts_the_epochs_once():
    """Le print(epoch) de l'élève affiche plus, ou moins, que les époques de 0 à 399."""
    changes = [
        (
            "        prediction = our_model(x_data)  # (1)",
            "        print(epoch)\n        prediction = our_model(x_data)  # (1)",
        )
    ]
    output, _ = call(variant("exercice3", changes), "3.3.2-apprentissage")
    assert re.findall(r"^\d+$", output, re.MULTILINE) == [str(epoch) for epoch in range(400)]


@pytest.mark.parametrize("epochs, early", [(400, 50), (51, 50), (50, 50), (49, 49), (1, 1)])
def test_figures_6_and_7_are_one_run(epochs, early):
    """La droite de l'époque 50 et celle de la fin viennent de deux apprentissages."""
    module = variant("exercice3", EPOCHS=epochs)
    answer = module.section_training()
    fig = plt.gcf()
    for ax, epoch in zip(fig.axes, [early, epochs]):
        x, y, model = problem()
        losses = train(model, x, y, epochs=epoch)
        expected = lesson.predict(model, lesson.make_grid(CPU))
        (line,) = [line for line in ax.lines if line.get_label() == "modèle"]
        np.testing.assert_allclose(line.get_ydata(), expected, rtol=100 * EPSILON)
        loss = lesson.evaluate(model, x, y)
        assert len(losses) == epoch and f"époque {epoch} : perte {loss:.4g}" in ax.get_title()
        assert f"({loss:.3g})" in answer
    plt.close("all")


def test_no_window_no_pause(monkeypatch):
    """Sans fenêtre, le dessin en direct attend quand même."""

    def forbidden(*given):
        raise AssertionError("pause sans fenêtre")

    monkeypatch.setattr(plt, "pause", forbidden)
    for section in ["3.3.2-apprentissage", "3.3.2-perte"]:
        call(variant("exercice3", EPOCHS=20), section)


def test_the_two_parts_make_the_loss():
    """(moyenne des écarts)² + leur variance ne font plus la perte, aux arrondis près."""
    x, y, model = problem()
    whole = train(model, x, y)
    x, y, model = problem()
    losses, squares, variances = lesson.measure_epochs(model, x, y, lesson.make_optimizer(model, 0.05))
    assert losses == whole
    np.testing.assert_allclose(np.add(squares, variances), losses, rtol=100 * EPSILON)


@pytest.mark.parametrize("seed", range(8))
def test_the_break_is_before_epoch_25(seed):
    """La cassure n'est plus avant l'époque 25 : le carré de la moyenne sous 0.04, la variance de 0.05 à 0.1."""
    x, y, model = problem(seed)
    _, squares, variances = lesson.measure_epochs(model, x, y, lesson.make_optimizer(model, 0.05))
    found = lesson.find_break(squares, variances)
    assert 10 < found < 25 and 3 < squares[0] < 12 and squares[found] < 0.04  # de 13 à 21
    assert 0.05 < variances[-1] < 0.1 < 0.3 < variances[found]
    assert f"est vers l'époque {found} (l'énoncé dit 50)" in answer_to("exercice3", "3.3.2-perte", {"SEED": seed})


# --- Les appareils ------------------------------------------------------------------------------------
def test_devices(monkeypatch, capsys):
    """« auto » ne prend pas la carte graphique, ou un nom inconnu est refusé sans dire lesquels existent."""
    names = lesson.find_devices()
    assert names[0] == "cpu" and variant("exercice3", DEVICE="cpu").choose_device() == CPU
    assert lesson.choose_device() == torch.device((names + ["cpu"])[1])
    monkeypatch.setattr(sys, "argv", ["exercice3.py", "--device", "xpu"])
    if "xpu" not in names:
        capsys.readouterr()
        assert variant("exercice3").main() == 2
        said = capsys.readouterr()
        assert said.out == "" and "'xpu'" in said.err and all(name in said.err for name in ["auto", *names])


def test_an_announced_device_that_does_not_work_is_left_out(monkeypatch):
    """Une carte que PyTorch annonce, et qui ne marche pas, est prise quand même."""
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: True)
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda: torch.device("cuda"))
    monkeypatch.setattr(torch.accelerator, "device_count", lambda: 77)
    assert "cuda:76" not in lesson.find_devices() and lesson.find_devices()[0] == "cpu"


def test_same_numbers_on_the_accelerator():
    """La carte graphique n'apprend pas ce qu'apprend le processeur."""
    device = lesson.choose_device()
    if device == CPU:
        pytest.skip("pas d'accélérateur sur cette machine")
    results = []
    for place in (CPU, device):
        x, y, model = problem(device=place)
        results.append(train(model, x, y))
    np.testing.assert_allclose(*results, rtol=1000 * EPSILON)  # l'ordre des sommes diffère


SIZES = [64, 128, 256]
SPEEDS = [
    (
        [10, 20, 90],
        [50, 21, 90],
        None,
        "NumPy et PyTorch se valent à partir de n = 128, à 50 % près (à n = 256, NumPy met 90 µs",
    ),
    ([10, 20, 90], [50, 60, 300], None, "NumPy et PyTorch diffèrent"),
    (
        [10, 20, 90],
        [10, 20, 90],
        [50, 15, 3],
        "Oui, à partir de n = 128 : à n = 256, cuda met 3 µs, le processeur 90 µs",
    ),
    ([10, 20, 90], [10, 20, 90], [5, 50, 100], "Non, pas à ces tailles : à n = 256, cuda met 100 µs"),
]


@pytest.mark.parametrize("numpy_times, cpu_times, cuda_times, said", SPEEDS)
def test_what_is_said_of_an_accelerator(numpy_times, cpu_times, cuda_times, said):
    """La réponse sur les durées dit plus que ce qui a été mesuré."""
    answer = lesson.speed_answer(SIZES, numpy_times, cpu_times, "cuda", cuda_times)
    assert said in answer and ("Ici, pas de carte graphique." in answer) == (cuda_times is None)


# --- Ce que des élèves écrivent -----------------------------------------------------------------------
def model_of(layers, forward):
    """La classe d'un élève : ses lignes de __init__, puis celles de forward."""
    start = "class RegressionModel(torch.nn.Module):\n    def __init__(self):\n        super().__init__()\n"
    body = "".join(f"        {line}\n" for line in layers)
    return start + body + "    def forward(self, x):\n" + "".join(f"        {line}\n" for line in forward)


LINEAR = "self.linear = torch.nn.Linear(1, 1)"
NOT_LEARNABLE = "Ce que rend forward ne dépend d'aucun paramètre à apprendre"
# nom : (couches, forward, ce qui est dit, ce qui ne l'est pas)
MODELS = {
    "l'original": ([LINEAR], ["return self.linear(x)"], "La droite apprise", "n'est pas"),
    "(n,)": ([LINEAR], ["return self.linear(x).squeeze()"], "forward rend la forme (100,), il faut (100, 1)", "taux"),
    "(n, 2)": (["self.a = torch.nn.Linear(1, 2)"], ["return self.a(x)"], "rend la forme (100, 2), il faut", "taux"),
    "sans return": ([LINEAR], ["self.linear(x)"], "forward rend NoneType, il faut un tenseur", "taux"),
    "un tableau": ([LINEAR], ["return self.linear(x).detach().numpy()"], "forward rend ndarray", "taux"),
    "detach": ([LINEAR], ["return self.linear(x).detach()"], NOT_LEARNABLE, "taux"),
    "no_grad": ([LINEAR], ["with torch.no_grad():", "    return self.linear(x)"], NOT_LEARNABLE, "taux"),
    "gelé": ([LINEAR, "self.requires_grad_(False)"], ["return self.linear(x)"], NOT_LEARNABLE, "taux"),
    "sans paramètre": ([], ["return 3 * x"], "Le modèle n'a aucun paramètre", "taux"),
    "couche dans forward": ([], ["return torch.nn.Linear(1, 1)(x)"], "Le modèle n'a aucun paramètre", "taux"),
    "couches dans une liste": (
        ["self.all = [torch.nn.Linear(1, 1)]"],
        ["return self.all[0](x)"],
        "aucun paramètre",
        "taux",
    ),
    "nan au départ": (
        [LINEAR],
        ["return torch.sqrt(self.linear(x) - 100)"],
        "autre chose que des nombres finis",
        "taux",
    ),
    "sans x": (
        ["self.b = torch.nn.Parameter(torch.zeros(1))"],
        ["return self.b.expand(len(x), 1)"],
        "w1 = 0, b1 = 2.3",
        "n'est pas",
    ),
    "biais gelé": ([LINEAR, "self.linear.bias.requires_grad_(False)"], ["return self.linear(x)"], "La droite", "taux"),
    "sans biais": (["self.a = torch.nn.Linear(1, 1, bias=False)"], ["return self.a(x)"], "La droite apprise", "taux"),
    "dropout": (
        ["self.a = torch.nn.Linear(1, 20)", "self.d = torch.nn.Dropout(0.2)", "self.b = torch.nn.Linear(20, 1)"],
        ["return self.b(self.d(torch.tanh(self.a(x))))"],
        "Figure 7, après 400 époques",
        "n'est pas",
    ),
    "batchnorm": (
        ["self.n = torch.nn.BatchNorm1d(1)", LINEAR],
        ["return self.linear(self.n(x))"],
        "Figure 7, après 400 époques : oui",
        "n'est pas",
    ),
    "relu et couche oubliée": (
        [
            LINEAR,
            "self.unused = torch.nn.Linear(1, 5)",
            "self.a = torch.nn.Linear(1, 8)",
            "self.b = torch.nn.Linear(8, 1)",
        ],
        ["return self.b(torch.relu(self.a(x)))"],
        "Figure 7, après 400 époques : oui",
        "n'est pas",
    ),
    "sortie gardée": ([LINEAR], ["self.y_pred = self.linear(x)", "return self.y_pred"], "La droite apprise", "taux"),
    "couche neuve à chaque fois": (
        [LINEAR],
        ["return self.linear(x) + torch.nn.Linear(1, 1)(x)"],
        "forward ne rend pas deux fois la même chose : créez vos couches dans __init__",
        "taux",
    ),
    "Sequential": (
        ["self.all = torch.nn.Sequential(torch.nn.Linear(1, 5), torch.nn.Sigmoid(), torch.nn.Linear(5, 1))"],
        ["return self.all(x)"],
        "Figure 6, après 50 époques",
        "La droite",
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_students_model_is_told_what_it_is(name, recwarn):
    """Un modèle de l'élève qui n'apprend pas ne sait pas pourquoi, ou un bon modèle est accusé."""
    layers, forward, said, unsaid = MODELS[name]
    changes = [(definition("exercice3", "RegressionModel"), model_of(layers or ["pass"], forward))]
    for section in ["3.3.2-apprentissage", "3.3.2-perte", "3.3.1-distribue"]:
        output, answer = call(variant("exercice3", changes), section)
        text = " ".join(f"{output} {answer}".split())
        assert section != "3.3.2-apprentissage" or said in text, text
        assert not re.search(rf"{unsaid}|\bnan\b|\binf\b", text), text
        assert (answer is None) == (name not in LEARNS)
    assert not recwarn


# Ceux qui apprennent quelque chose.
LEARNS = {name for name, (_, _, said, _) in MODELS.items() if said.startswith(("La droite", "Figure", "w1 ="))}

OWN_ERRORS = {
    "foward": (definition("exercice3", "RegressionModel").replace("forward", "foward"), NotImplementedError, "forward"),
    "float64": (model_of([LINEAR, "self.double()"], ["return self.linear(x)"]), RuntimeError, "dtype"),
    "un autre appareil": (
        model_of([LINEAR, 'self.w = torch.zeros(1, device="meta")'], ["return self.linear(x) * self.w"]),
        (RuntimeError, NotImplementedError),
        "meta",
    ),
    "un nom": (model_of([LINEAR], ["return self.lineaire(x)"]), AttributeError, "lineaire"),
}


@pytest.mark.parametrize("name", OWN_ERRORS)
def test_a_students_own_error_keeps_its_traceback(name):
    """Une erreur dans le modèle de l'élève perd son traceback."""
    text, error, words = OWN_ERRORS[name]
    module = variant("exercice3", [(definition("exercice3", "RegressionModel"), text)])
    with pytest.raises(error, match=words):
        call(module, "3.3.2-apprentissage")


def test_a_misspelt_forward_is_not_a_blank(tmp_path):
    """Un `forward` mal nommé passe pour une partie à écrire : PyTorch lève la même erreur."""
    text = (ROOT / "exercice3.py").read_text(encoding="utf-8").replace("def forward", "def foward")
    (tmp_path / "exercice3.py").write_text(text, encoding="utf-8")
    status, output, errors = run("exercice3", tmp_path, "--section", "3.3.2-perte")
    assert status == 1 and 'missing the required "forward" function' in errors and "À vous" not in output


KEEP = "        loss_history.append(loss.item())  # (4) la garder : le nombre, pas le tenseur\n"
# nom : (ancien, nouveau, ce qui est dit)
LOOPS = {
    "sans zero_grad": ("        optimizer.zero_grad()", "        pass", "à l'époque 2"),
    "sans backward": ("        loss.backward()", "        pass", "à l'époque 1"),
    "sans step": ("        optimizer.step()", "        pass", "à l'époque 1"),
    "deux pas": ("        optimizer.step()", "        optimizer.step()\n        optimizer.step()", "à l'époque 1"),
    "perte au carré": ("loss_func(prediction, y_data)", "loss_func(prediction, y_data) ** 2", "relisez les étapes (1)"),
    "gardée deux fois": (KEEP, KEEP + KEEP, "loss_history a 800 nombres pour 400 époques"),
    "pas gardée": (KEEP, "        pass\n", "loss_history a 0 nombre pour 400 époques"),
    "le tenseur": ("loss.item()", "loss", "loss_history garde des tenseurs"),
    "la fonction": ("loss.item()", "loss.item", "loss_history a 0 nombre pour 400 époques"),
    "la prédiction": ("loss.item()", "prediction.mean().item()", "relisez les étapes (1) à (4)"),
    "un break": ("        loss.backward()", "        break\n        loss.backward()", "a 1 nombre pour 400 époques"),
    "sans return": ("    return loss_history\n\n\n# --- Partagé", "\n\n# --- Partagé", "train ne rend pas la liste"),
}


@pytest.mark.parametrize("name", LOOPS)
def test_a_students_loop_is_never_blamed_on_a_setting(name):
    """Une étape fausse de la boucle est mise sur le compte du taux."""
    old, new, said = LOOPS[name]
    for section in ["3.3.2-apprentissage", "3.3.2-perte"]:
        output, answer = call(variant("exercice3", [(old, new)]), section)
        text = " ".join(output.split())
        in_five = said.replace("800", "10").replace("400 époques", "5 époques")  # la répétition de 3.3.2-perte
        assert said in text.lower() if section == "3.3.2-apprentissage" else in_five in text.lower(), text
        assert "taux" not in text and (answer is None or answer.startswith("Rien à conclure"))


FAULTS = {
    "sans return": ("    return torch.optim.SGD(", "    torch.optim.SGD(", "make_optimizer rend NoneType, il faut"),
    "un autre modèle": ("SGD(our_model.", "SGD(RegressionModel().", "Aucun paramètre n'a changé"),
    "y de forme (n,)": ("torch.from_numpy(y.reshape(-1, 1))", "torch.from_numpy(y)", "y_data (100,) : il faut (n, 1)"),
    "une racine": ("np.sin(x) * x**3 + 3 * x", "np.log(x - 0.5)", "ne sont pas des nombres finis : relisez curve"),
    "un seul x": ("x = rng.uniform(0, 1, size=n_observations)", "x = np.ones(n_observations)", "sont égaux"),
    "sans carré": ("loss_func(prediction, y_data)", "(prediction - y_data).mean()", "relisez les étapes (1) à (4)"),
    "le rang": ("loss_history.append(loss.item())", "loss_history.append(epoch)", "relisez les étapes (1) à (4)"),
    "zero_grad avant": ("    loss_history = []\n", "    loss_history = []\n    optimizer.zero_grad()\n", ""),
}


@pytest.mark.filterwarnings("ignore:invalid value")  # le logarithme d'un nombre négatif : c'est celui de l'élève
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_outside_the_model_is_said_where_it_is(name):
    """Une faute dans les données, la perte ou l'optimiseur est cherchée ailleurs."""
    old, new, said = FAULTS[name]
    changes = [(old, new)] + ([("        optimizer.zero_grad()", "        pass")] if name == "zero_grad avant" else [])
    for section in ["3.3.2-donnees", "3.3.2-apprentissage", "3.3.2-perte"]:
        output, answer = call(variant("exercice3", changes), section)
        text = " ".join(output.split())
        if section == "3.3.2-donnees":
            assert (answer is None) == (name in ("y de forme (n,)", "une racine", "un seul x"))
        else:
            assert (said or "à (7) et zero_grad") in text and (answer is None or answer.startswith("Rien à conclure"))
        assert "essayez un taux" not in text and not re.search(r"\b(nan|inf)\b", text)


@pytest.mark.filterwarnings("ignore:Converting a tensor")  # de PyTorch, pour float(loss) : il le préfère détaché
@pytest.mark.parametrize("new", ["float(loss)", "loss.detach().numpy()", "loss.tolist()", "loss.data.numpy()"])
def test_other_ways_to_keep_the_number(new):
    """Une autre façon juste de garder la perte est refusée."""
    output, answer = call(variant("exercice3", [("loss.item()", new)]), "3.3.2-perte")
    assert answer.startswith("Vite, puis lentement")


RATES = [
    ({"LEARNING_RATE": 1.0}, [], "explose (× 1000) à l'époque 8 : le taux 1 dépasse la limite, 0.756"),
    ({"LEARNING_RATE": 0.77, "EPOCHS": 20}, [], "La perte monte : le taux 0.77 dépasse la limite, 0.756"),
    ({"LEARNING_RATE": 0.74}, [], ""),
    ({"LEARNING_RATE": 1e6}, [], "le taux 1e+06 dépasse la limite"),
    ({"LEARNING_RATE": 1e5}, [("optim.SGD(", "optim.Adam(")], "à l'époque 1 : essayez un taux plus petit que 100000"),
    (
        {"LEARNING_RATE": 3.0},
        [("lr=learning_rate)", "lr=learning_rate, momentum=0.5)")],
        "plus petit que 3, ou relisez",
    ),
    (
        {"LEARNING_RATE": 20.0, "EPOCHS": 3},
        [("optim.SGD(", "optim.Adam(")],
        "La perte monte : essayez un taux plus petit que 20",
    ),
    ({}, [("lr=learning_rate)", "lr=0.001)")], ""),
    ({}, [("lr=learning_rate)", "lr=2)")], "le taux 2 dépasse la limite, 0.756"),
    (
        {},
        [
            (
                "        return y_pred",
                "        self.k = getattr(self, 'k', 0) + 1\n        return y_pred / (self.k < 90)",
            )
        ],
        "n'est plus un nombre",
    ),
]


@pytest.mark.parametrize("settings, changes, said", RATES)
def test_a_rate_is_blamed_when_it_is_the_cause(settings, changes, said):
    """Un taux trop grand n'est pas nommé, ou un bon taux est accusé."""
    for section in ["3.3.2-apprentissage", "3.3.2-perte"]:  # la même phrase, et le même numéro d'époque
        with np.errstate(over="ignore", invalid="ignore"):  # comme le fait le lancement
            output, answer = call(variant("exercice3", changes, **settings), section)
        text = " ".join(output.split())
        assert said in text and (
            ("La perte explose" in text or "La perte monte" in text or "n'est plus" in text) == bool(said)
        )
        assert answer.startswith("Rien à conclure") == bool(said)


# (section, réglages, ce que dit la réponse, ce qu'elle ne dit pas, changements de texte)
SPEED = "3.3.1-calcul"
BENT = [("        y_pred = self.linear(x)", "        y_pred = self.linear(x) + 0.1 * x**2")]
ADAM = [("torch.optim.SGD(", "torch.optim.Adam(")]
CASES = [
    ("3.3.1-tenseurs", {}, "Un appareil et un gradient", "conclure"),
    (SPEED, {}, "Ici, pas de carte graphique" if len(lesson.find_devices()) == 1 else "à n = 1024", "conclure"),
    ("3.3.1-distribue", {}, "c'est le gradient de toutes les données, aux arrondis près", "ne se partage pas"),
    ("3.3.1-distribue", {"N_OBSERVATIONS": 2}, "c'est le gradient de toutes", "ne se partage pas"),
    (
        "3.3.1-distribue",
        {},
        "Ce modèle ne se partage pas ainsi",
        "c'est le gradient",
        [("        y_pred = self.linear(x)", "        y_pred = self.linear(x) / len(x)")],
    ),
    ("3.3.2-donnees", {}, "Oui, la perte (0.0763) ne dépasse pas 0.115", "Non"),
    ("3.3.2-donnees", {"NOISE": 0.1}, "Non, la perte", "Oui", [("np.sin(x) * x**3 + 3 * x", "x**4")]),
    ("3.3.2-donnees", {"NOISE": 0}, "Oui, la perte", "Non", [("np.sin(x) * x**3 + 3 * x", "2 - 5 * x")]),
    ("3.3.2-apprentissage", {}, "Figure 6, après 50 époques : non, la perte (0.53) dépasse 0.115", "conclure"),
    ("3.3.2-apprentissage", {}, "Figure 7, après 400 époques : oui", "conclure"),
    ("3.3.2-apprentissage", {"EPOCHS": 1}, "Figure 6, après 1 époque : non", "oui"),
    ("3.3.2-apprentissage", {"EPOCHS": 5000}, "La droite apprise : w1 = 3.95, b1 = 0.128 ;", "conclure"),
    ("3.3.2-apprentissage", {"LEARNING_RATE": 2}, "Rien à conclure. La perte explose", "Figure"),
    ("3.3.2-apprentissage", {}, "Figure 7", "La droite", BENT),
    ("3.3.2-perte", {}, "est vers l'époque 13 (l'énoncé dit 50)", "conclure"),
    (
        "3.3.2-perte",
        {},
        "leur variance, que seule la pente change : de 0.893 à 0.0797 en 386 époques",
        "passe de 4.63 à 0.0798",
    ),
    ("3.3.2-perte", {}, "Ensuite il reste leur variance : de", "la pente change", BENT),
    ("3.3.2-perte", {"EPOCHS": 1}, "Une seule mesure, 4.63, avant le premier pas", "Vite"),
    (
        "3.3.2-perte",
        {"EPOCHS": 2},
        "La perte n'a pas diminué",
        "Vite",
        [("lr=learning_rate)", "lr=learning_rate, maximize=True)")],
    ),
    ("3.3.2-perte", {"LEARNING_RATE": 2}, "La perte passe de", "Vite", ADAM),
    ("3.3.2-perte", {}, "La perte passe de", "Vite", [("Linear(1, 1)", "Linear(1, 1, bias=False)")]),
    ("3.3.2-perte", {"EPOCHS": 10}, "La perte passe de 4.63 à 1.16 en 9 époques.", "Vite"),
    ("3.3.2-perte", {"LEARNING_RATE": 1e-4}, "La perte passe de 4.63 à", "Vite"),
    ("3.3.2-perte", {}, "La perte passe de ", "Vite", [("np.sin(x) * x**3 + 3 * x", "x - 0.2")]),
    ("3.3.2-perte", {"LEARNING_RATE": 2}, "Rien à conclure. La perte explose", "Vite"),
]


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """Tous les cas, joués une fois sous coverage.py ; rend leurs réponses et ce que coverage.py a vu."""

    def other_speeds():
        for numpy_times, cpu_times, cuda_times, _ in SPEEDS:
            lesson.speed_answer(SIZES, numpy_times, cpu_times, "cuda", cuda_times)

    return measured("exercice3", CASES, tmp_path_factory.mktemp("mesures"), other_speeds)


@pytest.mark.parametrize("number", range(len(CASES)), ids=lambda number: f"{CASES[number][0]} {CASES[number][2][:30]}")
def test_each_sentence_on_both_sides(number, played):
    """Une phrase est dite d'un essai qui ne la montre pas, ou tue là où elle est vraie."""
    answer, (_, _, said, unsaid, *_) = played[0][number], CASES[number]
    assert said in answer and unsaid not in answer, answer


def test_every_branch_below_the_answers_is_taken(played):
    """Une phrase d'une réponse n'est dite dans aucun cas : personne ne l'a jamais vérifiée."""
    lines, branches = never_taken("exercice3", played[1])
    text = (ROOT / "exercice3.py").read_text(encoding="utf-8").splitlines()
    # Ce que dit la section sous torchrun, les tests de torchrun le montrent.
    under_torchrun = {n for n, line in enumerate(text, 1) if re.search("À plusieurs, chacun|Rien à partager", line)}
    assert set(lines) <= under_torchrun and {end for _, end in branches} <= under_torchrun


# --- torchrun -----------------------------------------------------------------------------------------
needs_torchrun = pytest.mark.skipif(
    os.name == "nt", reason="PyTorch y est construit sans libuv, dont torchrun a besoin"
)


def torchrun(folder, *words):
    """Deux processus, chacun avec la section distribuée ; rend (état, sortie, erreurs)."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command += [ROOT / "exercice3.py", "--section", "3.3.1", "--device", "cpu", "--corrige", *words]
    kept = environment(PYTHONWARNINGS="error")
    done = subprocess.run(command, cwd=folder, env=kept, capture_output=True, timeout=300)
    return done.returncode, done.stdout.decode("cp1252"), done.stderr.decode("cp1252")


@pytest.fixture(scope="module")
def together(tmp_path_factory):
    """Trois essais sous torchrun : l'un apprend, l'autre explose, le dernier a trop peu d'observations."""
    folder = tmp_path_factory.mktemp("torchrun")
    words = [["--n-observations", "101"], ["--learning-rate", "1.142", "--n-observations", "5"]]
    with ThreadPoolExecutor(2) as pool:
        pending = [pool.submit(torchrun, folder, *options) for options in words]
    return [future.result() for future in pending]


@pytest.mark.lent
@needs_torchrun
def test_torchrun(together):
    """Deux processus, aux parts inégales (101 observations), n'apprennent pas comme un seul, ou parlent tous deux."""
    status, output, errors = together[0]
    assert status == 0 and "Warning" not in errors and "Traceback" not in errors, errors
    assert output.count("=== 3.3.1-") == output.count("Réponse : ") == 3, "un seul processus parle"
    assert answer_of(output).startswith("À plusieurs, chacun sur sa part, ils ont obtenu les paramètres d'un seul")
    x, y, model = problem(n_observations=101)
    train(model, x, y)
    for name, parameter in model.named_parameters():
        together, alone = re.search(rf"{name} : ensemble (\S+), seul (\S+)", output).groups()
        assert alone == f"{parameter.item():.6f}"
        assert float(together) == pytest.approx(float(alone), rel=100 * EPSILON, abs=2e-6)  # six chiffres imprimés
    assert f"Perte après 400 époques : {lesson.evaluate(model, x, y):.6f}" in output


@pytest.mark.lent
@needs_torchrun
def test_torchrun_when_the_loss_explodes(together):
    """Un processus qui explose le premier fait attendre l'autre pour toujours."""
    status, output, errors = together[1]
    assert status == 0 and "Traceback" not in errors, errors
    assert output.count("Rien à partager") == 1 and "La perte explose" in output


def test_fewer_observations_than_processes_are_refused(monkeypatch, capsys):
    """Un processus sans observation fait attendre les autres pour toujours."""
    for name, value in {"WORLD_SIZE": "3", "RANK": "0", "TORCHELASTIC_RUN_ID": "essai"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", ["exercice3.py", "--n-observations", "2"])
    assert variant("exercice3").main() == 2 and "3 processus" in capsys.readouterr().err


def test_a_rank_left_over_from_another_program_is_ignored(tmp_path):
    """Un RANK laissé par un autre programme fait taire le script, ou l'arrête."""
    status, output, errors = run("exercice3", tmp_path, "--section", "3.3.1-distribue", RANK="1", WORLD_SIZE="400")
    assert (status, errors) == (0, "") and "part de 33" in output
