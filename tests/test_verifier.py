"""Le vérificateur : des réponses justes et fausses à chaque chose à écrire, et ce qu'il en dit.

Un enfant par script sert à tous les essais d'un fichier : il relit le script à chaque question.
"""

import contextlib
import queue
import re
import subprocess
import sys
import textwrap
from types import SimpleNamespace

import pytest

from commun import ROOT, environment

sys.path.insert(0, str(ROOT / "outils"))
import verifier
import version_eleve
from verification import (
    BLANKS,
    dessins,
    dialogue,
    erreurs,
    exercice1,
    exercice2,
    exercice3,
    exercice3_nonlinear,
    relu_plot,
    source,
)

NUMBERS = range(1, len(BLANKS) + 1)


# --- De quoi remplir un script d'élève ----------------------------------------------------------------
@pytest.fixture(scope="module")
def files():
    """Ce que reçoit un élève : {nom: texte}."""
    return version_eleve.student_files()


def solutions():
    """{numéro: lignes de la réponse du corrigé}, sans leur décalage."""
    found = {}
    for script in version_eleve.SCRIPTS:
        text = (ROOT / f"{script}.py").read_text(encoding="utf-8")
        for match in version_eleve.REGION.finditer(text):
            lines = match.group(0).splitlines()[1:-1]
            found[version_eleve.number_of(script, match.group(2))] = textwrap.dedent("\n".join(lines))
    return found


def filled(text, answers):
    """Le texte d'un élève, où le `raise` de chaque numéro de `answers` est remplacé par ces lignes."""
    for number, code in answers.items():
        found = re.search(rf'^( *)raise NotImplementedError\("À vous n° {number} : .*\n', text, re.MULTILINE)
        if found:
            text = text.replace(found[0], textwrap.indent(code, found[1]) + "\n")
    return text


@pytest.fixture(scope="module")
def bench(files, tmp_path_factory):
    """Un dossier d'élève et ses enfants, arrêtés à la fin ; `judge` y juge une réponse, les autres étant justes."""
    folder, children, right = tmp_path_factory.mktemp("élève"), {}, solutions()
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")

    def judge(answers, number, others=None):
        script = BLANKS[number - 1].script
        text = filled(files[f"{script}.py"], {**(right if others is None else others), **answers})
        (folder / f"{script}.py").write_text(text, encoding="utf-8")
        states = {other: "bien" for other in right if other not in answers} if others is None else {}
        work = verifier.Work(script, text, children.setdefault(script, []), states)
        return verifier.verdict(work, number)

    verifier.FOLDER = folder
    yield SimpleNamespace(folder=folder, judge=judge, right=right)
    for child in sum(children.values(), []):
        dialogue.stop(child)


# --- Les réponses, dans reponses.txt -------------------------------------------------------------------
def read_answers():
    """Les cas de reponses.txt : ({numéro: réponse}, {numéro: verdict attendu}, le morceau attendu de la raison)."""
    cases = []
    text = (ROOT / "tests" / "reponses.txt").read_text(encoding="utf-8")
    for block in re.split(r"^### ", re.sub(r"^=== .*\n", "", text, flags=re.MULTILINE), flags=re.MULTILINE)[1:]:
        head, _, body = block.partition("\n")
        numbers, verdicts, *said = head.split(" | ")
        numbers = [int(number) for number in numbers.split()]
        answers = dict(zip(numbers, [part.strip("\n") for part in re.split(r"^---\n", body, flags=re.MULTILINE)]))
        assert len(answers) == len(numbers) == len(verdicts.split(", ")), head
        cases.append((answers, dict(zip(numbers, verdicts.split(", "))), said[0] if said else ""))
    return cases


CASES = read_answers()


def parameters():
    """Les cas, avec un nom ; ceux des scripts longs, et les réponses justes sauf la première, sont à part."""
    found, seen = [], set()
    for k, (answers, verdicts, _) in enumerate(CASES):
        number, code = list(answers.items())[-1]
        quick = number <= 8 and (verdicts[number] != "bien" or number not in seen)
        seen |= {number} if verdicts[number] == "bien" else set()
        marks = [] if quick else [pytest.mark.lent]
        found.append(pytest.param(k, marks=marks, id=f"{number} {verdicts[number]} {code.splitlines()[-1][:40]}"))
    return found


@pytest.mark.parametrize("k", parameters())
def test_each_answer_has_its_verdict_and_its_reason(k, bench):
    """Une réponse juste est refusée, une fausse acceptée, ou la raison donnée n'est pas la bonne."""
    answers, verdicts, said = CASES[k]
    for number, wanted in verdicts.items():
        if wanted != "?":
            verdict, reason = bench.judge(answers, number)
            assert (verdict, said in reason) == (wanted, True), reason


def test_every_number_has_right_and_wrong_answers():
    """Un numéro n'est plus essayé sur des réponses justes et fausses."""
    for number in NUMBERS:
        verdicts = [case[1][number] for case in CASES if number in case[1]]
        assert verdicts.count("bien") >= 2 and verdicts.count("pas encore") >= 4, number


# --- Ce qui arrête ou encombre Python -----------------------------------------------------------------
DEADLY = {  # l'enfant n'y survit pas : un autre juge la suite
    "while True:\n    pass": "pas de réponse en 2 secondes (ligne 4",
    "import time\ntime.sleep(1000)": "pas de réponse en 2 secondes",
    "import os\nos._exit(0)": "le script arrête Python",
    "import ctypes\nctypes.string_at(0)": "Python s'est arrêté net",
}
HOSTILE = {
    "exit()": "exit() ou quit() arrête Python",
    "raise SystemExit": "exit() ou quit() arrête Python",
    "input('combien ? ')": "input() attend une réponse",
    "def again():\n    again()\nagain()": "s'appelle elle-même sans fin",
    "import pandas_qui_n_existe_pas": "cette bibliothèque n'est pas installée",
    "ax.plot([1, 2], [1, 2, 3])": "ces formes ne vont pas ensemble",
    "loss_history[5000]": "un numéro dépasse la taille",
    "ax.plotter(loss_history)": "cet objet n'a rien de ce nom",
    "ax.plot(loss_history())": "pas une fonction",
}
if sys.platform == "linux":
    HOSTILE["big = np.ones(10**10)"] = "il faudrait trop de mémoire"


def whole(files, bench, answers, script="exercice1"):
    """Le verdict du vérificateur sur un script tout rempli, sauf ces réponses."""
    text = filled(files[f"{script}.py"], {**bench.right, **answers})
    (bench.folder / f"{script}.py").write_text(text, encoding="utf-8")
    return verifier.check_script(script)


@pytest.mark.lent
@pytest.mark.parametrize("code", DEADLY, ids=lambda code: code[-30:])
def test_a_deadly_answer_has_its_line_and_the_others_are_judged(code, files, bench, monkeypatch):
    """Une boucle sans fin ou un exit() empêche de juger les autres numéros."""
    monkeypatch.setattr(verifier, "SECONDS", 2)
    before = list(dialogue.running)
    lines, n_good = whole(files, bench, {1: code})
    assert n_good == 5 and lines[0].startswith("[pas encore] exercice1.py ligne ")
    assert DEADLY[code] in lines[0] and "\n" not in lines[0]
    assert dialogue.running == before, "chaque enfant est arrêté"


@pytest.mark.lent
@pytest.mark.parametrize("code", HOSTILE, ids=lambda code: code[-30:])
def test_a_hostile_answer_has_its_line(code, bench):
    """Une réponse hostile n'a pas sa ligne, ou l'enfant ne peut plus en juger d'autre."""
    verdict, reason = bench.judge({1: code}, 1)
    assert (verdict, HOSTILE[code] in reason, "\n" in reason) == ("pas encore", True, False), reason
    assert bench.judge({}, 3) == ("bien", "")


@pytest.mark.lent
def test_the_child_counts_its_own_time(files, bench, monkeypatch):
    """L'enfant attend la limite d'horloge, trois fois plus longue, au lieu de s'arrêter de lui-même."""
    monkeypatch.setattr(verifier, "SECONDS", 2)
    work = verifier.Work("relu_plot", "", [], {})
    text = filled(files["relu_plot.py"], {**bench.right, 7: "while True:\n    pass"})
    (bench.folder / "relu_plot.py").write_text(text, encoding="utf-8")
    question = {"task": "observe", "number": 7, "skipped": []}
    verifier.ask(work, {"task": "import", "skipped": []})
    line = text.splitlines().index("    while True:") + 1
    reply = verifier.ask(work, question)
    assert reply["end"] == "pas de réponse en 2 secondes" and reply["line"] in (line, line + 1)


def test_a_reply_without_the_word_of_its_question_is_not_read():
    """Le code de l'élève peut souffler un verdict au vérificateur."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True)
    child = dialogue.Child(process, queue.Queue())
    for reply in ({"seen": {"ok": True}}, {"seen": {}, "token": "deviné"}, "bien", 3, None):
        child.replies.put(reply)
    assert "end" in dialogue.ask(child, {"task": "observe"}, 1) and process.poll() is not None


@pytest.mark.lent
def test_prints_by_the_thousand_do_no_harm(files, bench):
    """Cent mille print bloquent le vérificateur, ou changent un verdict."""
    lines, n_good = whole(files, bench, {1: "for i in range(100_000):\n    print(i, 'é' * 50)\nax.plot(loss_history)"})
    assert n_good == 6, lines[0]


@pytest.mark.lent
def test_a_child_that_dies_leaves_no_zombie(files, bench):
    """Chaque script mort laisse un processus derrière lui."""
    whole(files, bench, {1: "import os\nos.fork() if hasattr(os, 'fork') else None\nos._exit(3)"})
    if sys.platform == "linux":
        left = subprocess.run(["ps", "-eo", "stat,args"], capture_output=True, text=True).stdout
        mine = [line for line in left.splitlines() if "verification.enfant" in line and str(bench.folder) in line]
        assert len(mine) <= 5 and not any(line.startswith("Z") for line in mine)


@pytest.mark.parametrize(
    "text, said",
    [
        ("def relu(x:\n    return x\n", "relu_plot.py ligne 1 : Python ne comprend pas cette ligne"),
        ("def relu(x):\nreturn x\n", "relu_plot.py ligne 2 : le décalage au début de la ligne ne va pas"),
        ("import numppy\n", "relu_plot.py ligne 1 : cette bibliothèque n'est pas installée"),
        ("import numpy as np\nnp.pi()\n", "relu_plot.py ligne 2 : des parenthèses après"),
        ("exit()\n", "exit() ou quit() arrête Python"),
        ("", "relu n'est plus dans relu_plot.py"),
        (None, "relu_plot.py n'est pas dans ce dossier"),
        (b"# \xe9\xe9\n", "enregistrez-le en UTF-8"),
    ],
)
def test_a_script_that_does_not_load_says_so_once(text, said, bench):
    """Un script que Python ne lit pas n'a pas sa ligne, ou la même raison est répétée."""
    path = bench.folder / "relu_plot.py"
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    lines, n_good = verifier.check_script("relu_plot")
    assert n_good == 0 and len(lines) == 2 and re.search(said.replace("(", r"\(").replace(")", r"\)"), lines[0]), lines
    assert all(line.startswith("[pas encore] relu_plot.py ligne ") for line in lines)
    if text:
        assert lines[1].endswith(" : même raison")


# --- Le `raise`, les autres numéros, les constantes ---------------------------------------------------
RAISE = 'raise NotImplementedError("À vous n° {} : ...")'


@pytest.mark.parametrize(
    "code, verdict, said",
    [
        (
            RAISE.format(7) + "\nreturn np.maximum(0, x)",
            "pas encore",
            "c'est juste, mais le raise est encore là, ligne ",
        ),
        ("return np.maximum(0, x)\n" + RAISE.format(7), "bien", ""),
        (RAISE.format(7) + "\nreturn np.abs(x)", "à faire", ""),
        ("return np.abs(x)\n" + RAISE.format(7), "pas encore", "valeur absolue"),
        ("raise NotImplementedError('plus tard')", "pas encore", "NotImplementedError"),
    ],
)
def test_a_raise_left_under_or_over_an_answer(code, verdict, said, bench):
    """Un raise oublié rend fausse une réponse juste, ou cache une réponse qui n'est pas atteinte."""
    found = bench.judge({7: code}, 7)
    assert found[0] == verdict and said in found[1]


def test_a_mistake_in_another_blank_is_its_own(files, bench):
    """Une réponse juste est dite fausse parce qu'une autre arrête sa section."""
    lines, _ = whole(files, bench, {7: "return max(0, x)"}, "relu_plot")
    assert "il faut d'abord que" not in lines[0] and "élément" in lines[0]
    assert (
        "c'est juste, mais la section 3.1-relu ne va pas au bout : il faut d'abord que le numéro 7 marche" in lines[1]
    )


FAULTS = [  # une réponse fausse, et les numéros qui l'attendent, alors que leur réponse est juste
    ({16: "y_pred = self.output(self.hidden(xx))\nreturn y_pred"}, "exercice3_nonlinear", {15, 17, 18, 19}),
    ({15: "self.hidden, self.output = torch.nn.Linear(1, 9), torch.nn.Linear(5, 1)\nself.activation = torch.nn.Tanh()"},
     "exercice3_nonlinear", {16, 17, 18, 19}),
    ({17: "torch.optim.Adam(our_model.parameters(), lr=learning_rate)"}, "exercice3_nonlinear", {20}),
    ({4: "groups = rng.integers(len(inputs), size=batch_size)"}, "exercice1", {5, 6}),
    ({4: "groups = rng.integers(len(inputs) + 1, size=(n_iterations, batch_size))"}, "exercice1", {5, 6}),
    ({5: "while True:\n    pass"}, "exercice1", {4, 6}),
]  # fmt: skip


@pytest.mark.lent
@pytest.mark.parametrize("answers, script, waiting", FAULTS, ids=lambda value: str(value)[:20])
def test_who_waits_for_whom(answers, script, waiting, files, bench, monkeypatch):
    """Un numéro juste, arrêté par un autre, n'en dit pas le nom."""
    monkeypatch.setattr(verifier, "SECONDS", 8)
    (wrong,) = answers
    lines, _ = whole(files, bench, answers, script)
    for line in lines:
        number = int(re.search(r"n° (\d+)", line)[1])
        if number == wrong:
            assert line.startswith("[pas encore]") and "il faut d'abord" not in line
        elif number in waiting:
            assert line.endswith(f"il faut d'abord que le numéro {wrong} marche")
        else:
            assert line.startswith("[bien]")


EDITS = {  # ce que l'élève a changé hors des lignes à écrire, et ce qu'on en dit aux numéros 4 et 5
    "deltas = outputs - yy ": "ce nom n'existe pas (NameError: name 'yy' is not defined)",
    "deltas = y - outputs ": "même sans groupes, train ne fait plus la descente de l'énoncé",
}


@pytest.mark.parametrize("new", EDITS)
def test_a_mistake_in_the_given_loop_is_not_laid_on_a_number(new, files, bench):
    """Une faute dans du code donné est reprochée à un numéro juste."""
    text = filled(files["exercice1.py"], bench.right).replace("deltas = outputs - y ", new)
    (bench.folder / "exercice1.py").write_text(text, encoding="utf-8")
    lines, _ = verifier.check_script("exercice1")
    assert "il faut d'abord" not in "".join(lines)
    assert EDITS[new] in lines[3] and EDITS[new] in lines[4]


@pytest.mark.parametrize("name", ["random.py", "numpy.py"])
def test_a_file_named_like_a_library_is_said(name, files, tmp_path):
    """Un random.py de l'élève donne un traceback incompréhensible."""
    for each, text in files.items():
        (tmp_path / each).parent.mkdir(exist_ok=True)
        (tmp_path / each).write_text(text, encoding="utf-8")
    (tmp_path / name).write_text("x = 1\n")
    status, output, errors = run_verifier(tmp_path, "relu_plot")
    said = f"verifier.py : un fichier à vous s'appelle {name}, comme une bibliothèque : renommez-le\n"
    assert (status, output, errors.replace("\r", "")) == (1, "", said)


CONSTANTS = {
    "exercice1": {
        "LEARNING_RATE = 0.01": "LEARNING_RATE = 1000",
        "RATES = [0.001": "RATES = [0.5, 0.001",
        "SEED = 0": "SEED = 7",
    },
    "relu_plot": {"X_MAX = 8": "X_MAX = 3"},
    "exercice2": {
        "HIDDEN_SIZES = [1, 3, 10, 50]": "HIDDEN_SIZES = [4]",
        "HIDDEN_LAYER_SIZES = [10]": "HIDDEN_LAYER_SIZES = 6",
    },
}


@pytest.mark.lent
@pytest.mark.parametrize("script", CONSTANTS)
def test_a_changed_setting_does_not_change_the_verdict(script, files, bench):
    """Un réglage changé fait refuser une réponse juste."""
    text = filled(files[f"{script}.py"], bench.right)
    for old, new in CONSTANTS[script].items():
        assert old in text
        text = text.replace(old, new, 1)
    (bench.folder / f"{script}.py").write_text(text, encoding="utf-8")
    lines, n_good = verifier.check_script(script)
    assert n_good == len(lines), lines


def test_a_refused_setting_is_said_as_it_is(files, bench):
    """Un réglage refusé passe pour une faute dans le code de l'élève."""
    text = filled(files["relu_plot.py"], bench.right).replace("X_MAX = 8", "X_MAX = -8")
    (bench.folder / "relu_plot.py").write_text(text, encoding="utf-8")
    lines, n_good = verifier.check_script("relu_plot")
    assert n_good == 0 and all("un réglage est refusé (relu_plot.py : X_MAX (--x-max)" in line for line in lines)


# --- Le balayage --------------------------------------------------------------------------------------
def sweep(bench, others):
    """Le verdict de chaque numéro, où seules les réponses de `others(numéro)` sont écrites."""
    return {number: bench.judge({}, number, others(number)) for number in NUMBERS}


@pytest.mark.lent
def test_with_all_but_one_that_one_is_to_do(bench):
    """Le corrigé d'un numéro fait accepter un autre numéro, resté vide."""
    found = sweep(bench, lambda number: {k: code for k, code in bench.right.items() if k != number})
    assert {number: verdict for number, (verdict, _) in found.items() if verdict != "à faire"} == {}


@pytest.mark.lent
@pytest.mark.parametrize("alone", NUMBERS)
def test_with_only_one_no_other_is_right(alone, bench):
    """Ce qui est écrit pour un numéro suffit à un autre, resté vide."""
    script = BLANKS[alone - 1].script
    for number in [k for k in NUMBERS if BLANKS[k - 1].script == script]:
        verdict, reason = bench.judge({}, number, {alone: bench.right[alone]})
        if number != alone:
            assert verdict != "bien", number
        elif verdict != "bien":
            assert "il faut d'abord" in reason, reason


# --- Les commandes ------------------------------------------------------------------------------------
def run_verifier(folder, *words, timeout=120, encoding="cp1252"):
    command = [sys.executable, "verifier.py", *words]
    done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, timeout=timeout)
    return done.returncode, done.stdout.decode(encoding).replace("\r", ""), done.stderr.decode(encoding)


@pytest.mark.lent
def test_from_all_blank_to_all_right(files, bench, tmp_path):
    """La version vierge a un point, ou le corrigé n'a pas tout juste, ou un fichier reste dans le dossier."""
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    status, output, errors = run_verifier(tmp_path)
    lines = output.splitlines()
    assert (status, errors) == (1, "") and lines[-1] == f"0 sur {len(BLANKS)}" and len(lines) == len(BLANKS) + 1
    for number, (line, blank) in enumerate(zip(lines, BLANKS), start=1):
        place = re.match(r"\[à faire\] (\w+)\.py ligne (\d+), n° (\d+) \(([\d.]+)\), (.*)$", line)
        assert place and place.groups()[::2] == (blank.script, str(number), blank.consigne), line
        assert f"À vous n° {number} :" in files[f"{blank.script}.py"].splitlines()[int(place[2]) - 1]
    for script in version_eleve.SCRIPTS:
        (tmp_path / f"{script}.py").write_text(filled(files[f"{script}.py"], bench.right), encoding="utf-8")
    status, output, errors = run_verifier(tmp_path)
    assert (status, errors) == (0, "") and output.endswith(f"\n{len(BLANKS)} sur {len(BLANKS)}\n")
    assert output.count("[bien]") == len(BLANKS)
    assert {path.name for path in tmp_path.iterdir() if path.suffix != ".py"} == {
        name.partition("/")[0] for name in files if not name.endswith(".py") or "/" in name
    }, "rien de plus dans le dossier"


def test_one_script_and_a_hint(bench, files):
    """Un indice manque, est trop long, ou donne plus que son niveau."""
    for name in ("exercice1.py", "relu_plot.py"):
        (bench.folder / name).write_text(files[name], encoding="utf-8")
    status, output, errors = run_verifier(bench.folder, "relu_plot.py")
    assert (status, errors) == (1, "") and output.count("[à faire] relu_plot.py") == 2 and output.endswith("0 sur 2\n")
    for number, blank in enumerate(BLANKS, start=1):
        for level, hint in zip(("", ".2", ".3"), blank.hints):
            assert verifier.show_hint(f"{number}{level}") == 0 and len(hint) <= 300
    status, output, errors = run_verifier(bench.folder, "--indice", "4.3")
    assert (status, errors) == (0, "") and "rng.integers(____, size=(____, ____))" in output
    status, output, errors = run_verifier(bench.folder, "--indice", "4")
    assert "Combien par groupe" in output and output.endswith("Encore un indice : python verifier.py --indice 4.2\n")
    assert all(len(line) <= 120 for line in output.splitlines())


@pytest.mark.parametrize(
    "words", [["--indice", "0"], ["--indice", "4.4"], ["--indice", "é"], ["exercice9"], ["--indice"]]
)
def test_a_command_that_means_nothing_is_refused_in_one_line(words, bench):
    """Une commande mal tapée donne un traceback."""
    status, output, errors = run_verifier(bench.folder, *words)
    assert (status, output) == (2, "") and errors.count("\n") == 1 and errors.startswith("verifier.py : ")


def test_the_numbers_written_in_the_checks_are_those_of_the_table():
    """Une vérification envoie à un mauvais numéro (4 et 5 dans `train`, 13 et 18 pour la perte gardée)."""
    keys = {number: blank.observe.__name__ for number, blank in enumerate(BLANKS, start=1)}
    assert (keys[4], keys[5]) == ("observe_groups", "observe_taking")
    assert (BLANKS[12].script, keys[13]) == ("exercice3", "observe_keeping")
    assert (BLANKS[17].script, keys[18]) == ("exercice3_nonlinear", "observe_keeping")
    assert list(exercice3_nonlinear.KEEP) == [18] and "--indice 13.2" in BLANKS[17].hints[1]


def test_what_is_said_fits_every_console():
    """Une consigne, un indice ou une erreur sort de cp1252."""
    for blank in BLANKS:
        "".join([blank.consigne, *blank.hints]).encode("cp1252")
    for path in (ROOT / "outils" / "verification").glob("*.py"):
        for text in re.findall(r'"[^"\n]*"', path.read_text(encoding="utf-8")):
            text.encode("cp1252")


# --- Les jugements, sans aucun processus --------------------------------------------------------------
def curve(y, x=None, kind="line"):
    return {"kind": kind, "x": list(range(len(y))) if x is None else x, "y": list(y)}


def test_a_curve_is_matched_on_its_points():
    """Une courbe juste mais tracée autrement est refusée, ou un bout de courbe accepté."""
    losses = [100 / (k + 1) for k in range(50)]
    for series in [
        curve(losses),
        curve(losses, list(range(1, 51))),
        curve([*losses, 1], list(range(51))),
        curve(losses[::5], list(range(0, 50, 5))),
        curve(losses, kind="alone"),
    ]:
        assert dessins.follows(series, losses) and exercice1.judge_loss({"losses": losses, "axes": [[series]]}) == ""
    for series, said in [
        (curve(losses[:10]), "la courbe va de 100 à 10 en 10 points, loss_history de 100 à 2 en 50"),
        (curve(losses[5:]), "la courbe va de"),
        (curve(losses[5:], list(range(5, 50))), "la courbe va de"),
        (curve(losses[:30]), "la courbe va de"),
        (curve(losses, losses), "contre lui-même"),
        (curve(list(range(50)), losses), "échangés"),
        (curve([losses[-1]], [0], "alone"), "seule la dernière"),
        (curve(losses, [k / 50 for k in range(50)]), "n'est pas le numéro"),
    ]:
        assert not dessins.follows(series, losses)
        assert said in exercice1.judge_loss({"losses": losses, "axes": [[series]]})


def test_relu_is_judged_on_its_seven_values():
    """relu est jugée « bien » alors qu'elle rend nan, change x ou perd sa forme."""
    seen = {"none": False, "x": relu_plot.POINTS, "shape": [7], "values": relu_plot.WANTED, "printed": ""}
    assert relu_plot.judge_relu(seen) == ""
    assert (
        relu_plot.judge_relu({**seen, "values": [float("nan")] * 7})
        == "relu ne rend pas un nombre fini pour chaque élément de x"
    )
    assert "forme (3,)" in relu_plot.judge_relu({**seen, "shape": [3], "values": [1, 2, 3]})
    assert "change x" in relu_plot.judge_relu({**seen, "x": relu_plot.WANTED})


def test_groups_are_judged_on_their_numbers():
    """Des groupes tirés une fois pour toutes, ou hors des observations, passent pour justes."""
    rng = exercice1.np.random.default_rng(3)
    rows, others = rng.integers(12, size=(2, 60, 4)).tolist()
    assert exercice1.groups_fault(rows, others) == ""
    assert "quel que soit le hasard" in exercice1.groups_fault(rows, rows)
    assert "5 groupes pour 60" in exercice1.groups_fault(rows[:5], others)
    assert "n'existe pas" in exercice1.groups_fault([[-1, 0, 1, 2], *rows[1:]], others)


def test_shapes_are_judged_on_pairs():
    """Des formes écrites autrement sont refusées, ou recopiées, acceptées."""
    for text in ("(4, 11) (11, 3)", "(11, 3)\n(4, 11)", "4 x 11 ; 11 x 3", "couche 0 : (4, 11)\ncouche 1 : (11, 3)"):
        texts = [text, text.replace("11", "13")]
        assert exercice2.judge_shapes({"texts": texts}) == "", text
    for text in ("4 11 3", "(4, 10) (10, 3)", "44 neurones et 33 poids", ""):
        assert exercice2.judge_shapes({"texts": [text, text.replace("11", "13")]}), text


def test_learning_needs_two_seeds_of_three():
    """Un bon réseau est refusé pour une graine malheureuse, ou un mauvais accepté pour une heureuse."""
    x = exercice1.np.linspace(0, 1, 50)
    y = x**4 + 0.1 * ((7 * exercice1.np.arange(50)) % 50) / 50  # un bruit étalé de 0 à 0.1
    good = {"x": x.tolist(), "y": y.tolist(), "prediction": (x**4 + 0.05).tolist()}
    bad = {**good, "prediction": (0 * x).tolist()}
    fault = exercice3_nonlinear.learning_fault
    assert fault([good, good]) == fault([good, bad, good]) == fault([bad, good, good]) == ""
    assert "après 2000 époques" in fault([good, bad, bad]) and fault([bad, bad, good]) and fault([])


def test_keeping_is_judged_on_what_was_given():
    """loss_history est jugée sur d'autres pertes que celles de la boucle de l'élève."""
    losses = exercice3.expected_losses(0, 0)
    number = [{"kind": "number", "shape": [], "value": [loss]} for loss in losses]
    seen = {"given": losses, "kept": number, "start": [0, 0]}
    assert exercice3.judge_keeping(seen) == ""
    assert "et 2 valeurs" in exercice3.judge_keeping({**seen, "kept": number[:2]})
    assert "à l'époque 5" in exercice3.judge_keeping({**seen, "given": [*losses[:5], 9]})
    assert "dans la boucle de l'énoncé" in exercice3.judge_keeping({**seen, "start": [0, 1]})
    assert "s'arrête après 3" in exercice3.judge_keeping({**seen, "given": losses[:3], "kept": number[:3]})


@pytest.mark.parametrize("blank", BLANKS, ids=lambda blank: f"{blank.script} {blank.consigne[:20]}")
def test_a_forged_observation_is_never_right(blank):
    """Une observation inventée, vide, fausse ou vraie, passe pour une réponse juste."""
    forged = [{}, {"ok": True}, {"axes": []}, {"tries": [True, True]}, {"texts": ["", ""]}, {"fits": [], "curves": []}]
    for seen in [*forged, None, [], "bien", {"losses": [], "axes": [[]]}, {"shapes": [], "output": True}]:
        work = verifier.Work(blank.script, "", [], {})
        assert verifier.judged(work, {"seen": seen}, BLANKS.index(blank) + 1) != ""


def test_an_error_is_said_in_french_with_its_own_words():
    """L'erreur de Python perd sa ligne, ou les mots qu'on peut chercher."""
    error = {"kind": "NameError", "message": "name 'los' is not defined", "lines": [12, 84]}
    assert erreurs.sentence(error, "exercice1") == (
        "exercice1.py ligne 84 : ce nom n'existe pas (NameError: name 'los' is not defined)"
    )
    assert erreurs.sentence({"kind": "OddError", "message": "", "lines": []}, "exercice1") == "OddError"


def test_the_line_of_a_blank_without_its_raise_or_its_comment(files):
    """Le raise et le commentaire effacés, le vérificateur ne sait plus où est le numéro."""
    text = files["exercice1.py"]
    blanks = dict(enumerate(BLANKS, start=1))
    line = source.find_line(text, 4, blanks[4])
    assert "raise NotImplementedError" in text.splitlines()[line - 1]
    without = filled(text, {4: "groups = None"})
    assert "# À VOUS n° 4 (" in without.splitlines()[source.find_line(without, 4, blanks[4]) - 1]
    bare = re.sub(r" *# À VOUS n° 4 .*\n", "", without)
    assert bare.splitlines()[source.find_line(bare, 4, blanks[4]) - 1].startswith("def train(")
    assert source.find_line("(", 4, blanks[4]) == 1


# --- Dans un noyau ------------------------------------------------------------------------------------
def test_the_kernel_is_left_as_it_was(files, bench, monkeypatch):
    """Lancé dans un carnet, le vérificateur en change les figures, le hasard ou les réglages."""
    import nbformat
    from nbclient import NotebookClient

    for name, value in environment(MPLBACKEND=None, PYTHONIOENCODING=None).items():
        monkeypatch.setenv(name, value)
    for name in ("MPLBACKEND", "PYTHONIOENCODING"):
        monkeypatch.delenv(name, raising=False)
    (bench.folder / "relu_plot.py").write_text(files["relu_plot.py"], encoding="utf-8")
    state = "[plt.get_backend(), dict(plt.rcParams), plt.get_fignums(), np.random.get_state()[1].tolist(), plt.close]"
    cells = [
        "import matplotlib.pyplot as plt\nimport numpy as np\nplt.plot([1, 2])\nplt.show()",
        f"before = {state}",
        "%run verifier.py relu_plot",
        f"assert {state} == before\nplt.plot([1, 2])\nplt.show()",
    ]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(book, timeout=60, resources={"metadata": {"path": str(bench.folder)}}).execute()
    outputs = [cell.outputs for cell in book.cells]
    assert {(output.output_type, output.get("name")) for output in outputs[2]} == {("stream", "stdout")}
    said = "".join(output.text for output in outputs[2])
    assert said.startswith("Je joue vos sections") and said.endswith("0 sur 2\n") and said.count("[à faire]") == 2
    assert any("image/png" in output.get("data", {}) for output in outputs[3])
