"""La durée et la mémoire des scripts du TP, en face de leurs imports, et celles des outils de l'enseignant.

`python -m benchmarks.scripts`, à la racine (Linux, macOS) ; README.md, à côté, dit comment lire les tableaux, et les
garde. Ce fichier-ci importe peu : un processus part avec la mémoire de celui qui le lance, et elle lui est comptée.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = ["relu_plot", "exercice1", "exercice2", "exercice3", "exercice3_nonlinear"]
# Les imports d'un script et, si PyTorch en est, son premier optimiseur : il en importe plus.
IMPORTS = "import sys, {}; torch = sys.modules.get('torch'); torch and torch.optim.SGD([torch.ones(1)], lr=1)"
TOOLS = [  # nom, nombre de rendus dans le dossier « rendus », ce que Python exécute
    ("rapport de classe, trente rendus", 30, [ROOT / "outils/corriger.py", "rendus", "rapport", "--sans-isolation"]),
    ("guide", 0, [ROOT / "outils/guide.py", "guide"]),
]


def run_python(folder, words):
    """Durée (s) de Python, sans écran, dans ce dossier, et mémoire (Mo) du plus gros de ses processus."""
    environment = {**os.environ, "MPLBACKEND": "Agg", "PYTHONPATH": str(ROOT)}
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, *words], cwd=folder, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    unit = 1 if sys.platform == "darwin" else 1024  # octets ou kilooctets, selon le système
    return time.perf_counter() - start, usage.ru_maxrss * unit / 1e6


def make_returns(folder, count):
    """Remplit `folder` de `count` rendus : les cinq scripts du projet, tels quels."""
    for k in range(count):
        returned = Path(folder, f"élève {k}")
        returned.mkdir(parents=True)
        for script in SCRIPTS:
            shutil.copy(ROOT / f"{script}.py", returned)


def print_row(name, *values):
    print(f"| {name} | {' | '.join(f'{value:.3g}' for value in values)} |", flush=True)


def main():
    print("\n| script | durée (s) | ses imports | rapport | mémoire (Mo) | ses imports | en plus |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name in SCRIPTS:
        with tempfile.TemporaryDirectory() as folder:
            commands = [["-m", name], ["-c", IMPORTS.format(name)]]
            runs = [[run_python(folder, words) for words in commands] for _ in range(5)]  # à tour de rôle
        (seconds, memory), (seconds_of_imports, memory_of_imports) = np.median(runs, axis=0)
        durations = [seconds, seconds_of_imports, seconds / seconds_of_imports]
        print_row(name, *durations, memory, memory_of_imports, memory - memory_of_imports)
    print("\n| outil, une seule fois | durée (s) | mémoire (Mo) |\n| --- | --- | --- |")
    for name, n_returns, words in TOOLS:
        with tempfile.TemporaryDirectory() as folder:
            make_returns(Path(folder, "rendus"), n_returns)
            print_row(name, *run_python(folder, words))


if __name__ == "__main__":
    main()
