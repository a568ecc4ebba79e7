"""La version élève : ce qui y est, ce qui n'y est plus, et qu'aucune réponse n'y reste ailleurs."""

import ast
import contextlib
import difflib
import os
import re
import subprocess
import sys
import textwrap
import tokenize

import nbformat
import pytest
from nbclient import NotebookClient

from commun import ROOT, SCRIPTS, blocks, environment, load, play

sys.path.insert(0, str(ROOT / "outils"))
import version_eleve as tool
from verification import BLANKS

TOOL = ROOT / "outils" / "version_eleve.py"
# De quoi aller vite là où un script s'entraîne longtemps.
OPTIONS = {"exercice2": ["--epochs", "3"], "exercice3": ["--epochs", "20"], "exercice3_nonlinear": ["--epochs", "30"]}


def launch(folder, *words):
    """Lance Python dans `folder` ; rend (état, sortie, erreurs)."""
    command = [sys.executable, "-W", "error", *words]
    done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, encoding="cp1252")
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def student(tmp_path_factory):
    """Un dossier élève tout neuf, au nom accentué et avec des espaces."""
    folder = tmp_path_factory.mktemp("élèves") / "mon dossier à moi"
    status, _, errors = launch(tmp_path_factory.getbasetemp(), TOOL, folder)
    assert (status, errors) == (0, "")
    return folder


@pytest.fixture(scope="module")
def originals():
    return {script: (ROOT / f"{script}.py").read_text(encoding="utf-8") for script in tool.SCRIPTS}


@pytest.fixture(scope="module")
def files():
    """Ce que l'outil écrit : {nom: texte}."""
    return tool.student_files()


def marks(originals):
    """Les marques des scripts, dans l'ordre des fichiers : (script, consigne, ce qu'on a, texte entier)."""
    return [(s, m[2], m[3], m[0]) for s, text in originals.items() for m in tool.REGION.finditer(text)]


# --- Ce qui est à écrire ------------------------------------------------------------------------------
def test_the_table_and_the_scripts_say_the_same(originals):
    """Une marque des scripts n'a pas sa ligne dans la table, ou pas la même consigne."""
    found = [(script, consigne) for script, consigne, _, _ in marks(originals)]
    assert sorted(found) == sorted((blank.script, blank.consigne) for blank in BLANKS) and len(set(found)) == len(found)
    scripts = [blank.script for blank in BLANKS]
    assert list(dict.fromkeys(scripts)) == tool.SCRIPTS and sorted(scripts, key=tool.SCRIPTS.index) == scripts
    assert set(tool.SCRIPTS) == set(SCRIPTS) and len(BLANKS) >= 14
    for script, text in originals.items():
        assert text.count("# CORRIGÉ :") == text.count("# FIN DU CORRIGÉ") == scripts.count(script) > 0


def test_the_orders_are_short_and_keep_the_words_other_tools_look_for(originals):
    """Une consigne déborde, ou un numéro perd ses indices ou sa section."""
    words = {
        "exercice1": ["tracez loss_history", "RATES", "trois entrées", "groupes", "groupe numéro k", "BATCH_SIZES"],
        "relu_plot": ["max(0, x)", "tracez ReLU"],
        "exercice2": ["forme de chaque matrice", "neurones", "activations", "moments"],
        "exercice3": ["loss_history la perte", "tracez la perte"],
        "exercice3_nonlinear": ["couche", "y_pred", "optimiseur", "loss_history la perte", "tracez la perte"],
    }
    for script, wanted in words.items():
        orders = [blank.consigne for blank in BLANKS if blank.script == script]
        assert all(any(word in order for order in orders) for word in wanted), script
    for blank in BLANKS:
        assert len(blank.consigne) <= 50 and len(blank.hints) == 3 and "____" in blank.hints[2], blank.consigne
        sections = load(blank.script).SECTIONS
        assert blank.sections and set(blank.sections) <= set(sections)
        assert all(name.startswith(blank.part) for name in blank.sections)
        assert re.search(rf"^(def|class) {blank.function}\b", (ROOT / f"{blank.script}.py").read_text("utf-8"), re.M)


@pytest.mark.parametrize("script", tool.SCRIPTS)
def test_a_blank_is_two_comments_and_a_raise(script, student, originals):
    """Un numéro à écrire n'a pas sa consigne, ou garde un bout du corrigé."""
    text = (student / f"{script}.py").read_text(encoding="utf-8")
    assert "CORRIGÉ" not in text
    for number, blank in enumerate(BLANKS, start=1):
        if blank.script == script:
            (names,) = [
                names for s, consigne, names, _ in marks(originals) if (s, consigne) == (script, blank.consigne)
            ]
            given = f"vous avez : {names} ; " if names else ""
            assert re.search(
                rf"\n( *)# À VOUS n° {number} \({blank.part}\), à la place du raise : {re.escape(blank.consigne)}\n"
                rf"\1# {re.escape(given)}un indice : python verifier\.py --indice {number}\n"
                rf'\1raise NotImplementedError\("À vous n° {number} : {re.escape(blank.consigne)}"\)\n',
                text,
            )
    raises = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Raise)]
    own = [node for node in ast.walk(ast.parse(originals[script])) if isinstance(node, ast.Raise)]
    assert len(raises) == len(own) + [blank.script for blank in BLANKS].count(script)


def put_back(text, original):
    """Remet chaque région du corrigé à la place de ce qui l'a remplacée."""
    for match in tool.REGION.finditer(original):
        blank = rf'^ *# À VOUS .*\n.*\n *raise NotImplementedError\("À vous n° \d+ : {re.escape(match[2])}"\)\n'
        text, count = re.subn(blank, lambda _, region=match[0]: region, text, flags=re.MULTILINE)
        assert count == 1
    return text


@pytest.mark.parametrize("script", tool.SCRIPTS)
def test_with_the_regions_back_only_the_answers_are_missing(script, student, originals):
    """La coupe à « # Réponse » enlève autre chose que les réponses."""
    original, text = originals[script], (student / f"{script}.py").read_text(encoding="utf-8")
    restored = put_back(text, original)
    changed = [line for line in difflib.ndiff(original.splitlines(), restored.splitlines()) if line[0] in "+-"]
    added = [line[2:] for line in changed if line[0] == "+"]
    assert set(added) == {'    return "À vous de répondre."'} and len(added) == len(load(script).SECTIONS)
    assert not any(re.search(r"print\(|show\(|\.plot\(", line) for line in changed), "rien qui affiche ou dessine"
    before, after = tool.functions_of(ast.parse(original)), tool.functions_of(ast.parse(restored))
    gone = set(before) - set(after)
    assert {name for name in before if name.endswith("_answer")} <= gone
    cut = "\n".join(line for line in original.splitlines())
    for name in gone:  # sans les réponses, plus rien ne l'appelle
        assert not re.search(rf"(?<!def )\b{name}\(", text), name
        assert f"def {name}(" in cut
    for name, function in after.items():
        if not name.startswith("section_"):
            assert ast.dump(function) == ast.dump(before[name]), name


def test_every_script_runs_and_tells_what_is_left_to_write(student, workers):
    """La version à compléter s'arrête au premier numéro, ou affiche une réponse."""
    pending = {}
    for script in tool.SCRIPTS:
        options = ["--corrige", "--figures", "figures", *OPTIONS.get(script, [])]
        pending[script] = workers.submit(play, student / f"{script}.py", *options)
    for script, future in pending.items():
        status, output, errors = future.result(timeout=600)
        assert (status, errors) == (0, ""), script
        left = re.findall(r"^À vous n° (\d+) : (.+) \((\w+)\.py, ligne (\d+)\)$", output, re.MULTILINE)
        for number, consigne, name, line in left:
            source = (student / f"{name}.py").read_text(encoding="utf-8").splitlines()
            assert f"À vous n° {number} : {consigne}" in source[int(line) - 1] and name == script
        assert left and len(left) + output.count("À vous de répondre.") == len(blocks(output)), script
        assert all(len(line) <= 100 for line in output.splitlines())
        assert set(re.findall(r"^Réponse : (.*)$", output, re.MULTILINE)) <= {"À vous de répondre."}


# --- Aucune réponse ailleurs --------------------------------------------------------------------------
STYLE = {"label", "linewidth", "color", "marker", "markerfacecolor", "markersize", "alpha", "zorder", "s"}


def fingerprints(node, found):
    """L'empreinte d'un arbre et sa taille ; `found` reçoit {empreinte: taille} de chacun de ses sous-arbres.

    Les noms locaux sont effacés, les mots de style retirés, les nombres gardés.
    """
    if isinstance(node, ast.Name):
        parts, total = ["Name", node.id if node.id in KEPT else "_"], 1
    elif isinstance(node, ast.arg):
        parts, total = ["arg"], 1
    elif isinstance(node, (ast.AST, list)):
        children = node
        if isinstance(node, ast.AST):
            children = [value for name, value in ast.iter_fields(node) if name not in ("ctx", "type_comment", "kind")]
        children = [each for each in children if not (isinstance(each, ast.keyword) and each.arg in STYLE)]
        pairs = [fingerprints(child, found) for child in children]
        parts, total = [type(node).__name__, *(part for part, _ in pairs)], 1 + sum(count for _, count in pairs)
    else:
        return repr(node), 0
    mark = hash(tuple(parts))
    if total > 3:
        found[mark] = total
    return mark, total


KEPT = {"np", "torch", "plt", "train", "compare", "relu", "print", "max", "rng"}  # les noms qui portent du sens


def is_plot(statement):
    """Vrai pour un simple tracé : les appels à plot, en général, ne sont pas une fuite."""
    call = getattr(statement, "value", None)
    return isinstance(call, ast.Call) and getattr(call.func, "attr", "") == "plot"


def code_in(text):
    """Les morceaux de code d'un fichier : lui-même, ses commentaires et ses textes, s'ils se lisent comme du code."""
    pieces = [text]
    if "\n" in text:
        readline = iter(text.splitlines(keepends=True)).__next__
        for token in tokenize.generate_tokens(readline):
            if token.type == tokenize.COMMENT:
                pieces.append(token.string.lstrip("# "))
            elif token.type == tokenize.STRING:
                pieces += [line.strip() for line in token.string.strip("rbfRBF\"'").splitlines()]
    return pieces


def pool_of(pieces):
    """{empreinte: taille} de tout ce qui se lit comme du code dans ces morceaux de texte."""
    found = {}
    for piece in pieces:
        with contextlib.suppress(SyntaxError, ValueError):
            fingerprints(ast.parse(piece), found)
    return found


def answers(originals):
    """{numéro: lignes de la réponse}."""
    found = {}
    for script, consigne, _, region in marks(originals):
        lines = [line.strip("\n") for line in region.splitlines()[1:-1]]
        width = min(len(line) - len(line.lstrip()) for line in lines if line.strip())
        found[tool.number_of(script, consigne)] = "\n".join(line[width:] for line in lines)
    return found


def shared(code, pool):
    """La part d'une réponse qu'un fichier contient : ses instructions entières, ou un morceau d'un seul tenant."""
    whole, largest, total = 0, 0, 0
    for statement in ast.parse(f"def f():\n{textwrap.indent(code, '    ')}").body[0].body:
        if not is_plot(statement):  # les appels à plot, en général, ne sont pas une fuite
            found = {}
            mark, count = fingerprints(statement, found)
            total += count
            whole += count if mark in pool else 0
            largest = max([largest, *(count for mark, count in found.items() if mark in pool)])
    return max(whole, largest) / total if total else 0


# Ce que l'énoncé écrit lui-même n'est pas une fuite.
HANDOUT = {
    (17, "verification/exercice3_nonlinear.py"): "optimizer = torch.optim.Adam(our_model.parameters(), lr = 0.03)"
}


def test_no_answer_stands_elsewhere_as_a_tree(originals, files):
    """Plus de 60 % d'une réponse se lit d'un seul tenant ailleurs : code, commentaire, texte ou .md."""
    leaks = {}
    for name, text in files.items():
        if not name.endswith(".ipynb"):
            pool = pool_of(
                code_in(text) if name.endswith(".py") else re.findall(r"`([^`]+)`", text) + text.splitlines()
            )
            for number, code in answers(originals).items():
                if shared(code, pool) >= 0.6 and (number, name) not in HANDOUT:
                    leaks[number, name] = round(shared(code, pool), 2)
    assert leaks == {}


def test_the_tree_search_sees_a_leak(originals):
    """La recherche ne voit plus une réponse recopiée sous d'autres noms, ou dans un commentaire."""
    codes = answers(originals)
    for number, code in codes.items():
        if not all(
            is_plot(statement) for statement in ast.parse(f"def f():\n{textwrap.indent(code, '    ')}").body[0].body
        ):
            copy = code.replace("rate", "taux").replace("weights", "w")
            assert shared(code, pool_of([f"def f():\n{textwrap.indent(copy, '    ')}"])) > 0.6, number
    assert shared(codes[4], pool_of(code_in("x = 1  # numbers = rng.integers(len(data), size=(n, k))\n"))) > 0.6


# Ce qu'un œil cherche : (numéros, motif, fichiers où l'énoncé ou la leçon l'exigent).
TOKENS = [
    ([1, 14, 19], r"plot\(loss_history", []),
    ([3], r"uniform\(-10, 10, size=\(N_OBSERVATIONS, 1\)|column_stack\(\(x1", []),
    ([4], r"integers\((?!fin|____)|rng\.choice|randint|permutation", []),
    ([5], r"(inputs|targets)\[groups", []),
    ([7], r"np\.maximum|np\.clip\(x|max\(0\.|x \* \(x > 0\)|\(x > 0\) \* x|where\(x > 0", []),
    ([8], r"plot\(x, relu", []),
    ([9], r"print\([^)]*\.shape", ["exercice1.py", "exercice2.py", "exercice3.py"]),
    ([10, 11, 12], r"compare\((ax|left|right), \"(?!____)", []),
    (
        [13, 18],
        r"append\((float\()?loss(\.item)?\b",
        ["exercice1.py"],
    ),  # l'étape (4) de l'énoncé, où loss est un nombre
    ([15, 20], r"Linear\(1, (HIDDEN|size|10)\)|Linear\((HIDDEN|size|10), 1\)", []),
    ([17], r"optim\.Adam\(our_model", []),
]


@pytest.mark.parametrize("numbers, pattern, allowed", TOKENS, ids=lambda value: str(value)[:20])
def test_no_answer_stands_elsewhere_as_words(numbers, pattern, allowed, originals, files):
    """Le corrigé d'un numéro se lit ailleurs dans le dossier de l'élève."""
    files = {name: text for name, text in files.items() if not name.endswith(".ipynb")}
    found = {name: re.search(pattern, text)[0] for name, text in files.items() if re.search(pattern, text)}
    assert {name: text for name, text in found.items() if name not in allowed} == {}
    code = answers(originals)
    assert all(re.search(pattern, code[number]) for number in numbers), "le motif reconnaît bien la réponse"


# --- Le dossier ---------------------------------------------------------------------------------------
def test_the_folder_is_complete_and_always_the_same(student, files):
    """Un fichier manque, est de trop, ou change d'une fois à l'autre."""
    assert list(student.parent.iterdir()) == [student], "rien à côté"
    names = {path.relative_to(student).as_posix() for path in student.rglob("*") if path.is_file()}
    names = {name for name in names if "__pycache__" not in name and not name.startswith("figures/")}
    checker = {f"verification/{path.name}" for path in (ROOT / "outils" / "verification").glob("*.*")}
    others = {"README.md", "requirements.txt", "verifier.py", "questions.md", "tp.ipynb"}
    assert names == {f"{script}.py" for script in SCRIPTS} | others | checker
    assert {name: (student / name).read_text(encoding="utf-8") for name in names} == files == tool.student_files()


def bad_places(folder):
    """Des destinations qu'il faut refuser : {nom: chemin}."""
    (folder / "fichier").touch()
    (folder / "plein").mkdir()
    (folder / "plein" / "note").touch()
    (folder / "fermé").mkdir(mode=0o500)
    return {
        "un fichier": folder / "fichier",
        "un dossier plein": folder / "plein",
        "sous un fichier": folder / "fichier" / "tp",
        "un chemin trop long": folder / ("x" * 300),
        "dans le projet": ROOT / "tp-eleve",
        "le projet": ROOT,
        "sans droit d'écrire": folder / "fermé" / "tp",
    }


PLACES = ["un fichier", "un dossier plein", "sous un fichier", "un chemin trop long", "dans le projet", "le projet"]


@pytest.mark.parametrize("name", PLACES)
def test_a_bad_place_is_refused_in_one_line(name, tmp_path):
    """Un dossier qui sert déjà est écrasé, ou refusé par un traceback."""
    check_refused(bad_places(tmp_path)[name], tmp_path)


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() == 0, reason="un administrateur écrit partout")
def test_a_closed_place_is_refused_in_one_line(tmp_path):
    """Un dossier où l'on n'a pas le droit d'écrire donne un traceback."""
    check_refused(bad_places(tmp_path)["sans droit d'écrire"], tmp_path)


def check_refused(place, folder):
    before = sorted(folder.rglob("*")), sorted(ROOT.iterdir())
    status, output, errors = launch(folder, TOOL, place)
    assert (status, output) == (2, "") and errors.count("\n") == 1, errors
    assert errors.startswith("version_eleve.py : ") and len(errors) < 220
    assert (sorted(folder.rglob("*")), sorted(ROOT.iterdir())) == before, "rien n'est écrit, même à moitié"


def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch, capsys):
    """Un disque plein laisse la moitié d'une version élève."""
    real, count = tool.Path.write_text, []

    def full(path, *args, **kwargs):
        count.append(path)
        if len(count) > 4:
            raise OSError(28, "No space left on device")
        return real(path, *args, **kwargs)

    monkeypatch.setattr(tool.Path, "write_text", full)
    monkeypatch.setattr(sys, "argv", ["version_eleve.py", str(tmp_path / "a" / "tp")])
    assert tool.main() == 2 and capsys.readouterr().err.count("\n") == 1
    assert len(count) == 5 and not list(tmp_path.iterdir())


def test_the_short_readme_has_what_a_student_needs(student):
    """L'élève n'a pas la commande d'installation, ou lit ce qui est pour l'enseignant."""
    text = (student / "README.md").read_text(encoding="utf-8")
    whole = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.findall("^## (.+)$", text, re.MULTILINE) == tool.FOR_STUDENTS
    set_up = [line for line in whole.splitlines() if "-r requirements.txt" in line]
    assert set(set_up) & set(text.splitlines())
    assert "les réponses sont à vous" in text and "questions.md" in text
    assert "docs/" not in text and "enseignant" not in text, "rien qui manque au dossier"


def test_questions_hold_every_section_and_every_blank(student, originals):
    """Une question ou un numéro manque à questions.md."""
    text = (student / "questions.md").read_text(encoding="utf-8")
    head = text.partition("\n### ")[0]
    for script in originals:
        for name, function in load(script).SECTIONS.items():
            title, asked = tool.asked(ast.parse(f"def f():\n    {function.__doc__!r}").body[0])
            assert f"### {name} : {title}\n" in text and asked and all(line in text for line in asked)
            assert f"| {name} : {title} | `{script}.py`, `{function.__name__}` |" in head
    for number, blank in enumerate(BLANKS, start=1):
        assert f"n° {number}, dans `{blank.function}`" in head
    assert "lisez d'abord la partie « La leçon »" in " ".join(head.split())
    assert len(re.findall(r"^- \*\*", head, re.MULTILINE)) == 10, "dix mots"
    sections = text.count("\n### ")
    assert text.count("Réponse :") == text.count("Votre pari avant de lancer :") == sections


# --- Le carnet ----------------------------------------------------------------------------------------
def test_the_notebook_is_valid_and_holds_all_files(student, files):
    """Le carnet ne s'ouvre pas, ou ses fichiers ne sont pas ceux du dossier."""
    book = nbformat.reads(files["tp.ipynb"], as_version=4)
    nbformat.validate(book)
    written = {}
    for cell in book.cells:
        if cell.source.startswith("%%writefile "):
            name, _, text = cell.source.partition("\n")
            written[name.removeprefix("%%writefile ")] = text
    assert written == {n: text for n, text in files.items() if n.endswith(".py") or n.startswith("verification/")}
    runs = [cell.source for cell in book.cells if cell.source.startswith("%run ") and "--section" in cell.source]
    wanted = [f"%run {script}.py --section {name}" for script in tool.SCRIPTS for name in load(script).SECTIONS]
    assert runs == wanted and sum(cell.source == "Réponse :" for cell in book.cells) == len(wanted)


@pytest.mark.lent
def test_the_notebook_plays_in_an_empty_folder(files, tmp_path, monkeypatch):
    """Le carnet, joué dans un dossier vide, s'arrête, perd ses images ou écrit d'autres fichiers."""
    for name, value in environment(MPLBACKEND=None, PYTHONIOENCODING=None).items():
        monkeypatch.setenv(name, value)
    for name in ("MPLBACKEND", "PYTHONIOENCODING"):
        monkeypatch.delenv(name, raising=False)
    book = nbformat.reads(files["tp.ipynb"], as_version=4)
    NotebookClient(book, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    played = [cell for cell in book.cells if cell.source.startswith("%run ") and "--section" in cell.source]
    outputs = ["".join(output.get("text", "") for output in cell.outputs) for cell in played]
    images = [any("image/png" in output.get("data", {}) for output in cell.outputs) for cell in played]
    waiting = ["À vous n° " in text for text in outputs]
    assert sum(waiting) >= 10 and sum(images) >= 8
    assert not any(image and wait for image, wait in zip(images, waiting))
    verdicts = [c for c in book.cells if c.source.startswith("%run verifier.py")]
    said = "".join(output.get("text", "") for cell in verdicts for output in cell.outputs)
    assert said.count("[à faire]") == len(BLANKS) and "SystemExit" not in said
    names = {path.name for path in tmp_path.iterdir()} - {"__pycache__"}
    assert names == {name.partition("/")[0] for name in files if name.endswith(".py")}
