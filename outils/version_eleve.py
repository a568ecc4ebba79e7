"""Écrit la version élève du TP : les mêmes scripts, avec ce que l'énoncé demande laissé à écrire.

  python outils/version_eleve.py DOSSIER        DOSSIER ne doit pas exister, ou être vide

Dans chaque script, ce qui est entre « # CORRIGÉ : consigne » et « # FIN DU CORRIGÉ » devient une ligne qui
s'arrête sur la consigne, et ce qui suit « # Réponse » dans une section devient « À vous de répondre. ». Le dossier
reçoit aussi requirements.txt, verifier.py, questions.md et, du README, les parties qui servent aux élèves.
"""

import ast
import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
SCRIPTS = ["exercice1", "relu_plot", "exercice2", "exercice3", "exercice3_nonlinear"]  # dans l'ordre de l'énoncé
REGION = re.compile(r"^( *)# CORRIGÉ : (.+?)(?: \| .+)?\n(?:.*\n)*?\1# FIN DU CORRIGÉ\n", re.MULTILINE)
FOR_STUDENTS = ["Commencer", "Les options", "Où vont les figures", "En cas d'ennui"]  # les parties du README
INTRODUCTION = "Les questions sont dans questions.md ; les réponses sont à vous, même avec `--corrige`."
HEAD = """# Questions du TP

Installez d'abord ce que dit README.md. Lancez un script avec `python exercice1.py` (ou une seule section :
`--section 2.2.2-perte`), fermez chaque figure pour voir la suite, et répondez ici. Ce qui reste à écrire dans les
scripts est annoncé par « À vous » ; après chaque changement, `python verifier.py` dit ce qui est bien, et ce qui ne
l'est pas encore.

## À écrire
"""


def sections_of(tree):
    """Les fonctions du registre SECTIONS, dans son ordre : {identifiant: fonction}."""
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    assigned = {node.targets[0].id: node.value for node in tree.body if isinstance(node, ast.Assign)}
    registry = assigned["SECTIONS"]
    return {key.value: functions[value.id] for key, value in zip(registry.keys, registry.values)}


def talks(statement):
    """Vrai si l'instruction montre ou affiche quelque chose."""
    names = [node.func.id for node in ast.walk(statement) if isinstance(node, ast.Call) and hasattr(node.func, "id")]
    return "show" in names or "print" in names


def without_answers(text):
    """Remplace la réponse de chaque section : ce qui y suit la ligne « # Réponse ».

    Sans cette ligne (un script ancien), c'est ce qui suit la dernière figure ou le dernier affichage. Une réponse
    longue a sa fonction, en `_answer` : elle s'en va avec.
    """
    tree, lines = ast.parse(text), text.splitlines(keepends=True)
    for function in reversed([node for node in tree.body if isinstance(node, ast.FunctionDef)]):
        first, last = function.lineno - 1, function.end_lineno
        if function.name.endswith("_answer"):
            del lines[first : last + 2]  # avec les deux lignes vides qui suivent
        elif function.name.startswith("section_"):
            if "    # Réponse\n" in lines[first:last]:
                shown = lines.index("    # Réponse\n", first, last)
            else:
                shown = max(statement.end_lineno for statement in function.body[:-1] if talks(statement))
            lines[shown:last] = ['    return "À vous de répondre."\n']
    return "".join(lines)


def with_blanks(text):
    """Remplace chaque région du corrigé par une ligne qui s'arrête sur sa consigne.

    Le texte commence par « À vous » là où le lancement le reconnaît ainsi ; ailleurs (un script ancien), il l'ajoute.
    """
    prefix = "À vous : " if "LIMITS = {" in text else ""
    return REGION.sub(rf'\1raise NotImplementedError("{prefix}\2")\n', text)


def questions(texts):
    """Le fichier des questions : ce qui est à écrire, puis chaque section et une place pour y répondre."""
    lines = [HEAD]
    for script, text in texts.items():
        lines += [f"- `{script}.py` : {consigne}" for _, consigne in REGION.findall(text)]
    for script, text in texts.items():
        lines += ["", f"## {script}.py"]
        for name, function in sections_of(ast.parse(text)).items():
            title, _, guide = ast.get_docstring(function).partition("\n")
            asked = [line for line in guide.splitlines() if line.startswith(("Question :", "Travail à faire :"))]
            lines += ["", f"### {name} : {title}", "", *asked, "", "Réponse :", "", ""]
    return "\n".join(lines)


def short_readme(text):
    """Le titre du README et celles de ses parties qui servent aux élèves."""
    title, *parts = re.split(r"^## ", text, flags=re.MULTILINE)
    kept = [f"## {part}" for part in parts if part.splitlines()[0] in FOR_STUDENTS]
    return "\n\n".join([title.splitlines()[0], INTRODUCTION, "".join(kept)])


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__)
        return 0 if sys.argv[1:] in (["-h"], ["--help"]) else 2
    folder = Path(sys.argv[1])
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        print(f"version_eleve.py : {str(folder)!r} existe et n'est pas un dossier vide", file=sys.stderr)
        return 2
    folder.mkdir(parents=True, exist_ok=True)
    texts = {script: (ROOT / f"{script}.py").read_text(encoding="utf-8") for script in SCRIPTS}
    for script, text in texts.items():
        (folder / f"{script}.py").write_text(with_blanks(without_answers(text)), encoding="utf-8", newline="\n")
    (folder / "questions.md").write_text(questions(texts), encoding="utf-8", newline="\n")
    readme = short_readme((ROOT / "README.md").read_text(encoding="utf-8"))
    (folder / "README.md").write_text(readme, encoding="utf-8", newline="\n")
    shutil.copy(ROOT / "requirements.txt", folder)
    shutil.copy(ROOT / "outils" / "verifier.py", folder)
    print(f"Version élève dans {folder} ; vérifiez-la avec : python verifier.py")
    return 0


if __name__ == "__main__":
    sys.exit(main())
