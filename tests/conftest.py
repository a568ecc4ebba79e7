"""Ce que les tests se partagent : un ouvrier, et l'écran virtuel des tests de fenêtres.

La première ligne d'un test dit ce qui ne va plus quand il échoue.
"""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from commun import become_worker

os.environ["MPLBACKEND"] = "Agg"  # ici, personne ne fermera une fenêtre
os.environ["OMP_NUM_THREADS"] = "1"  # les tests tournent déjà à deux à la fois
sys.path.insert(0, str(Path(__file__).parent.parent))  # pour les scripts


@pytest.fixture(scope="session")
def workers():
    """Un processus qui joue des scripts l'un après l'autre (`commun.play`), sans tout importer à chaque fois.

    pytest (`-n 2`) tourne déjà dans deux processus, et chacun a le sien ; avec `-n 0`, il en faut deux.
    """
    n_processes = 1 if "PYTEST_XDIST_WORKER" in os.environ else 2
    with ProcessPoolExecutor(n_processes, mp_context=get_context("spawn"), initializer=become_worker) as pool:
        yield pool


@pytest.fixture(scope="session")
def display():
    """Un écran virtuel, Xvfb ; sans Xvfb ou sans Tk les tests de fenêtres sont sautés."""
    pytest.importorskip("tkinter", reason="Tk n'est pas installé")
    if sys.platform != "linux" or shutil.which("Xvfb") is None:
        pytest.skip("pas d'écran virtuel, Xvfb")
    read_end, write_end = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-noreset", "-displayfd", str(write_end), "-screen", "0", "1600x1200x24"],
        pass_fds=[write_end],
        stderr=subprocess.DEVNULL,
    )
    os.close(write_end)
    with os.fdopen(read_end) as pipe:
        yield ":" + pipe.readline().strip()
    server.terminate()
    server.wait()
