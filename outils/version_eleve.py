"""Écrit la version élève du TP : les mêmes scripts, avec ce que l'énoncé demande laissé à écrire.

  python outils/version_eleve.py DOSSIER        DOSSIER ne doit pas exister, ou être vide

Dans chaque script, ce qui est entre « # CORRIGÉ : consigne | ce qu'on a » et « # FIN DU CORRIGÉ » devient deux lignes
de commentaire et un `raise` qui dit la consigne ; ce qui suit « # Réponse » dans une section devient « À vous de
répondre. ». Le dossier reçoit aussi questions.md, tp.ipynb, requirements.txt, le vérificateur et, du README, les
parties qui servent aux élèves. Il est écrit à côté, puis renommé : il est entier, ou n'est pas là.
"""

import ast
import json
import re
import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path

from verification import BLANKS

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
SCRIPTS = ["exercice1", "relu_plot", "exercice2", "exercice3", "exercice3_nonlinear"]  # dans l'ordre de l'énoncé
REGION = re.compile(r"^( *)# CORRIGÉ : (.+?)(?: \| (.+))?\n(?:.*\n)*?\1# FIN DU CORRIGÉ\n", re.MULTILINE)
FOR_STUDENTS = [
    "Commencer",
    "Modifier les scripts",
    "Les options",
    "Où vont les figures",
    "En cas d'ennui",
]  # les parties du README
INTRODUCTION = "Les questions sont dans questions.md ; les réponses sont à vous, même avec `--corrige`."
ANSWER = '    return "À vous de répondre."\n'
HEAD = """# Questions du TP

Installez d'abord ce que dit README.md. Ouvrez un script et lisez d'abord la partie « La leçon » : le reste du
fichier suit l'énoncé, un numéro après l'autre. Lancez-le avec `python exercice1.py`, ou une seule section avec
`--section 2.2.2-perte`, fermez chaque figure pour voir la suite, et répondez ici.

Ce qui est à écrire est annoncé dans le script par « À VOUS n° 1 », et les suivants. Après chaque changement,
`python verifier.py` dit ce qui est bien, et ce qui ne l'est pas encore ; `python verifier.py --indice 1` donne un
indice.

## Ce que demande l'énoncé, et où c'est dans le code

Cherchez la fonction par son nom : les numéros de ligne changent dès qu'on écrit.

| énoncé | où | à écrire |
| --- | --- | --- |
"""
GLOSSARY = """
## Dix mots

- **perte** : un nombre qui dit combien les sorties sont loin des cibles ; apprendre, c'est la faire baisser.
- **poids, biais** : les nombres que le réseau apprend ; le biais s'ajoute, il n'a pas d'entrée à multiplier.
- **gradient** : dans quel sens, et à quelle vitesse, la perte monte quand on change chaque paramètre.
- **taux d'apprentissage** : la longueur d'un pas contre le gradient ; trop grand, la perte explose.
- **itération** : un tour de la boucle, donc un pas.
- **mini-batch** : un petit groupe d'observations tirées au hasard, sur lequel on calcule un pas.
- **époque** : un passage sur toutes les observations.
- **activation** : la fonction appliquée à la somme d'un neurone ; sans elle, un réseau ne fait que des droites.
- **tenseur** : le tableau de PyTorch, qui peut garder la mémoire des calculs pour en donner le gradient.
- **optimiseur** : la façon de faire un pas : SGD, la descente de gradient, ou une autre.
"""


# --- Les scripts --------------------------------------------------------------------------------------
def functions_of(tree):
    """Les fonctions du fichier, hors des classes : {nom: fonction}."""
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


def sections_of(tree):
    """Les fonctions du registre SECTIONS, dans son ordre : {identifiant: fonction}."""
    functions = functions_of(tree)
    assigned = {node.targets[0].id: node.value for node in tree.body if isinstance(node, ast.Assign)}
    registry = assigned["SECTIONS"]
    return {key.value: functions[value.id] for key, value in zip(registry.keys, registry.values)}


def without_answers(text):
    """Remplace ce qui suit la ligne « # Réponse » de chaque section, puis retire ce qui ne servait qu'à elles."""
    lines = text.splitlines(keepends=True)
    for function in reversed(functions_of(ast.parse(text)).values()):
        if "    # Réponse\n" in lines[function.lineno : function.end_lineno]:
            lines[lines.index("    # Réponse\n", function.lineno) + 1 : function.end_lineno] = [ANSWER]
    before = unused(ast.parse(text))
    while True:  # l'une retirée, une autre peut ne plus servir
        tree = ast.parse("".join(lines))
        gone = unused(tree) - before
        if not gone:
            return "".join(lines)
        for name, function in reversed(functions_of(tree).items()):
            if name in gone:
                del lines[function.lineno - 1 : function.end_lineno + 2]  # avec les deux lignes vides qui suivent


def unused(tree):
    """Les fonctions du fichier que rien n'y appelle."""
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return {name for name in functions_of(tree) if name not in used}


def number_of(script, consigne):
    """Le numéro d'une chose à écrire, d'après la table ; une consigne qui n'y est pas est une erreur."""
    return [(blank.script, blank.consigne) for blank in BLANKS].index((script, consigne)) + 1


def with_blanks(script, text):
    """Remplace chaque région du corrigé par sa consigne."""

    def blank(match):
        indent, consigne, names = match.groups()
        number = number_of(script, consigne)
        given = f"vous avez : {names} ; " if names else ""
        return (
            f"{indent}# À VOUS n° {number} ({BLANKS[number - 1].part}), à la place du raise : {consigne}\n"
            f"{indent}# {given}un indice : python verifier.py --indice {number}\n"
            f'{indent}raise NotImplementedError("À vous n° {number} : {consigne}")\n'
        )

    return REGION.sub(blank, text)


# --- Les questions et le carnet -----------------------------------------------------------------------
def asked(function):
    """Le titre d'une section, et ce qu'elle demande."""
    title, _, guide = ast.get_docstring(function).partition("\n")
    return title, [line for line in guide.splitlines() if line.startswith(("Question :", "Travail à faire :"))]


def questions(texts):
    """Le fichier des questions : où est quoi, dix mots, puis chaque section et une place pour y répondre."""
    rows, parts = [], []
    for script, text in texts.items():
        parts += ["", f"## {script}.py"]
        for name, function in sections_of(ast.parse(text)).items():
            title, demands = asked(function)
            blanks = [k for k, b in enumerate(BLANKS, start=1) if b.script == script and b.sections[0] == name]
            places = [f"n° {k}, dans `{BLANKS[k - 1].function}`" for k in blanks]
            rows.append(f"| {name} : {title} | `{script}.py`, `{function.name}` | {' ; '.join(places)} |")
            parts += ["", f"### {name} : {title}", "", *demands, ""]
            parts += ["Votre pari avant de lancer :", "", "Réponse :", "", ""]
    return HEAD + "\n".join(rows) + "\n" + GLOSSARY + "\n".join(parts)


CHECK = """# Ce qu'il faut pour le TP : rien n'est installé si tout y est déjà.
import importlib.util
import subprocess
import sys

needed = {needed}
missing = [wanted for name, wanted in needed.items() if importlib.util.find_spec(name) is None]
if missing:
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", *missing], check=True)
print("Installé : " + ", ".join(missing) if missing else "Tout est là.")"""
BOOK_HEAD = """# TP : les réseaux de neurones

Jouez les cellules dans l'ordre. Pour écrire dans un script, changez sa cellule, jouez-la de nouveau, puis la
section."""
SCRIPTS_HEAD = """## Les scripts

Dans chacun, lisez d'abord « La leçon » ; « À VOUS » annonce ce qui est à écrire."""


def cell(kind, text):
    """Une cellule de carnet, sans son identifiant."""
    made = {"cell_type": kind, "metadata": {}, "source": text.splitlines(keepends=True)}
    return {**made, "execution_count": None, "outputs": []} if kind == "code" else made


def notebook(texts, files):
    """Le carnet : les scripts, le vérificateur, puis chaque section avec sa question ; `files` : {nom: texte}."""
    names = {re.split("[<>=]", line)[0]: line for line in files["requirements.txt"].split()}
    names["sklearn"] = names.pop("scikit-learn")  # on l'importe sous un autre nom
    check = CHECK.replace("{needed}", json.dumps(names))
    cells = [cell("markdown", BOOK_HEAD), cell("code", check), cell("markdown", SCRIPTS_HEAD)]
    cells += [cell("code", f"%%writefile {script}.py\n{files[f'{script}.py']}") for script in texts]
    cells.append(cell("markdown", "## Le vérificateur\n\nRien à lire ici : c'est ce que lance `%run verifier.py`."))
    cells.append(cell("code", 'from pathlib import Path\n\nPath("verification").mkdir(exist_ok=True)'))
    others = [name for name in files if name == "verifier.py" or name.startswith("verification/")]
    cells += [cell("code", f"%%writefile {name}\n{files[name]}") for name in others]
    for script, text in texts.items():
        cells.append(cell("markdown", f"## {script}.py"))
        for name, function in sections_of(ast.parse(text)).items():
            title, demands = asked(function)
            cells.append(cell("markdown", "\n\n".join([f"### {name} : {title}", *demands, "Votre pari :"])))
            cells += [cell("code", f"%run {script}.py --section {name}"), cell("markdown", "Réponse :")]
        cells.append(cell("code", f"%run verifier.py {script}"))
    for k, each in enumerate(cells):
        each["id"] = f"cellule-{k}"
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    return json.dumps(
        {"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}, ensure_ascii=False, indent=1
    )


def short_readme(text):
    """Le titre du README et celles de ses parties qui servent aux élèves."""
    title, *parts = re.split(r"^## ", text, flags=re.MULTILINE)
    kept = [f"## {part}" for part in parts if part.splitlines()[0] in FOR_STUDENTS]
    answers = "affiche la réponse de chaque section, avec les nombres de cet essai"
    kept = "".join(kept).replace(answers, "rien de plus ici : les réponses sont à vous")
    return "\n\n".join([title.splitlines()[0], INTRODUCTION, kept])


# --- Le dossier ---------------------------------------------------------------------------------------
def student_files():
    """Tout ce que reçoit un élève : {nom: texte}."""
    texts = {script: (ROOT / f"{script}.py").read_text(encoding="utf-8") for script in SCRIPTS}
    files = {f"{script}.py": with_blanks(script, without_answers(text)) for script, text in texts.items()}
    checker = [path for path in (HERE / "verification").iterdir() if path.suffix in (".py", ".txt")]
    for path in [HERE / "verifier.py", *sorted(checker)]:
        files[path.relative_to(HERE).as_posix()] = path.read_text(encoding="utf-8")
    files["questions.md"] = questions(texts)
    files["README.md"] = short_readme((ROOT / "README.md").read_text(encoding="utf-8"))
    files["requirements.txt"] = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    files["tp.ipynb"] = notebook(texts, files)
    return files


def write_files(folder, files):
    """Écrit dans ce dossier {nom: texte}."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


def put_folder(folder, write):
    """Fait écrire le dossier à côté par `write`, puis le met à sa place d'un coup ; en cas d'ennui, rien n'a changé."""
    missing = folder  # le premier dossier du chemin qui n'existe pas encore
    while not missing.parent.exists():
        missing = missing.parent
    beside = Path(tempfile.mkdtemp(prefix=".tp-", dir=missing.parent))
    new, old = beside / "nouveau", beside / "ancien"
    try:
        write(new / folder.relative_to(missing.parent))
        if missing.exists():
            missing.rename(old)
        (new / missing.name).rename(missing)
    finally:
        if old.exists() and not missing.exists():
            old.rename(missing)
        shutil.rmtree(beside, ignore_errors=True)


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__)
        return 0 if sys.argv[1:] in (["-h"], ["--help"]) else 2
    try:
        folder, reason = Path(sys.argv[1]).resolve(), ""
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            reason = "existe et n'est pas un dossier vide"
        elif folder.is_relative_to(ROOT):
            reason = "est dans le projet : choisissez un dossier ailleurs"
        else:
            put_folder(folder, partial(write_files, files=student_files()))
    except OSError as error:
        reason = f"ne peut pas être écrit ({error.strerror or type(error).__name__})"
    if reason:
        print(f"version_eleve.py : {sys.argv[1]!r:.100} {reason}", file=sys.stderr)
        return 2
    print(f"Version élève dans {sys.argv[1]} ; vérifiez-la avec : python verifier.py")
    return 0


if __name__ == "__main__":
    sys.exit(main())
