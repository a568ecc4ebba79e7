"""La porte d'entrée, la même dans les scripts : options, constantes, sections, figures, états de sortie.

Chaque script trouvé en haut du dépôt est copié seul dans un dossier vide, puis lancé comme le ferait un
élève, sans écran, sur une console française (cp1252), et tout avertissement de Python y est une erreur.
"""

import ast
import inspect
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest

from commun import (
    ANSWER,
    OLD_TORCH,
    ROOT,
    SCRIPTS,
    answer_of,
    blocks,
    call,
    check_layout,
    environment,
    lasting,
    load,
    play,
    run,
    start,
    variant,
)

# Une section rapide de chaque script, avec une figure.
QUICK = {"exercice1": "2.2.1", "relu_plot": "3.1-relu", "exercice2": "3.2-epoch"}
QUICK |= {"exercice3": "3.3.2-donnees", "exercice3_nonlinear": "3.3.2-droite"}
# Ce qu'on regarde de chaque script dans une fenêtre.
WINDOW = {
    "exercice1": ["--section", "2.2.2"],
    "relu_plot": [],
    "exercice2": ["--section", "3.2-epoch", "--section", "3.2-structure", "--epochs", "5"],
    "exercice3": ["--section", "3.3.2", "--epochs", "20"],
    "exercice3_nonlinear": ["--section", "3.3.2-droite", "--section", "3.3.2-non-lineaire", "--epochs", "20"],
}
# Un apprentissage qui durerait des minutes.
ENDLESS = {
    "exercice1": ["--section", "2.2.2-taux", "--n-iterations", "100000", "--rates", "0.01," * 49 + "0.01"],
    "exercice2": ["--section", "3.2-couche-cachee", "--epochs", "10000"],  # dans `fit`, qui avale Ctrl+C
    "exercice3": ["--section", "3.3.2-perte", "--epochs", "100000"],
}
# Les sections qui montrent des durées : les seuls chiffres et pixels qui changent d'un essai à l'autre.
TIMED = {"2.2.3-million", "3.3.1-calcul"}
# Les sections sans figure : l'énoncé n'en demande pas.
NO_FIGURE = {"3.3.1-tenseurs", "3.3.1-distribue"}


def pictures(folder):
    return {path.name: plt.imread(path) for path in (folder / "figures").glob("*.png")}


@pytest.fixture(scope="module", params=SCRIPTS)
def runs(request, workers, tmp_path_factory):
    """Le script entier, seul dans un processus neuf, et chaque section seule : dossiers et résultats."""
    script, folder, alone = request.param, tmp_path_factory.mktemp(request.param), {}
    for name in load(script).SECTIONS:
        (folder / name).mkdir()
        path = Path(shutil.copy(ROOT / f"{script}.py", folder / name))
        options = ["--corrige", "--section", name, "--figures", "figures"]
        # en UTF-8 : un caractère qui manque à cp1252 ferait une différence avec l'essai entier
        alone[name] = workers.submit(play, path, *options, encoding="utf-8")
    whole = run(script, folder / "tout", "--corrige")
    return script, folder, whole, {name: future.result(timeout=600) for name, future in alone.items()}


def test_every_script_is_known():
    """Un script ajouté sans ses essais, ci-dessus, passe inaperçu."""
    assert set(QUICK) == set(SCRIPTS) == set(WINDOW)


def test_whole_run(runs):
    """Une section manque ou change de place ; ou, sans écran, le script ne dit pas où vont les figures."""
    script, folder, (status, output, errors), alone = runs
    assert (status, errors) == (0, "")
    assert list(blocks(output)) == list(alone)
    assert len(ANSWER.findall(output)) == output.count("Réponse : ") == len(alone)
    assert output.count("Pas de fenêtre ici") == 1 and "Fermez la figure" not in output
    assert {path.name for path in (folder / "tout").iterdir()} == {f"{script}.py", "figures"}
    check_layout(output)


def measures(name, text):
    """Ce qu'affiche une section, sans ses durées ni l'annonce du dossier des figures."""
    text = ANSWER.split(text)[0] if name in TIMED else text
    return [line for line in lasting(text) if not line.startswith(("Pas de fenêtre", "Figure : "))]


def test_sections_alone_repeat_the_whole_run(runs):
    """Une section seule ne redonne pas les lignes et les pixels du lancement entier."""
    _, folder, (_, output, _), alone = runs
    whole, seen = pictures(folder / "tout"), set()
    for name, (status, text, errors) in alone.items():
        assert (status, errors) == (0, "")
        assert list(blocks(text)) == [name]
        assert measures(name, blocks(text)[name]) == measures(name, blocks(output)[name])
        figures = pictures(folder / name)
        assert bool(figures) == (name not in NO_FIGURE)
        for file, pixels in figures.items():
            seen.add(file)
            assert name in TIMED or np.array_equal(pixels, whole[file]), file
            coloured = np.mean(np.ptp(pixels[..., :3], axis=2) > 0.2)  # des axes vides n'ont que du gris
            assert coloured > 0.001, f"{file} est vide"
            assert pixels.shape[0] <= 650 and pixels.shape[1] <= 1300, f"{file} dépasse 13 x 6.5 pouces"
    assert seen == set(whole), "le tout donne les figures de ses sections, ni plus ni moins"


def say(module, monkeypatch, capsys, *words):
    """Ce que dit `main` avec ces mots, dans ce processus ; il doit réussir."""
    monkeypatch.setattr(sys, "argv", [f"{module.__name__}.py", *words])
    assert module.main() == 0
    return capsys.readouterr().out


def test_question_first_and_no_answer_unless_asked(runs, monkeypatch, capsys, tmp_path):
    """Une réponse paraît sans --corrige, ou --seed ne change rien."""
    script, _, (_, whole, _), _ = runs
    monkeypatch.chdir(tmp_path)
    name = QUICK[script]
    output = say(load(script), monkeypatch, capsys, "--section", name, "--figures", "figures")
    assert "Réponse" not in output
    expected = [line for line in measures(name, ANSWER.split(blocks(whole)[name])[0]) if line]
    assert [line for line in measures(name, blocks(output)[name]) if line] == expected
    for text in blocks(whole).values():
        assert text.splitlines()[1].startswith(("Question : ", "Travail à faire : "))
    if script != "relu_plot":  # rien n'y est au hasard
        other = say(load(script), monkeypatch, capsys, "--section", name, "--figures", "figures", "--seed", "1")
        assert other != output


@pytest.mark.parametrize("script", SCRIPTS)
def test_registry_list_and_help(script, monkeypatch, capsys, tmp_path):
    """--liste ou --help exécutent une section, parlent anglais ou sortent de cp1252."""
    monkeypatch.chdir(tmp_path)
    titles = {name: inspect.getdoc(function).split("\n") for name, function in load(script).SECTIONS.items()}
    assert all(len(lines) > 2 and lines[1] == "" for lines in titles.values()), "un titre, une ligne vide, un guide"
    output = say(load(script), monkeypatch, capsys, "--liste")
    output.encode("cp1252")
    assert [line.split(maxsplit=1) for line in output.splitlines()] == [
        [name, lines[0]] for name, lines in titles.items()
    ]
    output = say(load(script), monkeypatch, capsys, "--help")
    output.encode("cp1252")
    assert not re.search(r"show this|usage|optional|default", output) and load(script).__doc__.splitlines()[0] in output
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("script", SCRIPTS)
def test_prefix_takes_all_that_stands_under_it(script):
    """--section 2.2 oublie une section de 2.2, ou un numéro coupé au milieu en prend une."""
    module = load(script)
    for name in module.SECTIONS:
        assert module.sections_under(name) == [name]
        number = name.partition("-")[0]
        assert module.sections_under(number) == [other for other in module.SECTIONS if other.startswith(number)]
        assert module.sections_under(name.partition(".")[0]) == list(module.SECTIONS)
    assert module.sections_under("") == module.sections_under("2.2.") == module.sections_under("-") == []


def refused(module, words, monkeypatch, capsys):
    """Lance `main` avec ces mots ; vérifie le refus (état 2, rien sur la sortie) et rend la phrase d'erreur."""
    monkeypatch.setattr(sys, "argv", [f"{module.__name__}.py", *words])
    assert module.main() == 2, words
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1 and captured.err.startswith(f"{module.__name__}.py : ")
    return captured.err


BAD_TEXTS = [
    "nan",
    "inf",
    "-inf",
    "1e400",
    "texte",
    "",
    "9" * 5000,
    "0,01 ",
    "deux\nlignes",
    "\x1b[31m",
    "1,,2",
    "None",
]


@pytest.mark.parametrize("script", SCRIPTS)
def test_bad_values_are_refused(script, monkeypatch, capsys, tmp_path):
    """Une valeur fausse est acceptée, ou refusée sans nommer sa constante et son option."""
    module = load(script)
    monkeypatch.chdir(tmp_path)
    for name, row in module.LIMITS.items():
        option = "--" + name.lower().replace("_", "-")
        for text in BAD_TEXTS:
            if isinstance(row, list) and text == "0,01 ":
                continue  # une liste peut contenir 0 et 1
            sentence = refused(module, [f"{option}={text}"], monkeypatch, capsys)
            assert f"{name} ({option}) : il faut " in sentence and "\x1b" not in sentence and len(sentence) < 500
        assert option in refused(module, [option], monkeypatch, capsys)
    assert not any(tmp_path.iterdir()), "rien n'a été écrit"


@pytest.mark.parametrize("script", SCRIPTS)
def test_bad_options_are_refused_in_french(script, monkeypatch, capsys, tmp_path):
    """Une option fausse est refusée en anglais, ou sans dire le mot refusé ou la valeur qui manque."""
    module = load(script)
    monkeypatch.chdir(tmp_path)
    words = [["--inconnue"], ["mot"], ["--liste=oui"], ["--sect", "2"], ["-5"], ["--seed", "--corrige"], ["-hoho"]]
    for line in words:
        sentence = refused(module, line, monkeypatch, capsys)
        assert "option refusée : " in sentence and "--help les montre toutes" in sentence
        assert not re.search(r"argument|expected|unrecognized|ambiguous", sentence)
    assert "'--inconnue' ; --help" in refused(module, ["--inconnue"], monkeypatch, capsys)
    assert "'--section', sans valeur ; --help" in refused(module, ["--section"], monkeypatch, capsys)
    assert "'-5'" in refused(module, ["-5"], monkeypatch, capsys)
    assert "il faut une section parmi" in refused(module, ["--section", "9"], monkeypatch, capsys)
    (tmp_path / "fichier").touch()
    assert "fichier" in refused(module, ["--figures", "fichier/dessous"], monkeypatch, capsys)
    assert [path.name for path in tmp_path.iterdir()] == ["fichier"]


def test_no_option_is_taken_for_another(monkeypatch, capsys):
    """--rate est pris pour --rates."""
    assert "'--rate'" in refused(load("exercice1"), ["--rate", "0.03"], monkeypatch, capsys)


@pytest.mark.parametrize(
    "name, value, said",
    [
        ("NOISE", -0.1, "NOISE (--noise) : il faut un nombre de 0 à 1000, pas -0.1\n"),
        ("NOISE", (0, 1), "pas (0, 1) (avec un point : 0.1)\n"),
        ("NOISE", "0.1", "pas '0.1'\n"),
        ("NOISE", None, "pas None\n"),
        ("NOISE", True, "pas True\n"),
        ("NOISE", float("nan"), "pas nan\n"),
        ("NOISE", [0.1], "pas [0.1]\n"),
        ("N_OBSERVATIONS", 100.5, "il faut un entier de 2 à 10000000, pas 100.5\n"),
        ("N_OBSERVATIONS", 10**4000, "il faut un entier"),
        ("TRUE_WEIGHTS", [], "une liste de 1 à 50 valeurs, chacune un nombre de -1000 à 1000, pas []\n"),
        ("TRUE_WEIGHTS", [1, "deux"], "pas [1, 'deux']\n"),
        ("TRUE_WEIGHTS", [[1, 2], [3]], "pas [[1, 2], [3]]\n"),
        ("RATES", [0.01] * 51, "une liste de 1 à 50 valeurs"),
        ("RATES", {0.01: 1}, "une liste de 1 à 50 valeurs"),
        ("N_ITERATIONS", 0, "il faut un entier de 1 à 100000, pas 0\n"),
    ],
)
def test_constants_of_the_file_go_through_the_same_checks(name, value, said, monkeypatch, capsys):
    """Une constante fausse dans le fichier n'a pas la phrase de son option."""
    assert said in refused(variant("exercice1", **{name: value}), [], monkeypatch, capsys)


def test_a_deleted_constant_is_named(monkeypatch, capsys):
    """Un réglage effacé par l'élève donne un traceback au lieu de son nom."""
    module = load("exercice1")
    del module.NOISE
    assert "NOISE (--noise) : il faut un nombre" in refused(module, [], monkeypatch, capsys)


@pytest.mark.parametrize(
    "name, value, expected",
    [
        ("TRUE_WEIGHTS", (3, -4), [3, -4]),
        ("TRUE_WEIGHTS", np.array([1.5, 2]), [1.5, 2]),
        ("TRUE_WEIGHTS", 7, [7]),
        ("BATCH_SIZES", range(1, 4), [1, 2, 3]),
        ("NOISE", np.float32(0.5), 0.5),
        ("NOISE", 1, 1),
        ("N_OBSERVATIONS", np.int64(30), 30),
        ("N_ITERATIONS", None, None),
    ],
)
def test_legal_edits_of_constants(name, value, expected, monkeypatch, capsys, tmp_path):
    """Un tuple, un tableau ou un nombre de NumPy, qui ont un sens, sont refusés."""
    module = variant("exercice1", **{name: value})
    say(module, monkeypatch, capsys, "--section", "2.2.1", "--figures", str(tmp_path))
    assert getattr(module, name) == expected


def test_an_option_replaces_its_constant(monkeypatch, capsys, tmp_path):
    """Une liste qui commence par un signe moins est prise pour une option, ou le fichier l'emporte sur l'option."""
    module = variant("exercice1", NOISE=7)
    words = ["--section", "2.2.1", "--true-weights", "-3,4", "--noise", "0.5", "--seed", "5"]
    output = say(module, monkeypatch, capsys, *words, "--corrige", "--figures", str(tmp_path))
    assert (module.TRUE_WEIGHTS, module.NOISE, module.SEED) == ([-3, 4], 0.5, 5)
    assert "-3·x1 + 4·x2 + 5, plus un bruit d'au plus 0.5" in answer_of(output)


def test_counts_that_do_not_fit_in_memory_are_refused(monkeypatch, capsys):
    """Des groupes qui ne tiennent pas en mémoire sont tirés quand même."""
    words = ["--n-iterations", "100000", "--batch-size", "100000"]
    assert "mémoire" in refused(load("exercice1"), words, monkeypatch, capsys)
    words = ["--n-observations", "10000000", "--true-weights", "1,2,3"]
    assert "mémoire" in refused(load("exercice1"), words, monkeypatch, capsys)


@pytest.mark.parametrize("script", SCRIPTS)
def test_import_is_silent_and_a_console_session_works(script, capsys, monkeypatch):
    """L'import lance quelque chose, ou une section ne s'appelle plus à la main."""
    before = dict(plt.rcParams)
    module = variant(script)
    assert capsys.readouterr() == ("", "") and dict(plt.rcParams) == before and not plt.get_fignums()
    try:
        answer = module.SECTIONS[QUICK[script]]()
        assert isinstance(answer, str) and plt.get_fignums(), "les figures restent ouvertes"
    finally:
        plt.close("all")


def test_a_console_session_follows_the_constants():
    """`exercice1.LEARNING_RATE = 0.03`, puis `section_loop()`, se joue avec l'ancien taux."""
    module = variant("exercice1")
    module.LEARNING_RATE, module.N_ITERATIONS = 0.03, 7
    output, answer = call(module, "2.2.2-boucle")
    assert "Après 7 itérations" in output and "3 % de son erreur" in answer


BLANK = '    raise NotImplementedError("À vous n° 4 : tracez")\n'
SECTION_START = "    _, inputs, targets, weights, bias = setup(N_OBSERVATIONS)\n"


def test_a_blank_is_announced_and_the_rest_runs(tmp_path):
    """Une partie à écrire arrête les autres sections, ou n'est pas annoncée avec sa ligne."""
    text = (ROOT / "exercice1.py").read_text(encoding="utf-8")
    first, second = [match.start() for match in re.finditer(re.escape(SECTION_START), text)][:2]
    text = text[:second] + "    plt.figure()\n" + BLANK + text[second:]
    (tmp_path / "exercice1.py").write_text(text, encoding="utf-8")
    line = text[:second].count("\n") + 2
    status, output, errors = run("exercice1", tmp_path, "--section", "2.2.1", "--section", "2.2.2-boucle", "--corrige")
    assert (status, errors) == (0, "")
    assert blocks(output)["2.2.2-boucle"].endswith(f"À vous n° 4 : tracez (exercice1.py, ligne {line})")
    assert answer_of(blocks(output)["2.2.1"]) and [path.name for path in (tmp_path / "figures").iterdir()] == [
        "exercice1-2.2.1.png"
    ]
    assert first < second


@pytest.mark.parametrize(
    "error",
    [
        "NotImplementedError('Module [M] is missing the required \"forward\" function')",
        "NotImplementedError",
        'FileNotFoundError("mesures.csv")',
        'ValueError("la mienne")',
    ],
)
def test_a_students_error_keeps_its_traceback(error, tmp_path):
    """L'erreur de l'élève est avalée, ou perd son traceback."""
    text = (ROOT / "exercice1.py").read_text(encoding="utf-8")
    text = text.replace(SECTION_START, f"    raise {error}\n{SECTION_START}", 1)
    (tmp_path / "exercice1.py").write_text(text, encoding="utf-8")
    status, _, errors = run("exercice1", tmp_path)
    assert status == 1 and errors.startswith("Traceback") and error.partition("(")[0] in errors.splitlines()[-1]
    assert "in section_data" in errors


def test_a_section_that_returns_nothing_breaks_nothing(tmp_path):
    """Un return effacé par l'élève casse le lancement."""
    text = (ROOT / "exercice1.py").read_text(encoding="utf-8")
    for returned in ("None", "[1, 2]", '""'):
        changed = text.replace(SECTION_START, f"    return {returned}\n{SECTION_START}", 1)
        (tmp_path / "exercice1.py").write_text(changed, encoding="utf-8")
        status, output, errors = run("exercice1", tmp_path, "--section", "2.2.1", "--corrige")
        assert (status, errors) == (0, "")
        assert ("Réponse" in output) == (returned != "None")
    assert not (tmp_path / "figures").exists(), "rien à montrer, rien d'annoncé"


def test_np_random_is_seeded_before_each_section(tmp_path, capsys, monkeypatch):
    """Un np.random de l'élève change d'un essai à l'autre, ou --seed ne le change pas."""
    module = variant("exercice1")
    drawn = []
    module.SECTIONS = {"2.2.1": lambda: drawn.append(np.random.uniform()), "2.2.2": lambda: drawn.append("")}
    for seed in ("0", "0", "1"):
        say(module, monkeypatch, capsys, "--seed", seed)
    assert drawn[0] == drawn[2] != drawn[4]


def test_overflow_is_silent_and_other_warnings_are_not(monkeypatch, capsys):
    """Une perte qui explose affiche un avertissement de NumPy, ou une autre faute n'affiche plus le sien."""
    module = variant("exercice1")
    module.SECTIONS = {"2.2.1": lambda: np.float64(1e200) ** 2 - np.float64(1e200) ** 2}
    say(module, monkeypatch, capsys)
    module.SECTIONS = {"2.2.1": lambda: np.float64(1) / np.float64(0)}
    with pytest.warns(RuntimeWarning, match="divide"):
        say(module, monkeypatch, capsys)


def test_a_window_blocks_even_in_interactive_mode(monkeypatch, capsys):
    """Après %matplotlib tk ou plt.ion(), les fenêtres se ferment aussitôt, ou viennent une par une."""
    module, shown = variant("exercice1"), []
    monkeypatch.setattr(plt, "show", lambda block=None: shown.append((block, len(plt.get_fignums()))))
    monkeypatch.setattr(module, "has_window", lambda: True)
    for n_figures in (1, 2):
        module.SECTIONS = {"2.2.1": lambda n_figures=n_figures: [plt.figure() for _ in range(n_figures)] and None}
        output = say(module, monkeypatch, capsys)
        expected = "Fermez la figure pour continuer." if n_figures == 1 else "Fermez les 2 figures pour continuer."
        assert output.splitlines()[-1] == expected and not plt.get_fignums()
    assert shown == [(True, 1), (True, 2)]


def test_a_figure_closed_meanwhile_is_not_waited_for(monkeypatch, capsys):
    """Le script demande de fermer une figure qui ne l'attend plus."""
    module = variant("exercice1")
    monkeypatch.setattr(plt, "show", lambda block=None: pytest.fail("rien à montrer"))
    monkeypatch.setattr(module, "has_window", lambda: True)
    module.SECTIONS = {"2.2.1": lambda: plt.close(plt.figure())}
    assert "Fermez" not in say(module, monkeypatch, capsys)


def interrupt(script, folder):
    """Interrompt le script en plein apprentissage ; rend (état, erreurs)."""
    process = start(script, folder, *ENDLESS[script], warnings="default::UserWarning")
    while not process.stdout.readline().startswith(b"==="):
        assert process.poll() is None
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    return process.returncode, errors.decode("cp1252").strip()


@pytest.mark.skipif(os.name == "nt", reason="un autre processus n'y envoie pas Ctrl+C")
def test_ctrl_c(tmp_path):
    """Ctrl+C attend la fin, ou affiche un traceback."""
    scripts = [script for script in SCRIPTS if script in ENDLESS]
    with ThreadPoolExecutor(2) as pool:
        ends = list(pool.map(interrupt, scripts, [tmp_path / script for script in scripts]))
    assert ends == [(130, "Interrompu.")] * len(scripts)


@pytest.mark.skipif(os.name == "nt", reason="un tube rompu y est une autre erreur")
def test_reader_of_the_pipe_leaves(tmp_path):
    """`python exercice1.py | head -1` finit par une erreur."""
    process = start("exercice1", tmp_path)
    process.stdout.readline()
    process.stdout.close()
    assert (process.wait(timeout=60), process.stderr.read()) == (0, b"")
    process.stderr.close()


def test_a_figure_that_cannot_be_written_is_one_sentence(tmp_path):
    """Une figure qui ne peut pas être écrite donne un traceback."""
    (tmp_path / "figures" / "exercice1-2.2.1.png").mkdir(parents=True)
    status, _, errors = run("exercice1", tmp_path, "--section", "2.2.1")
    assert status == 2 and errors.count("\n") == 1 and "impossible d'enregistrer" in errors
    shutil.rmtree(tmp_path / "figures")
    (tmp_path / "figures").touch()
    status, _, errors = run("exercice1", tmp_path, "--section", "2.2.1")
    assert status == 2 and errors.count("\n") == 1 and "impossible d'enregistrer" in errors


def test_from_another_folder_in_ascii(tmp_path):
    """Lancé d'ailleurs, sur une console sans accents, le script s'arrête ou range mal ses figures."""
    shutil.copy(ROOT / "exercice1.py", tmp_path)
    (tmp_path / "ailleurs").mkdir()
    command = [sys.executable, "-W", "error", "../exercice1.py", "--section", "2.2.2-boucle"]
    kept = environment(PYTHONIOENCODING="ascii")
    done = subprocess.run(command, cwd=tmp_path / "ailleurs", env=kept, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    assert (tmp_path / "ailleurs" / "figures" / "exercice1-2.2.2-boucle.png").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="ailleurs il y a toujours un écran")
@pytest.mark.parametrize("backend", ["TkAgg", "module://un_module_absent", None])
def test_no_display_whatever_the_backend(backend, tmp_path):
    """Une fenêtre demandée sans écran, ou le moteur d'un carnet, arrête le script."""
    status, output, errors = run("exercice1", tmp_path, "--section", "2.2.1", MPLBACKEND=backend, DISPLAY=None)
    assert (status, errors) == (0, "")
    assert "Pas de fenêtre ici" in output and (tmp_path / "figures" / "exercice1-2.2.1.png").exists()


PANEL = '''
"""Une imitation du panneau de PyCharm : pas de fenêtre, et plt.show y montre la figure puis rend la main."""
from matplotlib._pylab_helpers import Gcf
from matplotlib.backends.backend_agg import FigureCanvasAgg as FigureCanvas, FigureManagerBase as FigureManager

def show(**options):
    print("MONTRÉES :", len(Gcf.get_all_fig_managers()))
    Gcf.destroy_all()
'''


def test_the_panel_of_pycharm_shows_the_figures(tmp_path):
    """Dans PyCharm, les figures vont dans un dossier, ou « Fermez la figure » est dit pour rien."""
    (tmp_path / "backend_interagg.py").write_text(PANEL, encoding="utf-8")
    backend = "module://backend_interagg"
    status, output, errors = run("exercice1", tmp_path, "--section", "2.2.1", MPLBACKEND=backend, PYTHONPATH=".")
    assert (status, errors) == (0, "")
    assert output.endswith("MONTRÉES : 1\n") and "Fermez" not in output and not (tmp_path / "figures").exists()


def test_idle_has_no_reconfigure(tmp_path):
    """Dans IDLE, le script s'arrête sur sys.stdout, ou prend Ctrl+C pour lui."""
    shutil.copy(ROOT / "exercice1.py", tmp_path)
    code = """
import io, signal, sys
class Shell(io.TextIOBase):
    def write(self, text):
        sys.__stdout__.write(text)
        return len(text)
sys.stdout, sys.argv = Shell(), ["exercice1.py", "--section", "2.2.1"]
before = signal.getsignal(signal.SIGINT)
import exercice1
assert exercice1.main() == 0 and signal.getsignal(signal.SIGINT) is before
"""
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"") and b"=== 2.2.1" in done.stdout


def functions_of(script):
    """Le texte de chaque fonction d'un script : {nom: texte}."""
    text = (ROOT / f"{script}.py").read_text(encoding="utf-8")
    return {
        node.name: ast.get_source_segment(text, node)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef)
    }


def test_what_scripts_share_has_one_text():
    """Le lancement, ou une fonction de même nom, n'a pas le même texte dans deux scripts.

    Sauf ce que chaque script a de propre : ses sections, sa courbe, son modèle, son optimiseur, son dessin. La boucle
    d'apprentissage, elle, est la même dans les deux scripts de PyTorch.
    """
    own = {"refused_together", "train", "__init__", "forward", "draw", "curve", "make_optimizer"}
    assert functions_of("exercice3")["train"] == functions_of("exercice3_nonlinear")["train"]
    texts = {(ROOT / f"{script}.py").read_text(encoding="utf-8").partition("# --- Lancement")[2] for script in SCRIPTS}
    assert len(texts) == 1 and "def main" in texts.pop()
    known = {}
    for script in SCRIPTS:
        for name, text in functions_of(script).items():
            if not name.startswith("section_") and name not in own:
                assert known.setdefault(name, text) == text, f"{name} n'a pas le même texte partout"


@pytest.mark.parametrize("script", SCRIPTS)
def test_constants_come_first_and_sections_are_short(script):
    """Un réglage n'est pas dans les 45 premières lignes, ou une section dépasse un écran."""
    lines = (ROOT / f"{script}.py").read_text(encoding="utf-8").splitlines()
    constants = [number for number, line in enumerate(lines) if re.match(r"[A-Z_]+ = ", line)]
    settings = next(number for number, line in enumerate(lines) if line.startswith("# --- Réglages"))
    assert settings < constants[0] < 45 and constants[2] < 45
    for name, text in functions_of(script).items():
        assert not name.startswith("section_") or len(text.splitlines()) <= 45, name


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_code_stays_plain(script):
    """La leçon gagne un lambda, ou une fonction cachée dans une autre (sauf `draw`)."""
    text = (ROOT / f"{script}.py").read_text(encoding="utf-8").partition("# --- Lancement")[0]
    tree = ast.parse(text)
    assert not any(isinstance(node, (ast.Lambda, ast.NamedExpr)) for node in ast.walk(tree))
    for function in [node for node in tree.body if isinstance(node, ast.FunctionDef)]:
        inside = [
            node.name for node in ast.walk(function) if isinstance(node, ast.FunctionDef) and node is not function
        ]
        assert set(inside) <= {"draw", "weighted_loss"}, function.name


# --- Dans de vraies fenêtres --------------------------------------------------------------------------
DRIVER = """
import sys
import matplotlib.pyplot as plt
import {script} as lesson

real_show = plt.show

def show(block=None):
    if block is False:  # plt.pause, pendant un apprentissage
        return real_show(block=False)
    figures = plt.get_fignums()
    window = plt.gcf().canvas.manager.window

    def look_then_close():
        window.update_idletasks()  # finir de dessiner
        print("FENETRE", len(figures), window.winfo_viewable(), flush=True)
        plt.close("all")

    window.after(400, look_then_close)
    real_show(block=block)

plt.show = show
sys.argv = ["{script}.py", *{options!r}]
sys.exit(lesson.main())
"""


def drive(driver, script, options, display, folder):
    """Copie le script dans `folder` et le fait jouer par `driver`, dans de vraies fenêtres ; rend sa sortie."""
    shutil.copy(ROOT / f"{script}.py", folder)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-W", OLD_TORCH, "-c", driver.format(script=script, options=options)],
        cwd=folder,
        env=environment(MPLBACKEND="TkAgg", DISPLAY=display, PYTHONDONTWRITEBYTECODE="1"),
        capture_output=True,
        timeout=300,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.decode("cp1252")


@pytest.fixture(scope="module")
def windows(display, tmp_path_factory):
    """Les scripts, chacun dans de vraies fenêtres, deux à la fois ; rend dossiers et sorties."""
    folders = {script: tmp_path_factory.mktemp("fenêtres") for script in SCRIPTS}
    with ThreadPoolExecutor(2) as pool:
        pending = {
            script: pool.submit(drive, DRIVER, script, WINDOW[script], display, folder)
            for script, folder in folders.items()
        }
    return folders, {script: future.result() for script, future in pending.items()}


@pytest.mark.parametrize("script", SCRIPTS)
def test_windows_come_section_by_section(script, windows):
    """Les fenêtres d'une section ne viennent pas ensemble, après sa réponse, ou sont enregistrées."""
    folders, outputs = windows
    output = outputs[script]
    seen = [line for line in output.splitlines() if line.startswith("FENETRE")]
    assert seen and len(seen) == len(blocks(output)) == len(re.findall("^Fermez l", output, re.MULTILINE))
    assert all(line.endswith(" 1") for line in seen)
    assert not (folders[script] / "figures").exists()


LIVE_DRIVER = """
import sys
import matplotlib.pyplot as plt
import {script} as lesson

real_show, real_pause, frames = plt.show, plt.pause, []

def pause(interval):
    frames.append(interval)
    if len(frames) == 3:  # fermer au milieu de l'attente, comme un clic sur la croix
        figure = plt.gcf()
        figure.canvas.manager.window.after(2, lambda: plt.close(figure))
    real_pause(interval)
    print("IMAGE", len(plt.get_fignums()), flush=True)

plt.pause = pause
plt.show = lambda block=None: real_show(block=False) if block is False else print("OUVERTE", flush=True)
sys.argv = ["{script}.py", *{options!r}]
sys.exit(lesson.main())
"""
# Les sections qui dessinent pendant l'apprentissage, et de quoi dessiner plus de trois fois.
LIVE = {
    "exercice2": ["--section", "3.2-epoch", "--epochs", "40"],
    "exercice3": ["--section", "3.3.2-apprentissage", "--epochs", "70"],
}


@pytest.mark.parametrize("script", LIVE)
def test_closing_a_live_window(script, display, tmp_path):
    """Fermer la fenêtre en direct arrête l'apprentissage, ou la fenêtre se rouvre."""
    output = drive(LIVE_DRIVER, script, [*LIVE[script], "--corrige"], display, tmp_path)
    images = [line for line in output.splitlines() if line.startswith(("IMAGE", "OUVERTE"))]
    assert images == ["IMAGE 1", "IMAGE 1", "IMAGE 0"]
    assert "Fermez" not in output, "elle l'est déjà"
    assert f"{LIVE[script][-1]} époques" in answer_of(output)


LEFT_ALONE = """
import os, signal, sys, threading, time
import matplotlib.pyplot as plt
import exercice1
sys.argv = ["exercice1.py", "--section", "2.2.1"]
real_show = plt.show
def show(block=None):
    plt.gcf().canvas.manager.window.after(300, lambda: os.kill(os.getpid(), signal.SIGINT))
    real_show(block=block)
plt.show = show
exercice1.main()
"""


def test_ctrl_c_while_a_window_waits(display, tmp_path):
    """Devant une fenêtre, Ctrl+C n'arrête pas le script : Tk avale l'interruption de Python."""
    shutil.copy(ROOT / "exercice1.py", tmp_path)
    command = [sys.executable, "-c", LEFT_ALONE]
    kept = environment(MPLBACKEND="TkAgg", DISPLAY=display)
    done = subprocess.run(command, cwd=tmp_path, env=kept, capture_output=True, timeout=300)
    assert (done.returncode, done.stderr) == (130, b"Interrompu.\n")
