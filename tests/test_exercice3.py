"""exercice3 face à d'autres autorités : NumPy, différences finies, théorie de la cuvette ; appareils ; torchrun."""

import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

import exercice3 as lesson  # noqa: E402  (le script est à côté du dossier des tests)

CPU = torch.device("cpu")
EPSILON = np.finfo(np.float32).eps


def problem(seed=0, n_observations=100, device=CPU, rate=0.05):
    x, y = lesson.make_data(np.random.default_rng(seed), n_observations, device)
    model = lesson.make_model(seed, device)
    return x, y, model, torch.optim.SGD(model.parameters(), lr=rate)


def test_data_follow_the_handout():
    x, y, _, _ = problem(n_observations=10_000)
    assert x.shape == y.shape == (10_000, 1) and x.dtype == y.dtype == torch.float32
    noise = (y - torch.sin(x) * x**3 - 3 * x).numpy()
    assert 0 <= x.min() < 0.01 and 0.99 < x.max() <= 1
    assert -1e-6 < noise.min() < 0.01 and 0.79 < noise.max() < 0.8 + 1e-6  # arrondi de float32


@pytest.mark.parametrize("seed", range(5))
def test_training_follows_the_bowl(seed):
    """float32 arrondit chaque époque ; les erreurs s'amortissent : quelques eps, vu 1e-6 sur vingt graines."""
    x, y, model, optimizer = problem(seed)
    bowl, start = lesson.least_squares(x, y), lesson.as_column(model)
    losses = lesson.train(model, x, y, optimizer, torch.nn.MSELoss(), 401)
    predicted = lesson.predict_losses(start, 0.05, range(401), bowl)
    np.testing.assert_allclose(losses, predicted, rtol=100 * EPSILON)
    slow, fast = np.linalg.eigvalsh(bowl[2])
    assert 0.10 < slow < 0.16 and 2.3 < fast < 2.9  # x uniforme : 0.13 et 2.53 en moyenne
    assert 4 < losses[50] / bowl[1] < 9 and 1.02 < losses[400] / bowl[1] < 1.15


def test_least_squares_against_polyfit_and_autograd_hessian():
    x, y, _, _ = problem(3)
    solution, floor, hessian = lesson.least_squares(x, y)
    x, y = x.double(), y.double()
    np.testing.assert_allclose(solution.ravel(), np.polyfit(x.numpy()[:, 0], y.numpy()[:, 0], 1), rtol=1e-10)

    def loss(parameters):
        return ((x * parameters[0] + parameters[1] - y) ** 2).mean()

    np.testing.assert_allclose(hessian, torch.autograd.functional.hessian(loss, torch.zeros(2).double()), rtol=1e-12)
    assert floor == pytest.approx(loss(torch.tensor(solution.ravel())).item(), rel=1e-12)


def test_gradients_by_hand_by_autograd_and_by_finite_differences():
    rng = np.random.default_rng(0)
    inputs, targets, weights, bias = (rng.normal(size=size) for size in ((50, 2), (50, 1), (2, 1), 1))
    hand = np.concatenate([g.ravel() for g in lesson.gradient_by_hand(inputs, targets, weights, bias)])
    auto = np.concatenate([g.ravel() for g in lesson.gradient_by_autograd(inputs, targets, weights, bias)])
    np.testing.assert_allclose(hand, auto, rtol=1e-12)

    def loss(p):
        return np.mean((inputs @ p[:2, None] + p[2] - targets) ** 2) / 2

    at, step = np.append(weights, bias), 1e-4
    for j in range(3):
        move = step * np.eye(3)[j]
        assert (loss(at + move) - loss(at - move)) / (2 * step) == pytest.approx(hand[j], abs=1e-10)  # second degré


@pytest.mark.parametrize("rate", [1.0, 1e30])
def test_explosion_stops_the_loop(rate, recwarn):
    x, y, model, optimizer = problem(rate=rate)
    losses = lesson.train(model, x, y, optimizer, torch.nn.MSELoss(), 400)
    assert 0 < len(losses) < 40 and np.isfinite(losses).all() and not recwarn


def test_devices():
    names = lesson.find_devices()
    assert names[0] == "cpu" and all(lesson.works(name) for name in names)
    assert not lesson.works("cuda:77") and not lesson.works("meta")
    assert lesson.choose_device("cpu") == CPU
    assert lesson.choose_device("auto") == torch.device((names + ["cpu"])[1])


def test_same_numbers_on_the_accelerator():
    device = lesson.choose_device("auto")
    if device == CPU:
        pytest.skip("pas d'accélérateur sur cette machine")
    results = []
    for place in (CPU, device):
        x, y, model, optimizer = problem(device=place)
        results.append(lesson.train(model, x, y, optimizer, torch.nn.MSELoss(), 400))
    np.testing.assert_allclose(*results, rtol=1000 * EPSILON)  # l'ordre des sommes diffère


def run(*options, module=(), folder):
    command = [sys.executable, "-W", "error", *module, str(ROOT / "exercice3.py"), *options, "--figures", "figures"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8", timeout=120)


def test_missing_device_is_refused_and_a_diverging_rate_is_a_lesson(tmp_path):
    refused = run("--device", "cuda:77", folder=tmp_path)
    assert (refused.returncode, refused.stdout) == (2, "") and "cpu" in refused.stderr and "cuda:77" in refused.stderr
    told = run("--section", "3.3.2", "--learning-rate", "1e30", "--corrige", folder=tmp_path)
    assert (told.returncode, told.stderr) == (0, "")
    x, y, _, _ = problem()
    limit = 2 / np.linalg.eigvalsh(lesson.least_squares(x, y)[2])[-1]
    assert told.stdout.count("a explosé à l'époque") == 4 and f"{limit:.4f}" in told.stdout


def test_torchrun(tmp_path):
    """Deux processus et 101 observations : des parts inégales, qu'il faut bien peser."""
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    options = ("--section", "3.3.1-distribue", "--n-observations", "101", "--device", "cpu")
    done = run(*options, module=launcher, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    for rank, share in enumerate((51, 50)):
        assert done.stdout.count(f"processus {rank} : {share} observations") == 1
    gap = float(done.stdout.partition("processus seul : ")[2].split()[0])
    assert gap < 100 * EPSILON  # seul l'ordre des sommes diffère
    assert "Pour rejouer : torchrun --standalone --nproc-per-node 2" in done.stdout
    assert [path.name for path in (tmp_path / "figures").iterdir()] == ["exercice3-3.3.1-distribue.png"]


def test_closing_the_live_window_stops_the_drawing_not_the_training(monkeypatch, capsys):
    """Fermer la fenêtre à la troisième image : plus aucune image, aucune fenêtre rouverte, 400 époques quand même."""
    pauses, shown = [], []

    def pause(interval):
        pauses.append(interval)
        if len(pauses) == 3:
            plt.close("all")

    monkeypatch.setattr(plt, "pause", pause)
    monkeypatch.setattr(plt, "show", lambda: shown.append(plt.get_fignums()))
    args = lesson.argparse.Namespace(
        seed=0, n_observations=100, device="cpu", learning_rate=0.05, epochs=400, window=True
    )
    answer = lesson.section_training(args)
    assert len(pauses) == 3 and not shown and not plt.get_fignums()
    assert "après 400" in answer and "époque    350" in capsys.readouterr().out
