"""Ce qui sert à plusieurs fichiers de tests : lancer un script comme un élève, et découper ce qu'il dit."""

import ast
import contextlib
import importlib.util
import io
import json
import os
import re
import shutil
import subprocess
import sys
import traceback
import types
import warnings
from pathlib import Path

import coverage
import matplotlib.pyplot as plt
import numpy as np

ROOT = Path(__file__).parent.parent
SCRIPTS = sorted(path.stem for path in ROOT.glob("*.py"))
ANSWER = re.compile(r"^Réponse : ", re.MULTILINE)  # ce qui annonce la réponse

# Une ligne qui porte une durée (ou un rapport de durées) : les seuls chiffres qui changent d'un essai à l'autre.
DURATION = re.compile(r"\d (s|ms|µs)\b|\((durée )?en (s|µs)\)")

# PyTorch 2.6 laisse Python ranger en sortant un dossier qu'il a créé : ce n'est pas la faute d'un script.
OLD_TORCH = "ignore:Implicitly cleaning up:ResourceWarning"


def load(script):
    """Importe un script comme un module (rien ne doit tourner à l'import)."""
    return load_file(ROOT / f"{script}.py")


def load_file(path):
    """Importe un fichier Python comme un module tout neuf."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def edited(text, changes):
    """Le texte d'un script, où chaque (ancien, nouveau) a été remplacé une fois ; l'ancien doit s'y trouver."""
    for old, new in changes:
        assert old in text, f"{old!r} n'est plus dans le script"
        text = text.replace(old, new, 1)
    return text


def variant(script, changes=(), **constants):
    """Le script comme module tout neuf, modifié comme le ferait un élève : du texte, puis des constantes."""
    path = ROOT / f"{script}.py"
    module = types.ModuleType(script)
    module.__file__ = str(path)
    exec(compile(edited(path.read_text(encoding="utf-8"), changes), str(path), "exec"), vars(module))
    for name, value in constants.items():
        assert hasattr(module, name)
        setattr(module, name, value)
    return module


def definition(script, name):
    """Le texte d'une fonction ou d'une classe d'un script."""
    text = (ROOT / f"{script}.py").read_text(encoding="utf-8")
    node = next(node for node in ast.parse(text).body if getattr(node, "name", None) == name)
    return "\n".join(text.splitlines()[node.lineno - 1 : node.end_lineno]) + "\n"


def call(module, name):
    """Appelle une section comme dans une console ; rend ce qu'elle affiche et sa réponse. Les figures sont fermées."""
    output = io.StringIO()
    try:
        with contextlib.redirect_stdout(output):
            answer = module.SECTIONS[name]()
        for number in plt.get_fignums():
            plt.figure(number).canvas.draw()  # une étiquette fausse ne se voit qu'au dessin
    finally:
        plt.close("all")
    return output.getvalue(), answer


def environment(**changes):
    """L'environnement d'une console sans écran ; DISPLAY est un leurre, comme sous Windows et macOS.

    Un seul fil de calcul par processus : les tests en lancent deux à la fois.
    """
    changes = {"MPLBACKEND": "Agg", "DISPLAY": ":99", "PYTHONIOENCODING": "cp1252", "OMP_NUM_THREADS": "1", **changes}
    kept = {**os.environ, **changes}
    return {name: value for name, value in kept.items() if value is not None}


def start(script, folder, *options, warnings="error", **changes):
    """Lance le script de `folder`, après l'y avoir copié s'il n'y est pas ; tout avertissement est une erreur."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / f"{script}.py").exists():
        shutil.copy(ROOT / f"{script}.py", folder)
    command = [sys.executable, "-W", warnings, "-W", OLD_TORCH, f"{script}.py", *options]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=folder, env=environment(**changes), stdout=pipe, stderr=pipe)


def run(script, folder, *options, **changes):
    """Lance le script jusqu'au bout ; rend (état, sortie, erreurs)."""
    process = start(script, folder, *options, **changes)
    output, errors = process.communicate(timeout=600)
    encoding = changes.get("PYTHONIOENCODING", "cp1252")
    return process.returncode, decoded(output, encoding), decoded(errors, encoding)


def decoded(text, encoding):
    """Le texte que portent ces octets, avec les mêmes fins de ligne partout."""
    return text.decode(encoding).replace("\r", "")


def become_worker():
    """Met un processus neuf dans l'état de ceux de `start`, pour `play`."""
    os.environ.update(environment())
    warnings.simplefilter("error")


def play(path, *options, encoding="cp1252"):
    """Comme `run`, sur un script déjà dans son dossier, mais dans ce processus : les bibliothèques y restent importées.

    À faire faire par un ouvrier de `workers`. Ce qu'un essai laisserait derrière lui changerait le suivant : un
    script n'a donc rien à laisser.
    """
    os.chdir(path.parent)
    sys.argv = [path.name, *options]
    output, errors = (io.TextIOWrapper(io.BytesIO(), encoding=encoding) for _ in range(2))
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        try:
            status = load_file(path).main()
        except Exception:
            traceback.print_exc()
            status = 1
    output.flush()
    errors.flush()
    return status, decoded(output.buffer.getvalue(), encoding), decoded(errors.buffer.getvalue(), encoding)


def blocks(output):
    """Découpe une sortie par section : {identifiant: texte}."""
    parts = re.split(r"^=== (\S+) : ", output, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], (text.strip() for text in parts[1::2])))


def lasting(text):
    """Le texte sans ses lignes de durée."""
    return [line for line in text.splitlines() if not DURATION.search(line)]


def answer_of(text):
    """La réponse d'une section, sans retours à la ligne ni espaces insécables."""
    return " ".join(ANSWER.split(text)[-1].partition("\nFigure : ")[0].split()) if ANSWER.search(text) else ""


def check_layout(output):
    """Au plus 100 colonnes, 25 lignes par section et 6 pour la réponse ; ni nan, ni inf, ni pluriel d'un seul."""
    for line in output.splitlines():
        assert len(line) <= 100, line
        assert not re.search(r"\b(nan|inf|None)\b", line), line
        assert not re.search(r"(?<![\d.])1 \w+s\b(?<! pas)(?<! fois)(?<! puis)", line), line
    for name, text in blocks(output).items():
        assert len(text.splitlines()) <= 25, name
        said = ANSWER.split(text)[-1] if ANSWER.search(text) else ""
        said = re.split(r"^(?:Figure|Pas de fenêtre|Fermez)", said, flags=re.MULTILINE)[0]
        assert len(said.strip().splitlines()) <= 6, name


def answer_to(script, section, settings, changes=()):
    """La réponse d'une section, sur une ligne, avec ces réglages et ces changements de texte."""
    with np.errstate(over="ignore", invalid="ignore"):  # comme le fait le lancement
        return " ".join(call(variant(script, changes, **settings), section)[1].split())


def measured(script, cases, folder, also=None):
    """Joue des cas (section, réglages, dit, tu, changements) sous coverage.py ; rend leurs réponses et les mesures.

    `also` : une fonction à appeler en plus, pour ce que cette machine ne peut pas montrer.
    """
    measures = coverage.Coverage(branch=True, include=[str(ROOT / f"{script}.py")], data_file=None)
    answers = {}  # ceux qui n'attendent pas la même phrase des mêmes réglages ne sont joués qu'une fois
    measures.start()
    try:
        for section, settings, _, _, *changes in cases:
            key = repr((section, settings, changes))
            answers[key] = answers.get(key) or answer_to(script, section, settings, *changes)
        if also:
            also()
    finally:
        measures.stop()
    report = folder / "mesures.json"
    measures.json_report(outfile=str(report))
    (found,) = json.loads(report.read_text())["files"].values()
    said = [answers[repr((section, settings, changes))] for section, settings, _, _, *changes in cases]
    return said, found


def never_taken(script, found):
    """Les lignes et les branches jamais prises après « # Réponse » et dans les fonctions `..._answer`."""
    lines = (ROOT / f"{script}.py").read_text(encoding="utf-8").splitlines()
    wanted = set()
    for function in ast.parse("\n".join(lines)).body:
        if isinstance(function, ast.FunctionDef):
            body = range(function.lineno, function.end_lineno + 1)
            marks = [number for number in body if lines[number - 1] == "    # Réponse"]
            wanted |= set(range(*marks, function.end_lineno + 1) if marks else [])
            wanted |= set(body if function.name.endswith("_answer") else [])
    assert len(wanted) > 20
    return sorted(wanted & set(found["missing_lines"])), [b for b in found["missing_branches"] if b[0] in wanted]
