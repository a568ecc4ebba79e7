"""La porte d'entrée, commune aux scripts : options, sections, figures, états de sortie.

Chaque script trouvé en haut du dépôt est copié seul dans un dossier vide, puis lancé comme le ferait un
élève, sans écran, sur une console française (cp1252), et tout avertissement de Python y est une erreur.
"""

import importlib.util
import inspect
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parent.parent
SCRIPTS = sorted(path.stem for path in ROOT.glob("*.py"))

# Une section rapide de chaque script, dont les chiffres dépendent de la graine.
QUICK = {
    "exercice1": "2.2.1",
    "relu_plot": "3.1-activations",
    "exercice2": "3.2-epoch",
    "exercice3": "3.3.2-donnees",
    "exercice3_nonlinear": "3.3.2-droite",
}
# Une section rapide de chaque script, à regarder dans une fenêtre ; plusieurs figures ou un dessin en direct.
WINDOW = {**QUICK, "exercice1": "2.2.2", "exercice2": "3.2-structure", "exercice3": "3.3.2-apprentissage"}
EPOCHS = {"exercice3": ["--epochs", "100"], "exercice3_nonlinear": ["--epochs", "100"]}
# Les figures qui montrent des durées : les seules dont les pixels changent d'un essai à l'autre.
TIMED_FIGURES = {"exercice1-2.2.3-million.png", "exercice3-3.3.1-calcul.png"}


def environment(**changes):
    """L'environnement d'une console sans écran ; DISPLAY est un leurre, comme sous Windows et macOS."""
    changes = {"MPLBACKEND": "Agg", "DISPLAY": ":99", "PYTHONIOENCODING": "cp1252", **changes}
    kept = {**os.environ, **changes}
    return {name: value for name, value in kept.items() if value is not None}


def start(script, folder, *options, warnings="error", **changes):
    """Copie le script seul dans `folder`, qui doit être vide, et le lance."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / f"{script}.py", folder)
    command = [sys.executable, "-W", warnings, f"{script}.py", *options]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=folder, env=environment(**changes), stdout=pipe, stderr=pipe)


def run(script, folder, *options, **changes):
    """Lance le script jusqu'au bout ; rend (état, sortie, erreurs)."""
    process = start(script, folder, *options, **changes)
    output, errors = process.communicate(timeout=120)
    encoding = changes.get("PYTHONIOENCODING", "cp1252")
    return process.returncode, *(text.decode(encoding).replace("\r", "") for text in (output, errors))


def words(section):
    """Les options de l'essai d'une section seule."""
    return ["--corrige", "--section", section, "--figures", "figures"]


def blocks(output):
    """Découpe une sortie par section ; sans les lignes de durée, seuls chiffres qui ont le droit de changer."""
    output = output.partition("\nPour rejouer")[0]
    parts = re.split(r"^=== (\S+) : ", output, flags=re.MULTILINE)[1:]
    texts = ("\n".join(line for line in part.splitlines() if "durée" not in line).strip() for part in parts[1::2])
    return dict(zip(parts[::2], texts))


def pictures(folder):
    return {path.name: plt.imread(path) for path in (folder / "figures").glob("*.png")}


def load(script):
    """Importe un script comme un module (rien ne doit tourner à l'import)."""
    spec = importlib.util.spec_from_file_location(script, ROOT / f"{script}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module", params=SCRIPTS)
def runs(request, tmp_path_factory):
    """Le script entier, puis chaque section seule : dossiers et résultats, deux processus à la fois."""
    script, folder = request.param, tmp_path_factory.mktemp(request.param)
    sections = list(load(script).SECTIONS)
    with ThreadPoolExecutor(2) as pool:
        whole = pool.submit(run, script, folder / "tout", "--corrige")
        alone = {
            # en UTF-8 : un caractère qui manque à cp1252 ferait une différence avec l'essai entier
            name: pool.submit(run, script, folder / name, *words(name), PYTHONIOENCODING="utf-8")
            for name in sections
        }
        return script, folder, whole.result(), {name: result.result() for name, result in alone.items()}


def test_every_script_is_known():
    assert set(QUICK) == set(SCRIPTS)


def test_whole_run(runs):
    script, folder, (status, output, errors), alone = runs
    assert (status, errors) == (0, "")
    assert list(blocks(output)) == list(alone), "les sections viennent toutes, dans l'ordre"
    assert output.count("\nCorrigé : ") == len(alone)
    assert output.startswith("Pas de fenêtre ici"), "sans écran, le script dit où vont les figures"
    assert output.endswith(f"Pour rejouer : python {script}.py --corrige --seed 0\n")
    assert {path.name for path in (folder / "tout").iterdir()} == {f"{script}.py", "figures"}


def test_sections_alone_repeat_the_whole_run(runs):
    _, folder, (_, output, _), alone = runs
    whole, seen = pictures(folder / "tout"), set()
    for name, (status, text, errors) in alone.items():
        assert (status, errors) == (0, "")
        assert blocks(text) == {name: blocks(output)[name]}
        for file, pixels in pictures(folder / name).items():
            seen.add(file)
            assert file in TIMED_FIGURES or np.array_equal(pixels, whole[file]), file
    assert seen == set(whole), "le tout donne les figures de ses sections, ni plus ni moins"


def test_pictures_show_something_and_say_where_they_come_from(runs):
    script, folder, _, alone = runs
    for name in alone:
        for file in (folder / name / "figures").glob("*.png"):
            pixels = plt.imread(file)[..., :3]
            coloured = np.mean(np.ptp(pixels, axis=2) > 0.2)  # des axes vides n'ont que du gris
            assert coloured > 0.001, f"{file.name} est vide"
            metadata = Image.open(file).info
            assert metadata["Command"] == f"python {script}.py --corrige --section {name} --figures figures --seed 0"
            assert metadata["Seed"] == "0"
            assert f"numpy {np.__version__}" in metadata["Software"]


def test_other_seed_other_digits_and_no_answer_unless_asked(runs):
    script, folder, _, alone = runs
    name = QUICK[script]
    status, output, errors = run(script, folder / "autre graine", "--section", name, "--seed", "1")
    assert (status, errors) == (0, "") and "Corrigé" not in output
    assert blocks(output)[name] != blocks(alone[name][1])[name].partition("\nCorrigé")[0].strip()


@pytest.mark.parametrize("script", SCRIPTS)
def test_registry_list_and_help(script, monkeypatch, capsys, tmp_path):
    module = load(script)
    monkeypatch.chdir(tmp_path)
    titles = {name: inspect.getdoc(function).split("\n") for name, function in module.SECTIONS.items()}
    assert all(len(lines) > 2 and lines[1] == "" for lines in titles.values()), "un titre, une ligne vide, un guide"
    for option, status in (("--liste", 0), ("--help", 0)):
        monkeypatch.setattr(sys, "argv", [f"{script}.py", option])
        with pytest.raises(SystemExit) as end:
            module.main()
        output = capsys.readouterr().out
        assert (end.value.code or 0) == status
        output.encode("cp1252")
        if option == "--liste":
            assert [line.split(maxsplit=1) for line in output.splitlines()] == [
                [name, lines[0]] for name, lines in titles.items()
            ]
        else:
            assert "show this help" not in output and inspect.getdoc(module).splitlines()[0] in output
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("script", SCRIPTS)
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
    with pytest.raises(SystemExit) as end:
        module.main()
    captured = capsys.readouterr()
    assert (end.value.code, captured.out) == (2, ""), words
    assert captured.err.count("\n") == 1 and captured.err.startswith(f"{script}.py : "), captured.err
    assert not re.search(r"argument |invalid|expected|choose|required", captured.err), captured.err
    return captured.err


@pytest.mark.parametrize("script", SCRIPTS)
def test_bad_options_are_refused(script, monkeypatch, capsys, tmp_path):
    module = load(script)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [f"{script}.py", "--help"])
    with pytest.raises(SystemExit):
        module.main()
    options = set(re.findall(r"^  (--[a-z-]+) [A-Z]", capsys.readouterr().out, re.MULTILINE)) - {"--figures"}
    assert {"--section", "--seed"} <= options
    for option in options:
        values = ["nan", "inf", "-inf", "-1", "texte", "", "1e400", "9" * 5000]
        if option not in ("--seed", "--momentum"):  # là, zéro a un sens
            values.append("0")
        for value in values:
            assert option in refused(module, script, [f"{option}={value}"], monkeypatch, capsys)
        assert option in refused(module, script, [option], monkeypatch, capsys)
    for words in (["--inconnue"], ["mot"], ["--liste=oui"], ["--sect", "2"], ["--seed", "1.5"], ["--seed", str(2**32)]):
        refused(module, script, words, monkeypatch, capsys)
    assert not any(tmp_path.iterdir()), "rien n'a été écrit"
    (tmp_path / "fichier").touch()
    assert "fichier" in refused(module, script, ["--figures", "fichier/dessous"], monkeypatch, capsys)


def test_every_figure_is_closed(monkeypatch, capsys, tmp_path):
    """Sinon une longue séance garderait toutes ses figures en mémoire."""
    module = load("relu_plot")
    monkeypatch.setattr(sys, "argv", ["relu_plot.py", "--figures", str(tmp_path)])
    assert module.main() == 0 and len(list(tmp_path.glob("*.png"))) == 3
    assert not plt.get_fignums() and "Pour rejouer" in capsys.readouterr().out


def test_refusal_seen_from_a_shell(tmp_path):
    status, output, errors = run("exercice1", tmp_path, "--section", "9")
    assert (status, output) == (2, "") and errors.count("\n") == 1 and "2.2.2-perte" in errors


@pytest.mark.parametrize("script", SCRIPTS)
def test_ctrl_c(script, tmp_path):
    # Interrompre un import au vol laisse un fichier ouvert : ce ResourceWarning-là, Python le tait d'habitude.
    process = start(script, tmp_path, warnings="default::UserWarning")
    while not process.stdout.readline().startswith(b"==="):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors.decode("cp1252").strip()) == (130, "Interrompu.")


def test_reader_of_the_pipe_leaves(tmp_path):
    process = start("exercice1", tmp_path)
    process.stdout.readline()
    process.stdout.close()
    assert (process.wait(timeout=60), process.stderr.read()) == (0, b"")
    process.stderr.close()


def test_replay_from_another_folder(tmp_path):
    shutil.copy(ROOT / "exercice1.py", tmp_path)
    (tmp_path / "ailleurs").mkdir()
    words = ["../exercice1.py", "--section", "2.2.2-boucle", "--learning-rate", "0.02"]
    outputs = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, *words], cwd=tmp_path / "ailleurs", env=environment(), capture_output=True, check=True
        )
        outputs.append(done.stdout.decode("cp1252"))
        words = shlex.split(outputs[-1].rpartition("Pour rejouer : python ")[2])
    assert outputs[0] == outputs[1]
    assert (tmp_path / "ailleurs" / "figures" / "exercice1-2.2.2-boucle.png").exists()


@pytest.mark.parametrize("backend", ["TkAgg", "module://un_module_absent", None])
def test_no_display_whatever_the_backend(backend, tmp_path):
    """Une fenêtre demandée sans écran, un carnet qui laisse son propre moteur : rien ne casse."""
    status, output, errors = run("exercice1", tmp_path, "--section", "2.2.1", MPLBACKEND=backend, DISPLAY=None)
    assert (status, errors) == (0, "")
    assert "Pas de fenêtre ici" in output and (tmp_path / "figures" / "exercice1-2.2.1.png").exists()


def test_launch_blocks_are_identical():
    texts = {(ROOT / f"{script}.py").read_text(encoding="utf-8").partition("# --- Lancement")[2] for script in SCRIPTS}
    assert len(texts) == 1 and "def main" in texts.pop()


def test_ci_runs_the_two_commands_of_the_readme():
    readme, ci = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", ".ci/run"))
    commands = re.findall(r"^python3 -m venv .*$", readme, re.MULTILINE)
    assert len(commands) == 2
    assert [line for line in ci.splitlines() if line in commands] == commands


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
    real_show()

plt.show = show
sys.argv = ["{script}.py", *{options!r}]
sys.exit(lesson.main())
"""


@pytest.fixture(scope="module")
def display(tmp_path_factory):
    """Un écran virtuel, Xvfb ; sans Xvfb ou sans Tk les tests de fenêtres sont sautés."""
    pytest.importorskip("tkinter", reason="Tk n'est pas installé")
    if shutil.which("Xvfb") is None:
        pytest.skip("Xvfb n'est pas installé")
    read_end, write_end = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write_end), "-screen", "0", "1600x1200x24"],
        pass_fds=[write_end],
        stderr=subprocess.DEVNULL,
    )
    os.close(write_end)
    with os.fdopen(read_end) as pipe:
        yield ":" + pipe.readline().strip()
    server.terminate()
    server.wait()


@pytest.mark.parametrize("script", SCRIPTS)
def test_windows_come_one_after_the_other(script, display, tmp_path):
    shutil.copy(ROOT / f"{script}.py", tmp_path)
    driver = DRIVER.format(script=script, options=["--section", WINDOW[script], *EPOCHS.get(script, [])])
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", driver],
        cwd=tmp_path,
        env=environment(MPLBACKEND="TkAgg", DISPLAY=display, PYTHONDONTWRITEBYTECODE="1"),
        capture_output=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    seen = [line for line in done.stdout.decode("cp1252").splitlines() if line.startswith("FENETRE")]
    assert len(seen) == (4 if script == "exercice1" else 1)
    assert set(seen) == {"FENETRE 1 1"}, "une seule fenêtre à la fois, et on la voit"
    assert not (tmp_path / "figures").exists()


LIVE_DRIVER = """
import sys
import matplotlib.pyplot as plt
import {script} as lesson

real_show, frames = plt.show, []

def watched(draw):
    def frame(*given):
        frames.append(draw)
        if len(frames) == 3:  # fermer au milieu de l'attente, comme un clic sur la croix
            figure = plt.gcf()
            figure.canvas.manager.window.after(2, lambda: plt.close(figure))
        draw(*given)
        print("IMAGE", len(plt.get_fignums()), flush=True)

    return frame

plt.pause = watched(plt.pause)
if hasattr(lesson, "repaint"):
    lesson.repaint = watched(lesson.repaint)
plt.show = lambda block=None: real_show(block=False) if block is False else print("OUVERTE", flush=True)
sys.argv = ["{script}.py", *{options!r}]
sys.exit(lesson.main())
"""


@pytest.mark.parametrize("script, section", [("exercice2", "3.2-epoch"), ("exercice3", "3.3.2-apprentissage")])
def test_closing_a_live_window(script, section, display, tmp_path):
    """Un vrai clic sur la croix : plus d'image, rien ne se rouvre, l'apprentissage va au bout, état 0."""
    shutil.copy(ROOT / f"{script}.py", tmp_path)
    driver = LIVE_DRIVER.format(script=script, options=["--section", section, "--epochs", "80", "--corrige"])
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", driver],
        cwd=tmp_path,
        env=environment(MPLBACKEND="TkAgg", DISPLAY=display, PYTHONDONTWRITEBYTECODE="1"),
        capture_output=True,
        timeout=60,
    )
    output = done.stdout.decode("cp1252")
    assert (done.returncode, done.stderr) == (0, b"")
    images = [line for line in output.splitlines() if line.startswith(("IMAGE", "OUVERTE"))]
    assert images == ["IMAGE 1", "IMAGE 1", "IMAGE 0"]
    assert "80 époques" in output.partition("Corrigé")[2]
