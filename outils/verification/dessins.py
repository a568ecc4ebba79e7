"""Ce qui est tracé dans les figures : l'enfant en lit les points, le parent les compare à ceux qu'on attend."""

import numpy as np


# --- Dans l'enfant ------------------------------------------------------------------------------------
def drawn():
    """Tout ce que montrent les figures ouvertes : pour chaque axe, une liste de séries {"kind", "x", "y"}."""
    import matplotlib.pyplot as plt

    axes = [ax for number in plt.get_fignums() for ax in plt.figure(number).axes]
    return [series_of(ax) for ax in axes]


def series_of(ax):
    """Les séries d'un axe : courbes, nuages et barres ; les points tracés un par un n'en font qu'une.

    Un point seul sans marque ne se voit pas : il est de la série "unseen".
    """
    found, alone, unseen = [], [], []
    for line in ax.lines:
        if line.get_transform() is ax.transData and is_visible(line):  # sinon, c'est axhline ou axvline
            bare = len(line.get_xdata()) == 1 and line.get_marker() in ("None", "", " ", None)
            found.append(("unseen" if bare else "line", line.get_xdata(orig=False), line.get_ydata(orig=False)))
    for collection in ax.collections:
        if type(collection).__name__ == "PathCollection":  # scatter
            offsets = np.ma.getdata(collection.get_offsets()).reshape(-1, 2)
            found.append(("points", offsets[:, 0], offsets[:, 1]))
    for bars in ax.containers:
        if type(bars).__name__ == "BarContainer":
            found.append(
                ("bars", [b.get_x() + b.get_width() / 2 for b in bars], [b.get_y() + b.get_height() for b in bars])
            )
    series = []
    for kind, x, y in found:
        x, y = np.asarray(x, float).ravel().tolist(), np.asarray(y, float).ravel().tolist()
        if len(x) == 1:
            (unseen if kind == "unseen" else alone).append((x[0], y[0]))
        elif x:
            series.append({"kind": kind, "x": x, "y": y})
    for kind, points in (("alone", alone), ("unseen", unseen)):
        if points:
            series.append({"kind": kind, "x": [x for x, _ in points], "y": [y for _, y in points]})
    return series


def is_visible(line):
    """Faux pour une courbe cachée, transparente ou de la couleur du fond."""
    from matplotlib.colors import to_rgb

    hidden = not line.get_visible() or line.get_alpha() == 0
    return not hidden and to_rgb(line.get_color()) != to_rgb(line.axes.get_facecolor())


# --- Dans le parent -----------------------------------------------------------------------------------
def numbers(values):
    """Un tableau de nombres finis, (n,) ; vide si ce n'en est pas."""
    try:
        found = np.asarray(values, float).ravel()
    except (TypeError, ValueError):
        return np.zeros(0)
    return found if np.isfinite(found).all() else np.zeros(0)


def same(first, second):
    """Vrai pour deux suites de même longueur et de mêmes nombres, aux arrondis de float32 près."""
    first, second = numbers(first), numbers(second)
    return len(first) == len(second) > 0 and np.allclose(first, second, rtol=1e-4, atol=1e-9)


def follows(series, expected):
    """Vrai si la série passe par (k, expected[k]), d'un bout à l'autre ; l'axe peut aussi commencer à 1."""
    x, y, expected = np.asarray(series["x"], float), np.asarray(series["y"], float), numbers(expected)
    last = len(expected) - 1
    for shift in (0, 1):
        k = np.rint(x - shift)
        whole = (abs(x - shift - k) < 1e-6) & (k >= 0) & (k <= last)
        inside = k[whole].astype(int)
        found = set(inside[np.isclose(y[whole], expected[inside], rtol=1e-4, atol=1e-9)].tolist())
        if 0 in found and len(found) >= min(10, last + 1) and max(found) >= 0.8 * last:
            return True
    return False


def shown(ax, expected):
    """Vrai si cet axe montre `expected` en fonction du numéro."""
    return any(follows(series, expected) for series in ax if series["kind"] != "unseen")


def fault(axes, expected, name, panels=("ax",), place=0, others=()):
    """Dit pourquoi l'axe panels[place] ne montre pas `expected`, qu'on appelle `name` ; "" s'il le montre.

    `panels` : le nom des axes de la section, ceux de sa figure ; `others` : des suites qu'elle y trace elle-même. Une
    cause n'est dite que si c'est elle.
    """
    where = [k for k, ax in enumerate(axes) if shown(ax, expected)]
    if place in where:
        return ""
    if where:
        there = f"sur {panels[where[0]]}" if where[0] < len(panels) else "dans une autre figure"
        return f"{name} est bien tracé, mais {there} : tracez sur {panels[place]}"
    series_there = [series for series in axes[place] if not any(follows(series, other) for other in others)]
    if any(series["kind"] == "unseen" and follows(series, expected) for series in series_there):
        return "chaque point est tracé seul, sans marque, et ne se voit pas : tracez toute la liste d'un coup"
    curves = [series for series in series_there if series["kind"] not in ("alone", "unseen")]
    for series in curves:
        swapped = {"x": series["y"], "y": series["x"]}
        if same(series["y"], expected) and same(series["x"], expected):
            return f"{name} est tracé contre lui-même : en abscisse, il faut le numéro de l'itération"
        if follows(swapped, expected):
            return "les deux axes sont échangés : le numéro en abscisse, la perte en ordonnée"
        if same(series["y"], expected):
            return "la perte y est, mais l'abscisse n'est pas le numéro de l'itération"
    for series in series_there:
        if series["kind"] in ("alone", "unseen") and any(
            np.isclose(y, expected[-1], rtol=1e-6) and x < 2 for x, y in zip(series["x"], series["y"])
        ):
            return f"seule la dernière valeur est tracée : il faut tout {name}"
    if not curves:
        return f"aucune courbe : tracez {name}"
    longest = max(curves, key=lambda series: len(series["y"]))
    return f"la courbe va de {span(longest['y'])} points, {name} de {span(expected)}"


def span(values):
    """« 496 à 0.0016 en 300 »"""
    return f"{values[0]:.4g} à {values[-1]:.4g} en {len(values)}"
