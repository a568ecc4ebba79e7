"""Enfermer les scripts des élèves : bubblewrap (`bwrap`) sous Linux, et un gardien qui compte processus et mémoire."""

import contextlib
import ctypes
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from verification import dialogue

HERE = Path(__file__).resolve().parent.parent
MOST_PROCESSES, MOST_MEMORY = 32, 3_000_000_000  # par script, pour lui et ceux qu'il lance
LIMITS = ["--cpu=600", "--fsize=50000000", "--core=0"]  # secondes, octets ; pour chaque processus
PACKAGES = ["numpy", "matplotlib", "sklearn", "torch"]
SYSTEM = ["/usr", "/bin", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/alternatives"]


def roots():
    """Les dossiers où sont Python et les bibliothèques."""
    found = [sys.base_prefix, sys.prefix]
    specs = [importlib.util.find_spec(name) for name in PACKAGES]
    found += [Path(spec.origin).parent.parent for spec in specs if spec]
    paths = [Path(os.path.abspath(path)) for path in found]  # abspath : suivre les liens ferait perdre le venv
    return [path for path in dict.fromkeys(paths) if not path.is_relative_to("/usr")]


def fonts():
    """La liste des polices que matplotlib met plus d'une seconde à refaire."""
    import matplotlib.font_manager

    return sorted(Path(matplotlib.get_cachedir()).glob("fontlist-*.json"))


def limited():
    """La commande qui limite chaque processus, si le système la connaît."""
    return [shutil.which("prlimit"), *LIMITS] if shutil.which("prlimit") else []


def isolated(folder, hidden, cached):
    """Ce qui précède une commande pour l'enfermer avec ce dossier, et lui seul ; `hidden` ne se voit pas.

    Tout le reste du système est en lecture seule, ou absent. Le dossier, où un script peut écrire, est une mémoire
    vide où sont posés les fichiers du vrai : ce qu'on y écrit disparaît. L'environnement est vidé avant bwrap, car
    le sien se lit encore dans /proc/1/environ.
    """
    settings = {**dialogue.SETTINGS, "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": "/tmp", "USER": "eleve"}
    settings["MPLCONFIGDIR"] = "/tmp/matplotlib"
    command = ["env", "-i", *(f"{name}={value}" for name, value in settings.items()), "bwrap"]
    command += ["--unshare-all", "--unshare-user", "--cap-drop", "ALL", "--die-with-parent", "--new-session"]
    for path in SYSTEM:
        command += ["--ro-bind-try", path, path]
    command += ["--proc", "/proc", "--remount-ro", "/proc", "--dev", "/dev"]
    command += ["--size", "16777216", "--tmpfs", "/dev/shm", "--remount-ro", "/dev"]
    command += ["--size", "67108864", "--tmpfs", "/tmp"]
    for root in roots():
        command += ["--ro-bind", str(root), str(root)]
    covered = [str(path) for path in hidden if any(root in path.parents for root in roots())]
    for path in covered:
        command += ["--size", "1048576", "--tmpfs", path]
    for path in cached:
        command += ["--ro-bind", str(path), f"/tmp/matplotlib/{path.name}"]
    for name in ("verification", "correction"):
        command += ["--ro-bind", str(HERE / name), str(HERE / name)]
    command += ["--size", "67108864", "--tmpfs", str(folder)]
    for path in sorted(folder.iterdir()):
        command += ["--ro-bind", str(path), str(path)]
    for path in [*covered, "/"]:
        command += ["--remount-ro", path]
    return [*command, "--chdir", str(HERE), "--", *limited()]


def trouble(prefix):
    """Ce que dit bwrap s'il ne peut pas lancer Python ; "" s'il le peut."""
    if not shutil.which("bwrap"):
        return "il n'est pas installé"
    command = [*prefix, sys.executable, "-c", "import verification"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    lines = done.stderr.strip().splitlines() or [f"état {done.returncode}"]
    return lines[-1] if done.returncode else ""


def crashes(path, prefix):
    """Vrai si lire ce script arrête Python net : mieux vaut que ce ne soit pas celui-ci."""
    code = (
        "import ast, sys, threading\n"
        "threading.stack_size(2**21)\n"
        "text = open(sys.argv[1], 'rb').read()\n"
        "works = [lambda: compile(text, '', 'exec'), lambda: ast.parse(text)]\n"
        "threads = [threading.Thread(target=work) for work in works]\n"
        "[thread.start() for thread in threads]\n"
    )
    command, nothing = [*prefix, sys.executable, "-I", "-S", "-c", code, str(path)], subprocess.DEVNULL
    try:
        return subprocess.run(command, stdout=nothing, stderr=nothing, timeout=60).returncode not in (0, 1)
    except subprocess.TimeoutExpired:
        return True


# --- Le gardien ---------------------------------------------------------------------------------------
def descendants(pid):
    """Les processus nés de celui-ci, par leurs numéros ; mille au plus."""
    found = [int(pid)]
    for parent in found:  # la liste s'allonge pendant qu'on la parcourt
        with contextlib.suppress(OSError):
            for path in Path(f"/proc/{parent}/task").glob("*/children"):
                found += [int(child) for child in path.read_text().split() if len(found) < 1000]
    return found[1:]


def memory(pid):
    """Les octets de mémoire d'un processus ; 0 s'il n'est plus là."""
    with contextlib.suppress(OSError, IndexError, ValueError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def kill(pids):
    for pid in pids:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)


def guard(over, stopped):
    """Dans un fil à part : arrête un script qui prend trop ; `stopped` reçoit {(dossier, script): raison}."""
    while not over.wait(0.05):
        for child in list(dialogue.running):
            pids = [child.process.pid, *descendants(child.process.pid)]
            reason = "trop de processus" if len(pids) > MOST_PROCESSES else "trop de mémoire"
            if len(pids) > MOST_PROCESSES or sum(map(memory, pids)) > MOST_MEMORY:
                stopped[tuple(child.process.args[-2:])] = reason
                kill(pids)


def adopt():
    """Sous Linux, sans bwrap : un processus qu'un script a détaché devient le nôtre, et `kill` le trouvera."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
