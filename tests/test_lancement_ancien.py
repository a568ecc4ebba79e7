"""La porte d'entrée des scripts qui ont encore l'ancien lancement : options, sections, figures, états de sortie.

Chaque script trouvé en haut du dépôt est copié seul dans un dossier vide, puis lancé comme le ferait un
élève, sans écran, sur une console française (cp1252), et tout avertissement de Python y est une erreur.
"""

import argparse
import contextlib
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

from commun import OLD, ROOT, answer_of, blocks, check_layout, environment, lasting, load, play, run, start

# Une section rapide de chaque script.
QUICK = {
    "exercice3": "3.3.2-donnees",
    "exercice3_nonlinear": "3.3.2-droite",
}
# Ce qu'on regarde de chaque script dans une fenêtre : plusieurs figures, ou un dessin en direct.
WINDOW = {
    "exercice3": ["--section", "3.3.2-apprentissage", "--epochs", "100"],
    "exercice3_nonlinear": ["--section", "3.3.2-droite", "--epochs", "100"],
}
N_WINDOWS = {}
# Les figures qui montrent des durées : les seules dont les pixels changent d'un essai à l'autre.
TIMED_FIGURES = {"exercice3-3.3.1-calcul.png"}
# Les sections sans figure : l'énoncé n'en demande pas.
NO_FIGURE = {"3.3.1-tenseurs", "3.3.1-distribue"}


def pictures(folder):
    return {path.name: plt.imread(path) for path in (folder / "figures").glob("*.png")}


@pytest.fixture(scope="module", params=OLD)
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
    assert set(QUICK) == set(OLD) == set(WINDOW)


def test_whole_run(runs):
    script, folder, (status, output, errors), alone = runs
    assert (status, errors) == (0, "")
    assert list(blocks(output)) == list(alone), "les sections viennent toutes, dans l'ordre"
    assert output.count("\nCorrigé : ") == len(alone)
    assert output.startswith("Pas de fenêtre ici"), "sans écran, le script dit où vont les figures"
    assert "Fermez la figure" not in output
    assert {path.name for path in (folder / "tout").iterdir()} == {f"{script}.py", "figures"}
    check_layout(output)


def test_sections_alone_repeat_the_whole_run(runs):
    _, folder, (_, output, _), alone = runs
    whole, seen = pictures(folder / "tout"), set()
    for name, (status, text, errors) in alone.items():
        assert (status, errors) == (0, "")
        assert list(blocks(text)) == [name]
        assert lasting(blocks(text)[name]) == lasting(blocks(output)[name])
        figures = pictures(folder / name)
        assert bool(figures) == (name not in NO_FIGURE)
        for file, pixels in figures.items():
            seen.add(file)
            assert file in TIMED_FIGURES or np.array_equal(pixels, whole[file]), file
            coloured = np.mean(np.ptp(pixels[..., :3], axis=2) > 0.2)  # des axes vides n'ont que du gris
            assert coloured > 0.001, f"{file} est vide"
    assert seen == set(whole), "le tout donne les figures de ses sections, ni plus ni moins"


def say(module, monkeypatch, capsys, *words):
    """Ce que dit `main` avec ces mots, dans ce processus."""
    monkeypatch.setattr(sys, "argv", [f"{module.__name__}.py", *words])
    assert module.main() == 0
    return capsys.readouterr().out


def test_question_first_and_no_answer_unless_asked(runs, monkeypatch, capsys, tmp_path):
    script, _, (_, whole, _), _ = runs
    monkeypatch.chdir(tmp_path)
    name, module = QUICK[script], load(script)
    output = say(module, monkeypatch, capsys, "--section", name, "--figures", "figures")
    assert "Corrigé" not in output
    assert lasting(blocks(whole)[name].partition("\n\nCorrigé")[0]) == lasting(blocks(output)[name])
    for text in blocks(whole).values():
        assert text.splitlines()[1].startswith(("Question : ", "Travail à faire : "))
    other = say(module, monkeypatch, capsys, "--section", name, "--figures", "figures", "--seed", "1")
    assert other != output, "une autre graine, d'autres chiffres"


@pytest.mark.parametrize("script", OLD)
def test_registry_list_and_help(script, monkeypatch, capsys, tmp_path):
    module = load(script)
    monkeypatch.chdir(tmp_path)
    titles = {name: inspect.getdoc(function).split("\n") for name, function in module.SECTIONS.items()}
    assert all(len(lines) > 2 and lines[1] == "" for lines in titles.values()), "un titre, une ligne vide, un guide"
    for option in ("--liste", "--help"):
        monkeypatch.setattr(sys, "argv", [f"{script}.py", option])
        assert module.main() == 0
        output = capsys.readouterr().out
        output.encode("cp1252")
        if option == "--liste":
            assert [line.split(maxsplit=1) for line in output.splitlines()] == [
                [name, lines[0]] for name, lines in titles.items()
            ]
        else:
            assert "show this help" not in output and inspect.getdoc(module).splitlines()[0] in output
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("script", OLD)
def test_prefix_takes_all_that_stands_under_it(script):
    module = load(script)
    for name in module.SECTIONS:
        assert module.sections_under(name) == [name]
        number = name.partition("-")[0]
        assert module.sections_under(number) == [other for other in module.SECTIONS if other.startswith(number)]
        chapter = name.partition(".")[0]
        assert module.sections_under(chapter) == list(module.SECTIONS)
    assert module.sections_under("") == module.sections_under("2.2.") == module.sections_under("-") == []


def refused(module, script, words, monkeypatch, capsys):
    """Lance `main` avec ces mots ; vérifie le refus (état 2, rien sur la sortie) et rend la phrase d'erreur."""
    monkeypatch.setattr(sys, "argv", [f"{script}.py", *words])
    assert module.main() == 2, words
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1 and captured.err.startswith(f"{script}.py : option refusée : ")
    return captured.err


@pytest.mark.parametrize("script", OLD)
def test_bad_options_are_refused(script, monkeypatch, capsys, tmp_path):
    module = load(script)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [f"{script}.py", "--help"])
    module.main()
    options = set(re.findall(r"^  (--[a-z-]+) [A-Z]", capsys.readouterr().out, re.MULTILINE)) - {"--figures"}
    assert {"--section", "--seed"} <= options
    for option in options:
        values = ["nan", "inf", "-inf", "-1", "texte", "", "1e400", "9" * 5000, "0,01 ", "deux\nlignes", "\x1b[31m"]
        if option not in ("--seed", "--momentum"):  # là, zéro a un sens
            values.append("0")
        for value in values:
            sentence = refused(module, script, [f"{option}={value}"], monkeypatch, capsys)
            assert f"{option}: il faut " in sentence and "\x1b" not in sentence
        assert option in refused(module, script, [option], monkeypatch, capsys)
    for words in (["--inconnue"], ["mot"], ["--liste=oui"], ["--sect", "2"], ["--seed", "1.5"], ["--seed", str(2**32)]):
        refused(module, script, words, monkeypatch, capsys)
    assert not any(tmp_path.iterdir()), "rien n'a été écrit"
    (tmp_path / "fichier").touch()
    assert "fichier" in refused(module, script, ["--figures", "fichier/dessous"], monkeypatch, capsys)


@pytest.mark.parametrize("script", OLD)
def test_constants_go_through_the_same_checks(script, monkeypatch, capsys, tmp_path):
    module = load(script)
    monkeypatch.chdir(tmp_path)
    by_option = refused(module, script, ["--learning-rate=-1"], monkeypatch, capsys)
    monkeypatch.setattr(module, "LEARNING_RATE", -1)
    assert refused(module, script, [], monkeypatch, capsys) == by_option


def test_a_window_blocks_even_in_interactive_mode(monkeypatch, capsys):
    """Après %matplotlib tk ou plt.ion(), un simple plt.show() rendrait la main, et la fenêtre disparaîtrait."""
    module, calls = load("exercice3"), []
    monkeypatch.setattr(plt, "show", lambda block=None: calls.append(block))
    fig = plt.figure()
    module.show(fig, argparse.Namespace(window=True, folder=None))
    assert calls == [True] and not plt.fignum_exists(fig.number)
    assert capsys.readouterr().out == "Fermez la figure pour continuer.\n"


def test_every_figure_is_closed(monkeypatch, capsys, tmp_path):
    """Sinon une longue séance garderait toutes ses figures en mémoire."""
    module = load("exercice3")
    monkeypatch.setattr(sys, "argv", ["exercice3.py", "--section", "3.3.2-donnees", "--figures", str(tmp_path)])
    assert module.main() == 0 and len(list(tmp_path.glob("*.png"))) == 1
    assert not plt.get_fignums()


# Un apprentissage qui durerait des minutes.
ENDLESS = {
    "exercice3": ["--section", "3.3.2-perte", "--epochs", "100000"],
    "exercice3_nonlinear": ["--section", "3.3.2-non-lineaire", "--epochs", "100000"],
}


def interrupt(script, folder):
    """Interrompt le script en plein apprentissage ; rend (état, erreurs).

    Après le titre il y a encore un import, celui du premier optimiseur, et pendant un import des bibliothèques
    compilées avalent parfois l'interruption (3 fois sur 40) : comme un élève, on recommence si rien ne se passe.
    """
    process = start(script, folder, *ENDLESS[script], warnings="default::UserWarning")
    while not process.stdout.readline().startswith(b"==="):
        assert process.poll() is None
    time.sleep(1.5)
    for _ in range(3):
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            _, errors = process.communicate(timeout=10)
            return process.returncode, errors.decode("cp1252").strip()
    process.kill()
    return "jamais interrompu"


@pytest.mark.skipif(os.name == "nt", reason="un autre processus n'y envoie pas Ctrl+C")
def test_ctrl_c(tmp_path):
    """Scikit-learn avale l'interruption, le script non ; et tout de suite, sans attendre la fin."""
    with ThreadPoolExecutor(2) as pool:
        ends = list(pool.map(interrupt, ENDLESS, [tmp_path / script for script in ENDLESS]))
    assert dict(zip(ENDLESS, ends)) == dict.fromkeys(ENDLESS, (130, "Interrompu."))


def test_launch_blocks_are_identical():
    texts = {(ROOT / f"{script}.py").read_text(encoding="utf-8").partition("# --- Lancement")[2] for script in OLD}
    assert len(texts) == 1 and "def main" in texts.pop()


@pytest.mark.parametrize("script", OLD)
def test_constants_and_lesson_come_first(script):
    """Les réglages dans les 45 premières lignes, un par ligne ; la section la plus longue tient sur un écran."""
    lines = (ROOT / f"{script}.py").read_text(encoding="utf-8").splitlines()
    constants = [number for number, line in enumerate(lines) if re.match(r"[A-Z_]+ = ", line)]
    settings = next(number for number, line in enumerate(lines) if line.startswith("# --- Réglages"))
    assert settings < constants[0] < 45 and constants[2] < 45
    for function in load(script).SECTIONS.values():
        assert len(inspect.getsource(function).splitlines()) <= 45, function.__name__


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
        plt.close()

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
        [sys.executable, "-W", "error", "-c", driver.format(script=script, options=options)],
        cwd=folder,
        env=environment(MPLBACKEND="TkAgg", DISPLAY=display, PYTHONDONTWRITEBYTECODE="1"),
        capture_output=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.decode("cp1252")


@pytest.fixture(scope="module")
def windows(display, tmp_path_factory):
    """Les cinq scripts, chacun dans de vraies fenêtres, deux à la fois ; rend dossiers et sorties."""
    folders = {script: tmp_path_factory.mktemp("fenêtres") for script in OLD}
    with ThreadPoolExecutor(2) as pool:
        pending = {
            script: pool.submit(drive, DRIVER, script, WINDOW[script], display, folder)
            for script, folder in folders.items()
        }
    return folders, {script: future.result() for script, future in pending.items()}


@pytest.mark.parametrize("script", OLD)
def test_windows_come_one_after_the_other(script, windows):
    folders, outputs = windows
    output = outputs[script]
    seen = [line for line in output.splitlines() if line.startswith("FENETRE")]
    assert len(seen) == N_WINDOWS.get(script, 1) == output.count("Fermez la figure pour continuer.")
    assert set(seen) == {"FENETRE 1 1"}, "une seule fenêtre à la fois, et on la voit"
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


LIVE = {"exercice3": "3.3.2-apprentissage"}


@pytest.fixture(scope="module")
def closed(display, tmp_path_factory):
    """Deux apprentissages en direct dont on ferme la fenêtre, en même temps ; rend leurs sorties."""
    with ThreadPoolExecutor(2) as pool:
        pending = {
            script: pool.submit(
                drive,
                LIVE_DRIVER,
                script,
                ["--section", section, "--epochs", "80", "--corrige"],
                display,
                tmp_path_factory.mktemp("fermée"),
            )
            for script, section in LIVE.items()
        }
    return {script: future.result() for script, future in pending.items()}


@pytest.mark.parametrize("script", LIVE)
def test_closing_a_live_window(script, closed):
    """Un vrai clic sur la croix : plus d'image, rien ne se rouvre, l'apprentissage va au bout, état 0."""
    output = closed[script]
    images = [line for line in output.splitlines() if line.startswith(("IMAGE", "OUVERTE"))]
    assert images == ["IMAGE 1", "IMAGE 1", "IMAGE 0"]
    assert "Fermez la figure" not in output, "elle l'est déjà"
    assert "80 époques" in answer_of(output)
