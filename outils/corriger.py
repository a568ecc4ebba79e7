"""Juge d'un coup tous les rendus d'une classe : un tableau, les réponses côte à côte, le détail de chacun.

  python outils/corriger.py RENDUS SORTIE

RENDUS contient un dossier ou un zip par élève. SORTIE reçoit notes.csv, reponses.html et details/. La même commande
reprend où elle s'était arrêtée. Il n'y a pas de note : c'est à vous de la donner. Ce qui protège votre machine des
scripts des élèves, et ce qui ne la protège pas, est dans outils/README.md.
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import verifier
from correction import isolation, rendus, tableaux
from verification import BLANKS, dialogue, erreurs

try:
    from tqdm import tqdm
except ImportError:
    sys.exit("corriger.py : il manque tqdm ; pip install -r outils/requirements.txt")

ROOT = Path(__file__).resolve().parent.parent
UNPROTECTED = (
    "un script d'élève peut lire et effacer vos fichiers, voir les autres rendus, écrire partout et se servir du réseau"
)
interrupted = threading.Event()


def refuse(message):
    """Dit en une phrase ce qui ne va pas, et s'arrête avec l'état 2."""
    print(f"corriger.py : {message}", file=sys.stderr)
    sys.exit(2)


def read_options():
    """Lit la ligne de commande."""
    parser = argparse.ArgumentParser(usage=argparse.SUPPRESS, description=__doc__, add_help=False, allow_abbrev=False)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.error = lambda message: refuse("demande mal comprise ; --help dit comment faire")
    option = parser.add_argument_group("options").add_argument
    parser.add_argument("rendus", nargs="?", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("sortie", nargs="?", type=Path, help=argparse.SUPPRESS)
    option("-h", "--help", action="store_true", help="affiche cette aide")
    option("--figures", action="store_true", help="enregistre aussi les figures de chaque élève, dans SORTIE/figures")
    option("--refaire", action="append", default=[], metavar="NOM", help="juge de nouveau cet élève ; se répète")
    option("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="N scripts à la fois (un par cœur)")
    option("--sans-isolation", action="store_true", help="joue les scripts sans bwrap, donc sans protection")
    options = parser.parse_args()
    if options.help:
        parser.print_help()
        sys.exit(0)
    if not options.sortie:
        refuse("il faut deux dossiers, RENDUS et SORTIE ; --help en dit plus")
    options.rendus, options.sortie = options.rendus.resolve(), options.sortie.resolve()
    if not options.rendus.is_dir():
        refuse(f"{str(options.rendus)!r:.100} n'est pas un dossier")
    if options.sortie.is_relative_to(options.rendus):
        refuse("SORTIE est dans RENDUS : choisissez un autre dossier")
    if options.jobs < 1:
        refuse("--jobs : il faut un entier d'au moins 1")
    return options


def only_one(word, students):
    """L'élève que désigne un mot : son nom, ou un morceau qu'il est seul à contenir."""
    found = [name for name in students if word.casefold() in name.casefold()]
    found = [word] if word in students else found
    if len(found) != 1:
        refuse(f"--refaire {word!r:.60} désigne {len(found)} élèves : il en faut un seul")
    return found[0]


# --- Juger --------------------------------------------------------------------------------------------
def choose_isolation(options, folder):
    """Une fonction qui donne, pour un dossier, ce qui précède ses commandes ; dit ce qui n'est pas protégé."""
    hidden, cached = [options.rendus, options.sortie, ROOT], isolation.fonts()
    trouble = isolation.trouble(isolation.isolated(folder, hidden, cached))
    if not trouble and not options.sans_isolation:
        return lambda own: isolation.isolated(own, hidden, cached)
    print("Sans isolation" + (f", car bwrap ne marche pas ici ({trouble})" if trouble else "") + f" : {UNPROTECTED}.")
    if not options.sans_isolation:
        refuse("pour continuer ainsi, ajoutez --sans-isolation ; sinon, outils/README.md dit comment installer bwrap")
    isolation.adopt()
    return lambda own: isolation.limited()


def judge(script, folder, prefix):
    """Ce que dit le vérificateur d'un script, une ligne par chose à écrire, quoi que le script tente."""
    path, trouble = folder / f"{script}.py", "Python s'arrête net en le lisant"
    try:
        if not path.exists() or not isolation.crashes(path, prefix):
            return verifier.check_script(script, folder, prefix)[0]
    except Exception as error:  # un texte fait pour tromper le vérificateur
        trouble = f"ce script ne peut pas être jugé ({type(error).__name__})"
    finally:
        stop_children(folder, script)
    numbers = [number for number, blank in verifier.NUMBERED.items() if blank.script == script]
    return [f"[pas encore] {script}.py, {verifier.title(number)} : {trouble}" for number in numbers]


def stop_children(*words):
    """Arrête les enfants dont la commande contient ces mots ; tous, sans mot."""
    for child in list(dialogue.running):
        if {str(word) for word in words} <= set(child.process.args):
            dialogue.stop(child)


def correct(student, path, options, work, prefix_of, stopped):
    """Juge un rendu, et l'enregistre dans SORTIE : ses figures, ses détails, puis ce qu'en disent les tableaux."""
    files, remarks = rendus.read(path)
    folder = Path(tempfile.mkdtemp(dir=work))
    try:
        for name, raw in files.items():
            if name.endswith(".py"):
                (folder / name).write_bytes(raw)
        prefix = prefix_of(folder)
        lines = [tableaux.flat(line) for script in verifier.SCRIPTS for line in judge(script, folder, prefix)]
        if options.figures:
            page = tableaux.figures_page(student, figures(folder, prefix))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for script in verifier.SCRIPTS:
        reason = stopped.get((str(folder), script))
        remarks += [f"{script}.py arrêté : {reason}"] * bool(reason)
    sections, notes = rendus.questions(), [files[name] for name in ("questions.md", "tp.md") if name in files]
    found = [rendus.answers(rendus.text_of(raw), sections) for raw in notes]
    if not any(found):
        remarks.append("aucune réponse écrite")
    answers = {name: list(dict.fromkeys(each[name] for each in found if name in each)) for name in sections}
    words = [line[1:].partition("]")[0] for line in lines]
    state = {"student": student, "words": words, "lines": lines, "remarks": remarks, "answers": answers}
    if not interrupted.is_set():
        if options.figures:
            tableaux.write(options.sortie / "figures" / f"{student}.html", page)
        tableaux.write(options.sortie / "details" / f"{student}.txt", tableaux.details(state))
        tableaux.write(options.sortie / "etat" / f"{student}.json", json.dumps(state))


def figures(folder, prefix):
    """Les figures d'un élève : pour chaque section, son titre, ses images et ce qui a empêché d'en faire."""
    shown, children = [], {}
    for name, (script, title, _) in rendus.questions().items():
        if not (folder / f"{script}.py").exists():
            continue
        reply = {}
        if script not in children:
            children[script] = dialogue.start(folder, script, prefix, "correction.planche")
            reply = dialogue.ask(children[script], {"task": "import", "skipped": []}, verifier.IMPORT_SECONDS)
        if "end" not in reply:
            reply = dialogue.ask(children[script], {"task": "play", "number": 1, "section": name, "skipped": []}, 60)
        if "end" in reply:
            children.pop(script)  # il est arrêté : un autre répondra pour la suite
        shown.append((f"{name} : {title}", *seen_figures(reply, script)))
    stop_children(folder)
    return shown


def seen_figures(reply, script):
    """Les images d'une réponse de l'enfant, et pourquoi il n'y en a pas ; d'une réponse inventée, rien."""
    try:
        if "error" in reply:
            return [], erreurs.sentence(reply["error"], script)
        images = [image for image in reply.get("seen", {}).get("images", []) if re.fullmatch("[A-Za-z0-9+/=]*", image)]
        return images[:6], str(reply.get("end", ""))
    except (TypeError, KeyError, AttributeError):
        return [], "réponse illisible"


# --- Le corrigé ---------------------------------------------------------------------------------------
def own_answers(script, folder):
    """Les réponses d'un script du projet, telles qu'il les affiche : {section: réponse}."""
    command = [sys.executable, str(ROOT / f"{script}.py"), "--corrige", "--figures", str(folder)]
    settings = {**os.environ, **dialogue.SETTINGS, "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(command, cwd=folder, env=settings, capture_output=True, encoding="utf-8")
    parts = re.split(r"^=== (\S+) : ", done.stdout, flags=re.MULTILINE)[1:]
    found = {}
    for name, text in zip(parts[::2], parts[1::2]):
        answer = re.search(r"^Réponse : (.*?)(?=^Figure : |\n\n|\Z)", text, re.MULTILINE | re.DOTALL)
        found[name] = " ".join(answer[1].split()) if answer else "pas de réponse"
    return found


def write_own_answers(path, work):
    """Joue les scripts du projet et garde leurs réponses."""
    answers = {}
    for script in verifier.SCRIPTS:
        answers |= {} if interrupted.is_set() else own_answers(script, work)
    if not interrupted.is_set():
        tableaux.write(path, json.dumps(answers))


def check_solution(pool, folder, prefix_of):
    """Juge le corrigé comme un rendu : s'il n'est pas entièrement bien, aucun rendu ne peut être jugé."""
    for script in verifier.SCRIPTS:
        shutil.copy(ROOT / f"{script}.py", folder)
    prefix = prefix_of(folder)
    lines = sum(pool.map(lambda script: judge(script, folder, prefix), verifier.SCRIPTS), [])
    wrong = [line for line in lines if not line.startswith("[bien]")]
    if wrong:
        print("\n".join(wrong))
        refuse("le corrigé du projet n'est pas jugé entièrement bien ici : aucun rendu n'a été jugé")


# --- Le lot -------------------------------------------------------------------------------------------
def saved(options, student):
    """Ce qui a été enregistré d'un élève ; None s'il est à juger."""
    if options.figures and not (options.sortie / "figures" / f"{student}.html").exists():
        return None
    with contextlib.suppress(OSError, ValueError):
        state = json.loads((options.sortie / "etat" / f"{student}.json").read_text(encoding="utf-8"))
        return state if len(state["words"]) == len(BLANKS) else None  # le TP a changé depuis
    return None


def write_tables(options, students):
    """Refait notes.csv et reponses.html de tout ce qui est enregistré ; rend la phrase qui dit pourquoi, sinon."""
    states = [state for state in (saved(options, student) for student in students) if state]
    own, path = {}, options.sortie / "corrige.json"
    if path.exists():
        own = json.loads(path.read_text(encoding="utf-8"))
    try:
        tableaux.write(options.sortie / "notes.csv", tableaux.notes(states, BLANKS), "utf-8-sig")
        page = tableaux.answers_page(states, rendus.questions(), own)
        tableaux.write(options.sortie / "reponses.html", page)
    except OSError as error:
        name = Path(error.filename or "notes.csv").name.removesuffix(".tmp")
        return f"{name} n'a pas pu être écrit : est-il ouvert ailleurs ?"
    return ""


def correct_all(options, students, todo, work):
    """Juge ceux qui restent, plusieurs à la fois, et refait les tableaux après chacun ; rend les ennuis."""
    solution = Path(tempfile.mkdtemp(dir=work))
    prefix_of = choose_isolation(options, solution)
    over, stopped, troubles = threading.Event(), {}, []
    threading.Thread(target=isolation.guard, args=[over, stopped], daemon=True).start()
    pool = ThreadPoolExecutor(options.jobs)  # ses fils durent jusqu'à la fin : bwrap meurt avec celui qui l'a lancé
    check_solution(pool, solution, prefix_of)
    waited = {pool.submit(correct, name, students[name], options, work, prefix_of, stopped): name for name in todo}
    if not (options.sortie / "corrige.json").exists():
        waited[pool.submit(write_own_answers, options.sortie / "corrige.json", work)] = "le corrigé"
    for future in tqdm(as_completed(waited), total=len(waited), unit="rendu", disable=None):
        if future.exception():
            troubles.append(f"{waited[future]} : {type(future.exception()).__name__}, {future.exception()}")
        write_tables(options, students)
    over.set()
    return troubles


def main():
    """Rend l'état : 0 si tous les rendus sont jugés, 1 sinon, 2 pour une demande qu'on ne comprend pas."""
    options = read_options()
    students, ignored = rendus.students(options.rendus)
    if not students:
        refuse("RENDUS ne contient ni dossier ni zip")
    try:
        for folder in ("etat", "details", *["figures"] * options.figures):
            (options.sortie / folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        refuse(f"SORTIE ne peut pas être écrit ({error.strerror})")
    for word in options.refaire:
        (options.sortie / "etat" / f"{only_one(word, students)}.json").unlink(missing_ok=True)
    todo = [student for student in students if not saved(options, student)]
    print(f"Rendus : {len(students)}, déjà jugés : {len(students) - len(todo)}.", flush=True)
    if ignored:
        print(f"Ni dossier ni zip, laissés de côté : {', '.join(ignored)}")
    troubles, work = [], tempfile.mkdtemp(prefix="corriger-")
    try:
        if todo:
            troubles = correct_all(options, students, todo, work)
    except KeyboardInterrupt:
        interrupted.set()
        stop_children()
        isolation.kill(isolation.descendants(os.getpid()))
        shutil.rmtree(work, ignore_errors=True)
        print("Interrompu : la même commande reprendra où elle en était.", file=sys.stderr, flush=True)
        os._exit(130)  # sans attendre les fils
    finally:
        shutil.rmtree(work, ignore_errors=True)
        isolation.kill(isolation.descendants(os.getpid()))
    troubles += [trouble for trouble in [write_tables(options, students)] if trouble]
    print("\n".join([*troubles, f"notes.csv, reponses.html et details/ sont dans {options.sortie}"]))
    return 1 if troubles else 0


if __name__ == "__main__":
    sys.exit(main())
