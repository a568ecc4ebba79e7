"""La version élève, écrite par un outil, et son vérificateur, qui distingue à faire, pas encore et bien."""

import ast
import difflib
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from commun import ROOT, SCRIPTS, blocks, environment, load, load_file, play, run

TOOL = ROOT / "outils" / "version_eleve.py"
# De quoi aller vite là où un script s'entraîne longtemps.
OPTIONS = {"exercice2": ["--epochs", "3"], "exercice3": ["--epochs", "20"], "exercice3_nonlinear": ["--epochs", "30"]}
N_BLANKS = {"exercice1": 6, "relu_plot": 2, "exercice2": 4, "exercice3": 1, "exercice3_nonlinear": 2}
# Ceux qu'un essai n'atteint pas : sans `relu`, rien à tracer ; sans ses couches, pas de `forward`.
N_HIDDEN = {"exercice1": 2, "relu_plot": 1, "exercice3_nonlinear": 1}


def regions(text):
    """Les régions du corrigé, dans l'ordre : (consigne, texte entier avec ses marques)."""
    return [(match.group(2), match.group(0)) for match in load_file(TOOL).REGION.finditer(text)]


def put_back(text, original, changes=()):
    """Remet chaque région à la place de sa consigne ; `changes` : {consigne: un autre texte}."""
    for consigne, region in regions(original):
        line = rf'^ *raise NotImplementedError\("(À vous : )?{re.escape(consigne)}"\)\n'
        blank = re.search(line, text, re.MULTILINE).group(0)
        indent = blank[: len(blank) - len(blank.lstrip())]
        new = "".join(f"{indent}{line}\n" for line in changes[consigne].split("\n")) if consigne in changes else region
        text = text.replace(blank, new)
    return text


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
    return {script: (ROOT / f"{script}.py").read_text(encoding="utf-8") for script in SCRIPTS}


def test_the_folder_is_complete_and_never_overwritten(student, tmp_path):
    names = {path.name for path in student.iterdir() if path.is_file()}
    others = {"README.md", "requirements.txt", "verifier.py", "questions.md"}
    assert names == {f"{script}.py" for script in SCRIPTS} | others
    before = {path: path.read_bytes() for path in student.iterdir() if path.is_file()}
    (tmp_path / "fichier").touch()
    for target in (student, tmp_path / "fichier"):
        status, output, errors = launch(tmp_path, TOOL, target)
        assert (status, output) == (2, "") and errors.count("\n") == 1
    assert before == {path: path.read_bytes() for path in student.iterdir() if path.is_file()}


def test_the_short_readme_has_what_a_student_needs(student):
    text = (student / "README.md").read_text(encoding="utf-8")
    whole = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.findall("^## (.+)$", text, re.MULTILINE) == load_file(TOOL).FOR_STUDENTS
    set_up = [line for line in whole.splitlines() if "-r requirements.txt" in line]
    assert len(set_up) == 2 and set(set_up) <= set(text.splitlines())
    assert "les réponses sont à vous" in text
    assert "docs/" not in text and "enseignant" not in text, "rien qui manque au dossier"


def test_every_script_runs_and_tells_what_is_left_to_write(student, workers):
    pending = {}
    for script in SCRIPTS:
        options = ["--corrige", "--figures", "figures", *OPTIONS.get(script, [])]
        pending[script] = workers.submit(play, student / f"{script}.py", *options)
    for script, future in pending.items():
        status, output, errors = future.result(timeout=600)
        assert (status, errors) == (0, ""), script
        left = set(re.findall(r"^À vous : (.+) \((\w+)\.py, ligne (\d+)\)$", output, re.MULTILINE))
        for consigne, name, line in left:
            source = (student / f"{name}.py").read_text(encoding="utf-8").splitlines()
            assert name == script and consigne in source[int(line) - 1]
        assert len(left) == N_BLANKS[script] - N_HIDDEN.get(script, 0)
        assert all(len(line) <= 100 for line in output.splitlines())
        answers = re.findall(r"^(?:Corrigé|Réponse) : (.*)$", output, re.MULTILINE)
        assert set(answers) <= {"À vous de répondre."} and output.count("À vous") == len(blocks(output)), script


def test_what_needs_no_blank_still_works(student):
    status, output, errors = run("exercice1", student, "--section", "2.2.2-boucle", "--section", "2.2.2-echelle")
    assert (status, errors) == (0, "") and "À vous" not in output


@pytest.mark.parametrize("script", SCRIPTS)
def test_with_the_regions_back_only_the_answers_are_missing(script, student, originals):
    original, text = originals[script], (student / f"{script}.py").read_text(encoding="utf-8")
    assert text.count("raise NotImplementedError(") == len(regions(original)) == N_BLANKS[script]
    assert "CORRIGÉ :" not in text
    restored = put_back(text, original).splitlines()
    changed = [line for line in difflib.ndiff(original.splitlines(), restored) if line[0] in "+-"]
    added = [line[2:] for line in changed if line[0] == "+"]
    assert set(added) == {'    return "À vous de répondre."'} and len(added) == len(load(script).SECTIONS)
    for function in load_file(TOOL).sections_of(ast.parse(text)).values():
        returned = [node for node in function.body if isinstance(node, ast.Return)]
        assert [ast.unparse(node) for node in returned] == ["return 'À vous de répondre.'"], function.name
        assert "answer" not in ast.unparse(function)
    # Rien de ce qui manque n'affiche ni ne dessine : ce ne sont que des réponses.
    assert not any(re.search(r"print\(|show\(|\.plot\(", line) for line in changed)


def test_questions_hold_every_section_and_every_blank(student, originals):
    text = (student / "questions.md").read_text(encoding="utf-8")
    for script, original in originals.items():
        for name, function in load(script).SECTIONS.items():
            title = function.__doc__.splitlines()[0]
            asked = [
                line.strip() for line in function.__doc__.splitlines() if "Question :" in line or "Travail" in line
            ]
            assert f"### {name} : {title}\n" in text and asked and all(line in text for line in asked)
        for consigne, _ in regions(original):
            assert f"- `{script}.py` : {consigne}\n" in text
    assert text.count("Réponse :") == text.count("\n### ")


def verify(folder):
    """Lance le vérificateur comme un élève ; rend (état, lignes)."""
    status, output, errors = launch(folder, "verifier.py")
    assert errors == ""
    return status, output.splitlines()


def complete(student, originals, folder, script=None, changes=()):
    """Un dossier élève tout rempli ; dans `script`, certaines consignes ont une autre réponse."""
    for name, original in originals.items():
        text = (student / f"{name}.py").read_text(encoding="utf-8")
        (folder / f"{name}.py").write_text(
            put_back(text, original, changes if name == script else ()), encoding="utf-8"
        )
    (folder / "verifier.py").write_bytes((student / "verifier.py").read_bytes())


def test_the_checker_from_all_blank_to_all_right(student, originals, tmp_path):
    complete(student, originals, tmp_path)
    with ThreadPoolExecutor(2) as pool:
        (blank, left), (full, done) = pool.map(verify, [student, tmp_path])
    assert blank == 1 and left[-1] == "0 sur 7"
    assert all(line.startswith("[à faire] ") for line in left[:-1]) and len(left) == 8
    assert full == 0 and done[-1] == "7 sur 7" and all(line.startswith("[bien] ") for line in done[:-1])


def test_a_file_that_does_not_import_does_not_hide_the_others(student, originals, tmp_path):
    complete(student, originals, tmp_path)
    (tmp_path / "relu_plot.py").write_text("def relu(x:\n    return x\n", encoding="utf-8")
    status, lines = verify(tmp_path)
    assert status == 1 and lines[-1] == "6 sur 7" and len(lines) == 8
    assert "[pas encore] relu_plot.py, 3.1 : ReLU : SyntaxError" in lines[3]


GROUPS = "tirez au hasard groups, les groupes (mini-batch)"
DRAW = "tracez loss_history sur ax"
THIRD = "tirez de quoi apprendre avec trois entrées"
RELU = "rendez max(0, x) pour chaque élément de x"
LOSS = "ajoutez la perte, un nombre, à loss_history"
LAYERS = "une couche cachée, une activation, une couche de sortie"
FORWARD = "passez x dans vos couches, et rendez y_pred"
DATA = "inputs, targets = make_data(rng, N_OBSERVATIONS, [2, 4, -3], 3, NOISE)\n"
MISTAKES = [
    ("relu_plot", "check_relu", {RELU: "return np.abs(x)"}, "valeur absolue"),
    ("relu_plot", "check_relu", {RELU: "return max(0, x)"}, "que sur un nombre"),
    ("relu_plot", "check_relu", {RELU: "return np.max(x)"}, "chaque élément"),
    ("relu_plot", "check_relu", {RELU: "return np.minimum(0, x)"}, "relu(-3) vaut -3"),
    (
        "exercice1",
        "check_mini_batch",
        {GROUPS: "groups = rng.integers(len(inputs), size=(n_iterations, 1))"},
        "n'ont pas la taille demandée",
    ),
    (
        "exercice1",
        "check_mini_batch",
        {GROUPS: "groups = [rng.integers(len(inputs), size=batch_size)] * n_iterations"},
        "toujours le même groupe",
    ),
    (
        "exercice1",
        "check_mini_batch",
        {GROUPS: "groups = [np.arange(len(inputs))] * n_iterations"},
        "toutes les observations",
    ),
    (
        "exercice1",
        "check_mini_batch",
        {GROUPS: "groups = rng.integers(len(inputs) // 2, size=(n_iterations, batch_size))"},
        "jamais tirées",
    ),
    ("exercice1", "check_loss_figure", {DRAW: "pass"}, "axes sont vides"),
    ("exercice1", "check_loss_figure", {DRAW: "ax.plot(loss_history, loss_history)"}, "contre elle-même"),
    ("exercice1", "check_loss_figure", {DRAW: "ax.plot(np.sqrt(loss_history))"}, "n'est pas loss_history"),
    ("exercice1", "check_third_input", {THIRD: DATA + "weights, bias = make_parameters(rng, 2)"}, "trois poids"),
    (
        "exercice1",
        "check_third_input",
        {THIRD: DATA.replace("[2, 4, -3]", "[3, -4]") + "weights, bias = make_parameters(rng, 2)"},
        "trois entrées",
    ),
    ("exercice3", "check_loss_history", {LOSS: "loss_history.append(loss)"}, "loss.item()"),
    ("exercice3", "check_loss_history", {LOSS: "pass"}, "0 valeurs"),
    ("exercice3_nonlinear", "check_layers", {LAYERS: "self.linear = torch.nn.Linear(1, 1)"}, "manque une couche"),
    ("exercice3_nonlinear", "check_forward", {FORWARD: "return self.output(self.hidden(x))"}, "manque l'activation"),
    ("exercice3_nonlinear", "check_forward", {FORWARD: "return self.hidden(x)"}, "(n, 1)"),
]


@pytest.mark.parametrize("script, check, changes, reason", MISTAKES)
def test_usual_mistakes_are_named(script, check, changes, reason, student, originals, tmp_path):
    complete(student, originals, tmp_path, script, changes)
    verifier = load_file(tmp_path / "verifier.py")
    verdict, said = verifier.judge(script, getattr(verifier, check))
    assert verdict == "pas encore" and reason in said, said


@pytest.mark.parametrize("line", ["deltas_scaled = deltas", "deltas_scaled = deltas / len(inputs)"])
def test_a_sum_where_a_mean_is_due_is_named(line, student, originals, tmp_path):
    complete(student, originals, tmp_path)
    path = tmp_path / "exercice1.py"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("deltas_scaled = deltas / len(x)", line, 1), encoding="utf-8")
    verifier = load_file(tmp_path / "verifier.py")
    verdict, said = verifier.judge("exercice1", verifier.check_mini_batch)
    assert verdict == "pas encore" and "moyenne" in said


@pytest.mark.parametrize(
    "changes",
    [
        {GROUPS: "groups = [rng.choice(len(inputs), batch_size, replace=False) for _ in range(n_iterations)]"},
        {DRAW: "ax.plot(range(1, len(loss_history) + 1), loss_history)"},
    ],
)
def test_another_right_answer_is_right(changes, student, originals, tmp_path):
    complete(student, originals, tmp_path, "exercice1", changes)
    verifier = load_file(tmp_path / "verifier.py")
    for check in (verifier.check_mini_batch, verifier.check_loss_figure):
        assert verifier.judge("exercice1", check) == ("bien", "")
