"""Le calcul d'exercice1 face à des autorités indépendantes : moindres carrés, différences finies, théorie."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

import exercice1 as lesson  # noqa: E402  (le script est à côté du dossier des tests)

EPSILON = np.finfo(float).eps


def problem(seed=0, n_observations=1000, true_weights=lesson.TRUE_WEIGHTS):
    rng = np.random.default_rng(seed)
    inputs, targets = lesson.make_data(rng, n_observations, true_weights)
    weights, bias = lesson.make_parameters(rng, len(true_weights))
    return rng, inputs, targets, weights, bias


def extended(inputs):
    return np.column_stack([inputs, np.ones(len(inputs))])


def test_data_follow_the_handout():
    _, inputs, targets, weights, bias = problem()
    noise = targets - 3 * inputs[:, :1] + 4 * inputs[:, 1:] - 5
    assert inputs.shape == (1000, 2) and targets.shape == (1000, 1) and weights.shape == (2, 1) and bias.shape == (1,)
    assert np.abs(inputs).max() <= 10 and np.abs(inputs).max() > 9.9
    assert np.abs(noise).max() <= 0.1 and np.abs(noise).max() > 0.099
    assert max(np.abs(weights).max(), np.abs(bias).max()) <= 0.2


@pytest.mark.parametrize("n_inputs", [1, 2, 3])
def test_gradient_against_finite_differences(n_inputs):
    _, inputs, targets, weights, bias = problem(1, 50, np.ones((n_inputs, 1)))
    loss, grad_weights, grad_bias = lesson.gradient(inputs, targets, weights, bias)
    residuals = targets - inputs @ weights - bias
    assert loss == pytest.approx(residuals.var() / 2 + residuals.mean() ** 2 / 2)
    # La perte est du second degré : la différence centrée est exacte, à l'arrondi eps·perte/pas près.
    step = 1e-3
    rounding = 100 * EPSILON * loss / step
    for j in range(n_inputs + 1):
        move = np.zeros(n_inputs + 1)
        move[j] = step
        sides = [
            lesson.gradient(inputs, targets, weights + sign * move[:-1, None], bias + sign * move[-1])[0]
            for sign in (1, -1)
        ]
        exact = np.append(grad_weights, grad_bias)[j]
        assert (sides[0] - sides[1]) / (2 * step) == pytest.approx(exact, abs=rounding)


@pytest.mark.parametrize("n_inputs", [1, 2, 3])
def test_least_squares_against_numpy(n_inputs):
    _, inputs, targets, _, _ = problem(2, 500, np.arange(1.0, n_inputs + 1)[:, None])
    solution, floor, hessian = lesson.least_squares(inputs, targets)
    reference, squares, _, _ = np.linalg.lstsq(extended(inputs), targets, rcond=None)
    # Équations normales : erreur relative de l'ordre de eps × conditionnement (une trentaine) × n au pire.
    np.testing.assert_allclose(solution, reference, rtol=1e-11)
    assert floor == pytest.approx(squares[0] / 2 / 500, rel=1e-9)
    np.testing.assert_allclose(hessian, extended(inputs).T @ extended(inputs) / 500, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_training_follows_the_bowl(seed):
    """La théorie est exacte : seul l'arrondi la sépare de la mesure (1e-13 vu sur dix graines)."""
    _, inputs, targets, weights, bias = problem(seed)
    bowl = lesson.least_squares(inputs, targets)
    loss_history, path = lesson.train(inputs, targets, weights, bias, 0.01, 900)
    predicted = lesson.predict_path(lesson.stack(path[:1]), 0.01, range(901), bowl)
    np.testing.assert_allclose(lesson.stack(path), predicted, atol=1e-11)
    np.testing.assert_allclose(lesson.bowl_loss(predicted, bowl)[:-1], loss_history, rtol=1e-11)
    reached = lesson.first_converged(loss_history, bowl[1])
    assert reached == lesson.predict_convergence(lesson.stack(path[:1]), 0.01, bowl)
    assert 540 < reached < 640  # « vers 577 » : 0.99^(2k)·12.5 = 0.05·0.00167, à 5 % de dispersion des données près
    # Biais après 100 pas : il garde 0.99^100 = 37 % de son écart, parti de -0.2 à 0.2.
    assert 5 - 5.2 * 0.39 < path[100][1][0] < 5 - 4.8 * 0.34


def test_stability_limit():
    _, inputs, targets, weights, bias = problem()
    bowl = lesson.least_squares(inputs, targets)
    limit = lesson.largest_stable_rate(bowl)
    assert limit == pytest.approx(2 / np.linalg.norm(extended(inputs), 2) ** 2 * 1000)
    calm, _ = lesson.train(inputs, targets, weights, bias, 0.99 * limit, 2000)
    wild, path = lesson.train(inputs, targets, weights, bias, 1.01 * limit, 2000)
    assert len(calm) == 2000 and calm[-1] < 1.05 * bowl[1]
    assert len(wild) < 2000 and len(path) == len(wild) and np.isfinite(lesson.stack(path)).all()
    assert lesson.predict_convergence(lesson.stack(path[:1]), 1.01 * limit, bowl) is None


@pytest.mark.parametrize("rate", [1.0, 1e150, 1e300])
def test_explosion_stops_the_loop_without_a_warning(rate, recwarn):
    _, inputs, targets, weights, bias = problem()
    loss_history, path = lesson.train(inputs, targets, weights, bias, rate, 1000)
    assert 0 < len(loss_history) < 20 and len(path) == len(loss_history) and np.isfinite(loss_history).all()
    assert not recwarn


def test_batch_of_everything_is_the_full_gradient():
    rng, inputs, targets, weights, bias = problem()
    full = lesson.train(inputs, targets, weights, bias, 0.01, 50)
    batch = lesson.train(inputs, targets, weights, bias, 0.01, 50, len(inputs), rng)
    assert full[0] == batch[0] and np.array_equal(lesson.stack(full[1]), lesson.stack(batch[1]))


def test_batches_are_drawn_without_repetition_and_averaged(monkeypatch):
    rng, inputs, targets, weights, bias = problem(n_observations=40)
    seen = []

    def spy(some_inputs, some_targets, *parameters):
        seen.append(some_inputs)
        return lesson_gradient(some_inputs, some_targets, *parameters)

    lesson_gradient = lesson.gradient
    monkeypatch.setattr(lesson, "gradient", spy)
    lesson.train(inputs, targets, weights, bias, 0.001, 200, 30, rng)
    assert all(len(np.unique(some, axis=0)) == 30 for some in seen)
    counts = np.zeros(40)
    for some in seen:
        counts += [any((row == other).all() for other in some) for row in inputs]
    # Chaque observation sort dans 3/4 des 200 groupes : 150, écart-type 6 ; cinq écarts-types.
    assert abs(counts - 150).max() < 5 * 6.2


def test_noise_theory_against_brute_force():
    """Un pas de mini-batch, moyenné sur des milliers de tirages, fait à la covariance ce que dit la théorie."""
    rng, inputs, targets, _, _ = problem(3, 60)
    bowl = lesson.least_squares(inputs, targets)
    transition, injected = lesson.noise_transition(inputs, targets, 0.01, 5, bowl)
    errors = rng.normal(size=(3, 1)) * 0.3
    outcomes = []
    for _ in range(20_000):
        start = bowl[0] + errors * rng.choice([-1, 1])  # signe au hasard : pas de terme croisé
        _, path = lesson.train(inputs, targets, start[:-1], start[-1], 0.01, 1, 5, rng)
        after = lesson.stack(path)[:, 1:] - bowl[0]
        outcomes.append((after @ after.T).ravel())
    expected = transition @ (errors @ errors.T).ravel() + injected
    standard_error = np.std(outcomes, axis=0) / np.sqrt(len(outcomes))
    assert np.all(np.abs(np.mean(outcomes, axis=0) - expected) < 5 * standard_error)


def test_roughness_of_a_long_run():
    rng, inputs, targets, _, _ = problem(4)
    bowl = lesson.least_squares(inputs, targets)
    theory, spread = lesson.predict_roughness(inputs, targets, 0.01, 10, bowl)
    _, path = lesson.train(inputs, targets, bowl[0][:-1], bowl[0][-1], 0.01, 20_000, 10, rng)
    excess = lesson.bowl_loss(lesson.stack(path[500:]), bowl) - bowl[1]
    # Axes des poids : mémoire de 1/(2·0.01·33) = 1.5 pas, soit 6500 tirages indépendants au moins : 1.2 %
    # sur la moyenne, cinq écarts-types ; l'écart-type gaussien, lui, néglige l'épaisseur des queues.
    assert excess.mean() == pytest.approx(theory, rel=0.06)
    assert excess.std() == pytest.approx(spread, rel=0.12)
    assert lesson.predict_roughness(inputs, targets, 0.01, 1000, bowl)[0] == pytest.approx(0, abs=1e-12)
    limit = lesson.largest_noisy_rate(inputs, targets, 1, bowl)
    assert lesson.predict_roughness(inputs, targets, 0.98 * limit, 1, bowl)[0] < np.inf
    assert lesson.predict_roughness(inputs, targets, 1.02 * limit, 1, bowl)[0] == np.inf


def test_batch_larger_than_the_data_is_refused_and_a_diverging_rate_is_a_lesson(tmp_path):
    def run(*options):
        command = [sys.executable, "-W", "error", ROOT / "exercice1.py", *options, "--figures", tmp_path]
        return subprocess.run(command, capture_output=True, text=True, encoding="utf-8")

    refused = run("--batch-size", "1001")
    assert refused.returncode == 2 and refused.stdout == "" and "1001" in refused.stderr
    lesson_told = run("--section", "2.2.2", "--learning-rate", "0.1", "--corrige")
    assert (lesson_told.returncode, lesson_told.stderr) == (0, "")
    _, inputs, targets, _, _ = problem()
    limit = lesson.largest_stable_rate(lesson.least_squares(inputs, targets))
    assert "a explosé à l'itération " in lesson_told.stdout and f"{limit:.4f}" in lesson_told.stdout
