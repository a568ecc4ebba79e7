"""Dit, pour chaque chose à écrire, si elle est à faire, pas encore juste, ou bien.

  python verifier.py                   tous les scripts de ce dossier
  python verifier.py exercice1         un script
  python verifier.py --indice 4        un indice pour le numéro 4 ; puis 4.2, et 4.3

Chaque réponse est jugée sur ce qu'elle fait : un autre processus joue vos sections et dit ce qu'on y voit, et rien
n'est lu de votre façon de l'écrire. « bien » veut dire juste, et que la section se joue ensuite.
"""

import os
import sys

# Avant les imports, qu'un random.py ou un numpy.py de l'élève arrêterait.
if taken := {f"{name}.py" for name in [*sys.stdlib_module_names, "numpy", "matplotlib", "torch"]} & set(
    os.listdir(os.path.dirname(os.path.abspath(__file__)))
):
    sys.exit(f"verifier.py : un fichier à vous s'appelle {min(taken)}, comme une bibliothèque : renommez-le")

import collections
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from verification import BLANKS, dialogue, erreurs, source

HERE = Path(__file__).parent
FOLDER = HERE if (HERE / "exercice1.py").exists() else HERE.parent  # dans le projet, les scripts sont au-dessus
NUMBERED = dict(enumerate(BLANKS, start=1))
SCRIPTS = list(dict.fromkeys(blank.script for blank in BLANKS))
SECONDS, IMPORT_SECONDS = 20, 40  # de calcul, par question
FIRST = "il faut d'abord que le numéro {} marche"
# Le travail sur un script : son texte, son enfant (une liste d'un élément, ou vide), ce qu'on sait de chaque numéro
# (« juste », « bien », ou pourquoi pas) et, pour corriger.py, son dossier et ce qui précède la commande de l'enfant.
Work = collections.namedtuple("Work", "script text children states folder prefix", defaults=(None, ()))


def title(number):
    """« n° 4 (2.2.3), tirez au hasard groups... »"""
    return f"n° {number} ({NUMBERED[number].part}), {NUMBERED[number].consigne}"


def ask(work, question):
    """Pose une question à l'enfant du script, lancé s'il ne l'est pas ; ses imports ne comptent pas."""
    if not work.children:
        work.children.append(dialogue.start(work.folder or FOLDER, work.script, work.prefix))
        ready = dialogue.ask(work.children[0], {"task": "import", "skipped": []}, IMPORT_SECONDS)
        if "end" in ready:
            work.children.clear()
        if "seen" not in ready or question["task"] == "import":
            return ready
    reply = dialogue.ask(work.children[0], question, SECONDS)
    if "end" in reply:
        work.children.clear()  # il est arrêté : un autre répondra pour la suite
    return reply


def problem(work, reply, number):
    """Ce qui a empêché une observation, ou "" ; `number` vaut 0 pendant qu'on charge le script."""
    if "seen" in reply:
        return ""
    error = reply.get("error") or {"kind": "", "blank": None, "lines": [reply["line"]] if reply.get("line") else []}
    if error["blank"]:
        return f"il faut d'abord écrire le numéro {error['blank']}"
    blanks = {other: blank for other, blank in NUMBERED.items() if blank.script == work.script}
    places = [source.blank_at(work.text, line, blanks) for line in error["lines"]]
    ended = reply.get("end", "")
    if reply.get("line"):
        ended += f" (ligne {reply['line']} : une boucle ne finit pas ?)"
    other = guilty(work, error, places, number)
    if other:
        if ended and not work.states.get(other):
            work.states[other] = ended  # inutile de la rejouer
        return FIRST.format(other)
    if ended:
        return ended
    calls = [line for line, place in zip(error["lines"], places) if place == number]
    from_call = calls and places[-1] != number and error["kind"] != "NameError"
    caller = f", à cause de la ligne {calls[-1]}" if from_call else ""
    return erreurs.sentence(error, work.script) + caller


def guilty(work, error, places, number):
    """Le numéro d'une autre chose à écrire, qui n'est pas juste et d'où vient une erreur ; None si c'est la sienne.

    `places` : à quelle chose à écrire est chaque ligne de l'erreur. Elle vient de l'autre si elle s'est produite dans
    ses lignes ou, quand celle-ci est juste, si l'autre est de la même section.
    """
    if places and places[-1] not in (None, number) and work.states.get(places[-1]) not in ("bien", "juste"):
        first = re.fullmatch(FIRST.format(r"(\d+)"), work.states.get(places[-1], ""))
        return int(first[1]) if first else places[-1]
    if error["kind"] == "NameError" or not number:
        return None
    others = waiting(work, number)
    return others[0] if others and work.states.get(number) == "juste" else None


def waiting(work, number):
    """Les autres choses à écrire de la même section qui ne sont pas justes."""
    sections = set(NUMBERED[number].sections)
    wrong = [other for other, state in work.states.items() if other != number and state not in ("juste", "bien")]
    return [other for other in sorted(wrong) if sections & set(NUMBERED[other].sections)]


def stopped_at(reply):
    """Le numéro du `raise` où une réponse s'est arrêtée ; None si ce n'est pas le cas."""
    return reply["error"]["blank"] if "error" in reply else None


def judged(work, reply, number):
    """La raison pour laquelle une observation n'est pas juste, "" si elle l'est."""
    reason = problem(work, reply, number)
    if reason:
        return reason
    try:
        return NUMBERED[number].judge(reply["seen"])
    except Exception:  # une observation qui n'a pas la forme attendue n'est pas juste
        said = (str(reply["seen"].get("printed") or "") if isinstance(reply["seen"], dict) else "").strip()
        stopped = f"la section s'arrête avant, en disant : {' '.join(said.split())[-300:]}"
        return stopped if said else "ce que fait votre réponse n'a pas la forme attendue"


def observed(work, number):
    """Juge une chose à écrire sur ce qu'on observe : « à faire », « pas encore » ou « bien », et la raison."""
    if not source.defines(work.text, NUMBERED[number].function):
        return "pas encore", f"{NUMBERED[number].function} n'est plus dans {work.script}.py"
    if work.states.get(number, "").startswith("pas de réponse"):
        return "pas encore", work.states[number]
    question = {"task": "observe", "number": number, "skipped": []}
    reply, left = ask(work, question), source.raise_lines(work.text)
    if stopped_at(reply) == number:
        if judged(work, ask(work, {**question, "skipped": [number]}), number):
            return "à faire", ""
        return "pas encore", f"c'est juste, mais le raise est encore là, ligne {left[number]}"
    if stopped_at(reply) and number in left:
        return "à faire", ""  # arrêté par un autre numéro, avant celui-ci
    reason = judged(work, reply, number)
    blank = NUMBERED[number]
    before = [other for other in waiting(work, number) if other < number and NUMBERED[other].function == blank.function]
    if reason and before and reason != work.states[before[0]]:
        reason = FIRST.format(before[0])
    work.states[number] = reason or "juste"
    return ("pas encore", reason) if reason else ("bien", "")


def verdict(work, number, first=None):
    """Juge une chose à écrire ; « bien » : elle est juste et ses sections se jouent. `first` : ce qu'on a observé."""
    first = first or observed(work, number)
    if first[0] != "bien":
        return first
    stuck = [other for other in waiting(work, number) if work.states[other].startswith("pas de réponse")]
    if stuck:
        return "pas encore", FIRST.format(stuck[0])
    left = source.raise_lines(work.text)
    for section in NUMBERED[number].sections:
        played = ask(work, {"task": "play", "number": number, "section": section, "skipped": []})
        if stopped_at(played) == number:
            return "pas encore", f"c'est juste, mais le raise est encore là, ligne {left[number]}"
        reason = "" if stopped_at(played) else problem(work, played, number)
        if reason:
            return "pas encore", f"c'est juste, mais la section {section} ne va pas au bout : {reason}"
    work.states[number] = "bien"
    return "bien", ""


def broken(work):
    """Ce qui empêche de charger le script, ou ""."""
    try:
        compile(work.text, f"{work.script}.py", "exec")
    except (SyntaxError, ValueError) as error:
        lines = [error.lineno] if getattr(error, "lineno", None) else []
        seen = {"kind": type(error).__name__, "message": str(error), "lines": lines}
        return erreurs.sentence(seen, work.script)
    return problem(work, ask(work, {"task": "import", "skipped": []}), 0)


def check_script(script, folder=None, prefix=()):
    """Juge un script : rend une ligne par chose à écrire, et combien sont bien."""
    path, lines = (folder or FOLDER) / f"{script}.py", []
    try:
        work = Work(script, source.read(path), [], {}, folder, prefix)
        fault = broken(work)
    except OSError:
        work, fault = Work(script, "", [], {}), f"{script}.py n'est pas dans ce dossier"
    except (SyntaxError, UnicodeError) as error:
        work, fault = Work(script, "", [], {}), f"{script}.py ne se lit pas : enregistrez-le en UTF-8 ({error})"
    numbers = [number for number, blank in NUMBERED.items() if blank.script == script]
    first = {} if fault else {number: observed(work, number) for number in numbers}
    for number in numbers:
        word, reason = ("pas encore", fault) if fault else verdict(work, number, first[number])
        if fault:
            fault = "même raison"
        line = source.find_line(work.text, number, NUMBERED[number])
        lines.append(f"[{word}] {script}.py ligne {line}, {title(number)}" + (f" : {reason}" if reason else ""))
    for child in work.children:
        dialogue.stop(child)
    return lines, sum(line.startswith("[bien]") for line in lines)


def show_hint(word):
    """Affiche un indice : « 4 », « 4.2 » ou « 4.3 » ; rend l'état."""
    number, _, level = word.partition(".")
    level = level or "1"
    if not (number.isdecimal() and int(number) in NUMBERED and level in ("1", "2", "3")):
        print(f"verifier.py : il faut un numéro de 1 à {len(BLANKS)}, pas {word!r:.40}", file=sys.stderr)
        return 2
    print(f"{NUMBERED[int(number)].script}.py, {title(int(number))}")
    for line in NUMBERED[int(number)].hints[int(level) - 1].split(" / "):
        print(f"  {line}")
    if level != "3":
        print(f"Encore un indice : python verifier.py --indice {number}.{int(level) + 1}")
    return 0


def main():
    """Rend l'état : 0 si tout est bien, 1 sinon, 2 pour une demande qu'on ne comprend pas."""
    words = " ".join(sys.argv[1:]).replace("--indice=", "--indice ").split()
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    if words[:1] == ["--indice"] and len(words) == 2:
        return show_hint(words[1])
    scripts = [Path(word.lower().replace("\\", "/")).name.removesuffix(".py") for word in words] or SCRIPTS
    if words in (["-h"], ["--help"]):
        print(__doc__)
        return 0
    if not set(scripts) <= set(SCRIPTS):
        print(f"verifier.py : il faut un script parmi {', '.join(SCRIPTS)}, ou --indice 4", file=sys.stderr)
        return 2
    if sys.stdout.isatty() or "ipykernel" in sys.modules:
        print("Je joue vos sections : une vingtaine de secondes pour tout.", flush=True)
    total = 0
    pool = ThreadPoolExecutor(min(2, os.cpu_count() or 1))
    try:
        for lines, n_good in pool.map(check_script, scripts):
            print("\n".join(lines), flush=True)
            total += n_good
    except KeyboardInterrupt:
        print("Interrompu.", file=sys.stderr)
        return 130
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for child in list(dialogue.running):
            dialogue.stop(child)
    wanted = sum(blank.script in scripts for blank in BLANKS)
    print(f"{total} sur {wanted}")
    return 0 if total == wanted else 1


if __name__ == "__main__":
    status = main()
    if status and "ipykernel" not in sys.modules:
        sys.exit(status)
