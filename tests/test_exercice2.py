"""exercice2 face à d'autres autorités : scikit-learn, la théorie, et chaque phrase de réponse des deux côtés."""

import ast
import inspect
import math
import re
import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from sklearn.metrics import accuracy_score, log_loss
from sklearn.neural_network import MLPClassifier

import exercice2 as lesson
from commun import ROOT, answer_to, call, check_layout, measured, never_taken, play, variant

SETTINGS = {"activation": "tanh", "solver": "sgd", "learning_rate": 0.1, "momentum": 0.9, "batch_size": 20}


def classifier_of(seed=0, hidden_layer_sizes=(10,), **changes):
    """Le réseau de la leçon, avec sa graine."""
    classifier = lesson.make_classifier(hidden_layer_sizes, **{**SETTINGS, **changes})
    return classifier.set_params(random_state=np.random.RandomState(seed))


def test_split_is_stratified_and_scaled_on_the_training_part_only():
    """Les trois espèces ne sont plus en parts égales, ou le test sert à mettre les entrées à l'échelle."""
    inputs, targets, test_inputs, test_targets, scaler = lesson.split(3)
    assert np.bincount(targets).tolist() == [40] * 3 and np.bincount(test_targets).tolist() == [10] * 3
    np.testing.assert_allclose(inputs.mean(axis=0), 0, atol=1e-13)
    np.testing.assert_allclose(inputs.std(axis=0), 1, rtol=1e-13)
    assert np.abs(test_inputs.mean(axis=0)).max() > 1e-3  # trente fleurs ont rarement la même moyenne
    assert scaler.inverse_transform(inputs).min() > 0, "des centimètres"


def test_the_call_is_written_out():
    """Un argument n'a plus sa ligne et son mot de l'énoncé, ou n'arrive pas dans le réseau."""
    source = inspect.getsource(lesson.make_classifier)
    assert len(re.findall(r"^        \w+=\w+,  # \w+", source, re.MULTILINE)) == 6
    found = lesson.make_classifier([7, 4], "relu", "adam", 0.3, 0.2, 15).get_params()
    expected = {"hidden_layer_sizes": [7, 4], "activation": "relu", "solver": "adam", "learning_rate_init": 0.3}
    assert found.items() >= {**expected, "momentum": 0.2, "batch_size": 15}.items()


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh"])
@pytest.mark.parametrize("hidden_layer_sizes", [[10], [7, 4]])
def test_forward_by_hand_is_predict_proba(activation, hidden_layer_sizes):
    """La propagation écrite à la main ne donne plus les probabilités de scikit-learn."""
    inputs, targets, test_inputs, _, _ = lesson.split(0)
    classifier = classifier_of(hidden_layer_sizes=hidden_layer_sizes, activation=activation)
    lesson.train(classifier, inputs, targets, 3)
    # Quelques dizaines d'opérations : quelques dizaines d'arrondis.
    expected = classifier.predict_proba(test_inputs)
    np.testing.assert_allclose(lesson.forward(classifier, test_inputs), expected, rtol=1e-12, atol=1e-14)


def test_the_loop_does_what_fit_does():
    """La première époque n'est plus celle de `fit`, ou les suivantes descendent moins."""
    for seed in range(3):
        inputs, targets, *_ = lesson.split(seed)
        epochs = []
        looped = lesson.train(classifier_of(seed), inputs, targets, 20, epochs.append)
        fitted = classifier_of(seed).set_params(max_iter=20, n_iter_no_change=20)
        with pytest.warns(UserWarning, match="20"):
            fitted.fit(inputs, targets)
        assert epochs == list(range(20)) and len(looped) == 20
        assert looped[0] == fitted.loss_curve_[0]
        assert 0.5 < looped[-1] / fitted.loss_curve_[-1] < 2  # de 0.9 à 1.1 sur dix graines


def test_measures_are_the_cross_entropy_and_the_accuracy():
    """La perte ou le score affichés ne sont plus ceux de scikit-learn."""
    inputs, targets, *_ = lesson.split(0)
    classifier = classifier_of()
    lesson.train(classifier, inputs, targets, 4)
    loss, score = lesson.measure(classifier, inputs, targets)
    assert loss == pytest.approx(log_loss(targets, classifier.predict_proba(inputs)))
    assert score == accuracy_score(targets, classifier.predict(inputs))


@pytest.mark.parametrize("batch_size", [1, 20, 50, 120])
def test_updates_per_epoch(batch_size):
    """Le nombre de mises à jour annoncé par époque n'est pas celui que compte Adam."""
    inputs, targets, *_ = lesson.split(0)
    classifier = classifier_of(solver="adam", learning_rate=0.001, batch_size=batch_size)
    lesson.train(classifier, inputs, targets, 4)
    n_updates = math.ceil(120 / batch_size)
    assert classifier._optimizer.t == 4 * n_updates and classifier.t_ == 480
    answer = answer_to("exercice2", "3.2-epoch", {"BATCH_SIZE": batch_size, "EPOCHS": 4})
    assert f"groupes de {batch_size} : {n_updates} mise" in answer and f"cela fait {4 * n_updates} mises" in answer


def test_trials_are_five_plain_fits():
    """Un essai n'est plus un `fit` de scikit-learn, avec sa graine pour le partage et pour les poids."""
    module = variant("exercice2", SEED=7, EPOCHS=6)
    losses, scores = module.trials(lesson.make_classifier([10], **SETTINGS))
    assert losses.shape == (5, 6) and scores.shape == (5,)
    for k in range(5):
        inputs, targets, test_inputs, test_targets, _ = lesson.split(7 + k)
        alone = MLPClassifier([10], activation="tanh", solver="sgd", learning_rate_init=0.1, batch_size=20)
        alone.set_params(max_iter=6, random_state=7 + k)
        with pytest.warns(UserWarning, match="6"):
            alone.fit(inputs, targets)
        assert losses[k].tolist() == alone.loss_curve_ and scores[k] == alone.score(test_inputs, test_targets)


def test_each_curve_has_its_name_and_tells_an_explosion():
    """Une courbe n'a pas son nom, ou son explosion, dans la légende ; ou la légende déborde."""
    module = variant("exercice2", EPOCHS=1)
    _, (left, right) = plt.subplots(1, 2)
    classifier = lesson.make_classifier([3], "identity", "sgd", 0.1, 0, 20)
    with np.errstate(over="ignore", invalid="ignore"):
        module.compare(left, "Taux", classifier, "learning_rate_init", [0.1, 1e6, 0.1])
    module.compare(right, "Neurones", classifier, "hidden_layer_sizes", range(1, 8))
    legends = [[text.get_text() for text in ax.get_legend().get_texts()] for ax in (left, right)]
    assert legends == [["0.1", "1e+06 (explose : 5 sur 5)", "but : 0.1"], ["1", "2", "3", "4", "but : 0.1"]]
    assert left.get_legend().get_title().get_text() == "learning_rate_init"
    plt.close("all")


def test_the_settings_leave_out_what_varies(capsys):
    """L'en-tête d'une comparaison donne une valeur pour le réglage qu'elle fait varier."""
    module = variant("exercice2", HIDDEN_LAYER_SIZES=[10, 5], ACTIVATION="relu")
    for varied, said, unsaid in [
        ("rien", "Neurones cachés : 10 puis 5. Activation : relu.", "moment sans effet"),
        ("neurones", "Activation : relu.", "Neurones"),
        ("activation", "Neurones cachés : 10 puis 5.", "relu"),
    ]:
        module.print_settings(varied)
        text = capsys.readouterr().out
        assert said in text and unsaid not in text and "sgd, taux 0.1, moment 0.9, groupes de 20" in text


def test_the_same_start_for_each_value():
    """Deux valeurs partent de poids ou de partages différents : leur écart ne vient plus d'elles seules."""
    module = variant("exercice2", EPOCHS=3)
    _, ax = plt.subplots()
    tiny = lesson.make_classifier([10], "tanh", "sgd", 1e-9, 0, 20)
    results = module.compare(ax, "Moments", tiny, "momentum", [0.5, 0.9])
    np.testing.assert_allclose(results[0.5][0], results[0.9][0], rtol=1e-6)
    plt.close("all")


def test_an_explosion_is_told_and_another_error_is_not_hidden():
    """Une perte qui explose arrête le script, ou une erreur de l'élève passe pour une explosion."""
    module = variant("exercice2", EPOCHS=5)
    with np.errstate(over="ignore", invalid="ignore"):
        losses, scores = module.trials(lesson.make_classifier([10], "identity", "sgd", 1e6, 0.9, 20))
    assert np.isinf(losses).all() and module.goal_epoch(losses) is None
    assert module.outcome(losses, scores) == "la perte explose dans 5 essais sur 5"
    with pytest.raises(ValueError, match="activation"):
        module.trials(lesson.make_classifier([10], "tang", "sgd", 0.1, 0, 20))
    broken = variant(
        "exercice2", [("    return MLPClassifier(", '    raise ValueError("la mienne")\n    MLPClassifier(')]
    )
    for section in list(broken.SECTIONS)[1:]:
        with pytest.raises(ValueError, match="la mienne"):
            call(broken, section)


def test_one_word_for_one_fact():
    """« explose » est dit d'une exactitude, ou d'une perte qui finit bien."""
    scores = np.full(5, 0.9)
    for end, said in [(0.05, "perte 0.050"), (5.0, "perte 5.000"), (1001.0, "explose"), (np.inf, "explose")]:
        text = lesson.outcome(np.full((5, 2), end), scores)
        assert said in text and ("explose" in text) == (end > 1000) != ("exactitude" in text)
    text = (ROOT / "exercice2.py").read_text(encoding="utf-8")
    assert "diverge" not in text and "qu'au hasard" not in text


def test_goal_epoch():
    """L'époque annoncée n'est pas la première où la médiane est au but."""
    down = np.array([0.5, 0.2, 0.09, 0.08])
    assert lesson.goal_epoch(np.tile(down, (5, 1))) == 3
    assert lesson.goal_epoch(np.tile(down[:2], (5, 1))) is None
    assert lesson.goal_epoch(np.tile([0.5, 0.09, 0.3], (5, 1))) == 2, "même si elle remonte : la réponse le dit"
    assert lesson.goal_epoch(np.array([down, down, down, down + 1, down + 1])) == 3, "la médiane de cinq"


def test_the_map_shows_the_probabilities_of_flowers_with_mean_sepals():
    """Le fond de la carte n'a plus les couleurs des probabilités du réseau."""
    inputs, targets, _, _, scaler = lesson.split(0)
    classifier = classifier_of()
    lesson.train(classifier, inputs, targets, 3)
    _, ax = plt.subplots()
    lesson.draw_regions(ax, classifier, inputs, targets, scaler)
    flower = [[*scaler.mean_[:2], 7.5, 0]]  # en bas à droite du plan
    probabilities = classifier.predict_proba(scaler.transform(flower))[0]
    colours = [to_rgb(colour) for colour in lesson.COLOURS]
    np.testing.assert_allclose(ax.images[0].get_array()[0, -1], 0.5 + 0.5 * probabilities @ colours)
    plt.close("all")


@pytest.mark.lent
@pytest.mark.parametrize("seed", [20, 40, 60])
def test_depth_on_unseen_seeds(seed):
    """Avec trois couches, la sigmoïde n'est plus au moins trois fois au-dessus de tanh : la réponse est fausse."""
    answer = answer_to("exercice2", "3.2-activation", {"SEED": seed, "ACTIVATIONS": ["tanh", "logistic"]})
    sigmoid, tanh = map(float, re.search(r"finit à (\S+), celle de tanh à (\S+)\. ", answer).groups())
    # De 0.17 à 0.99 et de 0.002 à 0.14, un essai à la fois, sur 15 graines ; ici, la médiane de 5.
    assert 3 * tanh < sigmoid and 0.17 < sigmoid < 0.99 and 0.002 < tanh < 0.14
    assert "La sigmoïde (logistic) est plus lente que tanh." in answer


@pytest.mark.lent
@pytest.mark.parametrize("seed", [20, 40, 60])
def test_momentum_against_theory_on_unseen_seeds(seed):
    """À petit pas, un moment m n'agit plus comme un taux 1/(1 - m) fois plus grand : 0.01 avec 0.9 comme 0.1."""
    module = variant("exercice2", SEED=seed)
    with_momentum, _ = module.trials(lesson.make_classifier([10], "tanh", "sgd", 0.01, 0.9, 20))
    larger_rate, _ = module.trials(lesson.make_classifier([10], "tanh", "sgd", 0.1, 0, 20))
    # 5 % au plus, un essai à la fois ; l'écart reste sous les 10 % que demande la réponse.
    np.testing.assert_allclose(with_momentum[:, -1], larger_rate[:, -1], rtol=0.1)
    assert "agit comme un taux 1/(1 - 0.9) = 10 fois plus grand" in answer_to("exercice2", "3.2-sgd", {"SEED": seed})


def test_a_loss_above_one_teaches_nothing():
    """Entre trois taux trop grands, le moins mauvais est dit « ni trop petit, ni trop grand »."""
    for middle, said in [
        (0.5, "Il faut un taux"),
        (5.0, "Sans moment, la perte finit à 20 au taux 1, 5 au taux 2, 30"),
    ]:
        results = {rate: (np.full((5, 2), end), np.ones(5)) for rate, end in [(1, 20.0), (2, middle), (3, 30.0)]}
        assert lesson.rate_answer(results).startswith(said)


# (section, réglages, ce que dit la réponse, ce qu'elle ne dit pas, changements de texte)
BLOWN = {"LEARNING_RATE": 1e6, "ACTIVATION": "identity"}
TWO = {"ACTIVATIONS": ["logistic", "tanh"]}
CASES = [
    ("3.2-donnees", {}, "Une droite suffit pour setosa : ses pétales sont plus courts que ceux des deux", "hasard"),
    ("3.2-donnees", {}, "les pétales longs de 4.5 à 5.1 cm sont de l'une ou de l'autre (37 fleurs en tout)", "hasard"),
    ("3.2-epoch", {}, "un passage sur les 120 fleurs d'apprentissage, par groupes de 20 : 6 mises à jour", "conclure"),
    ("3.2-epoch", {"BATCH_SIZE": 120, "EPOCHS": 1}, "En 1 époque, cela fait 1 mise à jour, et 120 exemples", "mises"),
    ("3.2-epoch", BLOWN, "Rien à conclure. La perte explose à l'époque 5", "passage"),
    ("3.2-structure", {}, "(4, 10) puis (10, 3)", "puis 10"),
    ("3.2-structure", {"HIDDEN_LAYER_SIZES": [9, 1]}, "9 puis 1 neurones cachés, 3 de sortie", "caché,"),
    ("3.2-structure", {"HIDDEN_LAYER_SIZES": [1, 9]}, "1 puis 9 neurones cachés, 3 de sortie", "caché,"),
    ("3.2-structure", {"HIDDEN_LAYER_SIZES": [1]}, "1 neurone caché, 3 de sortie", "cachés"),
    ("3.2-structure", {"HIDDEN_LAYER_SIZES": [200] * 3}, "cela fait 82 003 nombres", "82003"),
    ("3.2-couche-cachee", {}, "Plus il y a de neurones, plus la perte descend vite. La perte atteint 0.1", "n'atteint"),
    ("3.2-couche-cachee", {}, "en 6 époques avec 50 neurones, 8 avec 10, 11 avec 3 ; elle finit à 0.17", "va de"),
    ("3.2-couche-cachee", {}, "finit à 0.17 avec 1 neurone. L'exactitude finale est la même, 0.967. (0.1", "va de"),
    ("3.2-couche-cachee", {"HIDDEN_SIZES": [50, 1]}, "Plus il y a de neurones", "va de"),
    ("3.2-couche-cachee", {"HIDDEN_SIZES": [10]}, "La perte atteint 0.1 en 8 époques avec 10 neurones.", "exactitude"),
    ("3.2-couche-cachee", {"HIDDEN_SIZES": [10, 10]}, "La perte atteint 0.1 en 8 époques avec 10 neurones.", "Plus"),
    ("3.2-couche-cachee", {"HIDDEN_SIZES": [10, 11, 12]}, "ne permettent pas de conclure (± 0.049", "Plus"),
    ("3.2-couche-cachee", {"HIDDEN_SIZES": [10, 11, 12]}, "d'un essai à l'autre avec 11 neurones)", "nette"),
    ("3.2-couche-cachee", {"EPOCHS": 3}, "0.920 (50 neurones) : la différence est nette (± 0.034", "Plus"),
    (
        "3.2-couche-cachee",
        {"EPOCHS": 3},
        "pas 0.1 en 3 époques ; elle finit à 0.56 avec 1 neurone, 0.42 avec 3, 0.30",
        "explose",
    ),
    (
        "3.2-couche-cachee",
        {"LEARNING_RATE": 1, "HIDDEN_SIZES": [3, 200]},
        "6 époques avec 3 neurones ; elle finit à 0.82 avec 200 neurones.",
        "Plus",
    ),
    (
        "3.2-couche-cachee",
        BLOWN,
        "La perte explose avec 1 neurone, 3 neurones, 10 neurones, 50 neurones. (0.1",
        "exactitude",
    ),
    (
        "3.2-couche-cachee",
        {"ACTIVATION": "relu", "LEARNING_RATE": 3, "HIDDEN_SIZES": [3, 200]},
        "avec 3 neurones ; elle explose avec 200 neurones. (0.1",
        "Plus",
    ),
    ("3.2-activation", {}, "La sigmoïde (logistic) est plus lente que tanh. La perte atteint", "entre"),
    ("3.2-activation", {}, "0.1 en 6 époques avec identity, 8 avec relu, 8 avec tanh, 28 avec logistic. ", "neurone"),
    ("3.2-activation", {}, "la perte de la sigmoïde passe sous 1 à l'époque 32 et finit à 0.43", "entre"),
    ("3.2-activation", {}, "s'éteint. La perte explose avec identity (1 essai sur 5).", "entre"),
    ("3.2-activation", {"ACTIVATIONS": ["identity"]}, "(en plus), la perte explose avec identity (1 essai", "entre"),
    ("3.2-activation", {"ACTIVATIONS": ["tanh"]}, "(en plus), la perte finit à 0.0418.", "entre"),
    ("3.2-activation", {"ACTIVATIONS": ["logistic"]}, "(en plus), la perte finit à 0.431.", "plus lente"),
    ("3.2-activation", {"ACTIVATIONS": ["relu", "tanh"]}, "(en plus), la perte finit entre ", "sigmoïde"),
    ("3.2-activation", {**TWO, "EPOCHS": 5}, "la perte de la sigmoïde finit à 1.12, celle de tanh à 0.1", "lente"),
    (
        "3.2-activation",
        {**TWO, "SOLVER": "adam", "LEARNING_RATE": 0.01, "EPOCHS": 100},
        "finit entre 0.0416 (tanh) et 0.0591 (logistic).",
        "s'éteint",
    ),
    (
        "3.2-activation",
        {**TWO, "LEARNING_RATE": 1, "EPOCHS": 20},
        "en 6 époques avec logistic, 10 avec tanh",
        "plus lente",
    ),
    (
        "3.2-sgd",
        {},
        "Il faut un taux ni trop petit, ni trop grand : la perte finit à 0.921 au taux 0.001",
        "Sans moment",
    ),
    ("3.2-sgd", {}, "Le moment accélère : au taux 0.01, la perte finit à 0.485 sans moment, 0.145 avec", "n'aide"),
    ("3.2-sgd", {}, "= 10 fois plus grand : c'est presque la même perte (0.143) qu'au taux 0.1 sans", "explose"),
    ("3.2-sgd", {}, "grands ensemble : au taux 10 avec un moment de 0.9, la perte finit à 6.62.", "explose"),
    ("3.2-sgd", {"RATES": [0.1, 0.001]}, "Sans moment, la perte finit à 0.921 au taux 0.001, 0.143", "ni trop"),
    ("3.2-sgd", {"RATES": [0.1]}, "Sans moment, la perte finit à 0.143 au taux 0.1", "ensemble"),
    ("3.2-sgd", {"RATES": [0.5], "MOMENTA": [0, 0.5]}, "Le moment accélère", "agit comme"),
    ("3.2-sgd", {"RATES": [0.1], "MOMENTA": [0.5, 0.9]}, "Le moment accélère", "agit comme"),
    ("3.2-sgd", {"RATES": [0.1], "MOMENTA": [0.5, 0.9]}, "finit à 0.381 avec un moment de 0.5", "s'il n'est pas"),
    (
        "3.2-sgd",
        {"RATES": [0.1], "MOMENTA": [0, 0.9, 0.999], "MOMENTA_RATE": 0.3},
        "Le moment accélère, s'il n'est pas trop grand : ",
        "n'aide",
    ),
    ("3.2-sgd", {"RATES": [0.02], "EPOCHS": 3, "MOMENTA": [0, 0.5]}, "Le moment n'aide presque pas", "agit comme"),
    ("3.2-sgd", {"MOMENTA": [0, 0.999], "MOMENTA_RATE": 0.5}, "Le moment n'aide pas ici : au taux 0.5", "presque pas"),
    ("3.2-sgd", {"MOMENTA": [0.5, 0.9], "MOMENTA_RATE": 1000}, "Ensuite, au taux 1000, la perte", "accélère"),
    ("3.2-sgd", {"MOMENTA": [0.5]}, "Ensuite, au taux 0.01, la perte finit à 0.381 avec un moment de 0.5", "accélère"),
    ("3.2-sgd", {"MOMENTA": [0]}, "Ensuite, au taux 0.01, la perte finit à 0.485 sans moment.", "ensemble"),
    ("3.2-sgd", {"RATES": [10], "MOMENTA": [0, 0.99], "MOMENTA_RATE": 10}, "Ensuite, au taux 10, la perte", "ensemble"),
    ("3.2-sgd", {"RATES": [1e6, 1e5], "ACTIVATION": "identity"}, "explose au taux 100000 et au taux 1e+06", "ni trop"),
    ("3.2-sgd", {"RATES": [5], "ACTIVATION": "relu"}, "ensemble : au taux 5 avec un moment de 0.9, la p", "ni trop"),
    ("3.2-sgd", {"RATES": [2], "ACTIVATION": "identity"}, "Sans moment, la perte explose au taux 2", "ensemble"),
]


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """Tous les cas, joués une fois sous coverage.py ; rend leurs réponses et ce que coverage.py a vu."""
    return measured("exercice2", CASES, tmp_path_factory.mktemp("mesures"))


@pytest.mark.lent
@pytest.mark.parametrize("number", range(len(CASES)), ids=lambda number: f"{CASES[number][0]} {CASES[number][2][:30]}")
def test_each_sentence_on_both_sides(number, played):
    """Une phrase est dite d'un essai qui ne la montre pas, ou tue là où elle est vraie."""
    answer, (_, _, said, unsaid, *_) = played[0][number], CASES[number]
    assert said in answer and unsaid not in answer, answer


@pytest.mark.lent
def test_every_branch_below_the_answers_is_taken(played):
    """Une phrase d'une réponse n'est dite dans aucun cas : personne ne l'a jamais vérifiée."""
    assert never_taken("exercice2", played[1]) == ([], [])


@pytest.mark.lent
def test_lists_are_edited_freely(tmp_path, workers):
    """Une liste d'une valeur, de vingt, avec des répétitions ou à l'envers casse une section, ou déborde."""
    edits = [
        ["--hidden-sizes", "5", "--activations", "relu", "--rates", "1", "--momenta", "0.5", "--epochs", "4"],
        ["--hidden-sizes", "50,50,1,1", "--activations", "tanh,tanh", "--rates", "10,1,0.1", "--momenta", "0.9,0.9,0"],
        ["--hidden-sizes", "4," * 19 + "3", "--activations", "relu," * 19 + "relu", "--epochs", "1"],
        ["--solver", "adam", "--learning-rate", "0.01", "--activation", "relu", "--epochs", "3"],
        ["--hidden-layer-sizes", "200,2,3", "--batch-size", "1", "--epochs", "1", "--momenta", "0.999"],
    ]
    pending = []
    for number, options in enumerate(edits):
        path = tmp_path / str(number) / "exercice2.py"
        path.parent.mkdir()
        path.write_bytes((ROOT / "exercice2.py").read_bytes())
        pending.append(workers.submit(play, path, "--corrige", *options))
    for options, future in zip(edits, pending):
        status, output, errors = future.result(timeout=600)
        assert (status, errors) == (0, ""), options
        check_layout(output)
        if "adam" in options:
            assert "adam, taux 0.01, moment sans effet" in output
            assert "`forward`, le calcul à la main, ne connaît pas relu." in output


def test_layers_that_no_row_of_limits_can_refuse(monkeypatch, capsys):
    """Quatre couches cachées sont acceptées, ou refusées sans dire combien il en faut."""
    module = variant("exercice2", HIDDEN_LAYER_SIZES=[5, 5, 5, 5])
    monkeypatch.setattr(sys, "argv", ["exercice2.py"])
    assert module.main() == 2
    assert capsys.readouterr().err.endswith("(--hidden-layer-sizes) : il faut de 1 à 3 couches, pas 4\n")


def test_sections_hold_no_dictionary():
    """Une section cache ses réglages dans un dictionnaire, au lieu d'un appel de `compare`."""
    text = (ROOT / "exercice2.py").read_text(encoding="utf-8").partition("# --- Lancement")[0]
    for function in ast.parse(text).body:
        if isinstance(function, ast.FunctionDef) and function.name.startswith("section_"):
            nodes = list(ast.walk(function))
            assert not any(isinstance(node, (ast.Dict, ast.DictComp, ast.Lambda)) for node in nodes), function.name
    assert text.count("**{") == 1
