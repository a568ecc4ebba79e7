"""Ce qui sert à plusieurs fichiers de tests : lancer un script comme un élève, et découper ce qu'il dit."""

import contextlib
import importlib.util
import io
import os
import re
import shutil
import subprocess
import sys
import traceback
import warnings
from pathlib import Path

ROOT = Path(__file__).parent.parent
SCRIPTS = sorted(path.stem for path in ROOT.glob("*.py"))

# Une ligne qui porte une durée (ou un rapport de durées) : les seuls chiffres qui changent d'un essai à l'autre.
DURATION = re.compile(r"\d (s|µs)\b|\((durée )?en (s|µs)\)")


def load(script):
    """Importe un script comme un module (rien ne doit tourner à l'import)."""
    return load_file(ROOT / f"{script}.py")


def load_file(path):
    """Importe un fichier Python comme un module tout neuf."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


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
    command = [sys.executable, "-W", warnings, f"{script}.py", *options]
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
    """Ce qui suit « Corrigé : », sans retours à la ligne ni espaces insécables."""
    return " ".join(text.partition("Corrigé :")[2].split())


def check_layout(output):
    """Au plus 100 colonnes, 25 lignes par section et 6 pour la réponse ; ni nan, ni inf, ni pluriel d'un seul."""
    for line in output.splitlines():
        assert len(line) <= 100, line
        assert not re.search(r"\b(nan|inf|None)\b", line), line
        assert not re.search(r"(?<![\d.])1 \w+s\b(?<! pas)(?<! fois)", line), line
    for name, text in blocks(output).items():
        assert len(text.splitlines()) <= 25, name
        assert len(text.partition("Corrigé :")[2].splitlines()) <= 6, name
