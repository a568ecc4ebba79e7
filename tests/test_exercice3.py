"""exercice3 face à d'autres autorités : NumPy, différences finies, théorie de la cuvette ; appareils ; torchrun."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

import exercice3 as lesson  # noqa: E402  (le script est à côté du dossier des tests)

CPU = torch.device("cpu")
EPSILON = float(np.finfo(np.float32).eps)


def problem(seed=0, n_observations=100, device=CPU, rate=0.05):
    x, y = lesson.make_data(np.random.default_rng(seed), n_observations, device)
    model = lesson.make_model(seed, device)
    return x, y, model, lesson.make_optimizer(model, rate)


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
    parts, keeps = lesson.predict_parts(start, 0.05, [0, 1, 50], bowl)
    np.testing.assert_allclose(parts.sum(axis=0) + bowl[1], np.array(losses)[[0, 1, 50]], rtol=100 * EPSILON)
    np.testing.assert_allclose(parts[:, 1] / parts[:, 0], keeps, rtol=1e-12)  # float64
    assert keeps == pytest.approx([(1 - 0.05 * slow) ** 2, (1 - 0.05 * fast) ** 2])


def test_least_squares_against_polyfit_and_autograd_hessian():
    x, y, _, _ = problem(3)
    solution, floor, hessian = lesson.least_squares(x, y)
    x, y = x.double(), y.double()
    np.testing.assert_allclose(solution.ravel(), np.polyfit(x.numpy()[:, 0], y.numpy()[:, 0], 1), rtol=1e-10)

    def loss(parameters):
        return ((x * parameters[0] + parameters[1] - y) ** 2).mean()

    np.testing.assert_allclose(hessian, torch.autograd.functional.hessian(loss, torch.zeros(2).double()), rtol=1e-12)
    assert floor == pytest.approx(loss(torch.tensor(solution.ravel())).item(), rel=1e-12)


def test_largest_stable_rate():
    """De part et d'autre du taux limite, la perte finit par baisser ou par grandir."""
    for factor, grows in ((0.99, False), (1.01, True)):
        x, y, model, _ = problem()
        rate = factor * lesson.largest_stable_rate(lesson.least_squares(x, y))
        losses = lesson.train(model, x, y, lesson.make_optimizer(model, rate), torch.nn.MSELoss(), 150)
        assert (losses[-1] > losses[0]) == grows


def test_model_has_the_names_of_the_handout():
    model = lesson.make_model(0, CPU)
    shapes = {name: tuple(parameter.shape) for name, parameter in model.named_parameters()}
    assert shapes == {"linear.weight": (1, 1), "linear.bias": (1,)}
    weight, bias = lesson.as_column(model).ravel()
    assert model(torch.tensor([[2.0]])).item() == pytest.approx(2 * weight + bias, rel=1e-6)  # float32


def test_gradients_by_hand_by_autograd_and_by_finite_differences():
    rng = np.random.default_rng(0)
    inputs, targets, weights, bias = (rng.normal(size=size) for size in ((50, 2), (50, 1), (2, 1), 1))
    hand_loss, *hand = lesson.gradient_by_hand(inputs, targets, weights, bias)
    auto_loss, *auto = lesson.gradient_by_autograd(inputs, targets, weights, bias)
    hand, auto = (np.concatenate([g.ravel() for g in parts]) for parts in (hand, auto))
    assert hand_loss == pytest.approx(auto_loss, rel=1e-12)
    np.testing.assert_allclose(hand, auto, rtol=1e-12)

    def loss(p):
        return np.mean((inputs @ p[:2, None] + p[2] - targets) ** 2) / 2

    at, step = np.append(weights, bias), 1e-4
    assert loss(at) == pytest.approx(hand_loss, rel=1e-12)
    for j in range(3):
        move = step * np.eye(3)[j]
        assert (loss(at + move) - loss(at - move)) / (2 * step) == pytest.approx(hand[j], abs=1e-10)  # second degré


def test_shortest_duration_leaves_the_first_call_apart():
    calls = []

    def call():
        calls.append(0)
        lesson.time.sleep(0.05 if len(calls) == 1 else 0.005)

    assert 0.005 <= lesson.shortest_duration(call, CPU, budget=0) < 0.05 and len(calls) == 11


@pytest.mark.parametrize("rate", [1.0, 1e30, 1e300])
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
    """Lance une copie du script, seule dans `folder` ; tout avertissement est une erreur, même dessous."""
    shutil.copy(ROOT / "exercice3.py", folder)
    command = [sys.executable, *module, "exercice3.py", *options, "--figures", "figures"]
    changes = {"PYTHONWARNINGS": "error", "PYTHONIOENCODING": "cp1252", "MPLBACKEND": "Agg", "DISPLAY": ":99"}
    done = subprocess.run(command, cwd=folder, env={**os.environ, **changes}, capture_output=True, timeout=120)
    return done.returncode, done.stdout.decode("cp1252"), done.stderr.decode("cp1252")


def test_missing_device_is_refused_in_one_sentence_that_names_those_that_are(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["exercice3.py", "--device", "cuda:77"])
    with pytest.raises(SystemExit) as end:
        lesson.main()
    said = capsys.readouterr()
    assert (end.value.code, said.out) == (2, "") and said.err.count("\n") == 1
    assert "« cuda:77 »" in said.err and all(name in said.err for name in ["auto", *lesson.find_devices()])


def test_diverging_rate_is_a_lesson(tmp_path):
    status, output, errors = run("--section", "3.3.2", "--learning-rate", "1e300", "--corrige", folder=tmp_path)
    assert (status, errors) == (0, "")
    x, y, _, _ = problem()
    limit = 2 / np.linalg.eigvalsh(lesson.least_squares(x, y)[2])[-1]
    assert output.count("a explosé à l'époque 1,") == 4 and output.count(f"taux stable est {limit:.4f}") == 4
    assert len(list((tmp_path / "figures").glob("*.png"))) == 3


@pytest.mark.parametrize("options", [{"epochs": 1}, {"epochs": 60, "learning_rate": 0.75}, {"learning_rate": 1e-12}])
def test_answers_stay_true_with_odd_options(options, monkeypatch, capsys):
    """Une seule époque, un axe raide qui s'efface le dernier, un taux qui n'apprend rien : aucune phrase fausse."""
    monkeypatch.setattr(lesson, "show", lambda fig, args: (fig.canvas.draw(), plt.close(fig)))
    args = namespace(**options)
    training, loss = lesson.section_training(args), lesson.section_loss(args)
    assert "s'efface le premier" not in loss and "nan" not in training + loss + capsys.readouterr().out


def test_torchrun(tmp_path):
    """Deux processus et 101 observations : des parts inégales, qu'il faut bien peser."""
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    options = ("--section", "3.3.1-distribue", "--n-observations", "101", "--device", "cpu", "--corrige")
    status, output, errors = run(*options, module=launcher, folder=tmp_path)
    assert status == 0 and "Warning" not in errors and "Traceback" not in errors, errors
    assert output.count("=== 3.3.1") == 1, "un seul processus parle"
    for rank, share in enumerate((51, 50)):
        assert output.count(f"processus {rank} : {share} observations") == 1
    gap = float(output.partition("processus seul : ")[2].split()[0])
    assert gap < 100 * EPSILON  # seul l'ordre des sommes diffère
    x, y, model, optimizer = problem(n_observations=101)
    lesson.train(model, x, y, optimizer, torch.nn.MSELoss(), 400)
    together = [float(output.partition(f"{name} = ")[2].split()[0].rstrip(",.")) for name in ("w1", "b1")]
    np.testing.assert_allclose(together, lesson.as_column(model).ravel(), rtol=1e-5)  # six chiffres imprimés
    assert "Pour rejouer : torchrun --standalone --nproc-per-node 2" in output
    assert [path.name for path in (tmp_path / "figures").iterdir()] == ["exercice3-3.3.1-distribue.png"]


def namespace(**changes):
    defaults = {"seed": 0, "n_observations": 100, "device": "cpu", "learning_rate": 0.05, "epochs": 400}
    return lesson.argparse.Namespace(**{**defaults, "window": False, **changes})


def test_no_window_no_pause_and_no_frame(monkeypatch):
    """Sans fenêtre, rien n'est montré ni dessiné en route."""

    def forbidden(*args, **kwargs):
        raise AssertionError("dessin ou pause sans fenêtre")

    monkeypatch.setattr(plt, "pause", forbidden)
    monkeypatch.setattr(FigureCanvasAgg, "draw", forbidden)
    monkeypatch.setattr(FigureCanvasAgg, "start_event_loop", forbidden)
    monkeypatch.setattr(lesson, "show", lambda fig, args: plt.close(fig))
    lesson.section_training(namespace())


@pytest.mark.parametrize("close_at", [None, 3])
def test_closing_the_live_window_stops_the_drawing_not_the_training(close_at, monkeypatch, capsys):
    """Une image toutes les dix époques ; fermée à la troisième, la fenêtre n'en dessine plus et ne revient pas."""
    captions, shown = [], []

    def frame(*given):
        captions.append(plt.gcf().axes[1].texts[0].get_text())
        if len(captions) == close_at:
            plt.close("all")

    monkeypatch.setattr(plt, "pause", frame)
    monkeypatch.setattr(lesson, "repaint", frame)
    monkeypatch.setattr(plt, "show", lambda: shown.append(plt.gcf().axes[1].texts[0].get_text()))
    answer = lesson.section_training(namespace(window=True))
    assert len(captions) == (close_at or 40) and captions[2].startswith("après 20 époques")
    assert [text[:17] for text in shown] == ([] if close_at else ["après 400 époques"]) and not plt.get_fignums()
    assert "après 400" in answer and "époque    350" in capsys.readouterr().out
