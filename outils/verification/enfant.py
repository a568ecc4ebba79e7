"""Le processus enfant : charge le script de l'élève, l'observe, et répond en JSON. Ne juge rien.

Lancé par `dialogue.start`. Ses tubes sont mis de côté avant que le script soit chargé : ce que le script affiche ou
lit ne passe pas par eux.
"""

import ast
import contextlib
import io
import json
import os
import random
import re
import sys
import threading
import time
import traceback
import types
import warnings
from pathlib import Path

from verification import BLANKS, source


class Short(io.StringIO):
    """Garde le début de ce qui est affiché, et oublie le reste."""

    def write(self, text):
        return super().write(text[: max(0, 50_000 - self.tell())]) and len(text)


class Refused(Exception):
    """Un réglage changé, que le script refuse."""


def load(path, replaced, constants):
    """Le script comme module tout neuf : des `raise` remplacés, {numéro: instruction}, puis des constantes."""
    tree = ast.parse(source.read(path), str(path))
    for node in ast.walk(tree):
        for block in [getattr(node, field, None) for field in ("body", "orelse", "finalbody")]:
            for k, statement in enumerate(block if isinstance(block, list) else []):
                if source.raised_number(statement) in replaced:
                    new = ast.parse(replaced[source.raised_number(statement)]).body[0]
                    block[k] = ast.copy_location(new, statement)
    module = types.ModuleType(path.stem)
    module.__file__ = str(path)
    sys.modules[path.stem] = module
    exec(compile(ast.fix_missing_locations(tree), str(path), "exec"), vars(module))
    vars(module).update(constants)
    return module


def reset():
    """Remet le hasard et les figures à leur point de départ."""
    import matplotlib.pyplot as plt
    import numpy as np

    getattr(plt, "real_close", plt.close)("all")
    plt.rcdefaults()
    plt.switch_backend("agg")
    plt.real_close, plt.close = getattr(plt, "real_close", plt.close), forget  # l'élève ne ferme pas ce qu'on regarde
    sys.stdin = io.StringIO()  # rien à lire ; exit() a pu fermer celui d'avant
    random.seed(0)
    np.random.seed(0)
    np.seterr(over="ignore", invalid="ignore")
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)


def forget(*args):
    """Ce que devient plt.close pendant qu'on regarde."""


def play(module, section):
    """Joue une section comme le fait le lancement, avec les constantes de l'élève, et dessine ses figures."""
    import matplotlib.pyplot as plt

    with contextlib.redirect_stderr(io.StringIO()) as said:
        try:
            module.set_constants(dict.fromkeys(module.LIMITS))
        except SystemExit:  # une constante qui n'est pas permise : le script l'a dit
            raise Refused(said.getvalue().strip()) from None
    module.SECTIONS[section]()
    for number in plt.get_fignums():
        plt.figure(number).canvas.draw()  # une étiquette fausse ne se voit qu'au dessin
    return {}


def describe(error, path):
    """Une erreur en JSON : son nom, ses mots, ses lignes dans le script et le numéro d'un « À vous »."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    blank = re.match(r"À vous n° (\d+)", str(error)) if isinstance(error, NotImplementedError) else None
    if not lines and getattr(error, "lineno", None):
        lines = [error.lineno]
    return {
        "kind": type(error).__name__,
        "message": str(error)[:2000],
        "lines": lines,
        "blank": int(blank[1]) if blank else None,
    }


def answer(question, path):
    """La réponse à une question : ce qu'on a vu, ou l'erreur du script."""
    output = Short()

    def load_with(replaced=(), **constants):
        return load(path, {**{number: "pass" for number in question["skipped"]}, **dict(replaced)}, constants)

    try:
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if question["task"] == "import":
                load_with()
                seen = {}
            else:
                reset()
                blank = BLANKS[question["number"] - 1]
                if question["task"] == "observe":
                    seen = blank.observe(load_with)
                else:
                    small = getattr(sys.modules[f"verification.{path.stem}"], "SMALL", {})
                    seen = play(load_with(**small), question["section"])
        return {"seen": {**seen, "printed": output.getvalue()}}
    except BaseException as error:  # de l'élève, quelle qu'elle soit : exit() compris
        return {"error": describe(error, path), "printed": output.getvalue()}


def limit_memory():
    """Sous Linux, trois gigaoctets de plus que les imports, pas davantage."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + 3_000_000_000
        resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))


def watch_time(limits, path, replies):
    """Dans un fil à part : arrête ce processus quand une réponse a pris trop de temps, en disant à quelle ligne."""
    while True:
        time.sleep(0.1)
        seconds, token = limits[-1]
        if time.process_time() > seconds:
            frames = traceback.extract_stack(sys._current_frames()[threading.main_thread().ident])
            lines = [frame.lineno for frame in frames if frame.filename == str(path)]
            replies.write(json.dumps({"late": lines[-1] if lines else None, "token": token}) + "\n")
            replies.flush()
            os._exit(1)


def main():
    folder, script = sys.argv[1:]
    path = Path(folder, f"{script}.py")
    questions = os.fdopen(os.dup(0), encoding="utf-8")
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nothing, number)
    sys.argv, sys.path[0] = [path.name], folder
    os.chdir(folder)
    limits = [(float("inf"), "")]
    threading.Thread(target=watch_time, args=[limits, path, replies], daemon=True).start()
    for line in questions:
        question = json.loads(line)
        limits.append((time.process_time() + question["seconds"], question["token"]))
        reply = answer(question, path)
        limits.append((float("inf"), ""))
        if question["task"] == "import":
            limit_memory()
        replies.write(json.dumps({**reply, "token": question["token"]}) + "\n")
        replies.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
