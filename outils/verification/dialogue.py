"""Le dialogue avec le processus enfant : lui seul charge le script de l'élève, et ne fait que répondre.

Rien de l'élève n'est exécuté ici. Une question part par un tube privé avec un mot neuf, que la réponse doit porter ;
une réponse n'est que du JSON, que les fonctions `judge_...` regardent.
"""

import collections
import contextlib
import json
import os
import queue
import secrets
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

HERE = Path(__file__).parent.parent
LARGEST = 20_000_000  # octets d'une réponse
Child = collections.namedtuple("Child", "process replies")
running = []  # pour les arrêter tous à Ctrl+C
SETTINGS = {"MPLBACKEND": "agg", "CUDA_VISIBLE_DEVICES": "", "PYTHONDONTWRITEBYTECODE": "1"}
SETTINGS |= {f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS", "VECLIB_MAXIMUM")}


def start(folder, script, prefix=(), module="verification.enfant"):
    """Lance l'enfant d'un script : un environnement propre, un seul fil de calcul, ni fenêtre ni carte graphique.

    `prefix` : une commande qui lance à son tour celle de l'enfant, isolée.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    kept |= {name: os.environ[name] for name in ("PYTHONPATH", "PYTHONHOME") if name in os.environ}
    process = subprocess.Popen(
        [*prefix, sys.executable, "-m", module, str(folder), script],
        cwd=HERE,
        env=kept | SETTINGS,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=os.name == "posix",
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )
    child = Child(process, queue.Queue())
    threading.Thread(target=listen, args=child, daemon=True).start()
    running.append(child)
    return child


def listen(process, replies):
    """Dans un fil à part : met chaque réponse dans la file ; None quand il n'y en aura plus."""
    while True:
        line = process.stdout.readline(LARGEST + 1)
        if not line or len(line) > LARGEST:
            break
        with contextlib.suppress(ValueError, RecursionError):
            replies.put(json.loads(line))
    replies.put(None)


def stop(child):
    """Arrête l'enfant et ceux qu'il aurait lancés ; n'en laisse rien."""
    with contextlib.suppress(OSError):
        if os.name == "posix":
            os.killpg(child.process.pid, signal.SIGKILL)
        child.process.kill()
    child.process.wait()
    with contextlib.suppress(OSError):
        child.process.stdin.close()
    if child in running:
        running.remove(child)


def ask(child, question, seconds):
    """Pose une question ; rend la réponse, ou {"end": pourquoi il n'y en a pas}, et l'enfant est alors arrêté."""
    token, end = secrets.token_hex(8), time.monotonic() + 3 * seconds  # le temps de calcul, lui, est compté là-bas
    with contextlib.suppress(OSError):  # déjà mort : on le verra à sa réponse
        child.process.stdin.write((json.dumps({**question, "token": token, "seconds": seconds}) + "\n").encode())
        child.process.stdin.flush()
    while True:
        try:
            reply = child.replies.get(timeout=max(0, end - time.monotonic()))
        except queue.Empty:
            stop(child)
            return {"end": f"pas de réponse en {seconds} secondes"}
        if reply is None:
            break
        if isinstance(reply, dict) and reply.get("token") == token:
            if "late" in reply:
                stop(child)
                reply = {"end": f"pas de réponse en {seconds} secondes", "line": reply["late"]}
            return reply
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.process.wait(5)
    status = child.process.poll()
    stop(child)
    if status is not None and (status < 0 or status > 128):
        return {"end": "Python s'est arrêté net (erreur de segmentation, ou plus de mémoire)"}
    return {"end": "le script arrête Python en pleine section (os._exit, ou une réponse illisible)"}
