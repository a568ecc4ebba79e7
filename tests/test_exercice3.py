"""exercice3 face à d'autres autorités : NumPy, théorie de la descente, autres appareils, torchrun."""

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
from commun import ROOT, answer_of, environment

CPU = torch.device("cpu")
EPSILON = float(np.finfo(np.float32).eps)


def problem(seed=0, n_observations=100, device=CPU):
    x, y = lesson.make_data(np.random.default_rng(seed), n_observations, device)
    torch.manual_seed(seed)
    return x, y, lesson.RegressionModel().to(device)


def train(model, x, y, rate=0.05, epochs=400):
    return lesson.train(model, x, y, lesson.make_optimizer(model, rate), torch.nn.MSELoss(), epochs)


def hessian(x):
    """Courbure de la perte, 2·X'X/n : MSELoss n'a pas le /2 d'exercice1."""
    extended = np.column_stack([x.numpy().astype(float), np.ones(len(x))])
    return 2 * extended.T @ extended / len(x)


def test_data_follow_the_handout():
    x, y, _ = problem(n_observations=10_000)
    assert x.shape == y.shape == (10_000, 1) and x.dtype == y.dtype == torch.float32
    noise = (y - torch.sin(x) * x**3 - 3 * x).numpy()
    assert 0 <= x.min() < 0.01 and 0.99 < x.max() <= 1
    assert -1e-6 < noise.min() < 0.01 and 0.79 < noise.max() < 0.8 + 1e-6  # arrondi de float32
    assert lesson.noise_floor(x, y) == pytest.approx(0.8**2 / 12, rel=5 * 0.9 / 100)  # var d'une uniforme : 0.9/√n


@pytest.mark.parametrize("seed", range(5))
def test_training_follows_the_theory(seed):
    """Sur chaque axe propre de la courbure, une époque multiplie l'écart au fond par 1 - taux × valeur propre.

    float32 arrondit chaque époque ; les erreurs s'amortissent : quelques eps, vu 1e-6 sur vingt graines.
    """
    x, y, model = problem(seed)
    slope, intercept, best = lesson.best_line(x, y)
    start = np.array([model.linear.weight.item(), model.linear.bias.item()])
    losses = train(model, x, y, epochs=401)
    values, axes = np.linalg.eigh(hessian(x))
    gaps = (axes.T @ (start - [slope, intercept])) * (1 - 0.05 * values) ** np.arange(401)[:, None]
    np.testing.assert_allclose(losses, best + (values * gaps**2).sum(axis=1) / 2, rtol=100 * EPSILON)
    assert 2.5 < losses[50] / best < 12 and 1.02 < losses[400] / best < 1.15  # 2.9 à 11 et 1.04 à 1.10 sur 20 graines
    # Le modèle a fini là où mènent ces écarts : la droite lue sur les prédictions est celle des paramètres.
    prediction = lesson.predict(model, CPU)[1]
    assert lesson.is_line(prediction)
    assert prediction[0] == pytest.approx(model.linear.bias.item(), rel=1e-5)
    assert prediction[-1] - prediction[0] == pytest.approx(model.linear.weight.item(), rel=1e-5)


def test_best_line_against_lstsq():
    x, y, _ = problem(3)
    slope, intercept, loss = lesson.best_line(x, y)
    extended = np.column_stack([x.numpy().astype(float), np.ones(100)])
    solution, squares, _, _ = np.linalg.lstsq(extended, y.numpy().astype(float)[:, 0], rcond=None)
    np.testing.assert_allclose([slope, intercept, loss], [*solution, squares[0] / 100], rtol=1e-10)


def test_gradient_against_finite_differences():
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
    grid = np.linspace(0, 1, 100)
    assert lesson.is_line((3 * grid - 1).astype(np.float32)) and lesson.is_line(np.full(100, 7, np.float32))
    assert not lesson.is_line((3 * grid + 0.001 * grid**2).astype(np.float32))


def test_satisfying_means_little_more_than_the_noise():
    x, y, _ = problem(0)
    floor = lesson.noise_floor(x, y)
    assert lesson.satisfying(1.9 * floor, x, y) and not lesson.satisfying(2.1 * floor, x, y)
    assert not lesson.satisfying(float("nan"), x, y)


@pytest.mark.parametrize("rate", [1.0, 30.0, 1e30])
def test_explosion_stops_the_loop(rate, recwarn):
    x, y, model = problem()
    losses = train(model, x, y, rate)
    assert 0 < len(losses) < 40 and np.isfinite(losses).all() and not recwarn


def test_devices(monkeypatch, capsys):
    names = lesson.find_devices()
    assert names[0] == "cpu" and lesson.choose_device("cpu") == CPU
    assert lesson.choose_device("auto") == torch.device((names + ["cpu"])[1])
    monkeypatch.setattr(sys, "argv", ["exercice3.py", "--device", "cuda:77"])
    capsys.readouterr()
    assert lesson.main() == 2
    said = capsys.readouterr()
    assert said.out == "" and "'cuda:77'" in said.err and all(name in said.err for name in ["auto", *names])


def test_an_announced_device_that_does_not_work_is_left_out(monkeypatch):
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: True)
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda: torch.device("cuda"))
    monkeypatch.setattr(torch.accelerator, "device_count", lambda: 77)
    assert "cuda:76" not in lesson.find_devices() and lesson.find_devices()[0] == "cpu"


def test_same_numbers_on_the_accelerator():
    device = lesson.choose_device("auto")
    if device == CPU:
        pytest.skip("pas d'accélérateur sur cette machine")
    results = []
    for place in (CPU, device):
        x, y, model = problem(device=place)
        results.append(train(model, x, y))
    np.testing.assert_allclose(*results, rtol=1000 * EPSILON)  # l'ordre des sommes diffère


def options(**changes):
    defaults = {"seed": 0, "n_observations": 100, "device": "cpu", "learning_rate": 0.05, "epochs": 400}
    return lesson.argparse.Namespace(**{**defaults, "window": False, "folder": None, **changes})


def test_same_loss_after_400_epochs_in_all_sections(monkeypatch, capsys):
    monkeypatch.setattr(lesson, "show", lambda fig, args: plt.close(fig))
    x, y, model = problem()
    train(model, x, y)
    loss = lesson.evaluate(model, x, y)
    training, history = lesson.section_training(options()), lesson.section_loss(options())
    assert f"la perte vaut {loss:.3g}" in training and f"{loss:.3g} à la fin" in history
    assert re.search(rf"après 400 époques +perte = {loss:.6g}\n", capsys.readouterr().out)


def test_no_window_no_pause(monkeypatch):
    def forbidden(*given):
        raise AssertionError("pause sans fenêtre")

    monkeypatch.setattr(plt, "pause", forbidden)
    monkeypatch.setattr(lesson, "show", lambda fig, args: plt.close(fig))
    lesson.section_training(options())


needs_torchrun = pytest.mark.skipif(
    os.name == "nt", reason="PyTorch y est construit sans libuv, dont torchrun a besoin"
)


def torchrun(folder, *words):
    """Deux processus, chacun avec la section distribuée ; rend (état, sortie, erreurs)."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command += [ROOT / "exercice3.py", "--section", "3.3.1-distribue", "--device", "cpu", "--corrige", *words]
    kept = environment(PYTHONWARNINGS="error")
    done = subprocess.run(command, cwd=folder, env=kept, capture_output=True, timeout=300)
    return done.returncode, done.stdout.decode("cp1252"), done.stderr.decode("cp1252")


@pytest.fixture(scope="module")
def together(tmp_path_factory):
    """Deux essais sous torchrun, en même temps : l'un apprend, l'autre explose."""
    folder = tmp_path_factory.mktemp("torchrun")
    words = [["--n-observations", "101"], ["--learning-rate", "1.142", "--n-observations", "5"]]
    with ThreadPoolExecutor(2) as pool:
        pending = [pool.submit(torchrun, folder, *options) for options in words]
    return [future.result() for future in pending]


@needs_torchrun
def test_torchrun(together):
    """Deux processus et 101 observations : des parts inégales, qu'il faut bien peser."""
    status, output, errors = together[0]
    assert status == 0 and "Warning" not in errors and "Traceback" not in errors, errors
    assert output.count("=== 3.3.1") == output.count("Corrigé") == 1, "un seul processus parle"
    assert answer_of(output).startswith("2 processus")
    x, y, model = problem(n_observations=101)
    train(model, x, y)
    for name, parameter in model.named_parameters():
        together, alone = re.search(rf"{name} : ensemble (\S+), seul (\S+)", output).groups()
        assert alone == f"{parameter.item():.6f}"
        assert float(together) == pytest.approx(float(alone), rel=100 * EPSILON, abs=2e-6)  # six chiffres imprimés
    assert f"Perte après 400 époques : {lesson.evaluate(model, x, y):.6f}" in output


@needs_torchrun
def test_torchrun_when_the_loss_explodes(together):
    """Chacun, seul, s'arrêterait à une autre époque : aucun ne doit attendre l'autre pour toujours."""
    status, output, errors = together[1]
    assert status == 0 and "Traceback" not in errors, errors
    assert output.count("La perte explose ou monte") == 1


def test_fewer_observations_than_processes_are_refused(monkeypatch, capsys):
    monkeypatch.setenv("WORLD_SIZE", "3")
    monkeypatch.setattr(sys, "argv", ["exercice3.py", "--n-observations", "2"])
    assert lesson.main() == 2 and "3 processus" in capsys.readouterr().err
