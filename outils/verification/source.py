"""Le texte d'un script d'élève, lu sans l'exécuter : où sont les choses à écrire, et ce qui reste du `raise`."""

import ast
import re
import tokenize


def read(path):
    """Le texte d'un script, comme Python le lit."""
    with tokenize.open(path) as file:
        return file.read()


def raised_number(statement):
    """Le numéro d'un `raise NotImplementedError("À vous n° 4 : ...")` ; None pour une autre instruction."""
    call = getattr(statement, "exc", None)
    if isinstance(call, ast.Call) and call.args and isinstance(call.args[0], ast.Constant):
        found = re.match(r"À vous n° (\d+)", str(call.args[0].value))
        return int(found[1]) if found and "NotImplementedError" in ast.unparse(call.func) else None
    return None


def raise_lines(text):
    """{numéro: ligne} des `raise` qui restent."""
    nodes = ast.walk(ast.parse(text))
    return {raised_number(node): node.lineno for node in nodes if isinstance(node, ast.Raise) and raised_number(node)}


def comment_lines(text, blanks):
    """{numéro: ligne} des commentaires qui annoncent une chose à écrire, dans la version élève ou dans le corrigé."""
    found = {}
    for line, content in enumerate(text.splitlines(), start=1):
        for number, blank in blanks.items():
            marks = f"# À VOUS n° {number} (", f"# CORRIGÉ : {blank.consigne}"
            if content.strip().startswith(marks):
                found.setdefault(number, line)
    return found


def find_line(text, number, blank):
    """La ligne d'une chose à écrire : son `raise`, sinon son commentaire, sinon la fonction où elle était."""
    try:
        lines = raise_lines(text)
    except SyntaxError:
        lines = {}
    lines = comment_lines(text, {number: blank}) | lines
    if number in lines:
        return lines[number]
    starts = [f"def {blank.function}(", f"class {blank.function}(", f"class {blank.function}:"]
    for line, content in enumerate(text.splitlines(), start=1):
        if content.startswith(tuple(starts)):
            return line
    return 1


def defines(text, name):
    """Vrai si le fichier définit une fonction ou une classe de ce nom."""
    return any(isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name == name for node in ast.parse(text).body)


def blank_at(text, line, blanks):
    """Le numéro de la chose à écrire qui occupe une ligne : de son commentaire à la fin de son bloc ; ou None."""
    lines = text.splitlines()
    for number, first in comment_lines(text, blanks).items():
        width = len(lines[first - 1]) - len(lines[first - 1].lstrip())
        inside = [content for content in lines[first - 1 : line] if content.strip()]
        if first <= line and all(len(content) - len(content.lstrip()) >= width for content in inside):
            later = [other for other in comment_lines(text, blanks).values() if first < other <= line]
            if not later:
                return number
    return None
